"""The store: outcomes and facts by content, shared by any number of runs at once.

It only saves time, and can be deleted whenever no run is using it. An entry that is damaged or of another
version is a cache miss, and one that cannot be written is not cached. Every entry is written to a
temporary file that is then renamed, so that no reader sees half of it.
"""

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import filelock
import msgspec

from linkage.artifact.cache import LruCache
from linkage.artifact.digest import file_digest
from linkage.errors import StoreError
from linkage.host.decoding import MALFORMED
from linkage.host.locks import lock, open_to_lock

VERSION = 5
"""Of the layout and the readers: entries of other versions are ignored."""

BLOB_LIMIT = 4 << 30
"""Bytes of cached files, unless a run asks for another limit."""

FOLDERS = ("work", "marks", "locks", "blobs")
"""What every store has from the start."""

TAG = "CACHEDIR.TAG"
_TAG_LINE = "# A store of linkage"
_TAG_TEXT = f"""\
Signature: 8a477f597d28d172789f06886806bc55
{_TAG_LINE}. It only saves time; `linkage store clear` empties it.
# What this file is for: https://bford.info/cachedir/
"""

_VARIANT = "variant-"
_FUTURE = 86400  # seconds; clocks of machines that share a store differ by less
_CHECK = 16  # bytes of BLAKE2b before every entry: of its kind, its key and its content
_COMPRESS_FROM = 4096  # bytes
_LARGEST = 1 << 28  # bytes of an entry

T = TypeVar("T")


def key_of(*parts: object) -> str:
    """The key of anything that JSON can write, in a canonical form."""
    try:
        text = msgspec.json.encode(parts, order="deterministic")
    except UnicodeEncodeError:  # the name of a file that is not UTF-8
        text = json.dumps(msgspec.to_builtins(parts, str_keys=True), sort_keys=True).encode()
    return hashlib.blake2b(text, digest_size=20).hexdigest()


