"""A real toolchain of this machine, and one that counts what it compiles."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from linkage.run.session import Session
from linkage.store.store import Store
from linkage.toolchain import Located, Toolchain, probe
from support.counted_toolchain import Counted


@pytest.fixture(scope="session")
def real_toolchain(cache: Path, found_toolchains: list[Located]) -> Toolchain:
    """The newest toolchain that a run without `--toolchain` would use, and not one of Debian if it can be:
    it needs folders of its own, which some tests take away.
    """
    found = [probe(one, cache) for one in found_toolchains]
    others = [one for one in found if not one.spec.startswith("debian:")]
    return max(others or found, key=lambda one: one.version)


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
