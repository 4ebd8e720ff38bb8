"""A variant's working folder: its state by content, and the file operations in it.

Nothing outside it is written: every path that a case gives is resolved inside it first.
"""

import glob
import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from linkage.artifact.digest import file_digest
from linkage.host.limits import StepLimits
from linkage.plan.operations import (
    ChangeMode,
    Clean,
    Copy,
    MakeFolders,
    Operation,
    Remove,
    Rename,
    Symlink,
    Truncate,
    Write,
)
from linkage.plan.state import FIFO, UNREADABLE, Node, State, matching
from linkage.store.store import remove_tree

_SPECIAL = {stat.S_IFIFO: FIFO, stat.S_IFSOCK: "socket"}


class OperationError(Exception):
    """Why a file operation failed, in one sentence."""


def root_in(folder: Path) -> Path:
    """The folder of a variant's files in its working folder."""
    return folder / "work"


class Workspace:
    """A folder on disk; remembers each file's stat, so that an unchanged file is hashed once."""

    def __init__(self, folder: Path, largest: int = StepLimits.file_size) -> None:
        """`largest`: a file with more bytes is not read."""
        self.largest = largest
        self.too_large: dict[str, int] = {}
        """The files with more bytes at the last scan, and their sizes."""
        self.root = root_in(folder)
        self.temporary = folder
        """For the temporary files of processes: next to the folder, and removed with it."""
        self.linker = folder / "linker"
        self.root.mkdir(parents=True)
        for place in (folder, self.root):
            place.chmod(0o755)  # whatever the umask of the harness is
        self._real = os.path.realpath(self.root)
        self._seen: dict[str, tuple[tuple[int, ...], Node]] = {}
        self._kept: dict[int, str] = {}
        """The inodes that the store has a link to, with their digests."""

    def scan(self) -> State:
        """Everything that is in the folder now, by relative path."""
        state: State = {}
        seen: dict[str, tuple[tuple[int, ...], Node]] = {}
        self.too_large = {}
        pending = [str(self.root)]
        above = len(pending[0]) + 1
        while pending:
            for entry in os.scandir(pending.pop()):
                status = entry.stat(follow_symlinks=False)
                name = entry.path[above:]
                mode = stat.S_IMODE(status.st_mode)
                if entry.is_symlink():
                    state[name] = Node("link", str(Path(entry.path).readlink()), 0o777)
                elif entry.is_dir():
                    state[name] = Node("dir", "", mode)
                    if os.access(entry.path, os.R_OK | os.X_OK):
                        pending.append(entry.path)
                elif entry.is_file():
                    mark = _mark(status)
                    if status.st_size > self.largest:
                        self.too_large[name] = status.st_size
                    old = self._seen.get(name)
                    node = (
                        old[1]
                        if old and old[0] == mark
                        else self._file(Path(entry.path), mode, status.st_size)
                    )
                    state[name], seen[name] = node, (mark, node)
                else:
                    state[name] = Node("special", _SPECIAL.get(stat.S_IFMT(status.st_mode), "device"), mode)
        self._seen = seen
        return state

    @property
    def marks(self) -> dict[str, tuple[int, ...]]:
        """Tells whether a file was written since: its inode, size and time at the last scan."""
        # Its ctime may change when others use the store's links to it.
        return {name: mark[:3] for name, (mark, _) in self._seen.items()}

    def note_link(self, name: str, digest: str) -> None:
        """Note that the store has a link to this file, which has not changed since the last scan."""
        status = (self.root / name).stat(follow_symlinks=False)
        self._seen[name] = (_mark(status), self._seen[name][1])
        self._kept[status.st_ino] = digest

    def overwritten(self) -> set[str]:
        """Digests of files that the store links to and that have changed, according to the last scan."""
        return {
            digest
            for mark, node in self._seen.values()
            if (digest := self._kept.get(mark[0])) is not None and node.stored != digest
        }

    def _file(self, path: Path, mode: int, size: int) -> Node:
        try:
            digest = file_digest(path) if size <= self.largest else UNREADABLE
        except PermissionError:
            digest = UNREADABLE
        return Node("file", digest, mode, size)

    def inside(self, name: str, *, itself: bool = False) -> Path:
        """A path in the folder; with `itself`, a symlink is not followed.

        Raises OperationError for a path that leaves the folder, directly or through a symlink.
        """
        path = self.root / name
        if itself and path.name != "..":
            real = f"{os.path.realpath(path.parent)}/{path.name}"
        else:
            real = os.path.realpath(path)
        if real != self._real and not real.startswith(f"{self._real}/"):
            raise OperationError(f"`{name}` leads outside the working folder")
        return path

    def matching(self, pattern: str) -> list[Path]:
        """The files that match a path or a glob, sorted. Raises OperationError if there are none."""
        self.inside(pattern, itself=True)
        found = [self.root / name for name in matching(self.scan(), pattern)]
        if not found:
            raise OperationError(f"no file matches `{pattern}`")
        return found

    def outside(self, pattern: str) -> list[str]:
        """The toolchain's files that match an absolute path or glob. Raises OperationError for none."""
        found = sorted(glob.glob(pattern))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not found:
            raise OperationError(f"no file matches `{pattern}`")
        return found

    def write_source(self, name: str, content: bytes) -> None:
        """Place one of the case's sources."""
        path = self.inside(name)
        _make_folder(path.parent, 0o755)
        path.write_bytes(content)
        path.chmod(0o644)

    def operate(  # noqa: C901 - one case for each operation
        self, operation: Operation, sources: Mapping[str, bytes], umask: int = 0o022
    ) -> None:
        """Carry out a file operation. Raises OperationError or OSError."""
        match operation:
            case Remove(paths):
                self._remove([path for pattern in paths for path in self.matching(pattern)])
            case MakeFolders(paths):
                for path in paths:
                    _make_folder(self.inside(path), 0o777 & ~umask)
            case Write(path, bytes() as content, offset):
                self._write(self.inside(path), content, offset, umask)
            case Truncate(path, size):
                file = _unshared(self._one(path, itself=False))
                old = file.stat().st_size
                if abs(size) > old:
                    raise OperationError(f"`size: {size}` is more than the size of `{path}`: {old}")
                os.truncate(file, size if size >= 0 else old + size)
            case Rename(path, to):
                self._one(path).rename(self.inside(to, itself=True))
            case Symlink(path, to):
                self._symlink(self.inside(path, itself=True), to)
            case Copy(path, to):
                self._copy(self._copied(path), self.inside(to))
            case ChangeMode(path, mode):
                self._one(path, itself=False).chmod(int(mode, 8))
            case Clean(keep):
                self._clean([path for pattern in keep for path in self.matching(pattern)], sources)
            case _:  # the runner sets the umask, and a text is filled before it is written
                raise AssertionError(operation)

    def _one(self, name: str, *, itself: bool = True) -> Path:
        """The only file that a path or a glob means; with `itself`, a symlink is not followed."""
        found = self.matching(name)
        if len(found) > 1:
            raise OperationError(f"`{name}` matches {len(found)} files, but must match one")
        if not itself:
            self.inside(os.path.relpath(found[0], self.root))
        return found[0]

    def _copied(self, name: str) -> Path:
        if not name.startswith("/"):
            return self._one(name, itself=False)
        found = self.outside(name)
        if len(found) > 1:
            raise OperationError(f"`{name}` matches {len(found)} files, but must match one")
        return Path(found[0])

    def _remove(self, paths: Iterable[Path]) -> None:
        for path in paths:
            if path.is_dir() and not path.is_symlink():
                remove_tree(path)
            else:
                path.unlink(missing_ok=True)  # it may have been removed with its folder

    def _copy(self, source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target)

    def _write(self, path: Path, content: bytes, offset: int | None, umask: int) -> None:
        if offset is None:
            _make_folder(path.parent, 0o777 & ~umask)
            is_new = not path.exists()
            (path if is_new else _unshared(path)).write_bytes(content)
            if is_new:
                path.chmod(0o666 & ~umask)
            return
        old = bytearray(_unshared(path).read_bytes())
        if not -len(old) <= offset <= len(old):
            where = os.path.relpath(path, self.root)
            raise OperationError(f"`offset: {offset}` is outside `{where}`, of size {len(old)}")
        start = offset if offset >= 0 else len(old) + offset
        old[start : start + len(content)] = content
        path.write_bytes(old)

    def _symlink(self, link: Path, target: str) -> None:
        self.inside(target)
        link.symlink_to(os.path.relpath(self.root / target, link.parent))

    def _clean(self, kept: Iterable[Path], sources: Mapping[str, bytes]) -> None:
        keep = set(kept)
        above = {parent for path in keep for parent in path.parents}
        for path in sorted(self.root.rglob("*"), reverse=True):
            inside = any(parent in keep for parent in path.parents)
            if path not in keep and path not in above and not inside:
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        for name, content in sources.items():
            self.write_source(name, content)


def _mark(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _unshared(path: Path) -> Path:
    """A file that may be written to: one that the store links to is first replaced by a copy."""
    if path.stat().st_nlink > 1:
        copy = path.with_name(f"{path.name}.unshared")
        shutil.copy2(path, copy)
        copy.replace(path)
    return path


def _make_folder(path: Path, mode: int) -> None:
    """Make a folder and its missing parents with this mode, whatever the umask of the harness."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for folder in reversed(missing):
        folder.mkdir()
        folder.chmod(mode)
