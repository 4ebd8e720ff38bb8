"""Reading any file's facts: mapped into memory, recognised by its content, never by its name."""

import mmap
import stat
from collections.abc import Sequence
from pathlib import Path

from linkage.artifact import ar, bitcode
from linkage.artifact.digest import digest_of
from linkage.artifact.elf import file as elf
from linkage.artifact.facts import Facts, Other
from linkage.artifact.metadata import header as metadata
from linkage.artifact.request import Wanted
from linkage.errors import ArtifactError

_TEXT_LIMIT = 1 << 20  # bytes


def read(
    path: Path,
    *,
    references: Sequence[str] = (),
    contents: Sequence[str] = (),
    for_comparison: bool = False,
    digest: str | None = None,
) -> Facts:
    """The facts of a file; `digest` where the caller has it already.

    `references` names the functions whose outgoing references are wanted, `contents` the sections
    whose bytes are: at most 1 MiB of each (a larger one is an error), decompressed;
    `for_comparison` is explained at Wanted.
    What announces a format and is truncated or malformed gives Facts with an `error`.
    ArtifactError is raised only for a file that is missing, unreadable or no regular file.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactError("not a regular file", where=str(path))
        if not status.st_size:
            return read_bytes(b"")
        with path.open("rb") as file:
            # Not closed by hand: the map goes when the last view of it does.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            return read_bytes(
                mapped,
                references=references,
                contents=contents,
                for_comparison=for_comparison,
                digest=digest,
            )
    except (OSError, ValueError) as error:  # ValueError: emptied meanwhile, or a NUL in the path
        why = (isinstance(error, OSError) and error.strerror) or error
        raise ArtifactError(f"cannot be read: {why}", where=str(path)) from error


def read_bytes(
    data: bytes | mmap.mmap | memoryview,
    *,
    references: Sequence[str] = (),
    contents: Sequence[str] = (),
    for_comparison: bool = False,
    digest: str | None = None,
) -> Facts:
    """The facts of a file with this content; `digest` where the caller has it already."""
    view = memoryview(data)
    digest = digest or digest_of(view)
    kind = _kind(view)
    wanted = Wanted(tuple(references), tuple(contents), for_comparison)
    try:
        return _facts(kind, view, digest, wanted)
    except ArtifactError as error:
        return Facts(kind, len(view), digest, error=str(error))


def _kind(view: memoryview) -> str:
    beginning = bytes(view[:8])
    for magics, kind in _MAGICS.items():
        if beginning.startswith(magics):
            return kind
    return "other" if beginning else "empty"


_MAGICS = {
    (elf.MAGIC,): "elf",
    (ar.MAGIC, ar.THIN_MAGIC): "archive",
    (bitcode.MAGIC, bitcode.WRAPPER_MAGIC): "bitcode",
    (metadata.MAGIC,): "metadata",
}


def _facts(kind: str, view: memoryview, digest: str, wanted: Wanted) -> Facts:
    size = len(view)
    if kind == "elf":
        return Facts(kind, size, digest, object=elf.read_elf(view, wanted))
    if kind == "archive":
        return Facts(kind, size, digest, archive=ar.read_archive(view, wanted))
    if kind == "bitcode":
        return Facts(kind, size, digest, bitcode=bitcode.read_bitcode(view))
    if kind == "metadata":
        return Facts(kind, size, digest, metadata=metadata.read_metadata(view))
    return Facts(kind, size, digest, other=Other(_text(view)) if size else None)


def _text(view: memoryview) -> str | None:
    if len(view) > _TEXT_LIMIT:
        return None
    try:
        return bytes(view).decode()
    except UnicodeDecodeError:
        return None
