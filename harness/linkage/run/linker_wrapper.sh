#!/bin/sh
# Stands before the linker on rustc's PATH: notes how it is called, then calls it.
# CALLS, INPUTS, REAL and the pattern KEPT are filled in where this is written out.
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
            KEPT) mkdir -p "$INPUTS" && cp "$word" "$INPUTS/" ;;
            esac
        fi
        ;;
    esac
    before=$word
done >"$call/args"
exec "$REAL" "$@"
