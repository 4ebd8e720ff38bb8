"""StepLimits on what a program uses of the machine."""

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from linkage.host import supervised_process
from linkage.host.control_group import group_places
from linkage.host.limits import StepLimits
from linkage.host.process import ProcessResult, run
from linkage.host.supervisor import children
from linkage.host.watch import own_memory, usage

ENV = {"PATH": os.environ["PATH"]}
SMALL = StepLimits(memory=100 << 20, processes=40, file_size=1 << 20, open_files=64)


@pytest.fixture(autouse=True, params=["by a control group", "by looking"])
def kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both ways to keep processes within limits."""
    if request.param == "by looking":
        monkeypatch.setattr(supervised_process, "make_group", lambda *_: None)
    elif not group_places():
        pytest.skip("this user cannot make control groups for memory and processes here")
    pool = supervised_process._SupervisorPool()
    monkeypatch.setattr(supervised_process, "_supervisors", pool)
    yield
    for one in [one for idle in pool._idle.values() for one in idle]:
        one.stop()


def python(script: str, folder: Path, limits: StepLimits = SMALL) -> ProcessResult:
    return run([sys.executable, "-c", script], env=ENV, cwd=folder, time_limit=120, limits=limits)


def shell(script: str, folder: Path, limits: StepLimits | None = SMALL) -> ProcessResult:
    return run(["sh", "-c", script], env=ENV, cwd=folder, time_limit=120, limits=limits)


ALLOCATE = "x = bytearray(300 << 20); x[::4096] = bytes(len(x[::4096])); import time; time.sleep(1000)"


def test_memory(tmp_path: Path) -> None:
    assert python(ALLOCATE, tmp_path).limit == "memory"


def test_memory_of_several_processes_together(tmp_path: Path) -> None:
    part = ALLOCATE.replace("300 <<", "60 <<")
    assert python(f"import os\nos.fork()\nos.fork()\n{part}", tmp_path).limit == "memory"


def test_memory_of_a_process_that_has_left_the_group(tmp_path: Path) -> None:
    leave = "import os\nif os.fork(): import time; time.sleep(1000)\nos.setsid()\nif os.fork(): os._exit(0)\n"
    assert python(leave + ALLOCATE, tmp_path).limit == "memory"


def test_memory_that_is_only_reserved_is_free(tmp_path: Path) -> None:
    """Sanitizers reserve terabytes."""
    script = "import mmap, time\nx = mmap.mmap(-1, 1 << 40, flags=0x4022)\ntime.sleep(0.5)"
    assert (python(script, tmp_path).limit, python(script, tmp_path).status) == (None, 0)


FORKS = "for _ in $(seq 100); do sleep 1000 & done; wait"


def test_processes(tmp_path: Path) -> None:
    assert shell(FORKS, tmp_path).limit == "processes"


def test_processes_of_a_session_of_their_own(tmp_path: Path) -> None:
    assert shell(f"setsid sh -c '{FORKS}' & exec sleep 1000", tmp_path).limit == "processes"


def test_threads_count(tmp_path: Path) -> None:
    threads = (
        "import threading, time\nfor _ in range(60): threading.Thread(target=time.sleep, args=[1e3]).start()"
    )
    assert python(threads, tmp_path).limit == "processes"


@pytest.mark.parametrize("write", ["truncate -s 10G big", "exec cat /dev/zero > big"])
def test_the_size_of_files(write: str, tmp_path: Path) -> None:
    assert shell(f"exec {write}" if write.startswith("t") else write, tmp_path).status == -signal.SIGXFSZ
    assert (tmp_path / "big").stat().st_size <= SMALL.file_size


def test_open_files_and_cores(tmp_path: Path) -> None:
    """The limits hold from the first instruction on, and cannot be raised.

    valgrind aborts if a limit changes after it has asked for it. With one processor, a program runs for a
    while before whoever has started it can do anything.
    """
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    try:
        limits = replace(SMALL, open_files=63)  # so that what starts the programs is started here
        ended = [shell("ulimit -n; ulimit -Hn; ulimit -Hc", tmp_path, limits).stdout for _ in range(50)]
    finally:
        os.sched_setaffinity(0, processors)
    assert set(ended) == {b"63\n63\n0\n"}


def test_limits_of_one_program_are_not_those_of_the_next(tmp_path: Path) -> None:
    before = shell("ulimit -n; ulimit -f", tmp_path, None).stdout
    assert shell("ulimit -n", tmp_path, replace(SMALL, open_files=100)).stdout == b"100\n"
    assert shell("ulimit -n", tmp_path).stdout == b"64\n"
    assert shell("ulimit -n", tmp_path, replace(SMALL, open_files=90)).stdout == b"90\n"
    assert shell("ulimit -n; ulimit -f", tmp_path, None).stdout == before


def test_a_limit_that_is_not_reached_changes_nothing(tmp_path: Path) -> None:
    ended = shell("head -c 1000 /dev/zero > small; echo done; exit 3", tmp_path)
    assert (ended.status, ended.stdout, ended.limit) == (3, b"done\n", None)


def test_a_program_is_ended_before_the_harness_if_memory_runs_out(tmp_path: Path) -> None:
    ended = shell("sleep 0.2; cat /proc/self/oom_score_adj", tmp_path)
    assert int(ended.stdout) > int(Path("/proc/self/oom_score_adj").read_text())


def test_what_processes_use_is_counted() -> None:
    tasks, resident = usage([os.getpid()])
    assert tasks == len(list(Path("/proc/self/task").iterdir()))
    assert 0 < own_memory([os.getpid()]) < resident
    assert usage([1 << 30]) == (0, 0)
    assert children(1 << 30) == []
