"""Running commands and setting what they took against each other."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PLUGINS = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:cov")


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run took: seconds on the clock, seconds of all its processes, bytes at its peak.

    The peak is the largest single process's, which is the controlling one where the others are small.
    """

    wall: float
    cpu: float
    peak: int
    status: int


def environment(**more: str) -> dict[str, str]:
    """The environment of what is measured: byte code is kept, as on any user's machine."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    env["PYTEST_ADDOPTS"] = " ".join(_PLUGINS)
    return env | more


_LAUNCHER = """\
import os, sys, time
nowhere = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
started = time.perf_counter()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=nowhere)
_, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - started
print(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status))
"""
"""Starts what is measured from a small process: Linux counts into a process's peak that of the one
which it was before its program was loaded, and this one is larger than many that are measured.
"""


def timed(argv: Sequence[str | Path], cwd: Path, env: Mapping[str, str] | None = None) -> Measurement:
    """Run a command, its output thrown away."""
    words = [sys.executable, "-SEc", _LAUNCHER, *(str(word) for word in argv)]
    told = subprocess.run(words, cwd=cwd, env=dict(env or environment()), capture_output=True, check=True)
    wall, cpu, peak, status = told.stdout.split()
    return Measurement(float(wall), float(cpu), int(peak), int(status))


def called(work: Callable[[], object]) -> Measurement:
    """Call something in this process."""
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return Measurement(time.perf_counter() - started, time.process_time() - cpu, 0, 0)


def linkage(*arguments: str | Path) -> list[str]:
    """The command line of a harness's command."""
    return [sys.executable, "-m", "linkage", *map(str, arguments)]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How what is measured compares with what it is measured against, over several rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Ratio":
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table."""

    name: str
    against: str
    goal: str
    ratio: Ratio | None
    met: bool | None
    """None where there is no goal, or nothing could be measured."""
    cpu: float | None = None
    """The median ratio of processor time, which other work on the machine disturbs less."""
    noise: float | None = None
    """The largest of identical runs divided by the smallest."""
    note: str = ""
    unit: str = ""


def against(
    rounds: int, measured: Callable[[], Measurement], other: Callable[[], Measurement]
) -> tuple[Ratio, float, float, list[Measurement], list[Measurement]]:
    """Both in turn, several times: the ratios, that of processor time, the noise, and all that was taken."""
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(other())
        ours.append(measured())
    pairs = list(zip(ours, theirs, strict=True))
    ratio = Ratio.of([one.wall / two.wall for one, two in pairs])
    cpu = statistics.median(one.cpu / max(two.cpu, 1e-6) for one, two in pairs)
    return ratio, cpu, spread(theirs), ours, theirs


def spread(taken: Sequence[Measurement]) -> float:
    """The longest of identical runs divided by the shortest."""
    walls = [one.wall for one in taken]
    return max(walls) / min(walls)
