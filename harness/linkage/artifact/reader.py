"""Reading any file's facts: mapped into memory, recognised by its content, never by its name.

A new object format is a folder beside `elf` and a row in `FORMATS`.
"""

import mmap
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from linkage.artifact import ar
from linkage.artifact.ar import Content, ContentReader
from linkage.artifact.bitcode import reader as bitcode
from linkage.artifact.digest import digest_of
from linkage.artifact.elf import file as elf
from linkage.artifact.elf.reader import read_elf
from linkage.artifact.facts import Archive, Bitcode, Facts, Metadata, ObjectFile, UnknownFile
from linkage.artifact.metadata import header as metadata
from linkage.artifact.request import FactsRequest
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
    """The facts of a file; `digest` if the caller has it already.

    `references` names the functions whose outgoing references are read, `contents` the sections whose
    bytes are: at most 1 MiB of each (a larger one is an error), decompressed. `for_comparison` is
    explained at FactsRequest. For a file that begins as a known format and is truncated or malformed, the
    Facts have an `error`. Raises ArtifactError only if the file is missing, unreadable or not regular.
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
    """The facts of a file with this content; `digest` if the caller has it already."""
    view = memoryview(data)
    digest = digest or digest_of(view)
    request = FactsRequest(tuple(references), tuple(contents), for_comparison)
    format_ = _format_of(view)
    if format_ is None:
        other = UnknownFile(_text(view)) if view else None
        return Facts("other" if other else "empty", len(view), digest, other=other)
    try:
        found = format_.read(view, request)
    except ArtifactError as error:
        return Facts(format_.kind, len(view), digest, error=str(error))
    return Facts(
        format_.kind,
        len(view),
        digest,
        object=found if isinstance(found, ObjectFile) else None,
        archive=found if isinstance(found, Archive) else None,
        bitcode=found if isinstance(found, Bitcode) else None,
        metadata=found if isinstance(found, Metadata) else None,
    )


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A format that is read: what Facts call it, how its files begin, and its reader."""

    kind: str
    magics: tuple[bytes, ...]
    read: ContentReader


def _read_member(content: memoryview, request: FactsRequest) -> Content:
    """What is in an archive's member; None for one of no known format and for an archive."""
    format_ = _format_of(content)
    return format_.read(content, request) if format_ and format_.kind != "archive" else None


FORMATS = (
    FileFormat("elf", (elf.MAGIC,), read_elf),
    FileFormat(
        "archive",
        (ar.MAGIC, ar.THIN_MAGIC),
        lambda data, request: ar.read_archive(data, request, _read_member),
    ),
    FileFormat("bitcode", (bitcode.MAGIC, bitcode.WRAPPER_MAGIC), lambda data, _: bitcode.read_bitcode(data)),
    FileFormat("metadata", (metadata.MAGIC,), lambda data, _: metadata.read_metadata(data)),
)
_LONGEST_MAGIC = max(len(magic) for one in FORMATS for magic in one.magics)


def _format_of(view: memoryview) -> FileFormat | None:
    beginning = bytes(view[:_LONGEST_MAGIC])
    return next((one for one in FORMATS if beginning.startswith(one.magics)), None)


def _text(view: memoryview) -> str | None:
    if len(view) > _TEXT_LIMIT:
        return None
    try:
        return bytes(view).decode()
    except UnicodeDecodeError:
        return None
