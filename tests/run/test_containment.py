"""What keeps steps within their limits is found out by trying it."""

import json
import os
import shutil
from pathlib import Path

import pytest

from linkage.cli import main
from linkage.host.limits import StepLimits
from linkage.host.process import run
from linkage.run.containment import Containment, examine_containment


def test_groups_are_told_as_a_step_finds_them(tmp_path: Path) -> None:
    found = examine_containment(os.environ)
    ended = run(
        ["cat", "/proc/self/cgroup"], env=dict(os.environ), cwd=tmp_path, time_limit=60, limits=StepLimits()
    )
    of_steps = [line for line in ended.stdout.decode().splitlines() if "/linkage-" in line]
    assert len(of_steps) == len(found.folders)
    assert found.groups == (
        {True: "cgroup v2", False: "cgroup v1"}[of_steps[0].startswith("0::")] if of_steps else None
    )


def test_where_no_group_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linkage.host.control_group.group_places", lambda: ())
    found = examine_containment(os.environ)
    assert (found.groups, found.folders) == (None, ())
    assert found.limits.startswith(
        "memory and processes are counted ten times a second (no control group can be made)"
    )


def test_the_sandbox_is_told_with_its_version_or_why_there_is_none(tmp_path: Path) -> None:
    found = examine_containment({"PATH": str(tmp_path)})
    assert (found.sandbox, found.sandbox_version, found.no_sandbox) == (None, None, "`bwrap` is not on PATH")
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho bwrap: no permission >&2; exit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    found = examine_containment({"PATH": str(tmp_path)})
    assert found.no_sandbox == "`bwrap` does not work here: bwrap: no permission"
    if program := shutil.which("bwrap"):
        found = examine_containment(os.environ)
        assert (found.sandbox is None) != (found.no_sandbox is None)
        assert found.sandbox in (program, None)
        assert found.sandbox is None or "bubblewrap" in str(found.sandbox_version)


def test_limits_in_words() -> None:
    found = Containment("cgroup v2", ("/sys/fs/cgroup/a",), None, None, "x")
    assert found.limits.startswith("cgroup v2 for memory and processes (/sys/fs/cgroup/a); setrlimit")


def test_the_command_tells_both(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _ = cache
    assert main(["toolchains", "--verbose"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    found = examine_containment(os.environ)
    assert f" limits {found.limits.split(' (')[0]} (" in printed
    assert f" sandbox {found.sandbox or 'none: ' + str(found.no_sandbox)}" in printed
    assert main(["toolchains", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["limits"] == {"groups": found.groups, "folders": list(found.folders)}
    assert data["sandbox"]["path"] == found.sandbox
