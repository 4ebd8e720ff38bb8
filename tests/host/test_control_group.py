"""Control groups of what is started: real ones, where this user can make them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from linkage.host.control_group import ControlGroup, group_places, make_group
from linkage.host.limits import StepLimits
from linkage.host.process import run

pytestmark = pytest.mark.skipif(
    not group_places(), reason="this user cannot make control groups for memory and processes here"
)
LIMITS = StepLimits(memory=200 << 20, processes=50)
HARNESS = """
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
from pathlib import Path
from linkage.host.limits import StepLimits
from linkage.host.process import run
limits = StepLimits(memory=200 << 20, processes=50)
run(["sh", "-c", "cat /proc/self/cgroup > groups; touch ready; sleep 1000"],
    env={"PATH": os.environ["PATH"]}, cwd=Path.cwd(), time_limit=600, limits=limits)
"""


def groups_of(pid: int) -> list[Path]:
    return [one for place in group_places() for one in place.parent.glob(f"linkage-{pid}-*")]


def test_a_step_is_in_a_group_with_its_limits(tmp_path: Path) -> None:
    ended = run(
        ["cat", "/proc/self/cgroup"], env=dict(os.environ), cwd=tmp_path, time_limit=60, limits=LIMITS
    )
    assert ended.stdout.decode().count(f"/linkage-{os.getpid()}-") == len(group_places())


def test_a_process_without_limits_is_in_none(tmp_path: Path) -> None:
    ended = run(["cat", "/proc/self/cgroup"], env=dict(os.environ), cwd=tmp_path, time_limit=60)
    assert b"/linkage-" not in ended.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_groups_go_with_the_run(number: signal.Signals, tmp_path: Path) -> None:
    harness = subprocess.Popen([sys.executable, "-c", HARNESS], cwd=tmp_path, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (tmp_path / "ready").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(groups_of(harness.pid)) == len(group_places())
    harness.send_signal(number)
    harness.wait(60)
    while groups_of(harness.pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_next_run_removes_what_a_killed_supervisor_left() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = [place.parent / f"linkage-{gone.pid}-0" for place in group_places()]
    living = [place.parent / f"linkage-{os.getppid()}-999" for place in group_places()]
    for folder in (*left, *living):
        folder.mkdir()
    group_places.cache_clear()
    try:
        assert group_places()
        assert not any(folder.exists() for folder in left)
        assert all(folder.exists() for folder in living)
    finally:
        for folder in living:
            folder.rmdir()


def test_a_group_that_cannot_be_made_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits are then kept in the other way."""
    before = groups_of(os.getpid())
    with pytest.raises(OSError, match="Invalid argument"):
        ControlGroup(group_places(), -7, -7)
    assert groups_of(os.getpid()) == before
    monkeypatch.setattr("linkage.host.control_group.group_places", lambda: ())
    assert make_group(1 << 30, 100) is None
