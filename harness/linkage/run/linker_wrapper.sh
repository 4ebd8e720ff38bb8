#!/bin/sh
# Stands before the linker on rustc's PATH: notes how it is called, then calls it.
# CALLS, INPUTS and REAL are filled in where this is written out.
number=0
until mkdir "$CALLS/$number" 2>/dev/null; do number=$((number + 1)); done
call="$CALLS/$number"
for word in "$@"; do
    printf '%s\0' "$word"
    case "$word" in
    @*) cp "${word#@}" "$call/response" ;;
    -Wl,--version-script=* | -Wl,--dynamic-list=*) cp "${word#*=}" "$call/exports" ;;
    -Wl,*) ;;
    -*) ;;
    *.o) if [ -n "$INPUTS" ] && [ -f "$word" ]; then mkdir -p "$INPUTS" && cp "$word" "$INPUTS/"; fi ;;
    esac
done >"$call/args"
exec "$REAL" "$@"
