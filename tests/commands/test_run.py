"""`linkage run` from end to end: what it prints, writes and exits with; in a log and in a terminal."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.command_fixtures import Linkage

VERDICTS = Path(__file__).parent / "verdicts.case"
OUTCOMES = {"pass": 0, "fail": 1, "known": 0, "fixed": 1, "skip": 0, "error": 1}
ALL = "1 pass, 1 fail, 1 known, 1 fixed, 1 skip, 1 error"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "cases").mkdir()
    (folder / "cases/all.yaml").write_text(VERDICTS.read_text())
    return folder


@pytest.fixture(scope="module")
def toolchain(rustc: str) -> tuple[str, str]:
    return "--toolchain", f"here={rustc}"


def said_besides_progress(stderr: str) -> list[str]:
    """On a slow machine a run that writes to no terminal says now and then how far it is."""
    return [line for line in stderr.splitlines() if not re.match(r"\d+ of 6 variants: ", line)]


def test_a_whole_run(linkage: Linkage, project: Path, toolchain: tuple[str, str]) -> None:
    done = linkage("run", *toolchain, "--json", "out.json", cwd=project)
    assert (done.returncode, said_besides_progress(done.stderr)) == (1, [])
    lines = done.stdout.strip("\n").splitlines()
    assert [line.split() for line in lines[:2]] == [["case", "here"], ["cases/all.yaml", *ALL.split()]]
    assert lines[-1].startswith(f"6 variants: {ALL} in ")
    for heading in (
        "── known bugs",
        "── skipped",
        "── fail: cases/all.yaml::here[want=fail]",
        "── fixed: cases/all.yaml::here[want=fixed]",
        "── error: cases/all.yaml::here[want=error]",
    ):
        assert lines[lines.index(heading) - 1] == ""
    assert "cases/all.yaml:18:50: lib: lib.staticlib.defines.all does not hold" in lines
    assert "repro: linkage repro 'cases/all.yaml::here[want=error]'" in lines
    for noise in ("Traceback", "UnjudgedError", "warning", "====", "passed", "gw0"):
        assert noise not in done.stdout
    data = json.loads((project / "out.json").read_text())
    assert {one["id"]: one["outcome"] for one in data["variants"]} == {
        f"cases/all.yaml::here[want={outcome}]": outcome for outcome in OUTCOMES
    }
    (error,) = [one for one in data["variants"] if one["outcome"] == "error"]
    assert error["failures"][0]["error"]
    assert "could not be judged" in error["evidence"]


def test_the_same_with_workers(linkage: Linkage, project: Path, toolchain: tuple[str, str]) -> None:
    done = linkage("run", *toolchain, "-n", "2", "--json", "two.json", cwd=project)
    assert (done.returncode, said_besides_progress(done.stderr)) == (1, [])
    assert f"6 variants: {ALL} in " in done.stdout
    for noise in ("bringing up", "workers", "gw0", "gw1"):
        assert noise not in done.stdout
    data = json.loads((project / "two.json").read_text())
    assert {one["outcome"] for one in data["variants"]} == set(OUTCOMES)


@pytest.mark.parametrize(("outcome", "status"), OUTCOMES.items())
def test_the_exit_status_of_each_verdict(
    linkage: Linkage, project: Path, toolchain: tuple[str, str], outcome: str, status: int
) -> None:
    done = linkage("run", *toolchain, f"cases/all.yaml::here[want={outcome}]", cwd=project)
    assert done.returncode == status
    assert f"\n1 variant: 1 {outcome} in " in done.stdout


def test_pytest_options_reach_it(linkage: Linkage, project: Path, toolchain: tuple[str, str]) -> None:
    stopped = linkage("run", *toolchain, "-x", "-q", cwd=project)
    assert "2 of 6 variants: 1 pass, 1 fail in " in stopped.stdout
    assert stopped.returncode == 1
    refused = linkage("run", *toolchain, "-k", "skip", "--no-skip", cwd=project)
    assert refused.returncode == 1
    assert "1 variant: 1 fail in " in refused.stdout
    assert "skipped, which --no-skip turns into a failure: this machine has no" in refused.stdout
    collected = linkage("run", *toolchain, "--collect-only", cwd=project)
    assert collected.returncode == 0
    assert "want=known" in collected.stdout
    again = linkage("run", *toolchain, "cases/all.yaml::here[want=pass]", cwd=project)
    assert (again.returncode, "1 variant: 1 pass in " in again.stdout) == (0, True)


def test_no_table_without_a_run(linkage: Linkage, project: Path, toolchain: tuple[str, str]) -> None:
    for words in (("cases/none.yaml",), ("--frobnicate",), ("--toolchain", "/no/such/rustc")):
        done = linkage("run", *toolchain, *words, cwd=project)
        assert done.returncode == 4
        assert "variant" not in done.stdout
        assert words[-1].rpartition("/")[2] in done.stderr
    nothing = linkage("run", *toolchain, "-k", "nothing", cwd=project)
    assert nothing.returncode == 5
    assert nothing.stdout.strip().startswith("no variant was run in ")
    nowhere = linkage("run", *toolchain, "--json", "no/where.json", cwd=project)
    assert nowhere.returncode == 4
    assert nowhere.stderr == (
        "linkage: --json no/where.json: cannot be written: no such directory (help: create it first)\n"
    )  # fmt: skip


def test_a_case_that_cannot_be_read(linkage: Linkage, tmp_path: Path, toolchain: tuple[str, str]) -> None:
    (tmp_path / "good.yaml").write_text(VERDICTS.read_text())
    (tmp_path / "bad.yaml").write_text("summary: bad\nstep: []\n")
    done = linkage("run", *toolchain, ".", "-k", "pass", cwd=tmp_path)
    assert done.returncode == 4
    assert "Interrupted" not in done.stdout
    assert "── case files that could not be read\nbad.yaml:" in done.stdout
    assert "bad.yaml:2:1: unknown key `step`" in done.stdout
    assert "1 variant: 1 pass; case files that could not be read: 1 in " in done.stdout
    collected = linkage("run", *toolchain, ".", "--collect-only", cwd=tmp_path)
    assert (collected.returncode, collected.stderr) == (4, "")


def test_progress_in_a_terminal(project: Path, toolchain: tuple[str, str], caches: dict[str, str]) -> None:
    """Rewritten in place, never longer than a line, and gone before the summary."""
    main, side = pty.openpty()
    env = caches | {"TERM": "xterm", "COLUMNS": "60"}
    command = [sys.executable, "-m", "linkage", "run", *toolchain, "-k", "not skip"]
    with subprocess.Popen(
        command, cwd=project, env=env, stdin=subprocess.DEVNULL, stdout=side, stderr=side
    ) as process:
        os.close(side)
        seen = b""
        while True:
            try:
                chunk = os.read(main, 4096)
            except OSError:  # the other side is closed
                break
            if not chunk:
                break
            seen += chunk
    os.close(main)
    assert process.returncode == 1
    shown = seen.decode().split("\r\x1b[2K")
    assert "0 of 5 variants: compiling" in shown[0]
    assert len(shown) >= 2
    plain = [re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", line).strip("\r\n") for line in shown[:-1]]
    assert all(len(line) <= 60 and "\n" not in line for line in plain)
    end = seen.decode().rpartition("\x1b[1A\x1b[2K")[2]
    assert "compiling" not in end
    assert end.count(" variants: ") == 1
