"""How programs that run others report that they broke, which says nothing about what they ran. Pure.

Only what the program under them cannot cause counts. `qemu: uncaught target signal 11`, `wine: Unhandled page
fault` and most of valgrind's lines with a process number tell what that program did. That its interpreter or
a library cannot be opened may be its own fault, too.
"""

import posixpath
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

_FAULTS: Sequence[tuple[str, str]] = (
    # valgrind's coregrind: m_libcassert.c, m_main.c, m_mallocfree.c, m_signals.c, m_ume, m_aspacemgr, and
    # launcher-linux.c
    ("valgrind", r"valgrind: the 'impossible' happened"),
    ("valgrind", r"\w+: \w+\.c:\d+ \(\w+\): Assertion '.*' failed"),
    ("valgrind", r"valgrind: (?:[Ff]atal error at startup|failed to start tool)"),
    ("valgrind", r"valgrind: mmap\(.*\) failed in UME with error 12\b"),
    ("valgrind", r"--\d+-- VALGRIND INTERNAL ERROR"),
    ("valgrind", r"--\d+:\d+: *\w+ +Valgrind: FATAL"),
    ("valgrind", r"==\d+== +Valgrind's memory management: out of memory"),
    ("valgrind", r"valgrind: (?:Unknown|Bad) option: "),
    ("valgrind", r"==\d+== FATAL: (?:can't open|in) suppressions file"),
    # qemu's linux-user: main.c, elfload.c and signal.c, and the assertions of GLib
    ("qemu-*", r"qemu(?:-[\w-]+)?: (?:fatal: |Unable to reserve |QEMU internal SIG)"),
    ("qemu-*", r"(?:Bail out! )?ERROR:\S+:\d+:\w*: (?:code should not be reached|assertion failed)"),
    ("qemu-*", r"qemu: (?:unknown option |missing argument for option |no user program specified)"),
    # wine's dlls/ntdll/unix/loader.c and server.c, and its server/request.c
    ("wine*", r"wine: could not (?:exec the wine loader|load (?:ntdll|kernel32))"),
    ("wine*", r"wine: (?:chdir to |'.*' is (?:not owned by you|a \d\d-bit installation))"),
    ("wine*", r"wine client error"),
    ("wine*", r"wineserver: "),
)
"""The name of a runner, and the beginning of a line by which it reports that it broke."""
_SHOWN = 300


def runner_fault(runner: Iterable[str], stderr: str) -> str | None:
    """Why what a program did cannot be judged: which of the programs that run it broke, and its own words.

    `runner` is the command line before the program. None if no known runner says that it broke.
    """
    names = [posixpath.basename(word) for word in runner]
    lines = stderr.splitlines()
    for known, pattern in _FAULTS:
        name = next((one for one in names if fnmatchcase(one, known)), None)
        if name is None:
            continue
        for number, line in enumerate(lines):
            if re.match(pattern, line):
                # "the 'impossible' happened:" is followed by what did.
                told = " ".join(one.strip() for one in lines[number : number + 1 + line.endswith(":")])
                return f"`{name}` itself broke: {told[:_SHOWN]}"
    return None
