"""A store whose working folders are beside a cache of rustc's outputs."""

from pathlib import Path

from linkage.store.store import Store
from mutants.faults.rustc_cache import FOLDER


class FixedFolderStore(Store):
    """The entries of a store, with the working folders of its variants elsewhere."""

    def __init__(self, store: Store, places: Path) -> None:
        super().__init__(store.folder.parent, store.limit)
        self.work = places
        (places / FOLDER).mkdir(parents=True, exist_ok=True)
