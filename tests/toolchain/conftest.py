"""Real toolchains of the machine, and false ones made on purpose."""

import os
from pathlib import Path

import pytest
from fake_compiler import FakeRustc

from harness.toolchain import Located, discover, resolve_all


@pytest.fixture(scope="session")
def found_toolchains() -> list[Located]:
    """Every toolchain that a run without `--toolchain` would use; at least one."""
    found = resolve_all(discover(os.environ), os.environ)
    if not found:
        pytest.skip("there is no rustc on this machine")
    return found


@pytest.fixture(scope="session")
def some_rustc(found_toolchains: list[Located]) -> Located:
    return found_toolchains[0]


@pytest.fixture
def fake_rustc(tmp_path: Path) -> FakeRustc:
    """Write a shell script that stands for a rustc, and return its path."""

    def write(body: str, name: str = "fake", *, mode: int = 0o755) -> Path:
        script = tmp_path / name
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(mode)
        return script

    return write
