"""ar archives: GNU's, BSD's and Darwin's variants, as binutils, LLVM and rustc write them.

Formats: System V's ar(5) with GNU's `//`, `/SYM64/` and thin archives (binutils' documentation
of `ar`, bfd's `archive.c`), 4.4BSD's ar(5) with `#1/length` names and `__.SYMDEF` (ranlib.h),
Microsoft's "PE Format" with a second index, and LLVM's `llvm/Object/Archive.h`, which names the same
flavours and the index of Arm64EC symbols.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, groupby
from typing import NamedTuple

from blake3 import blake3

from linkage.artifact.bounds import string, take
from linkage.artifact.cache import LruCache
from linkage.artifact.facts import (
    Archive,
    ArchiveMember,
    Bitcode,
    CrateMembers,
    Members,
    Metadata,
    ObjectFile,
)
from linkage.artifact.provenance import crate_of
from linkage.artifact.request import FactsRequest
from linkage.artifact.tables import column
from linkage.errors import ArtifactError

MAGIC = b"!<arch>\n"
THIN_MAGIC = b"!<thin>\n"

Content = ObjectFile | Archive | Bitcode | Metadata | str | None
"""What a reader finds in a file or in a member of an archive; a text names what it does not read."""
ContentReader = Callable[[memoryview, FactsRequest], Content]

_HEADER = 60  # bytes: name 16, date 12, uid 6, gid 6, mode 8, size 10, end 2
_END = b"`\n"
_INDEXES = {
    "/": "gnu", "/SYM64/": "gnu64", "__.SYMDEF": "bsd", "__.SYMDEF SORTED": "bsd",
    "__.SYMDEF_64": "darwin64", "__.SYMDEF_64 SORTED": "darwin64",
}  # fmt: skip
_ARM64EC_INDEX = "/<ECSYMBOLS>"
_MICROSOFT_MAPS = ("/<XFGHASHMAP>", "/<HYBRIDMAP>")  # of no use to others than Microsoft's linker
_LONG_NAMES = b"//"
_LONG_NAME = re.compile(rb"[^\n\0]{1,4096}")
_NESTED = re.compile(r"/\d+:\d+")  # as bfd names a member of an archive that was added to a thin one
_INSIDE_THIN = (_LONG_NAMES, b"/", b"/SYM64/")  # what a thin archive holds itself


_WORTH_KNOWING = 1 << 16  # bytes; less is read as fast as it is recognised
_known: LruCache[tuple[bytes, FactsRequest], CrateMembers] = LruCache(256)
"""What was read last, by content: the crates of std of a few toolchains."""


class MemberEntry(NamedTuple):
    """A member as its header describes it; `content` is None if a thin archive refers to a file."""

    name: str
    size: int
    content: memoryview | None
    bsd: bool = False  # the name is before the content: `#1/length`
    error: str | None = None  # why the file that a thin archive refers to is not read


def read_archive(data: memoryview, request: FactsRequest, read_member: ContentReader) -> Archive:
    """The facts of an archive and of every member that `read_member` can read.

    A member that cannot be read has an `error`; ArtifactError if the archive itself is
    truncated or malformed. Archives within archives are listed, not entered.
    """
    thin = data[:8] == THIN_MAGIC
    flavour: str | None = None
    index: tuple[str, ...] | None = None
    found: list[MemberEntry] = []
    for entry in _entries(data, thin=thin):
        spelling = _INDEXES.get(entry.name)
        if entry.name == _ARM64EC_INDEX and entry.content is not None:
            index = (*(index or ()), *_arm64ec_index(entry.content))
        elif entry.name in _MICROSOFT_MAPS:
            continue
        elif spelling is None:
            flavour = flavour or ("bsd" if entry.bsd else None)
            found.append(_referred(entry, request) if entry.content is None else entry)
        elif index is not None and spelling == "gnu":
            flavour = "coff"  # Microsoft's linker reads the second index, which repeats the first
        elif index is None and entry.content is not None:
            flavour, index = spelling, _index(entry.content, spelling)
    members = members_of(found, request, read_member)
    return Archive(flavour or "gnu", thin, members, None if index is None else _source_names(index, members))


def _source_names(index: tuple[str, ...], members: Members) -> tuple[str, ...]:
    """The names of an index as the objects have them: without what the platform puts before each."""
    objects = [one.object for one in members if one.object is not None]
    prefix = next((one.name_prefix for one in objects if one.name_prefix), "")
    if not prefix:
        return index
    marked = {raw: name for one in objects for name, raw in one.raw_names.items() if name != raw}
    if marked:
        return tuple(marked.get(name) or name.removeprefix(prefix) for name in index)
    joined = "\0" + "\0".join(index)
    return tuple(joined.replace("\0" + prefix, "\0").split("\0")[1:])  # ten times as fast as one by one


def members_of(entries: Iterable[MemberEntry], request: FactsRequest, read_member: ContentReader) -> Members:
    """The members of any archive, read crate by crate."""
    runs = groupby(entries, key=lambda entry: crate_of(entry.name))
    return Members.joined([_crate(tuple(run), request, read_member) for _, run in runs])


def _referred(entry: MemberEntry, request: FactsRequest) -> MemberEntry:
    """A member of a thin archive with the content of the file that it refers to."""
    if request.member_file is None:
        return entry._replace(error="the thin archive refers to a file, which is not read")
    if _NESTED.fullmatch(entry.name):
        return entry._replace(error="the thin archive refers to a part of an archive, which is not read")
    try:
        return entry._replace(content=request.member_file(entry.name))
    except ArtifactError as error:
        return entry._replace(error=error.what)


def _crate(
    entries: tuple[MemberEntry, ...], request: FactsRequest, read_member: ContentReader
) -> CrateMembers:
    """The members of one crate, which are next to each other. Those of std are the same in every static
    library that a toolchain makes: they are read once, and recognised by their contents.
    """
    if sum(entry.size for entry in entries) < _WORTH_KNOWING:
        return CrateMembers.of(_member(entry, request, read_member) for entry in entries)
    key = (_digest(entries), request)
    if (known := _known.get(key)) is None:
        known = _known.put(key, CrateMembers.of(_member(entry, request, read_member) for entry in entries))
    return known


def _digest(entries: tuple[MemberEntry, ...]) -> bytes:
    found = blake3()
    for entry in entries:
        content = b"" if entry.content is None else entry.content
        found.update(
            f"{entry.name}\0{entry.size}\0{entry.error}\0{len(content)}\0".encode(errors="surrogatepass")
        )
        found.update(content)
    return found.digest()


def _entries(data: memoryview, *, thin: bool) -> Iterator[MemberEntry]:
    at, long_names, end = 8, b"", len(data)
    while at < end:
        header = bytes(take(data, at, _HEADER, "archive member's header"))
        if header[58:] != _END:
            raise ArtifactError(f"archive member's header at offset {at:#x} does not end in {_END!r}")
        size = number(header[48:58], "size", at)
        name = header[:16].rstrip(b" ")
        outside = thin and name not in _INSIDE_THIN
        content = None if outside else take(data, at + _HEADER, size, "archive member")
        at += _HEADER + (0 if outside else size + size % 2)
        if name == _LONG_NAMES and content is not None:
            long_names = bytes(content)
        else:
            yield _entry(name, size, content, long_names)


def _entry(name: bytes, size: int, content: memoryview | None, long_names: bytes) -> MemberEntry:
    if name.startswith(b"#1/") and content is not None:
        length = number(name[3:], "name", 0)
        real = bytes(take(content, 0, length, "archive member's name")).rstrip(b"\0")
        return MemberEntry(_text(real), size - length, content[length:], bsd=True)
    if name[:1] == b"/" and name[1:].isdigit():
        name = _long_name(long_names, int(name[1:]))
    elif name not in _INSIDE_THIN:
        name = name.removesuffix(b"/")
    return MemberEntry(_text(name), size, content, bsd=False)


def _long_name(names: bytes, offset: int) -> bytes:
    """A name in the `//` table: GNU ends it with `/` and a newline, COFF's tools with a NUL."""
    found = _LONG_NAME.match(names, offset)
    if found is None:
        raise ArtifactError(f"archive: no name at offset {offset:#x} of its table of long names")
    return found[0].removesuffix(b"/")


