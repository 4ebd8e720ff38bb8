"""Fixtures of the tests that run pytest as a user does."""

from pathlib import Path

import pytest

from support.plugin_project import Project


@pytest.fixture
def project(tmp_path: Path, cache: Path, rustc: Path) -> Project:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    return Project(tmp_path, cache, rustc)