class Store:
    """A folder of entries by kind and key, of files by content, and of locks."""

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        """`limit`: how many bytes of cached files `sweep` leaves; BLOB_LIMIT if None."""
        self.folder = folder / f"v{VERSION}"
        self.limit = limit
        self.work = self.folder / "work"
        """The folder of the working folders."""
        self.writable = True
        """Turns false with the first entry that could not be written."""
        self.parts: LruCache[str, bytes] = LruCache(512)
        """Parts of facts that this process has read or written (`linkage.run.kept_facts`)."""
        try:
            for name in FOLDERS:
                (self.folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"cannot be created: {error.strerror}", where=str(folder), help="choose another with --store"
            ) from None
        if not is_tagged(self.folder):
            with contextlib.suppress(OSError):
                (self.folder / TAG).write_text(_TAG_TEXT)

    def get(self, kind: str, key: str, shape: type[T]) -> T | None:
        """An entry; None if it is missing, damaged, of another key, or of another type."""
        place = self._entry(kind, key)
        try:
            with place.open("rb") as file:
                _touch(file.fileno())
                stored = file.read()
            return decoded(stored, place, shape)
        except OSError:
            return None

    def put(self, kind: str, key: str, value: object) -> None:
        """Store an entry; not one with the name of a file that is not UTF-8, which it cannot express."""
        try:
            content = msgspec.msgpack.encode(value)
        except UnicodeEncodeError:
            return
        body = b"z" + zlib.compress(content, 1) if len(content) >= _COMPRESS_FROM else b"r" + content
        place = self._entry(kind, key)
        self._replace(place, lambda temporary: temporary.write_bytes(_checksum(place, body) + body))

    def put_blob(self, digest: str, source: Path) -> bool:
        """Store a file's content until it is evicted. Returns whether the store has a hard link to the
        file itself: whoever writes to the file afterwards must call `drop_blob`.
        """
        place = self._blob(digest)
        if place.exists():
            return False
        try:
            _made_for(place, lambda path: os.link(source, path, follow_symlinks=False))
        except OSError:  # the working folder is elsewhere, or on a file system without links
            self._replace(place, lambda temporary: shutil.copyfile(source, temporary))
            return False
        return True

    def drop_blob(self, digest: str) -> None:
        """Remove a content that was overwritten. Until then `take_blob` detects it by its digest."""
        with contextlib.suppress(OSError):
            self._blob(digest).unlink(missing_ok=True)

    def has_blob(self, digest: str) -> bool:
        return self._blob(digest).exists()

    def take_blob(self, digest: str, target: Path) -> bool:
        """Copy a stored content to a path; False if it was evicted or overwritten."""
        place = self._blob(digest)
        try:
            shutil.copyfile(place, target)
            if file_digest(target) != digest:
                place.unlink(missing_ok=True)
                return False
            if place.stat().st_nlink == 1:  # else another variant uses it, and would see changes
                _touch(place)
        except OSError:
            return False
        return True

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Hold the lock of a key, so that no two processes do the same work. A process that holds a lock
        must not ask for another: keys share locks.
        """
        try:
            lock = filelock.FileLock(lock_of(self.folder, key))
            lock.acquire(poll_interval=0.01)  # seconds
        except OSError:  # without locks if the store cannot be written
            self.writable = False
            yield
            return
        try:
            yield
        finally:
            lock.release()

    def variant_folders(self) -> list[Path]:
        """The working folders in which variants were run, whether or not they exist now."""
        with contextlib.suppress(OSError):
            return sorted(self._work / name for name in os.listdir(self.folder / "marks"))  # noqa: PTH208
        return []

    @property
    def _work(self) -> Path:
        return Path(os.path.realpath(self.work))  # as its processes see it

    @contextmanager
    def variant_folder(self, preferred: Iterable[Path] = ()) -> Iterator[Path]:
        """A working folder for one variant, empty at first and removed afterwards: the first unused one of
        those preferred, else of all. There are only as many as are used at once, so that outcomes, which
        may depend on the folder's name, are cache hits for the next variants in it.

        Raises StoreError if it cannot be created.
        """
        with contextlib.ExitStack() as held:
            yield self._free(preferred, held) or held.enter_context(self.work_folder())

    def _free(self, preferred: Iterable[Path], held: contextlib.ExitStack) -> Path | None:
        """An unused folder; None if nothing can be locked or written here."""
        numbered = (self._work / f"{_VARIANT}{number:03}" for number in itertools.count())
        try:
            folder = next(one for one in itertools.chain(preferred, numbered) if self._held(one, held))
            _make_empty(folder)
        except OSError:
            return None
        held.callback(remove_tree, folder)
        return folder

    @contextmanager
    def the_folder(self, folder: Path) -> Iterator[Path]:
        """A certain working folder, once nobody else uses it. Raises OSError if it cannot be created."""
        with contextlib.ExitStack() as held:
            if folder in self.variant_folders():
                self._held(folder, held, wait=True)
            _make_empty(folder)
            held.callback(remove_tree, folder)
            yield folder

    def _held(self, folder: Path, held: contextlib.ExitStack, *, wait: bool = False) -> bool:
        """Lock a variant's folder for as long as `held` is open, unless it is locked. Raises OSError."""
        mark = os.open(self.folder / "marks" / folder.name, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            lock(mark, wait=wait)
        except BlockingIOError:
            os.close(mark)
            return False
        except BaseException:
            os.close(mark)
            raise
        held.callback(os.close, mark)
        return True

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """A new folder with a new name each time, removed afterwards. Raises StoreError if it cannot be
        created.
        """
        folder, mark = self._marked_folder()
        try:
            yield folder
        finally:
            remove_tree(folder)
            os.close(mark)

    def _marked_folder(self) -> tuple[Path, int]:
        """A new folder, locked as long as its run exists: a process id means nothing to a run in another
        container, and is reused.
        """
        while True:
            try:
                folder = Path(tempfile.mkdtemp(prefix="new-", dir=self._work))
            except OSError:
                folder = self._elsewhere()
            try:
                mark = open_to_lock(folder)
            except FileNotFoundError:  # swept before it could be locked
                continue
            with contextlib.suppress(OSError):  # a file system without locks has no sweeper either
                lock(mark)
            if folder.exists():
                return folder, mark
            os.close(mark)

    def _elsewhere(self) -> Path:
        try:
            return Path(os.path.realpath(tempfile.mkdtemp(prefix="linkage-")))
        except OSError as error:
            raise StoreError(
                f"cannot create a working folder: {error.strerror}",
                where=str(self.folder),
                help="free space, or choose another place with --store",
            ) from None

    def sweep(self) -> None:
        """Remove what killed runs left behind, and the least recently used files over the limit."""
        for name in ("work", "new"):
            with contextlib.suppress(OSError):
                for place in (self.folder / name).iterdir():
                    remove_unheld(place)
        with contextlib.suppress(OSError):
            self._evict()

    def _evict(self) -> None:
        # scandir, because there may be many thousands, and a run reads them at its start and end.
        found = [
            (entry.stat(), entry)
            for group in os.scandir(self.folder / "blobs")
            if group.is_dir(follow_symlinks=False)
            for entry in os.scandir(group.path)
        ]
        limit = BLOB_LIMIT if self.limit is None else self.limit
        excess = sum(status.st_size for status, _ in found) - limit
        now = time.time()
        for status, entry in sorted(found, key=lambda item: last_used(item[0].st_mtime, now)):
            if excess <= 0:
                break
            Path(entry).unlink(missing_ok=True)
            excess -= status.st_size

    def _entry(self, kind: str, key: str) -> Path:
        return self.folder / kind / key[:2] / key

    def _blob(self, digest: str) -> Path:
        return self.folder / "blobs" / digest[:2] / digest

    def _replace(self, place: Path, fill: Callable[[Path], object]) -> None:
        """Let `fill` write a file that then replaces this one, whole or not at all."""
        temporary, mark = None, None
        try:
            temporary, mark = self._temporary()
            fill(temporary)
            _made_for(place, temporary.replace)
        except OSError:
            self.writable = False
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
        finally:
            if mark is not None:
                os.close(mark)

    def _temporary(self) -> tuple[Path, int]:
        """A new file, locked while it is written: this distinguishes it from what a killed run left."""
        while True:
            mark, name = _made_for(self.folder / "new/file", lambda place: tempfile.mkstemp(dir=place.parent))
            with contextlib.suppress(OSError):
                lock(mark)
            if os.fstat(mark).st_nlink:
                return Path(name), mark
            os.close(mark)  # swept before it could be locked


def lock_of(store: Path, key: str) -> Path:
    """The file that is locked for a key. Keys share some thousands of them: creating one for each would
    take longer than the work that it guards, and no file can be removed while others may wait for it.
    """
    return store / "locks" / f"{key[:3]}.lock"


def is_tagged(version: Path) -> bool:
    """Whether a folder of a store has our tag."""
    try:
        return _TAG_LINE in (version / TAG).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _checksum(place: Path, body: bytes) -> bytes:
    kind, key = place.parent.parent.name, place.name
    return hashlib.blake2b(f"{kind}/{key}\0".encode() + body, digest_size=_CHECK).digest()


def decoded(stored: bytes, place: Path, shape: type[T]) -> T | None:
    """The value of the entry at a path; None if it is damaged, of another key or of another type."""
    check, body = stored[:_CHECK], stored[_CHECK:]
    if _checksum(place, body) != check:
        return None
    try:
        content = inflated(body[1:]) if body[:1] == b"z" else body[1:]
        return msgspec.msgpack.decode(content, type=shape)
    except (zlib.error, *MALFORMED):
        return None


def inflated(body: bytes) -> bytes:
    """What was compressed. Raises zlib.error if it is damaged, or larger than anything that is written."""
    inflating = zlib.decompressobj()
    content = inflating.decompress(body, _LARGEST)
    if not inflating.eof:
        raise zlib.error("it is not whole, or too large")
    return content


def last_used(mtime: float, now: float) -> float:
    """When an entry was used last, by its file's time. A time in the future is from before the clock was
    set back: the entry counts as the oldest, because otherwise it would never be removed.
    """
    return 0.0 if mtime > now + _FUTURE else mtime


def mark_of(place: Path) -> Path:
    """The file or folder that is locked for as long as a working folder or a temporary file is in use."""
    mark = place.parent.parent / "marks" / place.name
    return mark if place.name.startswith(_VARIANT) and mark.exists() else place


def _make_empty(folder: Path) -> None:
    if os.path.lexists(folder):  # a killed run left it
        remove_tree(folder)
    folder.mkdir()


def remove_unheld(place: Path) -> bool:
    """Remove a file or folder that no process holds a lock on; return whether it is gone."""
    try:
        mark = open_to_lock(mark_of(place))
    except OSError:
        return not os.path.lexists(place)
    try:
        lock(mark, wait=False)
        remove_tree(place) if place.is_dir() else place.unlink(missing_ok=True)
    except OSError:
        return False
    finally:
        os.close(mark)
    return not os.path.lexists(place)


def _made_for(place: Path, make: Callable[[Path], T]) -> T:
    """Create something at a path, and its parent folder if that is missing."""
    try:
        return make(place)
    except FileNotFoundError:
        place.parent.mkdir(parents=True, exist_ok=True)
        return make(place)


def _touch(place: Path | int) -> None:
    with contextlib.suppress(OSError):  # it only shows which are in use
        os.utime(place)


def remove_tree(folder: Path) -> None:
    """Remove a folder, whatever modes a case has set inside it."""
    retried: set[str] = set()

    def retry(_function: object, path: str, _error: object) -> None:
        if path in retried:
            return
        retried.add(path)
        with contextlib.suppress(OSError):
            Path(path).parent.chmod(0o700)
            if Path(path).is_dir() and not Path(path).is_symlink():
                Path(path).chmod(0o700)
                shutil.rmtree(path, onerror=retry)  # folders in it may be closed, too
            else:
                Path(path).unlink()

    shutil.rmtree(folder, onerror=retry)
