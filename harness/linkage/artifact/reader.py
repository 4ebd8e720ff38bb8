"""Reading any file's facts: mapped into memory, recognised by its content, never by its name.

A new object format is a folder beside `elf` and a row in `FORMATS`.
"""

import mmap
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from linkage.artifact import aix_archive, ar
from linkage.artifact.ar import Content, ContentReader
from linkage.artifact.bitcode import reader as bitcode
from linkage.artifact.coff.reader import is_coff, is_pe, read_coff, read_pe
from linkage.artifact.digest import digest_of
from linkage.artifact.elf import file as elf
from linkage.artifact.elf.reader import read_elf
from linkage.artifact.facts import Archive, Bitcode, Facts, Metadata, ObjectFile, UnknownFile
from linkage.artifact.foreign import foreign_format
from linkage.artifact.macho import file as macho
from linkage.artifact.macho import universal
from linkage.artifact.macho.reader import read_macho
from linkage.artifact.metadata import header as metadata
from linkage.artifact.request import FactsRequest, MemberFile
from linkage.artifact.wasm.file import is_module
from linkage.artifact.wasm.reader import read_wasm
from linkage.artifact.xcoff import file as xcoff
from linkage.artifact.xcoff.reader import read_xcoff
from linkage.errors import ArtifactError

_TEXT_LIMIT = 1 << 20  # bytes


def read(
    path: Path,
    *,
    references: Sequence[str] = (),
    contents: Sequence[str] = (),
    for_comparison: bool = False,
    digest: str | None = None,
    root: Path | None = None,
) -> Facts:
    """The facts of a file; `digest` if the caller has it already.

    `references` names the functions whose outgoing references are read, `contents` the sections whose
    bytes are: at most 1 MiB of each (a larger one is an error), decompressed. `for_comparison` is
    explained at FactsRequest. The members of a thin archive are read from where it points, if that is below
    `root`. For a file that begins as a known format and is truncated or malformed, the Facts have an `error`.
    Raises ArtifactError only if the file is missing, unreadable or not regular.
    """
    return read_bytes(
        _mapped(path),
        references=references,
        contents=contents,
        for_comparison=for_comparison,
        digest=digest,
        member_file=None if root is None else partial(_member_file, path.parent, root),
    )


def _mapped(path: Path) -> bytes | mmap.mmap:
    """A file's content. Raises ArtifactError if it is missing, unreadable or not regular."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactError("not a regular file", where=str(path))
        if not status.st_size:
            return b""
        with path.open("rb") as file:
            # Not closed by hand: the map goes when the last view of it does.
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:  # ValueError: emptied meanwhile, or a NUL in the path
        why = (isinstance(error, OSError) and error.strerror) or error
        raise ArtifactError(f"cannot be read: {why}", where=str(path)) from error


def _member_file(folder: Path, root: Path, name: str) -> memoryview:
    """The file that a thin archive in `folder` refers to. Raises ArtifactError if it is not below `root`."""
    real = Path(os.path.realpath(folder / name))
    if not real.is_relative_to(os.path.realpath(root)):
        raise ArtifactError("the thin archive refers to a file outside the folder")
    try:
        return memoryview(_mapped(real))
    except ArtifactError as error:
        raise ArtifactError(f"the thin archive refers to a file that {error.what}") from None


def read_bytes(
    data: bytes | mmap.mmap | memoryview,
    *,
    references: Sequence[str] = (),
    contents: Sequence[str] = (),
    for_comparison: bool = False,
    digest: str | None = None,
    member_file: MemberFile | None = None,
) -> Facts:
    """The facts of a file with this content; `digest` if the caller has it already.

    `member_file` reads what a thin archive refers to.
    """
    view = memoryview(data)
    digest = digest or digest_of(view)
    request = FactsRequest(tuple(references), tuple(contents), for_comparison, member_file)
    format_ = _format_of(view)
    if format_ is None:
        other = _other(view) if view else None
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
    """A format that is read: what Facts call it, whether a file is of it, and its reader."""

    kind: str
    recognizes: Callable[[memoryview], bool]
    read: ContentReader


def begins(*magics: bytes) -> Callable[[memoryview], bool]:
    """Whether a file begins with one of these."""
    longest = max(map(len, magics))
    return lambda view: bytes(view[:longest]).startswith(magics)


def _read_member(content: memoryview, request: FactsRequest) -> Content:
    """What is in an archive's member, the name of a format that is not read, or None for an empty member."""
    format_ = _format_of(content)
    if format_ is not None:
        return "archive" if format_.kind == "archive" else format_.read(content, request)
    if not content:
        return None
    other = _other(content)
    return other.format or ("unknown" if other.text is None else "text")


FORMATS = (
    FileFormat("elf", begins(elf.MAGIC), read_elf),
    FileFormat("macho", begins(*macho.MAGIC), read_macho),
    FileFormat(
        "archive",
        universal.is_universal,
        lambda data, request: universal.read_universal(data, request, _read_member),
    ),
    FileFormat("wasm", is_module, read_wasm),
    FileFormat(
        "archive",
        begins(ar.MAGIC, ar.THIN_MAGIC),
        lambda data, request: ar.read_archive(data, request, _read_member),
    ),
    FileFormat(
        "archive",
        begins(aix_archive.MAGIC),
        lambda data, request: aix_archive.read_aix_archive(data, request, _read_member),
    ),
    FileFormat("xcoff", begins(*xcoff.MAGICS), read_xcoff),
    FileFormat(
        "bitcode",
        begins(bitcode.MAGIC, bitcode.WRAPPER_MAGIC),
        lambda data, _: bitcode.read_bitcode(data),
    ),
    FileFormat("metadata", begins(metadata.MAGIC), lambda data, _: metadata.read_metadata(data)),
    FileFormat("pe", is_pe, read_pe),
    FileFormat("coff", is_coff, read_coff),  # last: it has no magic number
)
"""In the order in which they are tried."""


def _format_of(view: memoryview) -> FileFormat | None:
    return next((one for one in FORMATS if one.recognizes(view)), None)


def _other(view: memoryview) -> UnknownFile:
    text = _text(view)
    is_text = text is not None and "\0" not in text
    return UnknownFile(text, None if is_text else foreign_format(view))


def _text(view: memoryview) -> str | None:
    if len(view) > _TEXT_LIMIT:
        return None
    try:
        return bytes(view).decode()
    except UnicodeDecodeError:
        return None
