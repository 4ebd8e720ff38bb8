"""Where the merges of rust-lang/rust are looked up: GitHub, or a clone for those who are offline."""

from typing import Protocol

from linkage.bisect.merges import Merge, Pull
from linkage.bisect.rollup import Build


class History(Protocol):
    """The main branch of rust-lang/rust. Every method raises LinkageError if it cannot answer."""

    @property
    def where(self) -> str:
        """How a message names it."""

    def commit(self, bound: str) -> str:
        """The full hash of a commit."""

    def merge_base(self, bound: str) -> str:
        """The commit of the main branch from which a tag or a branch began."""

    def between(self, old: str, new: str) -> list[Merge]:
        """The merges after `old` up to `new`, in order."""

    def builds(self, rollup: Pull) -> tuple[Build, ...]:
        """The builds of a rollup's single pull requests that a bot lists in it; none if it lists none."""
