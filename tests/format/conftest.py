"""The format's own cases, run with the compilers of this machine, in a store of the test run."""

import os
from pathlib import Path

import pytest

from linkage.run.session import Session
from linkage.store.store import Store
from linkage.toolchain import Located, Toolchain

_WANTED = ("nightly", "stable")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the cases to the tests here, unless one is named on the command line."""
    named = any(Path(word.partition("::")[0]).suffix == ".yaml" for word in config.args)
    return True if collection_path.suffix == ".yaml" and not named else None


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """One store for the run; xdist's workers share it, as they do in a run of cases."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    return Session(Store(shared / "format-store"), shared / "format-cache")


@pytest.fixture(scope="session")
def toolchains(session: Session, found_toolchains: list[Located]) -> list[Toolchain]:
    """Rustup's nightly and stable; where they are missing, the rustc that there is."""
    found = [one.name for one in found_toolchains]
    names = [one for wanted in _WANTED for one in found if one.startswith(wanted)][: len(_WANTED)]
    return session.toolchains(names or [str(found_toolchains[0].rustc)])
