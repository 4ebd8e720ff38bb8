"""A variant's working folder: its state by content, and the file operations in it.

Nothing outside it is written: every path that a case gives is resolved inside it first. The folder is scanned
after a process, which may have changed anything, but not after a file operation, which knows what it changed.
"""

import glob
import os
import shutil
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from linkage.artifact.digest import file_digest
from linkage.host.limits import StepLimits
from linkage.plan.folder_state import FolderState
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


@dataclass(frozen=True, slots=True)
class FolderChanges:
    """What has changed in a folder, by relative path."""

    written: frozenset[str]
    """What is new, is another now, or was written again as it was."""
    gone: frozenset[str]


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
        self._state: FolderState | None = None
        """What is in the folder; None if something may have changed since it was scanned."""
        self._marked = self._seen
        """What was seen when `state` was taken: an operation may scan the folder in the midst of a step."""
        self.overwritten: frozenset[str] = frozenset()
        """Digests of files that the store links to and that have changed, according to the last `update`."""

    @property
    def state(self) -> FolderState:
        """What is in the folder; it is scanned if something else than `update` may have changed it."""
        if self._state is None:
            self._state = FolderState.of(self.scan())
            self._marked = self._seen
        return self._state

    def forget(self) -> None:
        """Note that anything may have changed."""
        self._state = None

    def update(self, before: FolderState, touched: Iterable[str] | None) -> FolderChanges:
        """Note what has changed since a state: only these paths, or anything if None."""
        names = None if touched is None else frozenset(touched)
        if names is not None and any(before[name].kind == "dir" for name in names if name in before):
            names = None  # what is below may be gone, or out of reach
        looked_at = before.keys() if names is None else names
        marks = {name: _written(self._marked[name]) for name in looked_at if name in self._marked}
        now = self.scan() if names is None else self._at(names)
        written = frozenset(
            name
            for name, node in now.items()
            if before.get(name) != node
            or (name in self._seen and marks.get(name) != _written(self._seen[name]))
        )
        gone = frozenset(name for name in looked_at if name not in now and name in before)
        self._state = before.changed({name: now[name] for name in written}, gone)
        self._marked = self._seen
        files = (self._seen[name] for name in written if name in self._seen)
        self.overwritten = frozenset(
            digest
            for mark, node in files
            if (digest := self._kept.get(mark[0])) is not None and node.stored != digest
        )
        return FolderChanges(written, gone)

    def older(self, names: Iterable[str], moment: float) -> tuple[str, ...]:
        """Those of these files that were written before a moment (seconds), by the times that they have."""
        limit = moment * 1e9
        return tuple(name for name in names if name in self._seen and self._seen[name][0][2] < limit)

    def scan(self) -> State:
        """Everything that is in the folder now, by relative path."""
        state: dict[str, Node] = {}
        seen: dict[str, tuple[tuple[int, ...], Node]] = {}
        self.too_large = {}
        pending = [str(self.root)]
        above = len(pending[0]) + 1
        while pending:
            for entry in os.scandir(pending.pop()):
                status = entry.stat(follow_symlinks=False)
                name = entry.path[above:]
                state[name] = node = self._node(name, entry.path, status)
                if node.kind == "dir" and os.access(entry.path, os.R_OK | os.X_OK):
                    pending.append(entry.path)
                elif node.kind == "file":
                    seen[name] = (_mark(status), node)
        self._seen = seen
        return state

    def _at(self, names: Iterable[str]) -> State:
        """What is at these paths now."""
        state: dict[str, Node] = {}
        self.too_large = {}
        for name in names:
            path = f"{self.root}/{name}"
            try:
                status = os.lstat(path)
            except (FileNotFoundError, NotADirectoryError):
                self._seen.pop(name, None)
                continue
            state[name] = node = self._node(name, path, status)
            if node.kind == "file":
                self._seen[name] = (_mark(status), node)
            else:
                self._seen.pop(name, None)
        return state

    def _node(self, name: str, path: str, status: os.stat_result) -> Node:
        mode = stat.S_IMODE(status.st_mode)
        match stat.S_IFMT(status.st_mode):
            case stat.S_IFLNK:
                return Node("link", str(Path(path).readlink()), 0o777)
            case stat.S_IFDIR:
                return Node("dir", "", mode)
            case stat.S_IFREG:
                if status.st_size > self.largest:
                    self.too_large[name] = status.st_size
                old = self._seen.get(name)
                if old is not None and old[0] == _mark(status):
                    return old[1]
                return self._file(Path(path), mode, status.st_size)
            case other:
                return Node("special", _SPECIAL.get(other, "device"), mode)

    def note_link(self, name: str, digest: str) -> None:
        """Note that the store has a link to this file, which has not changed since the last scan."""
        status = (self.root / name).stat(follow_symlinks=False)
        self._seen[name] = (_mark(status), self._seen[name][1])
        self._kept[status.st_ino] = digest

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
        found = [self.root / name for name in matching(self._known(), pattern)]
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

    def _known(self) -> State:
        return self.scan() if self._state is None else self._state

    def operate(
        self, operation: Operation, sources: Mapping[str, bytes], umask: int = 0o022
    ) -> frozenset[str] | None:
        """Carry out a file operation; the paths that it may have changed, or None if it may be any.

        Raises OperationError or OSError.
        """
        touched: list[Path] | None = None
        try:
            touched = self._operate(operation, sources, umask)
        finally:
            self.forget()
        return None if touched is None else frozenset(os.path.relpath(one, self._real) for one in touched)

    def _operate(self, operation: Operation, sources: Mapping[str, bytes], umask: int) -> list[Path] | None:
        """What it may have changed, by paths without symlinks to folders."""
        match operation:
            case Remove(paths):
                return self._remove([path for pattern in paths for path in self.matching(pattern)])
            case MakeFolders(paths):
                return [made for path in paths for made in _make_folder(self.inside(path), 0o777 & ~umask)]
            case Write(path, bytes() as content, offset):
                return self._write(self.inside(path), content, offset, umask)
            case Truncate(path, size):
                return self._truncate(path, size)
            case Rename(path, to):
                source, target = self._one(path), self.inside(to, itself=True)
                source.rename(target)
                return [_placed(source), _placed(target)]
            case Symlink(path, to):
                return self._symlink(self.inside(path, itself=True), to)
            case Copy(path, to):
                return self._copy(self._copied(path), self.inside(to))
            case ChangeMode(path, mode):
                return self._change_mode(self._one(path, itself=False).resolve(), int(mode, 8))
            case Clean(keep):
                self._clean([path for pattern in keep for path in self.matching(pattern)], sources)
                return None
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

    def _remove(self, paths: Sequence[Path]) -> list[Path]:
        for path in paths:
            if path.is_dir() and not path.is_symlink():
                remove_tree(path)
            else:
                path.unlink(missing_ok=True)  # it may have been removed with its folder
        return [_placed(path) for path in paths]

    def _truncate(self, name: str, size: int) -> list[Path]:
        file = _unshared(self._one(name, itself=False))
        old = file.stat().st_size
        if abs(size) > old:
            raise OperationError(f"`size: {size}` is more than the size of `{name}`: {old}")
        os.truncate(file, size if size >= 0 else old + size)
        return [file]

    def _copy(self, source: Path, target: Path) -> list[Path] | None:
        is_new = not os.path.lexists(target)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
            return None
        shutil.copy2(source, target)
        return [_placed(target)] if is_new else None  # the file may have other names

    def _change_mode(self, path: Path, mode: int) -> list[Path] | None:
        path.chmod(mode)
        return [path] if path.stat().st_nlink == 1 else None  # as above

    def _write(self, path: Path, content: bytes, offset: int | None, umask: int) -> list[Path]:
        if offset is None:
            folders = _make_folder(path.parent, 0o777 & ~umask)
            is_new = not path.exists()
            file = path.resolve() if is_new else _unshared(path)
            file.write_bytes(content)
            if is_new:
                file.chmod(0o666 & ~umask)
            return [*folders, file]
        file = _unshared(path)
        old = bytearray(file.read_bytes())
        if not -len(old) <= offset <= len(old):
            where = os.path.relpath(path, self.root)
            raise OperationError(f"`offset: {offset}` is outside `{where}`, of size {len(old)}")
        start = offset if offset >= 0 else len(old) + offset
        old[start : start + len(content)] = content
        file.write_bytes(old)
        return [file]

    def _symlink(self, link: Path, target: str) -> list[Path]:
        self.inside(target)
        link.symlink_to(os.path.relpath(self.root / target, link.parent))
        return [_placed(link)]

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


def _written(seen: tuple[tuple[int, ...], Node]) -> tuple[int, ...]:
    """Tells whether a file was written since: its inode, size and time."""
    return seen[0][:3]  # its ctime may change when others use the store's links to it


def _placed(path: Path) -> Path:
    """A path in the folder that it is really in; a symlink itself is not followed."""
    return path.parent.resolve() / path.name


def _unshared(path: Path) -> Path:
    """A file that may be written to: one that the store links to is first replaced by a copy."""
    file = path.resolve()  # not a symlink to it
    if file.stat().st_nlink > 1:
        copy = file.with_name(f"{file.name}.unshared")
        shutil.copy2(file, copy)
        copy.replace(file)
    return file


def _make_folder(path: Path, mode: int) -> list[Path]:
    """Make a folder and its missing parents with this mode, whatever the umask of the harness."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for folder in reversed(missing):
        folder.mkdir()
        folder.chmod(mode)
    return [folder.resolve() for folder in missing]
