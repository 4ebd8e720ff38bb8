"""A real rustc, and scripts that stand for a changed one."""

import os
from pathlib import Path

import pytest
from desk import Desk

from harness.toolchain import discover, resolve_all


@pytest.fixture(scope="session")
def rustc() -> Path:
    """A compiler of this machine, that a run without `--toolchain` would use."""
    found = resolve_all(discover(os.environ), os.environ)
    if not found:
        pytest.fail("these tests need a rustc: install a Rust toolchain")
    return found[0].rustc


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store and a cache for all tests, so that what is the same in them is built once."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture
def desk(tmp_path: Path, rustc: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("LINKAGE_CACHE", str(shared / "cache"))
    return Desk(tmp_path, rustc, shared)
