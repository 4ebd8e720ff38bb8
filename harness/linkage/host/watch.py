"""Watches what the processes of a step use together.

The kernel keeps each process to its file size and its open files (setrlimit(2)). It has no limit on what
several processes use together but that of a control group (`linkage.host.control_group`). Where none can be
made, memory and the number of processes are looked at while they run: RLIMIT_AS and RLIMIT_DATA count what is
only reserved, which a sanitizer does by the terabyte, and RLIMIT_NPROC counts all processes of the user.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterable

assert sys.platform != "win32"  # linkage.host.process chooses
import resource

from linkage.host.control_group import ControlGroup
from linkage.host.limits import StepLimits
from linkage.host.supervisor import PROCESSES, listed, tree

_FIRST_LOOK = 0.05
_INTERVAL = 0.1  # seconds: what is allocated in them comes on top of the limit
_PAGE = resource.getpagesize()
_THREADS, _RESIDENT = 17, 21  # fields 20 and 24 of proc_pid_stat(5), counted from its third


class Watch:
    """Looks now and then whether all that descends from a process has reached a limit."""

    def __init__(self, supervisor: int, limits: StepLimits | None, group: ControlGroup | None = None) -> None:
        """`group` is what they are in, if the kernel keeps them within the limits."""
        self._supervisor = supervisor
        self._limits = limits
        self._group = group
        self._over = 0
        self.next = time.monotonic() + _FIRST_LOOK if limits is not None else float("inf")
        """When to look again, by time.monotonic()."""

    def exceeded(self) -> str | None:
        """The limit that is exceeded: "memory" or "processes"; looks only if it is time."""
        if self._limits is None or time.monotonic() < self.next:
            return None
        self.next = time.monotonic() + _INTERVAL
        return self._used(self._limits) if self._group is None else self._group.reached()

    def _used(self, limits: StepLimits) -> str | None:
        """The limit that the processes exceed now."""
        running = tree(self._supervisor)[1:]
        tasks, resident = usage(running)
        found = None
        if tasks > limits.processes:
            found = "processes"
        elif resident > limits.memory and own_memory(running) > limits.memory:
            # Once may be an illusion: a process that was just forked seems to have all that its parent has.
            self._over += 1
            found = "memory" if self._over > 1 else None
        else:
            self._over = 0
        return found

    def last(self) -> str | None:
        """The limit that they have reached since the last look, when they have ended."""
        return None if self._group is None else self._group.reached()


def usage(pids: Iterable[int]) -> tuple[int, int]:
    """How many threads processes have, and how many bytes they have in memory; shared ones more than once.

    Without /proc, processes are counted and not their threads.
    """
    if not os.path.isdir(PROCESSES):  # noqa: PTH112 - fast
        chosen = set(pids)
        found = [one for one in listed() if one.pid in chosen]
        return len(found), sum(one.resident for one in found)
    tasks = pages = 0
    for pid in pids:
        fields = _stat_fields(pid)
        if len(fields) > _RESIDENT:
            tasks += int(fields[_THREADS])
            pages += int(fields[_RESIDENT])
    return tasks, pages * _PAGE


def _stat_fields(pid: int) -> list[bytes]:
    """The fields of a process from its state on; none if it has ended."""
    with contextlib.suppress(OSError), open(f"{PROCESSES}/{pid}/stat", "rb") as file:  # noqa: PTH123 - fast, for it is often called
        return file.read().rpartition(b")")[2].split()
    return []


def own_memory(pids: Iterable[int]) -> int:
    """How many bytes of memory processes have that no file backs; each counts what it shares in part."""
    if not os.path.isdir(PROCESSES):  # noqa: PTH112 - fast
        return usage(pids)[1]
    return sum(map(_own_memory, pids))


def _own_memory(pid: int) -> int:
    with contextlib.suppress(OSError), open(f"{PROCESSES}/{pid}/smaps_rollup", "rb") as file:  # noqa: PTH123 - likewise
        found = {
            name: size for line in file if (name := line.partition(b":")[0]) for size in line.split()[1:2]
        }
        with contextlib.suppress(ValueError):
            return 1024 * sum(int(found.get(name, 0)) for name in (b"Pss_Anon", b"Pss_Shmem", b"SwapPss"))
    return 0
