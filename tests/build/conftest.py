"""A real toolchain of this machine, and one that counts what it compiles."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from counting import Counted

from harness.build.store import Store
from harness.session import Session
from harness.toolchain import Toolchain, discover, probe, resolve_all


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where toolchains are probed once for all tests, and for all workers of xdist."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "toolchains"


@pytest.fixture(scope="session")
def real_toolchain(cache: Path) -> Toolchain:
    """The newest toolchain that a run without `--toolchain` would use."""
    found = resolve_all(discover(os.environ), os.environ)
    if not found:
        pytest.skip("there is no rustc on this machine")
    return max((probe(one, cache) for one in found), key=lambda one: one.version)


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
