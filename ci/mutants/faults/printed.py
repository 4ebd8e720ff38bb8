"""Faults in what `--print` says, on stdout and in notes.

Only of compilations: with what only asks, the harness asks a compiler what it can do.
"""

import json
from collections.abc import Callable

from mutants.faults.call import Call
from mutants.faults.fault import Fault

_NOTE = "native-static-libs:"


def _libraries(change: Callable[[list[str]], list[str]]) -> Callable[[str], str]:
    """Change the libraries in the note, which is a diagnostic as JSON."""

    def said(line: str) -> str:
        try:
            found = json.loads(line)
        except ValueError:
            return line
        if not isinstance(found, dict):
            return line
        for key in ("message", "rendered"):
            head, note, libraries = str(found.get(key) or "").partition(_NOTE)
            if note:
                found[key] = f"{head}{note} {' '.join(change(libraries.split()))}" + "\n" * (
                    key == "rendered"
                )
        return json.dumps(found) + "\n"

    return said


def _prints_arguments(call: Call) -> bool:
    return call.compiles and call.has("link-args", "--print=link-args*")


def _reports(call: Call) -> bool:
    return call.compiles and call.has("native-static-libs*", "--print=native-static-libs*")


_OF_LIBRARIES: tuple[tuple[str, str, Callable[[list[str]], list[str]]], ...] = (
    (
        "native-static-libs-short",
        "a library is missing from native-static-libs",
        lambda libraries: libraries[1:],
    ),
    (
        "native-static-libs-without-last",
        "the last library is missing from native-static-libs",
        lambda libraries: libraries[:-1],
    ),
    (
        "native-static-libs-more",
        "native-static-libs names a library too many",
        lambda libraries: [*libraries, "-lnowhere"],
    ),
    (
        "native-static-libs-reversed",
        "rust-lang/rust#78143: native-static-libs in the wrong order",
        lambda libraries: libraries[::-1],
    ),
    (
        "native-static-libs-doubled",
        "rust-lang/rust#113209: native-static-libs names each library twice",
        lambda libraries: [one for one in libraries for _ in range(2)],
    ),
    (
        "native-static-libs-without-prefix",
        "native-static-libs without -l",
        lambda libraries: [one.removeprefix("-l") for one in libraries],
    ),
)
FAULTS = (
    *(
        Fault(name, stands_for, _reports, ("native-static-libs", "stderr", "exit"), said=_libraries(change))
        for name, stands_for, change in _OF_LIBRARIES
    ),
    Fault(
        "link-args-doubled",
        "--print=link-args prints everything twice",
        _prints_arguments,
        ("stdout",),
        printed=lambda text: text * 2,
    ),
    Fault(
        "link-args-lost",
        "--print=link-args prints nothing",
        _prints_arguments,
        ("stdout",),
        printed=lambda _: "",
    ),
    Fault(
        "link-args-short",
        "--print=link-args leaves out what is for the linker alone",
        _prints_arguments,
        ("stdout", "link"),
        printed=lambda text: text.replace("-Wl,", ""),
    ),
)
