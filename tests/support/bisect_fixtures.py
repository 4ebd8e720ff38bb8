"""Compilers that behave as they are told: a real rustc behind a script that breaks it."""

import os
import shutil
from pathlib import Path

import pytest

from support.rust_history import ci, history
from support.scripted_rustc import ANSWER, MakeRustc, breaking

__all__ = ["case", "ci", "history", "make_rustc", "own_rustup", "probes"]


@pytest.fixture(scope="session")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compilers are probed once for all tests: those that are told the same are the same."""
    return tmp_path_factory.mktemp("probes")


@pytest.fixture
def case(tmp_path: Path, probes: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small case in a folder of its own, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LINKAGE_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("LINKAGE_CACHE", str(probes))
    monkeypatch.delenv("RUSTC", raising=False)
    monkeypatch.delenv("RUSTUP_TOOLCHAIN", raising=False)
    # Nobody listens on this port: a test that needs GitHub serves it.
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.setattr("linkage.bisect.github_api.PAUSE", 0.01)
    (tmp_path / "answer.yaml").write_text(ANSWER)
    return "answer.yaml"


@pytest.fixture
def make_rustc(tmp_path: Path, rustc: Path) -> MakeRustc:
    """Write a rustc that does `before` ahead of the real one when it compiles something."""

    def make(name: str, before: str = "") -> Path:
        script = tmp_path / name
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(breaking(rustc, before))
        script.chmod(0o755)
        return script

    return make


@pytest.fixture
def own_rustup(case: str, rustc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's rustup, for a user who has nothing but the case."""
    del case, rustc  # they are looked for before the user changes
    rustup = shutil.which("rustup")
    if rustup is None:
        pytest.skip("there is no rustup here")
    monkeypatch.setenv("LINKAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RUSTUP_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{Path(rustup).parent}:{os.environ['PATH']}")
    return Path(rustup)
