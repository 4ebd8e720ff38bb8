"""The contents of a store, and pruning it: safe while runs use it; files that are not ours are never removed.

A run that looks for an entry that was just removed runs the step again. What a run holds a lock on is not
touched: the working folders of its variants, files that it is writing, and the entries of steps that it
is running.
"""

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import filelock

from linkage.artifact.digest import file_digest
from linkage.errors import LinkageError, StoreError
from linkage.host.locks import lock, open_to_lock
from linkage.store.store import (
    FOLDERS,
    TAG,
    Store,
    decoded,
    is_tagged,
    last_used,
    lock_of,
    mark_of,
    remove_tree,
    remove_unheld,
)

KINDS = {
    "steps": "outcomes of steps",
    "facts": "facts of files",
    "parts": "facts that archives share",
    "blobs": "files for later steps",
    "results": "results of cases",
}
"""The kinds of entries, with their descriptions."""

_VERSION = re.compile(r"v\d+")
_NAME = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}")
_FOLDER = re.compile(r"[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class StoreEntry:
    """One entry of a store, of whatever version of its layout."""

    kind: str
    key: str
    place: Path
    size: int
    used: float
    """When it was created or last used; 0 if that is in the future, because a clock was set back."""


@dataclass(frozen=True, slots=True)
class KindSummary:
    """The size of a kind in bytes, and when its entries were used."""

    count: int
    size: int
    oldest: float
    newest: float


@dataclass(slots=True)
class Contents:
    """The contents of a store."""

    kinds: dict[str, KindSummary] = field(default_factory=dict)
    other_versions: int = 0
    """Entries of other versions, which this version of the harness ignores."""
    compilers: Counter[str] = field(default_factory=Counter)
    """Steps by compiler; an empty name if none was recorded."""
    at_work: int = 0
    """Working folders that runs are using now."""
    left_behind: int = 0
    """Working folders and half-written files of runs that were killed."""


@dataclass(slots=True)
class Removal:
    """What was removed, and what was not because a run holds it."""

    count: int = 0
    size: int = 0
    held: int = 0


@dataclass(slots=True)
class CheckResult:
    """How many entries of each kind were read, and the damaged ones, which were removed."""

    read: Counter[str] = field(default_factory=Counter)
    damaged: list[StoreEntry] = field(default_factory=list)
    held: int = 0


@dataclass(frozen=True)
class _StepCompiler:
    """The compiler in the record of a step."""

    compiler: str = ""


def existing(folder: Path) -> Store:
    """The store in a folder. Raises LinkageError if it is not a store: other folders are not touched."""
    if not folder.is_dir():
        raise LinkageError("no such directory", where=str(folder), help="name a store with --store")
    try:
        versions = _versions(folder)
    except OSError as error:
        raise LinkageError(f"cannot be read: {error.strerror}", where=str(folder)) from None
    if not versions:
        raise LinkageError(
            "not a linkage store",
            where=str(folder),
            help="pass the directory that a run got as --store",
        )
    return Store(folder)


def contents(store: Store) -> Contents:
    """The contents of the store now."""
    found = Contents()
    by_kind: dict[str, list[StoreEntry]] = {kind: [] for kind in KINDS}
    for entry in entries(store):
        if entry.place.is_relative_to(store.folder):
            by_kind[entry.kind].append(entry)
        else:
            found.other_versions += 1
    for kind, listed in by_kind.items():
        times = [entry.used for entry in listed] or [0.0]
        found.kinds[kind] = KindSummary(len(listed), sum(one.size for one in listed), min(times), max(times))
    for entry in by_kind["steps"]:
        with suppress(OSError):
            record = decoded(entry.place.read_bytes(), entry.place, _StepCompiler)
            found.compilers[record.compiler if record else "damaged"] += 1
    for place in _temporary(store):
        if _is_held(place):
            found.at_work += 1
        else:
            found.left_behind += 1
    return found


def entries(store: Store) -> Iterator[StoreEntry]:
    """Every entry of the store, of every version; files with other names are not ours."""
    now = time.time()
    for version in _versions(store.folder.parent):
        for kind in KINDS:
            for place in _files(version / kind):
                with suppress(OSError):  # removed since it was listed
                    status = place.stat()
                    yield StoreEntry(kind, place.name, place, status.st_size, last_used(status.st_mtime, now))


def trim(store: Store, size: int) -> Removal:
    """Remove the least recently used entries until the rest has at most `size` bytes."""
    removed = _sweep(store)
    listed = sorted(entries(store), key=lambda entry: entry.used)
    excess = sum(entry.size for entry in listed) - size
    for entry in listed:
        if excess <= 0:
            break
        if _remove(entry, removed):
            excess -= entry.size
    return removed


def clear(store: Store) -> Removal:
    """Remove every entry, and what killed runs left behind."""
    removed = _sweep(store)
    for entry in list(entries(store)):
        _remove(entry, removed)
    for version in _versions(store.folder.parent):
        if version != store.folder:
            _remove_version(version)
    return removed


def check(store: Store) -> CheckResult:
    """Read every entry of this version, and remove those that are damaged."""
    found = CheckResult()
    for entry in list(entries(store)):
        if not entry.place.is_relative_to(store.folder):
            continue
        try:
            good = _is_whole(entry)
        except FileNotFoundError:
            continue  # another process has just removed it
        except OSError:
            good = False
        found.read[entry.kind] += 1
        if not good:
            removed = Removal()
            if _remove(entry, removed):
                found.damaged.append(entry)
            found.held += removed.held
    return found


def files_of_kind(store: Store, kind: str) -> Iterator[Path]:
    """The files of this version's entries of a kind."""
    return _files(store.folder / kind)


def _is_whole(entry: StoreEntry) -> bool:
    if entry.kind == "blobs":
        return file_digest(entry.place) == entry.key
    shape = bytes if entry.kind == "parts" else dict[str, object]
    return decoded(entry.place.read_bytes(), entry.place, shape) is not None


def _remove(entry: StoreEntry, removed: Removal) -> bool:
    """Remove an entry, unless a run is carrying its step out."""
    with _unheld(lock_of(entry.place.parents[2], entry.key)) as free:
        if not free:
            removed.held += 1
            return False
        try:
            remove_tree(entry.place) if entry.place.is_dir() else entry.place.unlink()
        except FileNotFoundError:
            return True
        except OSError as error:
            raise StoreError(f"cannot be removed: {error.strerror}", where=str(entry.place)) from None
    removed.count += 1
    removed.size += entry.size
    return True


@contextmanager
def _unheld(lock: Path) -> Iterator[bool]:
    """Whether nobody holds this lock; if the file exists, we hold it until the block ends."""
    if not lock.exists():
        yield True
        return
    held = filelock.FileLock(lock)
    try:
        held.acquire(timeout=0)
    except (filelock.Timeout, OSError):
        yield False
        return
    try:
        yield True
    finally:
        held.release()


def _sweep(store: Store) -> Removal:
    removed = Removal()
    for place in _temporary(store):
        if remove_unheld(place):
            removed.count += 1
        else:
            removed.held += 1
    return removed


def _temporary(store: Store) -> list[Path]:
    """The working folders, and the files that are being written."""
    places = []
    for version in _versions(store.folder.parent):
        for name, prefixes in (("work", ("variant-", "new-")), ("new", ("tmp",))):
            with suppress(OSError):
                places += [one for one in (version / name).iterdir() if one.name.startswith(prefixes)]
    return places


def _is_held(place: Path) -> bool:
    try:
        mark = open_to_lock(mark_of(place))
    except OSError:
        return False
    try:
        lock(mark, wait=False)
    except OSError:
        return True
    finally:
        os.close(mark)
    return False


def _versions(folder: Path) -> list[Path]:
    """The folders in a store that are ours, one for each version of the layout."""
    return sorted(
        one
        for one in folder.iterdir()
        if _VERSION.fullmatch(one.name) and not one.is_symlink() and _is_ours(one)
    )


def _is_ours(version: Path) -> bool:
    """Whether it has our tag, or looks like one of ours, so that a damaged tag hides nothing."""
    return is_tagged(version) or all((version / name).is_dir() for name in FOLDERS)


def _files(kind: Path) -> Iterator[Path]:
    """The files of a kind whose names look like ours."""
    try:
        folders = [one for one in kind.iterdir() if _FOLDER.fullmatch(one.name)]
    except OSError:
        return
    for folder in folders:
        with suppress(OSError):
            yield from (one for one in list(folder.iterdir()) if _NAME.fullmatch(one.name))


def _remove_version(version: Path) -> None:
    """Remove another version's folder, if nothing is left in it."""
    for place in (*version.glob("locks/*.lock"), *version.glob("marks/variant-*")):
        remove_unheld(place)
    ours = [version / name for name in (*KINDS, *FOLDERS, "new")]
    for kind in ours:
        with suppress(OSError):
            for folder in [one for one in kind.iterdir() if _FOLDER.fullmatch(one.name)]:
                folder.rmdir()
            kind.rmdir()
    with suppress(OSError):
        if [one.name for one in version.iterdir()] == [TAG]:
            (version / TAG).unlink()
            version.rmdir()
