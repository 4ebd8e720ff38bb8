"""How programs that run others report that they broke, which says nothing about what they ran. Pure.

One that does not start the program does not open its file, and then its exit status is its own, whatever the
case expects. What the system refuses to execute is opened, too: then the words of env, nice, shells and
others count, with the exit statuses that POSIX has for that. execvp(3) gives such a file to a shell, which
reads it as a script.

Else only what the program under them cannot cause counts. `qemu: uncaught target signal 11`, `wine: Unhandled
page fault` and most of valgrind's lines with a process number tell what that program did. That its
interpreter or a library cannot be opened may be its own fault, too.
"""

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from linkage.host.process import signal_name

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
    # strace.c: what execve says
    ("strace", r"strace: exec: "),
    # wine's dlls/ntdll/unix/loader.c and server.c, and its server/request.c
    ("wine*", r"wine: could not (?:exec the wine loader|load (?:ntdll|kernel32))"),
    ("wine*", r"wine: (?:chdir to |'.*' is (?:not owned by you|a \d\d-bit installation))"),
    ("wine*", r"wine client error"),
    ("wine*", r"wineserver: "),
)
"""The name of a runner, and the beginning of a line by which it reports that it broke."""
_SHOWN = 300
_REFUSED = (126, 127)
_NOT_READ = 2
"""The exit status of a shell that cannot read its script."""
_WHY = r"Exec format error|No such file or directory|required file not found|cannot execute binary file"


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


@dataclass(frozen=True, slots=True)
class BuiltProgram:
    """A program that was given to a runner."""

    word: str
    """As it was named there."""
    opened: bool | None
    """Whether anything opened its file; None if that is not known."""
    is_script: bool
    """Whether the system gives it to an interpreter, whose messages are its own."""


def not_started(runner: Iterable[str], program: BuiltProgram, status: int, stderr: str) -> str | None:
    """Why nothing is known of a built program: what should run it did not start it; None if it may have.

    `runner` is the command line before it.
    """
    names = [posixpath.basename(word) for word in runner]
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    if program.opened is False:
        told = lines[-1] if lines else f"exit status {status}" if status >= 0 else signal_name(-status)
    else:
        refused = _refusal(names, program, status)
        told = next((line for line in lines if refused and re.match(refused, line)), "")
    return f"`{names[0]}` did not start `{program.word}`: {told[:_SHOWN]}" if told else None


def _refusal(names: Iterable[str], program: BuiltProgram, status: int) -> str | None:
    """The beginning of a line by which a runner with this exit status reports that it could not start it."""
    word = re.escape(program.word)
    by_name = rf"(?:\S*/)?(?:{'|'.join(map(re.escape, {*names, 'sh'}))}): "
    patterns = []
    if status in _REFUSED:
        patterns += [rf"{by_name}.*{word}.*(?:{_WHY})", rf"{by_name}failed to execute "]
    if status in (*_REFUSED, _NOT_READ) and not program.is_script:
        patterns += [rf"{word}: (?:line )?\d+: ", rf"{word}: {word}: cannot execute "]
    return "|".join(patterns) or None
