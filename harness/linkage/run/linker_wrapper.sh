#!/bin/sh
# Stands before the linker on rustc's PATH, or in its place: notes how it is called, then calls it.
# CALLS, INPUTS, REAL and the pattern KEPT are filled in where this is written out.
keep() { # a file; one of the same name is not overwritten by another's content
    name=${1##*/} place=$INPUTS/${1##*/} copy=1
    mkdir -p "$INPUTS"
    while [ -e "$place" ] && ! cmp -s "$1" "$place"; do
        copy=$((copy + 1))
        mkdir -p "$INPUTS/$copy"
        place=$INPUTS/$copy/$name
    done
    cp "$1" "$place"
}
number=0
until mkdir "$CALLS/$number" 2>/dev/null; do number=$((number + 1)); done
call="$CALLS/$number"
listed() { # the file with the names to export, and its form
    if [ -f "$1" ]; then cp "$1" "$call/exports.$2"; fi
}
before=
for word in "$@"; do
    printf '%s\0' "$word"
    plain=${word#-Wl,}
    case "${before#-Wl,}" in
    -exported_symbols_list) listed "$plain" apple ;;
    --version-script | --dynamic-list) listed "$plain" script ;;
    esac
    case "$plain" in
    @*) cp "${word#@}" "$call/response" ;;
    --version-script=* | --dynamic-list=*) listed "${plain#*=}" script ;;
    -exported_symbols_list,*) listed "${plain#*,}" apple ;;
    -bE:*) listed "${plain#*:}" aix ;;
    /[dD][eE][fF]:* | -[dD][eE][fF]:*) listed "${plain#*:}" def ;;
    -*) ;;
    *.def) if [ "$before" != -o ]; then listed "$plain" def; fi ;;
    *)
        if [ -n "$INPUTS" ] && [ "$before" != -o ] && [ -f "$word" ]; then
            case "${word##*/}" in
            KEPT) keep "$word" ;;
            esac
        fi
        ;;
    esac
    before=$word
done >"$call/args"
exec "$REAL" "$@"
