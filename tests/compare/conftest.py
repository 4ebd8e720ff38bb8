"""A real rustc, and scripts that behave like a changed one."""

from pathlib import Path

import pytest

from support.comparison_project import ComparisonProject


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store and a cache for all tests, so that what is the same in them is built once."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture
def comparison(
    tmp_path: Path, rustc: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> ComparisonProject:
    monkeypatch.setenv("LINKAGE_CACHE", str(shared / "cache"))
    return ComparisonProject(tmp_path, rustc, shared)
