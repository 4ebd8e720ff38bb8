"""What a linked ELF file asks of the dynamic loader: PT_DYNAMIC, its strings and versions.

Formats: gABI, chapter "Dynamic Linking" (Dynamic Section, Hash Table); "Linux Standard Base
Core", chapter "Symbol Versioning"; the GNU hash table is described where it was introduced
(binutils and glibc, 2006). Everything is found as the loader finds it, through the program headers,
so that it is read from a file without section headers, too.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from linkage.artifact.bounds import string, take
from linkage.artifact.elf.numbers import (  # fmt: skip
    DF_1_NOW,
    DF_1_PIE,
    DF_BIND_NOW,
    DF_TEXTREL,
    DT_BIND_NOW,
    DT_FLAGS,
    DT_FLAGS_1,
    DT_GNU_HASH,
    DT_HASH,
    DT_NEEDED,
    DT_RPATH,
    DT_RUNPATH,
    DT_SONAME,
    DT_STRSZ,
    DT_STRTAB,
    DT_TEXTREL,
    DT_VERDEF,
    DT_VERDEFNUM,
    DT_VERNEED,
    DT_VERNEEDNUM,
    PT_DYNAMIC,
    PT_LOAD,
)
from linkage.artifact.facts import Dynamic
from linkage.errors import ArtifactError

_VERNEED, _VERNEED_AUX = "HHIII", "IHHII"  # version, count, file, aux, next; hash, flags, index, name, next
_VERDEF, _VERDEF_AUX = "HHHHIII", "II"  # version, flags, index, count, hash, aux, next; name, next
_VERSION_LIMIT = 0x8000  # a version's index has 15 bits
_VER_FLG_BASE = 1
_TEXT_LIMIT = 1 << 24  # bytes of libraries' and versions' names; large libraries have some thousands
_LOADED_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class Segment:
    """A program header's fields that are used here; `size` is what it takes in the file (bytes)."""

    type: int
    offset: int
    address: int
    size: int
    flags: int = 0
    alignment: int = 0


@dataclass(frozen=True, slots=True)
class Version:
    """A version's index, its name, and the library it is needed from (None if it is defined)."""

    index: int
    name: str
    library: str | None


