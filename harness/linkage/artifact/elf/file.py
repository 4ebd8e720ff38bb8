"""An ELF file's header, sections, symbol tables and segments, through which the rest is found.

Format: "System V Application Binary Interface" (gABI), chapters "Object Files" (ELF Header,
Sections, Symbol Table, String Table) and "Program Loading and Dynamic Linking"; the
architectures' supplements add numbers only, which are passed on.

Tables of the common layout (64-bit, little-endian) are used as they are, others are converted to it
once, so that everything else sees one layout.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from linkage.artifact.bounds import check_length, check_names, check_strings, take
from linkage.artifact.elf.dynamic import Image, Segment
from linkage.artifact.elf.numbers import (  # fmt: skip
    MACHINES,
    PN_XNUM,
    SHT_DYNSYM,
    SHT_NOBITS,
    SHT_SYMTAB_SHNDX,
)
from linkage.artifact.tables import SHN_LORESERVE, SHN_XINDEX, SectionTable, SymbolTable, column
from linkage.errors import ArtifactError

MAGIC = b"\x7fELF"

_CLASS, _DATA = 4, 5  # e_ident's indexes
_HEADER64, _HEADER32 = "HHIQQQIHHHHHH", "HHIIIIIHHHHHH"
_SECTION64, _SECTION32 = "IIQQQQIIQQ", "10I"
_SEGMENT64, _SEGMENT32 = "IIQQQQQQ", "8I"
_SYMBOL64, _SYMBOL32 = "IBBHQQ", "IIIBBH"
_SECTION = struct.Struct("<" + _SECTION64)


class Header(NamedTuple):  # made several times as fast as a frozen dataclass; archives have hundreds
    """The ELF header, extended numbering resolved through section 0."""

    order: str  # "<" or ">"
    wide: bool  # ELFCLASS64
    type: int
    machine: int
    section_offset: int
    section_count: int
    section_names: int  # the index of the section names' string table; 0 for none
    segment_offset: int
    segment_count: int

    @property
    def format(self) -> str:
        return f"elf{64 if self.wide else 32}-{'little' if self.order == '<' else 'big'}"


class SectionHeader(NamedTuple):
    """A section header, in the order of Elf64_Shdr. `name` is an offset in the table of section names."""

    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int


class ElfFile:
    """An ELF file whose headers have been read. ArtifactError for every access to what is not there."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.header = _header(data)
        self.count = self.header.section_count
        size = 64 if self.header.wide else 40
        raw = take(data, self.header.section_offset, self.count * size, "section headers")
        self._sections = _normalised(raw, self.header, _SECTION64, _SECTION32, tuple)
        self.sections = self._packed_sections() if self.count else SectionTable()

    @property
    def machine(self) -> str:
        """The machine's usual name, else its number."""
        return MACHINES.get(self.header.machine, str(self.header.machine))

    def section(self, index: int) -> SectionHeader:
        """A section's header."""
        if not 0 <= index < self.count:
            raise ArtifactError(f"section {index} of {self.count} is referred to")
        return SectionHeader._make(_SECTION.unpack_from(self._sections, index * 64))

    def content(self, index: int) -> memoryview:
        """A section's bytes in the file; none for SHT_NOBITS."""
        section = self.section(index)
        if section.type == SHT_NOBITS:
            return self.data[:0]
        return take(self.data, section.offset, section.size, f"section {index}")

    def first(self, kind: int) -> int | None:
        """The index of the first section of a type, None if there is none."""
        code, types = kind.to_bytes(4, "little"), self.sections.types
        at = types.find(code)
        while at > 0 and at % 4:
            at = types.find(code, at + 1)
        return at // 4 if at >= 0 else None

    def of_type(self, kind: int) -> Iterator[int]:
        """The indexes of the sections of a type."""
        if self.first(kind) is not None:
            types = column(self.sections.types, 4)
            yield from (index for index, one in enumerate(types) if one == kind)

    def _packed_sections(self) -> SectionTable:
        narrow, wide = column(self._sections, 4), column(self._sections, 8)
        names = self.strings(self.header.section_names) if self.header.section_names else b"\0"
        offsets = narrow[0::16]
        check_names(offsets.tolist(), names, "a section")
        columns = bytes(offsets), bytes(narrow[1::16]), bytes(wide[1::8]), bytes(wide[4::8])
        return SectionTable(names, *columns, machine=self.header.machine)

    def strings(self, index: int) -> bytes:
        """A string table; a NUL is added if it does not end in one."""
        strings = bytes(self.content(index))
        check_strings(strings, f"string table {index}")
        return strings if strings.endswith(b"\0") else strings + b"\0"

    def symbols(self, index: int) -> SymbolTable:
        """The symbol table that is section `index`, the null symbol left out."""
        section = self.section(index)
        shared = section.link == self.header.section_names
        names = self.sections.names if shared else self.strings(section.link)
        dynamic = section.type == SHT_DYNSYM
        return self.symbol_table(self.content(index), names, self._extended_indexes(index), dynamic=dynamic)

    def symbol_table(
        self, raw: memoryview, names: bytes, extended: bytes = b"", *, dynamic: bool
    ) -> SymbolTable:
        """A table of the symbols in `raw`, whose first is the null symbol, named from `names`."""
        size = 24 if self.header.wide else 16
        raw = raw[size : len(raw) // size * size]
        records = _normalised(raw, self.header, _SYMBOL64, _SYMBOL32, _symbol64)
        check_names(column(records, 4)[0::6].tolist(), names, "a symbol")
        check_length(len(records) // 24, names)
        # Without section headers the indexes mean nothing. Nor do those of dynamic symbols if a tool
        # has removed sections, as GNU strip does: the loader looks at SHN_UNDEF only.
        if self.count and not dynamic:
            beyond = [i for i in set(column(records, 2)[3::12].tolist()) if self.count <= i < SHN_LORESERVE]
            if beyond:
                raise ArtifactError(f"a symbol is in section {min(beyond)} of {self.count}")
        sections = self.sections
        section_names = b"" if sections.names is names else sections.names
        return SymbolTable(names, records, sections.name_offsets, section_names, extended)

    def _extended_indexes(self, table: int) -> bytes:
        """The SHT_SYMTAB_SHNDX section of a symbol table, little-endian, without the null symbol's."""
        if self.count < SHN_LORESERVE:
            return b""
        for index in range(self.count):
            section = self.section(index)
            if section.type == SHT_SYMTAB_SHNDX and section.link == table:
                raw = self.content(index)
                numbers = struct.unpack(f"{self.header.order}{len(raw) // 4}I", raw[: len(raw) // 4 * 4])[1:]
                if max(numbers, default=0) >= self.count:
                    raise ArtifactError(f"a symbol is in section {max(numbers)} of {self.count}")
                return struct.pack(f"<{len(numbers)}I", *numbers)
        return b""

    @cached_property
    def image(self) -> Image:
        """The file as the loader sees it."""
        header = self.header
        layout = struct.Struct(header.order + (_SEGMENT64 if header.wide else _SEGMENT32))
        raw = take(self.data, header.segment_offset, header.segment_count * layout.size, "program headers")
        fields = (0, 2, 3, 5, 1, 7) if header.wide else (0, 1, 2, 4, 6, 7)
        segments = tuple(Segment(*(f[i] for i in fields)) for f in layout.iter_unpack(raw))
        return Image(self.data, segments, header.order, wide=header.wide)


def _header(data: memoryview) -> Header:
    ident = take(data, 0, 16, "ELF header")
    if ident[_CLASS] not in (1, 2) or ident[_DATA] not in (1, 2):
        raise ArtifactError(f"ELF header: class {ident[_CLASS]}, data encoding {ident[_DATA]} at offset 0x4")
    wide, order = ident[_CLASS] == 2, "<>"[ident[_DATA] - 1]  # noqa: PLR2004 - ELFCLASS64
    layout = struct.Struct(order + (_HEADER64 if wide else _HEADER32))
    fields = layout.unpack(take(data, 16, layout.size, "ELF header"))
    kind, machine, _, _, segment_offset, section_offset, _, _, _, segments, entry, sections, names = fields
    if section_offset and entry != (64 if wide else 40):
        raise ArtifactError(f"ELF header: section headers of {entry} bytes")
    header = Header(
        order, wide, kind, machine, section_offset, sections if section_offset else 0, names,
        segment_offset, segments,
    )  # fmt: skip
    return _extended(data, header) if section_offset else header


def _extended(data: memoryview, header: Header) -> Header:
    """Numbers too large for the header are in section 0: gABI, "ELF Header", e_shnum and e_shstrndx."""
    layout = struct.Struct(header.order + (_SECTION64 if header.wide else _SECTION32))
    if header.section_count and header.section_names != SHN_XINDEX and header.segment_count != PN_XNUM:
        return header
    raw = take(data, header.section_offset, layout.size, "section header 0")
    first = SectionHeader._make(layout.unpack(raw))
    return header._replace(
        section_count=header.section_count or first.size,
        section_names=first.link if header.section_names == SHN_XINDEX else header.section_names,
        segment_count=first.info if header.segment_count == PN_XNUM else header.segment_count,
    )


def _normalised(
    raw: memoryview, header: Header, wide: str, narrow: str, widen: Callable[[tuple[int, ...]], Sequence[int]]
) -> bytes:
    """A table in the layout `wide`, little-endian: as it is, or converted entry by entry."""
    if header.wide and header.order == "<":
        return bytes(raw)
    target = struct.Struct("<" + wide)
    if header.wide:
        return b"".join(target.pack(*entry) for entry in struct.iter_unpack(">" + wide, raw))
    entries = struct.iter_unpack(header.order + narrow, raw)
    return b"".join(target.pack(*widen(entry)) for entry in entries)


def _symbol64(entry: tuple[int, ...]) -> tuple[int, ...]:
    """An Elf32_Sym's fields in the order of an Elf64_Sym."""
    name, value, size, info, other, section = entry
    return name, info, other, section, value, size
