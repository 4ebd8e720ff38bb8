"""Processes that leave their group, and what is done about those that others have started."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from linkage.host import process
from linkage.host.process import run
from linkage.host.supervisor import children

ENV = {"PATH": os.environ["PATH"]}
DAEMON = """\
import os, sys, time
if os.fork():
    sys.exit(int(sys.argv[2]))
os.setsid()
if os.fork():
    os._exit(0)
os.closerange(0, 3)
while True:
    with open(sys.argv[1], "w") as file:
        file.write(str(time.monotonic()))
    time.sleep(0.02)
"""
"""A program that leaves a process in a session of its own, whose parent has ended."""


def beats(pulse: Path, seconds: float = 0.5) -> bool:
    """Whether something writes to this file."""
    last = pulse.read_bytes() if pulse.exists() else b""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.05)
        if pulse.exists() and pulse.read_bytes() != last:
            return True
    return False


def daemon(pulse: Path, *, status: int = 0) -> process.ProcessResult:
    words: list[str | Path] = [sys.executable, "-c", DAEMON, pulse, str(status)]
    return run(words, env=ENV, cwd=pulse.parent, time_limit=60)


@pytest.mark.parametrize("status", [0, 3])
def test_a_daemon_ends_with_the_program_that_started_it(status: int, tmp_path: Path) -> None:
    assert daemon(tmp_path / "pulse", status=status).status == status
    assert not beats(tmp_path / "pulse")


def test_a_daemon_ends_at_the_time_limit(tmp_path: Path) -> None:
    script = f"'{sys.executable}' -c \"$0\" pulse 0; until [ -s pulse ]; do :; done; exec sleep 1000"
    ended = run(["sh", "-c", script, DAEMON], env=ENV, cwd=tmp_path, time_limit=2)
    assert ended.limit == "time"
    assert (tmp_path / "pulse").exists()
    assert not beats(tmp_path / "pulse")


def test_a_daemon_lives_as_long_as_its_program_whatever_others_end(tmp_path: Path) -> None:
    """Programs run at the same time: the end of one is not the end of what another has started."""
    script = f"'{sys.executable}' -c \"$0\" pulse 0; until [ -e stop ]; do sleep 0.02; done"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, ["sh", "-c", script, DAEMON], env=ENV, cwd=tmp_path, time_limit=120)
        assert beats(tmp_path / "pulse", 60)
        for number in range(3):
            daemon(tmp_path / f"other{number}")
            assert not beats(tmp_path / f"other{number}")
        assert beats(tmp_path / "pulse", 30)
        (tmp_path / "stop").touch()
        assert running.result(60).status == 0
    assert not beats(tmp_path / "pulse")


def test_processes_of_others_are_left_alone(tmp_path: Path) -> None:
    """Our own children, those of pytest's process, and their orphans."""
    pulse = tmp_path / "foreign"
    foreign = subprocess.Popen(["sleep", "1000"])
    try:
        subprocess.run([sys.executable, "-c", DAEMON, pulse, "0"], check=True)
        assert beats(pulse, 60)
        daemon(tmp_path / "ours")
        assert beats(pulse, 30)
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()
        subprocess.run(["pkill", "-KILL", "-f", str(pulse)], check=False)


def test_no_zombie_is_left(tmp_path: Path) -> None:
    for number in range(3):
        daemon(tmp_path / f"pulse{number}")
    stats = [Path(f"/proc/{one}/stat").read_text() for one in children(os.getpid())]
    assert not [one for one in stats if one.rpartition(")")[2].split()[0] == "Z"]


def test_programs_are_started_by_one_process_after_the_other(tmp_path: Path) -> None:
    """A program can see what started it."""
    parents = {run(["sh", "-c", "echo $PPID"], env=ENV, cwd=tmp_path, time_limit=60).stdout for _ in range(3)}
    assert len(parents) == 1


def test_a_program_that_kills_what_started_it_is_killed_too(tmp_path: Path) -> None:
    script = "sleep 0.3; kill -KILL $PPID; while :; do date +%s%N > pulse; sleep 0.05; done"
    ended = run(["sh", "-c", script], env=ENV, cwd=tmp_path, time_limit=60)
    assert ended.status == -signal.SIGKILL
    assert not beats(tmp_path / "pulse")
    assert run(["true"], env=ENV, cwd=tmp_path, time_limit=60).status == 0


def test_a_program_is_looked_for_on_its_own_path(tmp_path: Path) -> None:
    program = tmp_path / "true"
    program.write_text("#!/bin/sh\necho mine\n")
    program.chmod(0o755)
    own = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    assert run(["true"], env=own, cwd=tmp_path, time_limit=60).stdout == b"mine\n"
    with pytest.raises(FileNotFoundError):
        run(["true"], env={"PATH": str(tmp_path / "nowhere")}, cwd=tmp_path, time_limit=60)


def test_a_program_gets_only_its_streams(tmp_path: Path) -> None:
    """With what the harness has open, it could keep it waiting."""
    assert run(["ls", "/proc/self/fd"], env=ENV, cwd=tmp_path, time_limit=60).stdout == b"0\n1\n2\n3\n"
