"""Processes that hang, flood, crash, read nothing or leave children behind."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from linkage.host import process, supervised_process
from linkage.host.process import ProcessResult, run, signal_name

ENV = {"PATH": os.environ["PATH"]}


def shell(
    script: str,
    folder: Path,
    *,
    time_limit: float = 60,
    stdin: bytes | None = None,
    output_limit: int = 1 << 20,
) -> ProcessResult:
    return run(
        ["sh", "-c", script],
        env=ENV,
        cwd=folder,
        stdin=stdin,
        time_limit=time_limit,
        output_limit=output_limit,
    )


def still_beats(pulse: Path) -> bool:
    """Whether something still writes to this file."""
    last = pulse.read_bytes() if pulse.exists() else b""
    time.sleep(0.3)
    return (pulse.read_bytes() if pulse.exists() else b"") != last


BEAT = "while :; do date +%s%N > pulse; sleep 0.05; done"


def test_an_end_by_itself(tmp_path: Path) -> None:
    ended = shell("echo out; echo err >&2; exit 3", tmp_path)
    assert (ended.status, ended.stdout, ended.stderr, ended.limit) == (3, b"out\n", b"err\n", None)
    assert ended.seconds > 0


def test_exactly_the_environment_that_is_given(tmp_path: Path) -> None:
    ended = run([sys.executable, "-c", "import os; print(sorted(os.environ))"], env={"A": "b", "LC_ALL": "C"},
                cwd=tmp_path, time_limit=60)  # fmt: skip
    assert ended.stdout == b"['A', 'LC_ALL']\n"


def test_a_signal_is_a_negative_status(tmp_path: Path) -> None:
    assert shell("kill -SEGV $$", tmp_path).status == -signal.SIGSEGV
    assert signal_name(signal.SIGSEGV) == "SIGSEGV"
    assert signal_name(250) == "signal 250"


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run([tmp_path / "gone"], env=ENV, cwd=tmp_path, time_limit=60)


def test_hang_is_killed_and_its_output_kept(tmp_path: Path) -> None:
    ended = shell("echo before; exec sleep 1000", tmp_path, time_limit=0.5)
    assert (ended.limit, ended.stdout, ended.status) == ("time", b"before\n", -signal.SIGKILL)


def test_a_hang_with_closed_pipes_is_cut(tmp_path: Path) -> None:
    assert shell("exec >&- 2>&-; exec sleep 1000", tmp_path, time_limit=0.3).limit == "time"


def test_grandchildren_die_at_the_time_limit(tmp_path: Path) -> None:
    ended = shell(f"({BEAT}) & sleep 1000", tmp_path, time_limit=0.5)
    assert ended.limit == "time"
    assert (tmp_path / "pulse").exists()
    assert not still_beats(tmp_path / "pulse")


def test_grandchildren_die_with_a_program_that_ended(tmp_path: Path) -> None:
    ended = shell(f"({BEAT}) >/dev/null 2>&1 & sleep 0.2; exit 0", tmp_path)
    assert (ended.status, ended.limit) == (0, None)
    assert not still_beats(tmp_path / "pulse")


@pytest.mark.parametrize("stream", ["", " >&2"])
def test_endless_output_is_cut(stream: str, tmp_path: Path) -> None:
    ended = shell(f"exec yes{stream}", tmp_path)
    assert ended.limit == "output"
    assert 1 << 20 < len(ended.stdout) + len(ended.stderr) < 2 << 20


def test_endless_output_of_a_child_is_cut_after_the_program_ended(tmp_path: Path) -> None:
    assert shell("yes & exit 0", tmp_path).limit == "output"


def test_child_that_keeps_the_pipes_open_does_not_delay_the_result(tmp_path: Path) -> None:
    """The program ends while we wait for its output: its end alone must wake us."""
    started = time.monotonic()
    ended = shell("sleep 1000 & sleep 0.3; echo said; exit 5", tmp_path, time_limit=60)
    assert (ended.status, ended.stdout, ended.limit) == (5, b"said\n", None)
    assert time.monotonic() - started < 30


def test_output_of_a_child_after_the_end_is_kept(tmp_path: Path) -> None:
    ended = shell("(sleep 0.4; echo late) & exit 0", tmp_path)
    assert (ended.status, ended.stdout) == (0, b"late\n")


def test_standard_input(tmp_path: Path) -> None:
    assert shell("cat", tmp_path, stdin=b"x" * 300_000).stdout == b"x" * 300_000
    assert shell("cat", tmp_path).stdout == b""
    assert shell("cat", tmp_path, stdin=b"").stdout == b""


def test_input_that_nobody_reads(tmp_path: Path) -> None:
    ended = shell("echo done", tmp_path, stdin=b"x" * 3_000_000)
    assert (ended.status, ended.stdout, ended.limit) == (0, b"done\n", None)
    ended = shell("exec 0<&-; sleep 0.2; echo done", tmp_path, stdin=b"x" * 3_000_000)
    assert (ended.status, ended.stdout, ended.limit) == (0, b"done\n", None)
    assert shell("exec sleep 1000", tmp_path, stdin=b"x" * 3_000_000, time_limit=0.3).limit == "time"


def test_input_and_output_at_the_same_time(tmp_path: Path) -> None:
    """Both pipes are full at once; neither side may wait for the other."""
    ended = shell("tee /dev/stderr", tmp_path, stdin=b"y" * 2_000_000, output_limit=8 << 20)
    assert (len(ended.stdout), len(ended.stderr)) == (2_000_000, 2_000_000)


def test_the_umask(tmp_path: Path) -> None:
    run(["sh", "-c", "touch made"], env=ENV, cwd=tmp_path, time_limit=60, umask=0o077)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o600


def test_nothing_is_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        shell("echo x", tmp_path, stdin=b"y")
        shell("sleep 100", tmp_path, time_limit=0.05)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


STARTER = """
import os, pathlib, sys
from linkage.host.process import run
run(["sh", "-c", sys.argv[1]], env=dict(os.environ), cwd=pathlib.Path(sys.argv[2]), time_limit=1000)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_was_started_dies_with_us(number: signal.Signals, tmp_path: Path) -> None:
    """An interrupted run, and an xdist worker that its controller kills, leave no compiler behind."""
    pulse = tmp_path / "pulse"
    harness = subprocess.Popen(
        [sys.executable, "-c", STARTER, BEAT, str(tmp_path)], stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 30
        while not pulse.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert pulse.exists()
    finally:
        harness.send_signal(number)
        harness.wait()
    deadline = time.monotonic() + 60
    while still_beats(pulse):
        assert time.monotonic() < deadline, "what it had started still runs"


def test_all_that_runs_can_be_ended_from_another_thread(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(shell, "touch started$$; exec sleep 1000", tmp_path) for _ in range(2)]
        while len(list(tmp_path.glob("started*"))) < 2 or len(supervised_process._running.groups) < 2:
            time.sleep(0.02)
        process.end_all()
        assert [one.result(30).status for one in running] == [-signal.SIGKILL] * 2
