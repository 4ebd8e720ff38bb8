"""Stores results: the latest verdict on every variant, by case, cell and compiler.

The store has one entry for each case file, so that a partial run replaces only the results of what it judged.
Like everything in the store, results can be deleted, and a damaged entry is ignored.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import msgspec

from linkage.host.terminal import printable_name
from linkage.judge.results import Compiler, KeptFailure, KeptResult
from linkage.store.maintenance import files_of_kind
from linkage.store.store import Store, decoded, key_of, last_used

KIND = "results"
_PER_CELL = 256
"""From how many compilers a cell keeps results: the newest ones. A bisection adds some twenty."""
_PER_CASE = 20_000
_CASES = 4096
_FAILURES = 20
_TEXT = 2000
"""Characters of what a claim found: enough to recognize the failure."""


class _OfCase(msgspec.Struct, frozen=True):
    format: Literal[1]
    case: str
    results: tuple[KeptResult, ...]
    tools: dict[str, dict[str, str]] = {}
    """The version of each tool that the machine had, by the key that the results name."""


class _LastRun(msgspec.Struct, frozen=True):
    format: Literal[1]
    root: str
    failed: tuple[str, ...]


class Results:
    """The results in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @classmethod
    def open(cls, folder: Path) -> "Results":
        """The results in the store of a folder. Raises StoreError if it cannot be created."""
        return cls(Store(folder))

    def record(self, results: Iterable[KeptResult], tools: Mapping[str, str] = MappingProxyType({})) -> None:
        """Store results, obtained with these versions of tools; a newer result replaces an older one.

        Safe with other runs at the same time.
        """
        used = key_of("tools", dict(tools))[:16] if tools else ""
        by_case: dict[str, list[KeptResult]] = {}
        for one in results:
            by_case.setdefault(one.case, []).append(_cut(one, used))
        for case, new in by_case.items():
            key = _case_key(case)
            with self.store.locked(key):
                old = self.store.get(KIND, key, _OfCase)
                kept = merged(old.results if old else (), new)
                known = (old.tools if old else {}) | {used: dict(tools)}
                tools_used = {one.tools for one in kept if one.tools}
                versions = {name: known[name] for name in sorted(tools_used & known.keys())}
                self.store.put(KIND, key, _OfCase(1, case, kept, versions))

    def of_case(self, file: Path) -> tuple[KeptResult, ...]:
        """The results of a case file."""
        found = self.store.get(KIND, _case_key(file_identity(file)), _OfCase)
        return found.results if found else ()

    def tools_of(self, file: Path) -> Mapping[str, Mapping[str, str]]:
        """The tools with which a case file's results were obtained: their versions, by `KeptResult.tools`."""
        found = self.store.get(KIND, _case_key(file_identity(file)), _OfCase)
        return found.tools if found else {}

    def all(self) -> Iterator[KeptResult]:
        """The results of all cases."""
        for place in files_of_kind(self.store, KIND):
            with suppress(OSError):
                found = decoded(place.read_bytes(), place, _OfCase)
                yield from found.results if found else ()

    def note_failed(self, root: Path, nodes: Sequence[str]) -> None:
        """Store which node ids failed in a run; they are relative to `root`."""
        self.store.put(KIND, _run_key(root), _LastRun(1, file_identity(root), tuple(nodes)))

    def last_failed(self, root: Path) -> tuple[str, ...]:
        """The node ids that failed in the last run at this root, in the order of the run."""
        found = self.store.get(KIND, _run_key(root), _LastRun)
        return found.failed if found else ()

    def forget_oldest(self) -> None:
        """Remove the least recently used cases if there are too many."""
        found = []
        now = time.time()
        for place in files_of_kind(self.store, KIND):
            with suppress(OSError):
                found.append((last_used(place.stat().st_mtime, now), place))
        for _, place in sorted(found)[:-_CASES]:
            with suppress(OSError):
                place.unlink(missing_ok=True)


def merged(
    old: Iterable[KeptResult], new: Iterable[KeptResult], now: float | None = None
) -> tuple[KeptResult, ...]:
    """Old and new results of a case: the newest of each, up to the limit. Pure.

    A result from the future, as after a clock was set back, counts as the oldest.
    """
    now = time.time() if now is None else now
    latest: dict[tuple[str, str, Compiler], KeptResult] = {}
    for one in sorted([*old, *new], key=lambda one: last_used(one.when, now)):
        latest.pop(one.key, None)
        latest[one.key] = one
    seen: dict[str, int] = {}
    kept: list[KeptResult] = []
    for one in reversed(latest.values()):
        seen[one.cell] = seen.get(one.cell, 0) + 1
        if seen[one.cell] <= _PER_CELL and len(kept) < _PER_CASE:
            kept.append(one)
    return tuple(reversed(kept))


def _cut(result: KeptResult, tools: str) -> KeptResult:
    failures = tuple(
        KeptFailure(one.step, one.claim[:_TEXT], one.found[:_TEXT], one.error, one.where[:_TEXT])
        for one in result.failures[:_FAILURES]
    )
    return msgspec.structs.replace(result, reason=result.reason[:_TEXT], failures=failures, tools=tools)


def file_identity(path: Path) -> str:
    """A file of the machine as results name it: text, also if its name is not UTF-8."""
    return printable_name(str(path.resolve()))


def _case_key(case: str) -> str:
    return key_of("results of a case", case)


def _run_key(root: Path) -> str:
    return key_of("the last run", file_identity(root))