def number(field: bytes, what: str, at: int) -> int:
    """A decimal number in a header at `at`, padded with spaces."""
    digits = field.strip(b" ")
    if not digits.isdigit():
        raise ArtifactError(
            f"archive member's header at offset {at:#x}: its {what} is {digits!r}, which is not a number"
        )
    return int(digits)


def _index(content: memoryview, flavour: str) -> tuple[str, ...]:
    """The raw names in an archive's symbol index."""
    if flavour in ("gnu", "gnu64"):
        width = 8 if flavour == "gnu64" else 4
        count = int.from_bytes(take(content, 0, width, "archive index"), "big")
        take(content, width, count * width, "archive index")
        return terminated_names(bytes(content[width + count * width :]), count)
    width = 8 if flavour == "darwin64" else 4
    size = int.from_bytes(take(content, 0, width, "archive index"), "little")
    entries = take(content, width, size // (2 * width) * (2 * width), "archive index")
    strings = bytes(content[width + size + width :]) + b"\0"
    offsets: list[int] = column(bytes(entries), width)[0::2].tolist()
    listed = terminated_names(strings, min(len(offsets), strings.count(0)))
    if strings.isascii() and list(accumulate((len(one) + 1 for one in listed[:-1]), initial=0)) == offsets:
        return listed  # one after the other, as all archivers write them
    found: dict[int, str] = {}
    left = 2 * len(strings)
    for offset in set(offsets):
        found[offset] = string(strings, offset, "archive index")
        left -= len(found[offset])
        if left < 0:
            raise ArtifactError("archive index: its names overlap")
    return tuple(found[offset] for offset in offsets)


def _arm64ec_index(content: memoryview) -> tuple[str, ...]:
    """The names in the index of Arm64EC symbols, which are not in the others."""
    count = int.from_bytes(take(content, 0, 4, "archive index"), "little")
    members = take(content, 4, count * 2, "archive index")
    return terminated_names(bytes(content[4 + len(members) :]), count)


def terminated_names(names: bytes, count: int) -> tuple[str, ...]:
    """The first `count` NUL-terminated names; ArtifactError if there are fewer."""
    if names.count(b"\0") < count:
        raise ArtifactError(f"archive index: it declares {count} names, but has {names.count(0)}")
    return tuple(_text(names).split("\0", count)[:count])


def _member(entry: MemberEntry, request: FactsRequest, read_member: ContentReader) -> ArchiveMember:
    if entry.content is None:
        return ArchiveMember(entry.name, entry.size, crate=crate_of(entry.name), error=entry.error)
    return member_facts(entry.name, entry.content, request, read_member)


def member_facts(
    name: str, content: memoryview, request: FactsRequest, read_member: ContentReader
) -> ArchiveMember:
    """A member with what is in it, or with the reason why that cannot be read."""
    crate, size = crate_of(name), len(content)
    try:
        found = read_member(content, request)
    except ArtifactError as error:
        return ArchiveMember(name, size, crate=crate, error=str(error))
    if isinstance(found, ObjectFile):
        return ArchiveMember(name, size, found, found.bitcode, found.metadata, crate)
    bitcode = found if isinstance(found, Bitcode) else None
    metadata = found if isinstance(found, Metadata) else None
    unread = found if isinstance(found, str) else None
    return ArchiveMember(name, size, None, bitcode, metadata, crate, unread=unread)


def _text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")