class Image:
    """A file as the loader sees it: addresses in segments. ArtifactError for an address outside of it."""

    def __init__(self, data: memoryview, segments: tuple[Segment, ...], order: str, *, wide: bool) -> None:
        self.data = data
        self.segments = segments
        self.order = order
        self.wide = wide
        self._loaded = [segment for segment in segments if segment.type == PT_LOAD]
        self._budget = _TEXT_LIMIT
        if len(self._loaded) > _LOADED_LIMIT:
            raise ArtifactError(f"{len(self._loaded)} loaded segments")

    def offset(self, address: int, what: str) -> int:
        """The offset in the file of an address."""
        for segment in self._loaded:
            if 0 <= address - segment.address < segment.size:
                return address - segment.address + segment.offset
        raise ArtifactError(f"{what} at address {address:#x} is in no segment of the file")

    def unpack(self, layout: str, offset: int, what: str) -> tuple[int, ...]:
        """The numbers at an offset in the file."""
        size = struct.calcsize("<" + layout)
        return struct.unpack(self.order + layout, take(self.data, offset, size, what))

    @cached_property
    def entries(self) -> tuple[tuple[int, int], ...] | None:
        """The tags and values of PT_DYNAMIC up to DT_NULL; None if there is no such segment."""
        segment = next((s for s in self.segments if s.type == PT_DYNAMIC and s.size), None)
        if segment is None:
            return None
        layout = struct.Struct(self.order + ("QQ" if self.wide else "II"))
        raw = take(self.data, segment.offset, segment.size, "dynamic segment")
        found = []
        for tag, value in layout.iter_unpack(raw[: len(raw) // layout.size * layout.size]):
            if not tag:
                break
            found.append((tag, value))
        return tuple(found)

    def value(self, tag: int) -> int | None:
        """The value of the first entry with a tag."""
        return next((value for one, value in self.entries or () if one == tag), None)

    @cached_property
    def strings(self) -> bytes:
        """The dynamic string table, with a NUL at its end."""
        address, size = self.value(DT_STRTAB), self.value(DT_STRSZ)
        if address is None or size is None:
            return b"\0"
        return bytes(take(self.data, self.offset(address, "DT_STRTAB"), size, "DT_STRTAB")) + b"\0"

    def text(self, offset: int, what: str) -> str:
        found = string(self.strings, offset, what)
        self._budget -= len(found)
        if self._budget < 0:  # strings may overlap: without a limit a small file names gigabytes
            raise ArtifactError(f"{what}: more than {_TEXT_LIMIT} bytes of names in the dynamic segment")
        return found

    def texts(self, tag: int, what: str) -> Iterator[str]:
        """The strings of every entry with a tag."""
        return (self.text(value, what) for one, value in self.entries or () if one == tag)

    @cached_property
    def versions(self) -> tuple[Version, ...]:
        """The versions needed and defined, the file's own name (VER_FLG_BASE) left out."""
        found: list[Version] = []
        for version in (*_needed(self), *_defined(self)):
            found.append(version)
            if len(found) > _VERSION_LIMIT:
                raise ArtifactError(f"more than {_VERSION_LIMIT} symbol versions")
        return tuple(found)

    def symbol_count(self) -> int:
        """How many dynamic symbols the hash table covers, the null symbol included; 0 without one."""
        address = self.value(DT_HASH)
        if address is not None:
            return self.unpack("II", self.offset(address, "DT_HASH"), "DT_HASH")[1]
        address = self.value(DT_GNU_HASH)
        return 0 if address is None else _gnu_hash_count(self, self.offset(address, "DT_GNU_HASH"))


def _gnu_hash_count(image: Image, at: int) -> int:
    """The last symbol is the end of the chain that the highest bucket begins."""
    buckets, first, bloom, _ = image.unpack("IIII", at, "DT_GNU_HASH")
    at += 16 + bloom * (8 if image.wide else 4)
    raw = take(image.data, at, buckets * 4, "DT_GNU_HASH's buckets")
    last = max(struct.unpack(f"{image.order}{buckets}I", raw), default=0)
    if last < first:
        return first  # no symbol is hashed: only the undefined ones before
    chain = image.data[at + (buckets + last - first) * 4 :]
    hashes = struct.iter_unpack(image.order + "I", chain[: len(chain) // 4 * 4])
    for count, (value,) in enumerate(hashes, last + 1):
        if value & 1:
            return count
    raise ArtifactError(f"DT_GNU_HASH: the chain at offset {at:#x} has no end")


def _needed(image: Image) -> Iterator[Version]:
    address, count = image.value(DT_VERNEED), image.value(DT_VERNEEDNUM)
    if address is None or not count:
        return
    at = image.offset(address, "DT_VERNEED")
    for _ in range(count):
        _, names, file, aux, following = image.unpack(_VERNEED, at, "version needed")
        library = image.text(file, "version needed")
        name_at = at + aux
        for _ in range(names):
            _, _, index, name, next_name = image.unpack(_VERNEED_AUX, name_at, "version needed")
            yield Version(index, image.text(name, "version needed"), library)
            if not next_name:
                break
            name_at += next_name
        if not following:
            break
        at += following


def _defined(image: Image) -> Iterator[Version]:
    address, count = image.value(DT_VERDEF), image.value(DT_VERDEFNUM)
    if address is None or not count:
        return
    at = image.offset(address, "DT_VERDEF")
    for _ in range(count):
        _, flags, index, names, _, aux, following = image.unpack(_VERDEF, at, "version definition")
        if names and not flags & _VER_FLG_BASE:
            name, _ = image.unpack(_VERDEF_AUX, at + aux, "version definition")
            yield Version(index, image.text(name, "version definition"), None)
        if not following:
            break
        at += following


def read_dynamic(image: Image) -> tuple[Dynamic | None, bool]:
    """What is asked of the loader, and whether DF_1_PIE is set; None without a dynamic segment."""
    if image.entries is None:
        return None, False
    flags = image.value(DT_FLAGS) or 0
    flags_1 = image.value(DT_FLAGS_1) or 0
    found = Dynamic(
        needed=tuple(image.texts(DT_NEEDED, "DT_NEEDED")),
        soname=next(image.texts(DT_SONAME, "DT_SONAME"), None),
        runpath=_paths(image.texts(DT_RUNPATH, "DT_RUNPATH")),
        rpath=_paths(image.texts(DT_RPATH, "DT_RPATH")),
        bind_now=bool(image.value(DT_BIND_NOW) is not None or flags & DF_BIND_NOW or flags_1 & DF_1_NOW),
        text_relocations=bool(image.value(DT_TEXTREL) is not None or flags & DF_TEXTREL),
        versions_needed=tuple(f"{v.library}:{v.name}" for v in image.versions if v.library is not None),
        versions_defined=tuple(v.name for v in image.versions if v.library is None),
    )
    return found, bool(flags_1 & DF_1_PIE)


def _paths(texts: Iterator[str]) -> tuple[str, ...]:
    return tuple(path for text in texts for path in text.split(":"))
