"""Fixtures of the tests that run pytest as a user does."""

import os
from pathlib import Path

import pytest
from plugin_project import Project

from harness.toolchain import discover, resolve_all


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where toolchains are probed once for all tests, and for all workers of xdist."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "toolchains"


@pytest.fixture(scope="module")
def rustc() -> Path:
    found = resolve_all(discover(os.environ), os.environ)
    if not found:
        pytest.skip("there is no rustc on this machine")
    return found[-1].rustc


@pytest.fixture
def project(tmp_path: Path, cache: Path, rustc: Path) -> Project:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    return Project(tmp_path, cache, rustc)
