r"""AIX big archives, `<bigaf>\n`: members in a chain, and two symbol tables, of 32-bit and 64-bit objects.

Format: IBM's "AIX Files Reference", "ar File Format (Big)", and `/usr/include/ar.h` (struct fl_hdr_big,
ar_hdr_big), which LLVM's `llvm/Object/Archive.h` repeats.
"""

from collections.abc import Iterator
from typing import NamedTuple

from linkage.artifact.ar import ContentReader, MemberEntry, members_of, number, terminated_names
from linkage.artifact.bounds import take
from linkage.artifact.facts import Archive
from linkage.artifact.request import FactsRequest
from linkage.errors import ArtifactError

MAGIC = b"<bigaf>\n"
FLAVOUR = "aixbig"

_HEADER = 128  # bytes: magic 8; member table, symbol table, 64-bit one, first, last, free member 20 each
_MEMBER = 112  # bytes: size, next, previous 20 each; date, uid, gid, mode 12 each; length of the name 4
_END = b"`\n"
_WIDTH = 8  # bytes of a number in a symbol table


class _Member(NamedTuple):
    name: bytes
    following: int
    content: memoryview


def read_aix_archive(data: memoryview, request: FactsRequest, read_member: ContentReader) -> Archive:
    """The facts of an archive and of its members, as `ar.read_archive` finds them.

    ArtifactError if the archive is truncated, or its chain of members has no end or goes in a circle.
    """
    take(data, 0, _HEADER, "archive's header")
    tables = [_offset(data, at, "symbol table") for at in (28, 48)]
    indexes = [_index(_member(data, at).content) for at in tables if at]
    index = tuple(name for one in indexes for name in one) if indexes else None
    entries = [
        MemberEntry(member.name.decode(errors="backslashreplace"), len(member.content), member.content)
        for member in _members(data)
    ]
    return Archive(FLAVOUR, False, members_of(entries, request, read_member), index)  # noqa: FBT003 - not thin


def _members(data: memoryview) -> Iterator[_Member]:
    at, last = (_offset(data, field, "member") for field in (68, 88))
    left = len(data)
    while at:
        member = _member(data, at)
        left -= _MEMBER + len(member.content)
        if left < 0:
            raise ArtifactError(f"archive member at offset {at:#x}: members overlap")
        yield member
        if at == last:
            break
        at = member.following


def _member(data: memoryview, at: int) -> _Member:
    header = bytes(take(data, at, _MEMBER, "archive member's header"))
    size, following, length = (
        number(header[start:end], what, at)
        for start, end, what in ((0, 20, "size"), (20, 40, "next member"), (108, 112, "name's length"))
    )
    name = bytes(take(data, at + _MEMBER, length, "archive member's name"))
    end = at + _MEMBER + length + length % 2
    if bytes(take(data, end, len(_END), "archive member's header")) != _END:
        raise ArtifactError(f"archive member's header at offset {at:#x} does not end in {_END!r}")
    return _Member(name, following, take(data, end + len(_END), size, "archive member"))


def _offset(data: memoryview, at: int, what: str) -> int:
    return number(bytes(data[at : at + 20]), f"{what}'s offset", at)


def _index(content: memoryview) -> tuple[str, ...]:
    """The names in a symbol table: their number, the members' offsets, then the names."""
    count = int.from_bytes(take(content, 0, _WIDTH, "archive index"), "big")
    take(content, _WIDTH, count * _WIDTH, "archive index")
    return terminated_names(bytes(content[_WIDTH + count * _WIDTH :]), count)
