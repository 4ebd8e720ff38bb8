"""An XCOFF file's header and sections, through which the rest is found."""

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from linkage.artifact.bounds import take
from linkage.artifact.tables import SectionTable
from linkage.artifact.xcoff.numbers import (  # fmt: skip
    STYP_BSS,
    STYP_DATA,
    STYP_LOADER,
    STYP_OVRFLO,
    STYP_TBSS,
    STYP_TDATA,
    STYP_TEXT,
)
from linkage.errors import ArtifactError

MAGICS = (b"\x01\xdf", b"\x01\xf7")

_HEADER32, _HEADER64 = struct.Struct(">HHIIIHH"), struct.Struct(">HHIQHHI")
_SECTION32, _SECTION64 = struct.Struct(">8s6I2HI"), struct.Struct(">8s6Q3I4x")
_RELOCATION32, _RELOCATION64 = struct.Struct(">IIBB"), struct.Struct(">QIBB")
_SYMBOL = 18  # bytes
_OVERFLOWED = 0xFFFF
_PROGBITS, _DYNAMIC, _NOBITS = 1, 6, 8
_WRITE, _ALLOC, _EXECINSTR, _TLS = 0x1, 0x2, 0x4, 0x400
_KINDS = {
    STYP_TEXT: (_PROGBITS, _ALLOC | _EXECINSTR), STYP_DATA: (_PROGBITS, _ALLOC | _WRITE),
    STYP_BSS: (_NOBITS, _ALLOC | _WRITE), STYP_TDATA: (_PROGBITS, _ALLOC | _WRITE | _TLS),
    STYP_TBSS: (_NOBITS, _ALLOC | _WRITE | _TLS), STYP_LOADER: (_DYNAMIC, 0),
}  # fmt: skip
"""The types and flags of ELF that are nearest to those of sections."""


class XcoffSection(NamedTuple):
    """A section header."""

    name: bytes
    physical: int
    address: int
    size: int
    offset: int
    relocations_at: int
    lines_at: int
    relocations: int
    lines: int
    flags: int


@dataclass(frozen=True, slots=True)
class XcoffHeader:
    """The file header."""

    wide: bool
    sections: int
    symbols_at: int
    symbols: int
    optional_size: int
    flags: int

    @property
    def size(self) -> int:
        return (_HEADER64 if self.wide else _HEADER32).size


class XcoffFile:
    """A file whose headers have been read. ArtifactError for every access to what is not there."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.header = header = _header(data)
        layout = _SECTION64 if header.wide else _SECTION32
        at = header.size + header.optional_size
        raw = take(data, at, header.sections * layout.size, "section headers")
        self.sections = [XcoffSection._make(fields) for fields in layout.iter_unpack(raw)]

    def content(self, section: XcoffSection) -> memoryview:
        """A section's bytes in the file; none of one that is all zeros."""
        if _kind(section)[0] == _NOBITS or not section.offset:
            return self.data[:0]
        return take(self.data, section.offset, section.size, f"section {section_name(section)}")

    def section(self, flags: int) -> XcoffSection | None:
        """The first section of a type."""
        return next((one for one in self.sections if one.flags & 0xFFFF == flags), None)

    def relocations(self, number: int) -> list[tuple[int, int]]:
        """The addresses and symbols' indexes of a section's relocations; the first section is 1."""
        section = self.sections[number - 1]
        count = section.relocations
        if not self.header.wide and count == _OVERFLOWED:
            overflow = (one for one in self.sections if one.flags & 0xFFFF == STYP_OVRFLO)
            count = next((one.physical for one in overflow if one.relocations == number), count)
        layout = _RELOCATION64 if self.header.wide else _RELOCATION32
        raw = take(self.data, section.relocations_at, count * layout.size, f"relocations of section {number}")
        return [fields[:2] for fields in layout.iter_unpack(raw)]

    @cached_property
    def symbols(self) -> memoryview:
        """The symbol table, auxiliary entries included."""
        if not self.header.symbols_at:
            return self.data[:0]
        return take(self.data, self.header.symbols_at, self.header.symbols * _SYMBOL, "symbol table")

    @cached_property
    def strings(self) -> bytes:
        """The string table, NUL-terminated; offsets in it count its length, which is set to zeros here."""
        at = self.header.symbols_at + self.header.symbols * _SYMBOL
        raw = self.data[at : at + 4]
        if not self.header.symbols_at or len(raw) < 4 or not (size := int.from_bytes(raw, "big")):  # noqa: PLR2004
            return bytes(5)
        return bytes(4) + bytes(take(self.data, at, size, "string table")[4:]) + b"\0"

    @cached_property
    def table(self) -> SectionTable:
        """The sections, packed."""
        names, offsets, at = [b""], [0], 1
        for section in self.sections:
            name = section.name.rstrip(b"\0").replace(b"\0", rb"\x00")
            names.append(name)
            offsets.append(at)
            at += len(name) + 1
        kinds = [(0, 0), *map(_kind, self.sections)]
        count = len(offsets)
        return SectionTable(
            b"\0".join(names) + b"\0",
            struct.pack(f"<{count}I", *offsets),
            struct.pack(f"<{count}I", *(kind for kind, _ in kinds)),
            struct.pack(f"<{count}Q", *(flags for _, flags in kinds)),
            struct.pack(f"<{count}Q", 0, *(section.size for section in self.sections)),
        )


def section_name(section: XcoffSection) -> str:
    return section.name.rstrip(b"\0").decode(errors="backslashreplace")


def _kind(section: XcoffSection) -> tuple[int, int]:
    return _KINDS.get(section.flags & 0xFFFF, (_PROGBITS, 0))


def _header(data: memoryview) -> XcoffHeader:
    wide = bytes(data[:2]) == MAGICS[1]
    layout = _HEADER64 if wide else _HEADER32
    raw = layout.unpack(take(data, 0, layout.size, "XCOFF header"))
    if wide:
        _, sections, _, symbols_at, optional, flags, symbols = raw
    else:
        _, sections, _, symbols_at, symbols, optional, flags = raw
    if symbols > len(data):
        raise ArtifactError(f"XCOFF header: {symbols} symbols in a file of {len(data)} bytes")
    return XcoffHeader(wide, sections, symbols_at, symbols, optional, flags)
