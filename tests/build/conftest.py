"""A real toolchain of this machine, and one that counts what it compiles."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.build.store import Store
from harness.session import Session
from harness.toolchain import Toolchain, discover, probe, resolve_all


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def real_toolchain(cache: Path) -> Toolchain:
    """The newest toolchain that a run without `--toolchain` would use."""
    found = resolve_all(discover(os.environ), os.environ)
    if not found:
        pytest.skip("there is no rustc on this machine")
    return max((probe(one, cache) for one in found), key=lambda one: one.version)


@dataclass
class Counted:
    """A toolchain whose compiler writes down every call."""

    toolchain: Toolchain
    log: Path

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def new(self) -> int:
        """How many calls there were since this was last asked."""
        count = len(self.calls)
        self.log.unlink(missing_ok=True)
        return count


@pytest.fixture
def counted(real_toolchain: Toolchain, tmp_path: Path) -> Counted:
    log, wrapper = tmp_path / "calls", tmp_path / "rustc"
    wrapper.write_text(f'#!/bin/sh\necho "$*" >> {log}\nexec {real_toolchain.rustc} "$@"\n')
    wrapper.chmod(0o755)
    return Counted(replace(real_toolchain, name="counted", rustc=wrapper, fingerprint="counted"), log)


@pytest.fixture
def session_on(cache: Path) -> Callable[[Path], Session]:
    """A new session, as a run of its own would have it, on a store."""
    return lambda folder: Session(Store(folder), cache)
