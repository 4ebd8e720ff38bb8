#!/bin/sh
# Stands before the linker on rustc's PATH: notes how it is called, then calls it.
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
before=
for word in "$@"; do
    printf '%s\0' "$word"
    case "$word" in
    @*) cp "${word#@}" "$call/response" ;;
    -Wl,--version-script=* | -Wl,--dynamic-list=*) cp "${word#*=}" "$call/exports" ;;
    -Wl,*) ;;
    -*) ;;
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
