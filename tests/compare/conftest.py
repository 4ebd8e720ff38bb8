"""A real rustc, and scripts that stand for a changed one."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.compare.sides import Result
from harness.report.compare import Options, compared
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


@dataclass
class Desk:
    """A folder with a case, and compilers that differ from the real one in one thing."""

    folder: Path
    rustc: Path
    shared: Path

    def compiler(self, name: str, body: str) -> str:
        """A toolchain spec: a script that does `body`, then what the real compiler does."""
        script = self.folder / "compilers" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(f'#!/bin/sh\n{body.replace("RUSTC", str(self.rustc))}\nexec {self.rustc} "$@"\n')
        script.chmod(0o755)
        return f"{name}={script}"

    def case(self, text: str) -> str:
        place = self.folder / "case.yaml"
        place.write_text(text)
        return str(place)

    def compare(self, head: str, case: str, **asked: object) -> Result:
        """What differs between the real compiler and this one."""
        given: dict[str, object] = {"store": str(self.shared / "store"), **asked}
        return compared(Options((f"real={self.rustc}", head), [case], **given))  # type: ignore[arg-type]


@pytest.fixture
def desk(tmp_path: Path, rustc: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("LINKAGE_CACHE", str(shared / "cache"))
    return Desk(tmp_path, rustc, shared)
