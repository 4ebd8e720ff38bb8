"""A real rustc, and runs with it."""

from pathlib import Path

import pytest

from support.runs import MAIN, Runs, cells


@pytest.fixture
def runs(tmp_path: Path, cache: Path, rustc: Path) -> Runs:
    """Four variants, one of which fails."""
    made = Runs(tmp_path, cache, rustc)
    made.case(cells(4), main_c=MAIN)
    return made
