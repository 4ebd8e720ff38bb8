"""The store that a run's options choose."""

import contextlib
import os
import random
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linkage.errors import LinkageError
from linkage.host.folders import store_folder
from linkage.host.locks import lock, open_to_lock
from linkage.host.size import parse_size
from linkage.host.system import owns
from linkage.plugin.properties import verdict_of

if TYPE_CHECKING:
    from linkage.store.recheck import Recheck
    from linkage.store.store import Store

_INPUT = "linkage_store"
"""What xdist's workers receive: the temporary store and the seed."""
_PREFIX = "linkage-no-store-"
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%?")
_WHOLE = 100.0


class RunStore:
    """The store of a run; a plugin, because it is passed on to xdist's workers."""

    def __init__(self, config: pytest.Config) -> None:
        """Raises LinkageError for options that contradict each other."""
        self.config = config
        received: dict[str, Any] = getattr(config, "workerinput", {}).get(_INPUT, {})
        self.is_worker = hasattr(config, "workerinput")
        self.sweeps = not self.is_worker and not config.option.collectonly
        self.temporary: str | None = received.get("folder")
        self.mark: int | None = None
        self.limit = _limit(config)
        self.recheck = _recheck(config, received.get("seed"))
        self.rechecked = 0
        self._store: Store | None = None
        if config.getoption("--no-store") and not self.is_worker:
            self._refuse_contradictions()
            self.temporary, self.mark = _temporary_folder()

    @property
    def store(self) -> "Store":
        """The store; opened and, for a run, swept on first use. Raises StoreError."""
        if self._store is None:
            from linkage.store.store import Store  # noqa: PLC0415 - `--help` needs none of it

            asked = self.temporary or self.config.getoption("--store")
            self._store = Store(store_folder(asked, os.environ), self.limit)
            if self.sweeps:
                self._store.sweep()
        return self._store

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - xdist has no types
        seed = self.recheck.seed if self.recheck else None
        node.workerinput[_INPUT] = {"folder": self.temporary, "seed": seed}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = verdict_of(report.user_properties) if report.when == "setup" else None
        self.rechecked += found["rechecked"] if found else 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.recheck is not None and not self.is_worker:
            terminalreporter.ensure_newline()
            terminalreporter.write_line(
                f"rechecked {self.rechecked} cached steps (help: --recheck-seed {self.recheck.seed} chooses "
                "the same)"
            )
        if not self.is_worker and self._store is not None and not self._store.writable:
            terminalreporter.ensure_newline()
            terminalreporter.write_line(
                f"{self._store.folder.parent}: the cache cannot be written, so this run is not fully "
                "recorded (help: choose another directory with --store)"
            )

    def pytest_unconfigure(self) -> None:
        if self.is_worker:
            return
        if self._store is not None and self.temporary is None and self.sweeps:
            with contextlib.suppress(OSError):
                self._store.sweep()
        if self.mark is not None and self.temporary is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)
            os.close(self.mark)

    def _refuse_contradictions(self) -> None:
        for other in ("--store", "--recheck"):
            if self.config.getoption(other):
                raise LinkageError(f"{other} cannot be used with --no-store", help="remove one of them")


def _limit(config: pytest.Config) -> int | None:
    for where, value in (
        ("--store-limit", config.getoption("--store-limit")),
        ("LINKAGE_STORE_LIMIT", os.environ.get("LINKAGE_STORE_LIMIT")),
    ):
        if value:
            return parse_size(value, where)
    return None


def _recheck(config: pytest.Config, seed: int | None) -> "Recheck | None":
    text = config.getoption("--recheck")
    if text is None:
        return None
    found = _PERCENT.fullmatch(text)
    if found is None or float(found[1]) > _WHOLE:
        raise LinkageError(f"must be a percentage, not '{text}'", where="--recheck", help="write 10%")
    if seed is None:
        seed = config.getoption("--recheck-seed")
    from linkage.store.recheck import Recheck  # noqa: PLC0415

    return Recheck(float(found[1]) / _WHOLE, random.randrange(1_000_000) if seed is None else seed)  # noqa: S311


def _temporary_folder() -> tuple[str, int]:
    """A new folder for a store, locked until the process ends; removes those of killed runs."""
    from linkage.store.store import remove_unheld  # noqa: PLC0415

    parent = Path(tempfile.gettempdir())
    for left in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if owns(left) and not left.is_symlink():
                remove_unheld(left)
    try:
        folder = tempfile.mkdtemp(prefix=_PREFIX)
    except OSError as error:
        raise LinkageError(
            f"cannot create a temporary cache: {error.strerror}",
            where=str(parent),
            help="free space, or set TMPDIR",
        ) from None
    mark = open_to_lock(Path(folder))
    with contextlib.suppress(OSError):
        lock(mark)
    return folder, mark
