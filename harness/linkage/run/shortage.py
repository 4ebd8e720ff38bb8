"""Whether a process failed because of a limit or of the machine, which says nothing about the compiler. Pure.

What counts is the cause: the limit for which the process was killed, its signal, the free space where it
writes. What a compiler prints counts only if it is about the compiler's own work, not about a source, which
may contain any text; and what a program prints counts only if the limit can have caused it.
"""

import json
import re
from dataclasses import dataclass

from linkage.host.limits import StepLimits
from linkage.host.process import ProcessResult
from linkage.host.size import shown_size
from linkage.host.system import SIGBUS, SIGKILL, SIGXCPU, SIGXFSZ

FULL = 1 << 20
"""With fewer bytes free, a disk is full."""
NEARLY_FULL = 1 << 30
"""With fewer bytes free, a disk may have been full when a compiler failed: it removes its files then."""
DISK_FULL = "the disk is full"
NO_SPACE = "No space left on device"
"""What the system calls it."""
_COMPILERS = ("rustc", "cc", "cxx", "ar")
_KILLED = "was killed by SIGKILL, as the system does if memory runs out"
_IN_SOURCE = re.compile(r"^\s*(?:\S+:\d+:|\d*\s*\|)")
"""A line of a C compiler about a source, or a line of that source."""
_ALLOCATION = re.compile(r"memory allocation of (\d+) bytes failed")
_BUS_ERROR = re.compile(r"\(SIGBUS\)|terminated with signal 7\b")
_PRINTED = (
    (re.compile(NO_SPACE), DISK_FULL),
    (re.compile(r"Disk quota exceeded"), "the disk quota is exceeded"),
    (re.compile(r"Too many open files"), "open_files"),
    (
        re.compile(r"\(SIGXFSZ\)|terminated with signal 25\b|File size limit exceeded|File too large"),
        "file_size",
    ),
    (re.compile(r"\(SIGKILL\)|terminated with signal 9\b"), f"a process that it started {_KILLED}"),
    (
        re.compile(r"Cannot allocate memory|virtual memory exhausted|out of memory"),
        "the machine is out of memory",
    ),
    (
        re.compile(r"Resource temporarily unavailable"),
        "the user may not start another process (help: see `ulimit -u`)",
    ),
)
"""What compilers print if the machine or a limit failed them: a limit's name, or what happened."""


@dataclass(frozen=True, slots=True)
class MachineState:
    """What the machine had when a process ended, and what it allows."""

    free: int
    """Bytes that are free where it writes."""
    free_files: int
    """How many files more there can be; -1 if there is no limit."""
    limits_memory: bool
    """Whether the machine refuses memory that it has: an address space limit, or no overcommitment."""


def limit_text(limit: str, limits: StepLimits, timeout: int) -> str:
    """Which limit a process reached, its value, and the key of the case that raises it."""
    if limit == "time":
        return f"exceeded its timeout of {timeout} s (help: raise `timeout`)"
    value = getattr(limits, limit)
    what = {
        "memory": f"used more than {shown_size(value)} of memory",
        "processes": f"had more than {value} processes and threads",
        "file_size": f"wrote a file larger than {shown_size(value)}",
        "open_files": f"had more than {value} open files",
        "output": f"printed more than {shown_size(value)}",
    }[limit]
    return f"{what} (help: raise `{limit.replace('_', '-')}` in `limits`)"


def shortage(
    program: str,
    ended: ProcessResult,
    machine: MachineState,
    limits: StepLimits,
    timeout: int,
    *,
    expected: bool,
) -> str | None:
    """Why the failure of a process says nothing about the compiler; None if it succeeded, or failed by
    itself. `program` is as in `Command.program`; `expected`: it ended as its case says.
    """
    if ended.limit is not None:
        return limit_text(ended.limit, limits, timeout)
    if ended.status == 0:
        return None
    found = _by_cause(ended.status, machine, limits) if not expected or ended.status > 0 else None
    if found is not None:
        return found
    if program in _COMPILERS:
        return _by_text(_own_words(program, ended.stderr), machine, limits)
    return None if expected else _of_program(ended, machine, limits)


def _by_cause(status: int, machine: MachineState, limits: StepLimits) -> str | None:
    if machine.free < FULL or machine.free_files == 0:
        return DISK_FULL
    if status == -SIGBUS and machine.free < NEARLY_FULL:
        return f"was killed by SIGBUS: {DISK_FULL}"
    return {
        -SIGXFSZ: limit_text("file_size", limits, 0),
        -SIGXCPU: "was killed by SIGXCPU (help: see `ulimit -t`)",
        -SIGKILL: _KILLED,
    }.get(status)


def _by_text(text: str, machine: MachineState, limits: StepLimits) -> str | None:
    if machine.free < NEARLY_FULL and _BUS_ERROR.search(text):
        return DISK_FULL
    for pattern, why in _PRINTED:
        if pattern.search(text):
            return limit_text(why, limits, 0) if hasattr(limits, why) else why
    return None


def _of_program(ended: ProcessResult, machine: MachineState, limits: StepLimits) -> str | None:
    """Of a program that a case has built, or of another tool."""
    text = ended.stderr.decode("utf-8", "replace")
    if "Too many open files" in text:
        return limit_text("open_files", limits, 0)
    if "File too large" in text:
        return limit_text("file_size", limits, 0)
    asked = _ALLOCATION.search(text)
    if asked and machine.limits_memory and int(asked[1]) <= limits.memory:
        return f"could not allocate {shown_size(int(asked[1]))} (help: see `ulimit -v`)"
    return None


def _own_words(program: str, stderr: bytes) -> str:
    """What a compiler printed about its own work, not about a source."""
    lines = stderr.decode("utf-8", "replace").splitlines()
    if program != "rustc":
        return "\n".join(line for line in lines if not _IN_SOURCE.match(line))
    return "\n".join(_own_words_of_rustc(line) for line in lines)


def _own_words_of_rustc(line: str) -> str:
    if not line.startswith("{"):
        return line
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(message, dict) or message.get("spans"):
        return ""
    return str(message.get("rendered") or message.get("message") or "")
