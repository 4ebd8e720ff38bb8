"""A history as rust-lang/rust's, with a rollup in it, and a server of what CI made of each merge."""

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from linkage.cli import main
from linkage.toolchain.sources.rustup.folders import machine_host
from support.nightly_server import NightlyServer, package, serve
from support.scripted_rustc import FAILS, breaking

HOST = machine_host()
CULPRIT = 7
DAY = "2026-02-10T12:00Z"
ROLLUP = """Auto merge of #1207 - somebody:rollup-x, r=somebody

Rollup of 2 pull requests

Successful merges:

 - rust-lang/rust#1107 (Give the shim to all outputs)
 - #1108 (Move a (small) comment)

Failed merges:

 - #1109 (Left out)

r? @ghost
"""


@dataclass(frozen=True)
class RustHistory:
    """A clone, and its merges in order; the first is what came before."""

    clone: Path
    commits: list[str]


def git(clone: Path, *words: str, author: str = "bors") -> str:
    env = {
        "PATH": os.environ["PATH"], "HOME": str(clone), "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": "bors@example.com", "GIT_AUTHOR_DATE": DAY,
        "GIT_COMMITTER_NAME": author, "GIT_COMMITTER_EMAIL": "b@example.com", "GIT_COMMITTER_DATE": DAY,
    }  # fmt: skip
    command = ["git", "-C", str(clone), *words]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> RustHistory:
    if shutil.which("git") is None:
        pytest.skip("there is no git here")
    return make_history(tmp_path_factory.mktemp("rust"), 13, CULPRIT)


def make_history(clone: Path, count: int, rollup: int) -> RustHistory:
    """So many merges, of which one is a rollup."""
    git(clone, "init", "-q", "-b", "main")
    commits: list[str] = []
    tip = ""
    rolled_up = ROLLUP.replace("#1207", f"#{1200 + rollup}")
    for number in range(count):
        git(clone, "commit", "-q", "--allow-empty", "-m", f"work {number}", author="somebody")
        git(clone, "branch", "-f", "work")
        if tip:
            git(clone, "reset", "-q", "--hard", tip)
        message = f"Auto merge of #{1200 + number} - somebody:work-{number}, r=x\n\nChange number {number}\n"
        git(clone, "merge", "-q", "--no-ff", "work", "-m", rolled_up if number == rollup else message)
        commits.append(git(clone, "rev-parse", "HEAD"))
        if number == 4:  # pushed by hand: CI made nothing of it
            git(clone, "commit", "-q", "--allow-empty", "-m", "by hand", author="somebody")
        tip = git(clone, "rev-parse", "HEAD")
    return RustHistory(clone, commits)


@pytest.fixture
def ci(
    case: str, history: RustHistory, rustc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[NightlyServer]:
    """A server of the artifacts of each merge."""
    assert case
    monkeypatch.setattr("linkage.bisect.download.PAUSE", 0.01)
    monkeypatch.setenv("LINKAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RUSTUP_HOME", raising=False)
    days = {"2026-02-09": 0, "2026-02-10": 1, "2026-02-11": 12, "2026-02-12": 12}

    def script(number: int, before: str | None = None) -> str:
        told = f"commit-hash: {history.commits[number]}\\ncommit-date: 2026-02-10\\nhost: {HOST}"
        version = f"rustc 1.97.0-nightly\\nbinary: rustc\\n{told}\\nrelease: 1.97.0-nightly"
        more = f'case "$*" in -vV) printf "{version}\\n"; exit 0 ;; esac'
        return breaking(rustc, before or (FAILS if number >= CULPRIT else ":"), more)

    with serve(HOST, lambda day: script(days[day]) if day in days else None) as server:
        for number, commit in enumerate(history.commits):
            put(server, commit, script(number))
        server.script = script
        monkeypatch.setenv("LINKAGE_CI_SERVER", server.url)
        monkeypatch.setenv("RUSTUP_DIST_SERVER", server.url)
        yield server


def put(server: NightlyServer, commit: str, script: str, more: list[tarfile.TarInfo] | None = None) -> None:
    for component in ("rustc", "rust-std"):
        place = f"/rustc-builds/{commit}/{component}-nightly-{HOST}.tar.gz"
        server.files[place] = package(component, HOST, script, more if component == "rustc" else None)


def bisect(tmp_path: Path, *words: str, case: str = "answer.yaml[size=1]") -> dict[str, Any]:
    assert main(["bisect", case, *words, "--json", "answer.json", "-o", "answer.md"]) == 0
    found: dict[str, Any] = json.loads((tmp_path / "answer.json").read_text())
    return found
