"""`linkage fuzz` as a user starts it: what it draws, finds, keeps and continues."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from linkage.fuzz.fuzz_log import NAME
from mutants.faults.table import EVERY
from mutants.wrappers import write_wrapper
from support.command_fixtures import Linkage

SMALL = ("--graphs", "2", "--seed", "8", "-j", "2")


def test_what_can_be_checked_is_listed(linkage: Linkage) -> None:
    done = linkage("fuzz", "--list")
    assert done.returncode == 0
    assert "  halves          two halves build what one step builds\n" in done.stdout
    assert "focuses: separate-link, " in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--focus", "separat"], "--focus: no such focus: separat (help: did you mean `separate-link`?)"),
        (["--without", "foldr"], "--without: no such relation or invariant: foldr"),
        (["--resume"], "--resume: needs the session's folder (help: name it with --save)"),
        (
            ["--resume", "--save", "x", "--seed", "1"],
            "--seed: cannot be changed in a session (help: leave it out)",
        ),
        (["--resume", "--save", "x"], "x/session.jsonl: cannot be read: No such file or directory"),
        (["--minutes", "0"], "must be a positive number of minutes, not '0'"),
        (["--graphs", "0"], "must be a positive integer, not '0'"),
        (["--seed", "-1"], "must be a number from 0 to"),
    ],
)
def test_wrong_input_is_one_line(linkage: Linkage, tmp_path: Path, words: list[str], told: str) -> None:
    done = linkage("fuzz", *words, cwd=tmp_path)
    assert done.returncode == 4
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_fault_is_found_reduced_and_kept(linkage: Linkage, rustc: Path, tmp_path: Path) -> None:
    """A compiler that exits with 0 and writes nothing fails every graph in one way."""
    idle = write_wrapper(EVERY["compiler-idle"], rustc, tmp_path / "faults")
    done = linkage(
        "fuzz", "--toolchain", f"idle={idle}", *SMALL, "--graphs", "1", "--save", tmp_path / "found"
    )
    assert done.returncode == 1, done.stderr
    assert "new findings:\n  1. " in done.stdout
    lines = [json.loads(line) for line in (tmp_path / "found" / NAME).read_text().splitlines()]
    (finding,) = [line["finding"] for line in lines if "finding" in line]
    assert finding["complete"]
    case = tmp_path / "found" / finding["file"]
    assert len(case.read_text().splitlines()) <= 30
    report = case.with_suffix(".md").read_text()
    assert str(tmp_path) not in report
    again = linkage("run", case.name, "--toolchain", f"idle={idle}", cwd=case.parent)
    assert again.returncode == 1
    assert linkage("run", case.name, "--toolchain", rustc, cwd=case.parent).returncode == 0


def test_an_interrupted_session_is_kept_and_continued(
    caches: dict[str, str], linkage: Linkage, rustc: Path, tmp_path: Path
) -> None:
    idle = write_wrapper(EVERY["compiler-idle"], rustc, tmp_path / "faults")
    words = ["fuzz", "--toolchain", f"idle={idle}", *SMALL, "--save", str(tmp_path / "found")]
    log = tmp_path / "found" / NAME
    with subprocess.Popen(
        [sys.executable, "-m", "linkage", *words], env=caches, stderr=subprocess.PIPE
    ) as begun:
        assert begun.stderr is not None
        assert any(line.startswith(b"seed 8, on ") for line in begun.stderr)
        os.kill(begun.pid, signal.SIGINT)
        told = begun.communicate(timeout=60)[1].decode()
        assert begun.returncode == 2
    assert "continue with: linkage fuzz --resume --save" in told
    kept = log.read_bytes()
    done = linkage("fuzz", "--resume", "--save", tmp_path / "found", "--graphs", "2")
    assert done.returncode == 1, done.stderr
    assert log.read_bytes().startswith(kept[: kept.rindex(b"\n") + 1])
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted(line["graph"]["number"] for line in lines if "graph" in line) == [0, 1]
