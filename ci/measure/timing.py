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
class Taken:
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


def timed(argv: Sequence[str | Path], cwd: Path, env: Mapping[str, str] | None = None) -> Taken:
    """Run a command, its output thrown away."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in argv],
        cwd=cwd,
        env=dict(env or environment()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    return Taken(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, process.returncode)


def called(work: Callable[[], object]) -> Taken:
    """Call something in this process."""
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return Taken(time.perf_counter() - started, time.process_time() - cpu, 0, 0)


def linkage(*arguments: str | Path) -> list[str]:
    """The command line of a harness's command."""
    return [sys.executable, "-m", "harness.cli", *map(str, arguments)]


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
    rounds: int, measured: Callable[[], Taken], other: Callable[[], Taken]
) -> tuple[Ratio, float, float, list[Taken], list[Taken]]:
    """Both in turn, several times: the ratios, that of processor time, the noise, and all that was taken."""
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(other())
        ours.append(measured())
    pairs = list(zip(ours, theirs, strict=True))
    ratio = Ratio.of([one.wall / two.wall for one, two in pairs])
    cpu = statistics.median(one.cpu / max(two.cpu, 1e-6) for one, two in pairs)
    return ratio, cpu, spread(theirs), ours, theirs


def spread(taken: Sequence[Taken]) -> float:
    """The longest of identical runs divided by the shortest."""
    walls = [one.wall for one in taken]
    return max(walls) / min(walls)
