"""The job server: tokens are returned whatever happens, and compilers share them."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from linkage.run import job_server as jobs
from linkage.run.job_server import JobServer

HOLD = """\
import sys
from pathlib import Path
from linkage.run.job_server import JobServer
with JobServer(Path(sys.argv[1]), int(sys.argv[2])).token():
    print("held", flush=True)
    sys.stdin.read()
"""
ENOUGH = 30.0  # seconds after which something that should happen has not


@pytest.fixture
def two(tmp_path: Path) -> JobServer:
    made = JobServer.make(tmp_path, 2)
    assert made is not None
    return made


def free(server: JobServer) -> int:
    """How many tokens lie in the fifo."""
    assert server.kept is not None
    try:
        found = os.read(server.kept, 100)
    except BlockingIOError:
        return 0
    os.write(server.kept, found)
    return len(found)


def gets_one(server: JobServer) -> threading.Event:
    """Whether another thread has had a token: it waits for one from now on."""
    had = threading.Event()

    def take() -> None:
        with server.token():
            had.set()

    threading.Thread(target=take, daemon=True).start()
    return had


def test_as_many_at_once_as_it_is_wide(two: JobServer) -> None:
    with two.token(), two.token():
        third = gets_one(two)
        assert not third.wait(3 * jobs._PATIENCE)
    assert third.wait(ENOUGH)


def test_step_that_raises_returns_its_token(two: JobServer) -> None:
    with pytest.raises(KeyboardInterrupt), two.token():
        raise KeyboardInterrupt
    assert free(two) == 2


def test_tokens_of_the_killed_come_back(two: JobServer) -> None:
    holders = [_holder(two) for _ in range(2)]
    assert free(two) == 0
    for one in holders:
        one.send_signal(signal.SIGKILL)
        one.communicate()
    assert gets_one(two).wait(ENOUGH)
    assert _comes_to(two, 2)


def _holder(server: JobServer) -> "subprocess.Popen[bytes]":
    started = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(server.folder), str(server.width)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == b"held\n"
    return started


def _comes_to(server: JobServer, count: int) -> bool:
    until = time.monotonic() + ENOUGH
    while time.monotonic() < until:
        if free(server) == count:
            return True
        time.sleep(0.02)
    return False


def test_tokens_of_a_dead_compiler_are_restored_after_the_others_end(two: JobServer) -> None:
    assert two.kept is not None
    with two.token():
        os.read(two.kept, 1)  # what a compiler took for a thread
        two.lose()
        waits = gets_one(two)
        assert not waits.wait(3 * jobs._PATIENCE)  # another still works
    assert waits.wait(ENOUGH)
    assert _comes_to(two, 2)


def test_lost_tokens_are_restored_only_once(two: JobServer) -> None:
    busy, most, lock = 0, 0, threading.Lock()

    def take(number: int) -> None:
        nonlocal busy, most
        for turn in range(10):
            with two.token():
                with lock:
                    busy += 1
                    most = max(most, busy)
                if (number + turn) % 7 == 0:
                    two.lose()
                time.sleep(0.002)
                with lock:
                    busy -= 1

    threads = [threading.Thread(target=take, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * ENOUGH)
    assert not any(thread.is_alive() for thread in threads)
    assert most <= 2
    with two.token():
        assert free(two) == 1


def test_works_without_a_folder_that_disappears(two: JobServer) -> None:
    with two.token():
        for name in ("jobs", "holders"):
            (two.folder / name).unlink()
        assert gets_one(two).wait(ENOUGH)


def test_no_server_if_makeflags_cannot_name_it(tmp_path: Path) -> None:
    spaced = tmp_path / "a b"
    spaced.mkdir()
    assert JobServer.make(spaced, 2) is None
    assert JobServer.make(tmp_path / "missing", 2) is None


def test_close_closes_the_fifo(tmp_path: Path) -> None:
    with ExitStack() as held:
        made = JobServer.make(tmp_path, 1)
        assert made is not None
        held.callback(made.close)
    assert made.kept is None
    made.close()


def test_the_width_is_the_processors_that_we_may_use() -> None:
    assert 1 <= jobs.processors() <= (os.cpu_count() or 1)


def test_memory_that_the_system_tells_of(tmp_path: Path) -> None:
    told = tmp_path / "meminfo"
    told.write_text("MemTotal: 100 kB\nMemAvailable:   42 kB\n")
    assert jobs.available(told) == 42 * 1024
    told.write_text("MemTotal: 100 kB\n")
    assert jobs.available(told) == sys.maxsize
    assert jobs.available(tmp_path / "missing") == sys.maxsize


def test_one_at_a_time_while_memory_is_short(two: JobServer, monkeypatch: pytest.MonkeyPatch) -> None:
    room = [0]
    monkeypatch.setattr(jobs, "available", lambda: room[0])
    with two.token():
        second = gets_one(two)
        assert not second.wait(0.5)
        room[0] = jobs.ROOM + 1
        assert second.wait(ENOUGH)
    room[0] = 0
    with two.token():  # the first always starts
        pass
    assert free(two) == 2
