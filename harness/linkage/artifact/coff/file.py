"""A COFF file's header, section table and string table, through which the rest is found.

Format: Microsoft's "PE Format", sections "COFF File Header", "Section Table" and "COFF String Table";
objects with more than 65,279 sections: `ANON_OBJECT_HEADER_BIGOBJ` in winnt.h. Names of sections whose
offset in the string table has more than seven digits: LLVM's `COFFObjectFile::getSectionName`.
"""

import string
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from linkage.artifact.bounds import check_strings, take
from linkage.artifact.coff.numbers import (
    MACHINES,
    SCN_COMDAT,
    SCN_DISCARDABLE,
    SCN_EXECUTE,
    SCN_INFO,
    SCN_REMOVE,
    SCN_UNINITIALIZED,
    SCN_WRITE,
)
from linkage.artifact.tables import SectionTable
from linkage.errors import ArtifactError

ANONYMOUS = b"\0\0\xff\xff"  # where other objects have a machine and a number of sections
BIG_CLASS = bytes.fromhex("c7a1bad1eebaa94baf20faf66aa4dcb8")

HEADER = struct.Struct("<HHIIIHH")  # machine, sections, time, symbols, their number, options, flags
_BIG_HEADER = struct.Struct(
    "<4sHHI16s16xIII"
)  # magic, version, machine, time, class, sections, symbols, number
SECTION = struct.Struct("<8sIIIIIIHHI")
_PROGBITS, _NOBITS = 1, 8
_SHF_WRITE, _SHF_ALLOC, _SHF_EXECINSTR, _SHF_GROUP, _SHF_TLS = 0x1, 0x2, 0x4, 0x200, 0x400
_TLS_NAME = b".tls"
_BASE64 = {
    letter: value
    for value, letter in enumerate(string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/")
}


class CoffHeader(NamedTuple):
    """What an object's header says, whichever of the two it has, or the one in an image."""

    machine: int
    flags: int
    section_offset: int
    section_count: int
    symbol_offset: int
    symbol_count: int
    symbol_size: int  # bytes: 18, or 20 if section numbers have 32 bits


class CoffSectionHeader(NamedTuple):
    """A section header. In an object, `virtual_size` and `address` are 0."""

    name: bytes
    virtual_size: int
    address: int
    size: int
    offset: int
    relocations: int
    line_numbers: int
    relocation_count: int
    line_number_count: int
    flags: int


@dataclass(frozen=True, slots=True)
class CoffNames:
    """The string table, to which short names are added, and where each name in a section header is."""

    text: bytearray
    places: dict[bytes, int]


def object_header(data: memoryview) -> CoffHeader:
    """The header of an object. ArtifactError if it is truncated or of a class that is not known."""
    if data[:4] == ANONYMOUS:
        return _big_header(data)
    machine, sections, _, symbols, count, options, flags = HEADER.unpack(
        take(data, 0, HEADER.size, "COFF header")
    )
    return CoffHeader(machine, flags, HEADER.size + options, sections, symbols, count, 18)


def _big_header(data: memoryview) -> CoffHeader:
    fields = _BIG_HEADER.unpack(take(data, 0, _BIG_HEADER.size, "anonymous object's header"))
    _, _, machine, _, kind, sections, symbols, count = fields
    if kind != BIG_CLASS:
        raise ArtifactError(
            f"an anonymous object of the class {kind.hex()}, as compilers write for their own linker"
        )
    return CoffHeader(machine, 0, _BIG_HEADER.size, sections, symbols, count, 20)


class CoffFile:
    """A COFF file whose header has been read. ArtifactError for every access to what is not there."""

    def __init__(self, data: memoryview, header: CoffHeader, *, linked: bool = False) -> None:
        self.data = data
        self.header = header
        self.count = header.section_count
        size = self.count * SECTION.size
        self._sections = bytes(take(data, header.section_offset, size, "section headers"))
        self.linked = linked

    @property
    def machine(self) -> str:
        """The machine's usual name, else its number."""
        return MACHINES.get(self.header.machine, str(self.header.machine))

    def section(self, index: int) -> CoffSectionHeader:
        """A section's header; the first section is 1."""
        if not 0 < index <= self.count:
            raise ArtifactError(f"section {index} of {self.count} is referred to")
        return CoffSectionHeader._make(SECTION.unpack_from(self._sections, (index - 1) * SECTION.size))

    def content(self, index: int) -> memoryview:
        """A section's bytes in the file, without what fills it up to the alignment of an image."""
        section = self.section(index)
        if not section.offset or (section.flags & SCN_UNINITIALIZED and not self.linked):
            return self.data[:0]
        size = section.size
        if self.linked and section.virtual_size:
            size = min(size, section.virtual_size)
        return take(self.data, section.offset, size, f"section {index}")

    @cached_property
    def _columns(self) -> tuple[tuple[Any, ...], ...]:
        """The fields of all section headers, in the order of CoffSectionHeader."""
        return tuple(zip(*SECTION.iter_unpack(self._sections), strict=True)) or ((),) * 10

    @property
    def flags(self) -> tuple[int, ...]:
        """The characteristics of each section, those of the first at 0."""
        return self._columns[9]

    @cached_property
    def strings(self) -> bytes:
        """The string table, zeros for its size; a NUL is added if it does not end in one."""
        header = self.header
        if not header.symbol_offset:
            return bytes(4)
        at = header.symbol_offset + header.symbol_count * header.symbol_size
        if at >= len(self.data):
            return bytes(4)
        size = int.from_bytes(take(self.data, at, 4, "string table's size"), "little")
        strings = bytes(4) + bytes(take(self.data, at, size, "string table")[4:])
        check_strings(strings, "string table")
        return strings if strings.endswith(b"\0") else strings + b"\0"

    @cached_property
    def names(self) -> CoffNames:
        """The string table and, behind it, the names that are in the section headers."""
        text, places = bytearray(self.strings), {}
        for name in dict.fromkeys(self._names):
            short = name.rstrip(b"\0")  # what was stripped of an image may be its string table
            long = _long_name(short)
            if long is None or (self.linked and long >= len(self.strings)):
                places[name] = len(text)
                text += short.replace(b"\0", b"?") + b"\0"
            elif long < len(self.strings):
                places[name] = long
            else:
                raise ArtifactError(
                    f"a section's name is at {long:#x} of a string table of {len(self.strings)} bytes"
                )
        return CoffNames(text, places)

    @property
    def _names(self) -> tuple[bytes, ...]:
        return self._columns[0]

    @cached_property
    def section_offsets(self) -> bytes:
        """Where in `names` each section's name is, 4 bytes for each, 0 for the null section."""
        places = self.names.places
        return struct.pack(f"<{self.count + 1}I", 0, *[places[name] for name in self._names])

    def table(self, names: bytes) -> SectionTable:
        """The sections in the packed layout, their types and flags the nearest ones of ELF."""
        virtual, raw, flags = self._columns[1], self._columns[3], self.flags
        sizes = [one or other for one, other in zip(virtual, raw, strict=True)] if self.linked else raw
        empty = self.linked and not all(raw)
        types = [
            _NOBITS if flag & SCN_UNINITIALIZED or (empty and not size) else _PROGBITS
            for flag, size in zip(flags, raw, strict=True)
        ]
        known = {flag: _elf_flags(flag) for flag in set(flags)}
        bits = [known[flag] for flag in flags]
        for index in self.tls_sections():
            bits[index - 1] |= _SHF_TLS
        count = self.count + 1
        return SectionTable(
            names,
            self.section_offsets,
            struct.pack(f"<{count}I", 0, *types),
            struct.pack(f"<{count}Q", 0, *bits),
            struct.pack(f"<{count}Q", 0, *sizes),
        )

    def tls_sections(self) -> list[int]:
        """The numbers of the sections of thread-local variables."""
        if _TLS_NAME not in self.names.text or not any(map(is_tls, self.names.places)):
            return []
        return [index for index, name in enumerate(self._names, 1) if is_tls(name)]

    def addresses(self, sections: Sequence[int], values: Sequence[int]) -> list[int]:
        """Offsets in sections as addresses from an image's base; those in no section stay."""
        starts = (0, *self._columns[2])
        return [
            (value + starts[section]) & 0xFFFFFFFF if section > 0 else value
            for section, value in zip(sections, values, strict=True)
        ]


def is_tls(name: bytes) -> bool:
    """Whether this is the name of thread-local variables' section: `.tls`, `.tls$` and what sorts it."""
    return name.startswith(_TLS_NAME) and name[4:5] in (b"\0", b"$", b"")


def _elf_flags(flags: int) -> int:
    """The nearest flags of ELF: what a linker removes or the system may discard is not loaded."""
    loaded = not flags & (SCN_INFO | SCN_REMOVE | SCN_DISCARDABLE)
    return (
        _SHF_ALLOC * loaded
        | _SHF_WRITE * bool(flags & SCN_WRITE)
        | _SHF_EXECINSTR * bool(flags & SCN_EXECUTE)
        | _SHF_GROUP * bool(flags & SCN_COMDAT)
    )


def _long_name(name: bytes) -> int | None:
    """The offset in the string table that a section header has: `/123`, or `//` and a number in base 64."""
    digits = name[1:]
    if name.startswith(b"//"):
        value = 0
        for letter in name[2:].decode("latin-1"):
            if letter not in _BASE64:
                return None
            value = value * 64 + _BASE64[letter]
        return value if len(name) > 2 else None  # noqa: PLR2004 - the two slashes
    return int(digits) if name.startswith(b"/") and digits.isdigit() else None
