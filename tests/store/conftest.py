"""A real rustc, and runs with it."""

import os
from pathlib import Path

import pytest
from runs import MAIN, Runs, cells

from harness.toolchain import discover, resolve_all


@pytest.fixture(scope="session")
def rustc() -> Path:
    """A compiler of this machine, that a run without `--toolchain` would use."""
    found = resolve_all(discover(os.environ), os.environ)
    if not found:
        pytest.fail("these tests need a rustc: install a Rust toolchain")
    return found[0].rustc


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is remembered of the toolchain from one process to the next."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def runs(tmp_path: Path, cache: Path, rustc: Path) -> Runs:
    """Four variants, one of which fails."""
    made = Runs(tmp_path, cache, rustc)
    made.case(cells(4), main_c=MAIN)
    return made
