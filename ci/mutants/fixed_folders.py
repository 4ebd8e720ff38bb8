"""A store whose working folders have the same paths in every run, so that outputs of rustc can be cached."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from linkage.store.store import Store, remove_tree
from mutants.faults.rustc_cache import FOLDER


class FixedFolderStore(Store):
    """The entries of a store, with working folders elsewhere: the first that is not in use."""

    def __init__(self, store: Store, places: Path) -> None:
        super().__init__(store.folder.parent, store.limit)
        self.places = places
        (places / FOLDER).mkdir(parents=True, exist_ok=True)

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """A folder for one variant: empty at first, removed afterwards."""
        number, lock = 0, self._locked(0)
        while lock is None:
            number += 1
            lock = self._locked(number)
        folder = self.places / str(number)
        if folder.exists():
            remove_tree(folder)
        folder.mkdir()
        try:
            yield folder
        finally:
            remove_tree(folder)
            os.close(lock)

    def _locked(self, number: int) -> int | None:
        lock = os.open(self.places / f"{number}.lock", os.O_CREAT | os.O_WRONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return None
        return lock
