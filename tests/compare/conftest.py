"""A real rustc, and scripts that behave like a changed one."""

from pathlib import Path

import pytest

from support.desk import Desk


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store and a cache for all tests, so that what is the same in them is built once."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture
def desk(tmp_path: Path, rustc: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("LINKAGE_CACHE", str(shared / "cache"))
    return Desk(tmp_path, rustc, shared)
