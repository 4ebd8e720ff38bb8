"""The session and the toolchains of a pytest run, created on first use."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linkage.errors import StoreError
from linkage.host.folders import cache_folder
from linkage.plugin.run_store import RunStore
from linkage.run.sandbox import find_sandbox
from linkage.run.session import Session

if TYPE_CHECKING:
    from linkage.run.job_server import JobServer
    from linkage.run.prefetch import Prefetcher
    from linkage.store.store import Store
    from linkage.toolchain import Toolchain

SESSION: pytest.StashKey[Session] = pytest.StashKey()
STORE: pytest.StashKey[RunStore] = pytest.StashKey()
TOOLCHAINS: pytest.StashKey[list["Toolchain"]] = pytest.StashKey()
AHEAD: pytest.StashKey["Prefetcher"] = pytest.StashKey()
JOBS = "linkage_jobs"
"""What xdist's workers receive: the folder and the width of the run's job server."""


def session_of(config: pytest.Config) -> Session:
    """The run's session, created when the first case is collected."""
    if SESSION not in config.stash:
        chosen = config.stash[STORE]
        config.stash[SESSION] = Session(
            chosen.store,
            cache_folder(os.environ),
            bootstrap=not config.getoption("--no-bootstrap"),
            recheck=chosen.recheck,
            jobs=_jobs(config, chosen.store),
            sandbox=find_sandbox(os.environ) if config.getoption("--sandbox") else "",
        )
    return config.stash[SESSION]


def _jobs(config: pytest.Config, store: "Store") -> "JobServer | None":
    """The run's job server: the controlling process creates it, and its workers share it."""
    from linkage.run.job_server import JobServer, processors  # noqa: PLC0415

    received = getattr(config, "workerinput", {}).get(JOBS)
    if received is not None:
        return JobServer(Path(received[0]), received[1])
    if hasattr(config, "workerinput") or config.option.collectonly:
        return None
    held = ExitStack()
    try:
        folder = held.enter_context(store.work_folder())
    except StoreError:
        return None  # the first variant reports it
    jobs = JobServer.make(folder, config.getoption("--jobs") or processors())
    if jobs is not None:
        held.callback(jobs.close)
    config.add_cleanup(held.close)
    return jobs


def targets_of(config: pytest.Config) -> Sequence[str]:
    """The targets that the run is limited to. Raises LinkageError for one that no compiler has."""
    from linkage.run.selection import check_targets  # noqa: PLC0415 - a run without cases needs none of it

    return check_targets(config.getoption("--target"))


def toolchains_of(config: pytest.Config) -> list["Toolchain"]:
    """The run's toolchains. Raises ToolchainError."""
    if TOOLCHAINS not in config.stash:
        session = session_of(config)
        found = config.stash[TOOLCHAINS] = session.toolchains(config.getoption("--toolchain"))
        session.choose_others(config.getoption("--other-toolchain"), found)
    return config.stash[TOOLCHAINS]


def others_of(config: pytest.Config) -> list["Toolchain"]:
    """The run's toolchains for steps with `toolchain: other`. Raises ToolchainError."""
    toolchains_of(config)
    return session_of(config).others
