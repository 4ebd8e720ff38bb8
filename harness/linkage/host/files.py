"""Files that are written: each whole or not at all, and what a user names as it is meant.

Everything that a command writes for its user goes through OutputFile.
"""

import contextlib
import errno
import os
import re
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from linkage.errors import LinkageError

STDOUT = "-"
"""The name of standard output, as many programs have it."""
_for_files: list[TextIO] = []
"""Standard output itself, while `reporting_beside` directs `sys.stdout` elsewhere."""
_LINKS = 40
"""Symbolic links that Linux follows."""
_DESCRIPTORS = re.compile(r"/proc/(\d+)/(?:task/\d+/)?fd")


def replace_file(target: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Replace a file atomically, so that no reader sees half of it. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(encoded(content))
        temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def encoded(content: str | bytes) -> bytes:
    """The bytes of a text; what UTF-8 cannot express is escaped."""
    return content if isinstance(content, bytes) else content.encode(errors="backslashreplace")


class OutputFile:
    """A file that a user asked for. What is there decides how it is written.

    A file is replaced at once, or stays as it was; a symbolic link stays, and the file that it points to
    is replaced. A device, a FIFO and a socket are written to. `-`, /dev/stdout and the like are standard
    output.
    """

    def __init__(self, place: str, option: str = "", *, parents: bool = False) -> None:
        """Check that it can be written, before any work is done. Raises LinkageError.

        `option` names the option for messages; with `parents`, missing directories will be created.
        """
        self._where = f"{option} {place}".strip()
        self._parents = parents
        self._path, self._descriptor = _followed(place)
        self._stdout = _for_files[-1] if _for_files else sys.stdout
        try:
            self._check()
        except OSError as error:
            raise self._unwritable(error) from None

    @property
    def is_stdout(self) -> bool:
        """Whether it is standard output: reports for people then belong on standard error."""
        return self._descriptor == 1

    def write(self, content: str | bytes, *, mode: int = 0o644) -> None:
        """Write it. `mode`: of a new file; one that exists keeps its own. Raises LinkageError."""
        try:
            self._write(encoded(content), mode)
        except OSError as error:
            raise self._unwritable(error) from None

    def _check(self) -> None:
        if self._descriptor is not None:
            os.fstat(self._descriptor)
            return
        status = _status(self._path)
        if status is not None and stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "it is a directory")
        if status is not None and not stat.S_ISREG(status.st_mode):
            if not os.access(self._path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        folder = self._path.parent
        while self._parents and _status(folder) is None and folder != folder.parent:
            folder = folder.parent
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError:
            if status is None:
                raise
            with self._path.open("r+b"):  # its directory is read-only: it is written in its place
                pass

    def _write(self, content: bytes, mode: int) -> None:
        if self._descriptor is not None:
            _write_to_descriptor(self._descriptor, self._stdout if self.is_stdout else None, content)
            return
        if self._parents:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        status = _status(self._path)
        if status is not None and not stat.S_ISREG(status.st_mode):
            _write_to_special(self._path, status.st_mode, content)
            return
        if status is not None:
            mode = stat.S_IMODE(status.st_mode) | (mode & 0o111)
        try:
            replace_file(self._path, content, mode=mode)
        except OSError as error:
            if status is None or error.errno not in (errno.EACCES, errno.EROFS, errno.EBUSY, errno.EPERM):
                raise
            self._path.write_bytes(content)

    def _unwritable(self, error: OSError) -> LinkageError:
        why, help = error.strerror or str(error), "choose another file"
        if error.errno == errno.ENOENT:
            why, help = "no such directory", "create it first"
        return LinkageError(f"cannot be written: {why}", where=self._where, help=help)


@contextlib.contextmanager
def reporting_beside(*files: OutputFile | None) -> Iterator[None]:
    """Print what people read on standard error, if one of these files is standard output."""
    if any(file is not None and file.is_stdout for file in files):
        _for_files.append(sys.stdout)
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield
        finally:
            _for_files.pop()
    else:
        yield


def _followed(place: str) -> tuple[Path, int | None]:
    """Where symbolic links lead, or the descriptor of this process that they lead to."""
    if place == STDOUT:
        return Path(place), 1
    path = os.path.abspath(place)  # noqa: PTH100 - pathlib has no function for it
    for _ in range(_LINKS):
        # A link in /proc/PID/fd is no text to follow: it is the open file itself, also if that is a pipe.
        folder = os.path.realpath(os.path.dirname(path))  # noqa: PTH120 - likewise
        found = _DESCRIPTORS.fullmatch(folder)
        name = os.path.basename(path)  # noqa: PTH119 - likewise
        path = os.path.join(folder, name)  # noqa: PTH118 - likewise
        if found and name.isdecimal():
            return Path(path), int(name) if int(found[1]) == os.getpid() else None
        try:
            path = os.path.join(folder, os.readlink(path))  # noqa: PTH115, PTH118 - likewise
        except OSError:
            break
    return Path(path), None


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _write_to_descriptor(number: int, stream: object, content: bytes) -> None:
    flush = getattr(stream, "flush", None)
    buffer = getattr(stream, "buffer", None)
    if flush is not None and buffer is not None:
        flush()
        buffer.write(content)
        flush()
        return
    with os.fdopen(os.dup(number), "wb", buffering=0) as file:
        _write_all(file.fileno(), content)


def _write_to_special(path: Path, mode: int, content: bytes) -> None:
    if sys.platform != "win32" and stat.S_ISSOCK(mode):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(content)
        return
    number = os.open(path, os.O_WRONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        _write_all(number, content)
    finally:
        os.close(number)


def _write_all(number: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(number, left) :]
