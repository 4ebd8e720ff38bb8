"""Packed tables of symbols and sections: taken whole from a file, decoded only when asked.

A static library that carries std has some 13,000 symbols and 16,000 sections. Both tables
therefore keep the columns as they are in the file, in the layout of a 64-bit little-endian
ELF file (gABI, chapters "Symbol Table" and "Sections"); other layouts are converted to it.
"""

import re
import struct
import sys
from array import array
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Literal, Self


class Binding(IntEnum):
    """A symbol's binding; the ELF names are used for every format."""

    LOCAL = 0
    GLOBAL = 1
    WEAK = 2
    UNIQUE = 10  # STB_GNU_UNIQUE


class Visibility(IntEnum):
    """A symbol's visibility; the numbers are ELF's STV_*."""

    DEFAULT = 0
    INTERNAL = 1
    HIDDEN = 2
    PROTECTED = 3


class SymbolType(IntEnum):
    """A symbol's type; the numbers are ELF's STT_*."""

    NOTYPE = 0
    OBJECT = 1
    FUNC = 2
    SECTION = 3
    FILE = 4
    COMMON = 5
    TLS = 6
    IFUNC = 10
    OTHER = 15


@dataclass(frozen=True, slots=True)
class Symbol:
    r"""One entry of a symbol table, decoded.

    `name` is the raw name, bytes that are not UTF-8 kept as `\xNN` escapes. `section` is None
    for an undefined, absolute or common symbol. `size` and `value` are in bytes.
    `version` is a dynamic symbol's version (`GLIBC_2.34`), None if there is none; `default_version` says
    whether it is the one that the name alone is linked to (`@@`). `comdat` is the signature of the COMDAT
    group that its section belongs to: linkers keep one group of a signature.
    A tentative definition (SHN_COMMON) is defined and has the type COMMON.
    """

    name: str
    binding: Binding
    visibility: Visibility
    type: SymbolType
    defined: bool
    absolute: bool
    section: str | None
    value: int
    size: int
    version: str | None = None
    default_version: bool = False
    comdat: str | None = None

    @property
    def strong(self) -> bool:
        """Whether a second definition of it is a link error."""
        return self.defined and self.binding is Binding.GLOBAL and self.type is not SymbolType.COMMON

    @property
    def versioned(self) -> str:
        """The name with its version: `foo@@V2` if it is the default one, else `foo@V2`."""
        if self.version is None or self.version_node:
            return self.name
        return f"{self.name}{'@@' if self.default_version else '@'}{self.version}"

    @property
    def version_node(self) -> bool:
        """Whether it stands for a version that the library defines, as bfd writes one: `V2` of version V2."""
        return self.absolute and self.name == self.version


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its size in the file's terms (bytes), whether its content is compressed."""

    name: str
    size: int
    type: str
    flags: str  # as readelf prints them: "AX", "WA", "MS", …
    compressed: bool = False


SHN_UNDEF, SHN_LORESERVE, SHN_ABS, SHN_COMMON, SHN_XINDEX = 0, 0xFF00, 0xFFF1, 0xFFF2, 0xFFFF
SHF_COMPRESSED = 0x800

_BINDINGS = {**dict.fromkeys(range(16), Binding.GLOBAL), **{int(b): b for b in Binding}}
_BINDING_OF_INFO = tuple(_BINDINGS[info >> 4] for info in range(256))
_TYPES = {**dict.fromkeys(range(16), SymbolType.OTHER), **{int(t): t for t in SymbolType}}
_VISIBILITIES = tuple(Visibility)
_U32 = struct.Struct("<I")

_EM_ARM, _EM_IA_64, _EM_X86_64, _EM_HEXAGON, _EM_AARCH64 = 40, 50, 62, 164, 183
_EM_MIPS, _EM_PARISC, _EM_MSP430, _EM_RISCV, _EM_CSKY = 8, 15, 105, 243, 252
_PROCESSOR_TYPES = {
    _EM_X86_64: {1: "X86_64_UNWIND"},
    _EM_ARM: {
        1: "ARM_EXIDX", 2: "ARM_PREEMPTMAP", 3: "ARM_ATTRIBUTES", 4: "ARM_DEBUGOVERLAY",
        5: "ARM_OVERLAYSECTION",
    },
    _EM_AARCH64: {
        3: "AARCH64_ATTRIBUTES", 4: "AARCH64_AUTH_RELR", 7: "AARCH64_MEMTAG_GLOBALS_STATIC",
        8: "AARCH64_MEMTAG_GLOBALS_DYNAMIC",
    },
    _EM_MIPS: {
        0: "MIPS_LIBLIST", 1: "MIPS_MSYM", 2: "MIPS_CONFLICT", 3: "MIPS_GPTAB", 4: "MIPS_UCODE",
        5: "MIPS_DEBUG", 6: "MIPS_REGINFO", 13: "MIPS_OPTIONS", 30: "MIPS_DWARF", 42: "MIPS_ABIFLAGS",
        43: "MIPS_XHASH",
    },
    _EM_RISCV: {3: "RISCV_ATTRIBUTES"},
    _EM_IA_64: {0: "IA_64_EXT", 1: "IA_64_UNWIND"},
    _EM_PARISC: {0: "PARISC_EXT", 1: "PARISC_UNWIND", 2: "PARISC_DOC", 3: "PARISC_ANNOT"},
    _EM_HEXAGON: {0: "HEX_ORDERED", 3: "HEXAGON_ATTRIBUTES"},
    _EM_MSP430: {3: "MSP430_ATTRIBUTES"},
    _EM_CSKY: {1: "CSKY_ATTRIBUTES"},
}  # fmt: skip
"""Section types from SHT_LOPROC on, by machine: the supplements to the gABI, `elf.h` of binutils and LLVM."""
_SHT_LOPROC, _SHT_HIPROC = 0x70000000, 0x7FFFFFFF
_SECTION_TYPES = {
    0: "NULL", 1: "PROGBITS", 2: "SYMTAB", 3: "STRTAB", 4: "RELA", 5: "HASH", 6: "DYNAMIC", 7: "NOTE",
    8: "NOBITS", 9: "REL", 10: "SHLIB", 11: "DYNSYM", 14: "INIT_ARRAY", 15: "FINI_ARRAY",
    16: "PREINIT_ARRAY", 17: "GROUP", 18: "SYMTAB_SHNDX", 19: "RELR", 20: "CREL",
    0x60000001: "ANDROID_REL", 0x60000002: "ANDROID_RELA", 0x6FFFFF00: "ANDROID_RELR",
    0x6FFF4700: "GNU_INCREMENTAL_INPUTS", 0x6FFF4C00: "LLVM_ODRTAB", 0x6FFF4C01: "LLVM_LINKER_OPTIONS",
    0x6FFF4C03: "LLVM_ADDRSIG", 0x6FFF4C04: "LLVM_DEPENDENT_LIBRARIES", 0x6FFF4C05: "LLVM_SYMPART",
    0x6FFF4C06: "LLVM_PART_EHDR", 0x6FFF4C07: "LLVM_PART_PHDR", 0x6FFF4C08: "LLVM_BB_ADDR_MAP_V0",
    0x6FFF4C09: "LLVM_CALL_GRAPH_PROFILE", 0x6FFF4C0A: "LLVM_BB_ADDR_MAP", 0x6FFF4C0B: "LLVM_OFFLOADING",
    0x6FFF4C0C: "LLVM_LTO", 0x6FFF4C0D: "LLVM_JT_SIZES", 0x6FFFFFF4: "GNU_SFRAME",
    0x6FFFFFF5: "GNU_ATTRIBUTES", 0x6FFFFFF6: "GNU_HASH", 0x6FFFFFF7: "GNU_LIBLIST",
    0x6FFFFFFD: "VERDEF", 0x6FFFFFFE: "VERNEED", 0x6FFFFFFF: "VERSYM",
}  # fmt: skip
_SECTION_TYPE_NUMBERS = {name: number for number, name in _SECTION_TYPES.items()} | {
    name: _SHT_LOPROC + number for names in _PROCESSOR_TYPES.values() for number, name in names.items()
}
_SECTION_FLAGS = {
    0x1: "W", 0x2: "A", 0x4: "X", 0x10: "M", 0x20: "S", 0x40: "I", 0x80: "L", 0x100: "O", 0x200: "G",
    0x400: "T", SHF_COMPRESSED: "C", 0x80000000: "E",
}  # fmt: skip


def section_type(number: int, machine: int = 0) -> str:
    """The section type as readelf prints it, a hexadecimal number if it has no name."""
    if _SHT_LOPROC <= number <= _SHT_HIPROC:
        name = _PROCESSOR_TYPES.get(machine, {}).get(number - _SHT_LOPROC)
    else:
        name = _SECTION_TYPES.get(number)
    return name or f"{number:#x}"


def section_flags(number: int) -> str:
    """The section flags as readelf prints them, `o` and `p` for the OS's and processor's own."""
    letters = "".join(letter for bit, letter in _SECTION_FLAGS.items() if number & bit)
    return letters + "o" * bool(number & 0x0FF00000) + "p" * bool(number & 0x70000000)


def _positions(names: bytes, name: str) -> set[int]:
    """The offsets of a NUL-terminated `name` in a string table: also as the tail of another name."""
    name_bytes = _raw_name(name) + b"\0"
    found: set[int] = set()
    at = names.find(name_bytes)
    while at >= 0:
        found.add(at)
        at = names.find(name_bytes, at + 1)
    return found


@lru_cache  # the same few names are searched in every member of an archive
def _raw_name(name: str) -> bytes:
    r"""The bytes of a name, its `\xNN` escapes undone if they stand for what is not UTF-8."""
    plain = name.encode(errors="surrogatepass")
    if "\\x" not in name:
        return plain
    undone = re.sub(rb"\\x([0-9a-f]{2})", lambda escape: bytes([int(escape[1], 16)]), plain)
    return undone if undone.decode(errors="backslashreplace") == name else plain


def _name(names: bytes, offset: int) -> str:
    return names[offset : names.find(b"\0", offset)].decode(errors="backslashreplace")


class _StringTable:
    """A string table that is being written: each name once, NUL-terminated, after a leading NUL."""

    def __init__(self) -> None:
        self.data = bytearray(b"\0")
        self._offsets = {"": 0}

    def offset(self, name: str) -> int:
        if name not in self._offsets:
            self._offsets[name] = len(self.data)
            self.data += _raw_name(name) + b"\0"
        return self._offsets[name]


@dataclass(frozen=True, slots=True)
class SectionTable(Collection[Section]):
    """The sections of an object file but the null section, as packed columns.

    `names` is the section name string table; the columns hold, for every section, the null
    section included, a little-endian sh_name (4 bytes), sh_type (4), sh_flags (8), sh_size (8).
    """

    names: bytes = b"\0"
    name_offsets: bytes = b""
    types: bytes = b""
    flags: bytes = b""
    sizes: bytes = b""
    machine: int = 0

    @classmethod
    def of(cls, sections: Iterable[Section], machine: int = 0) -> Self:
        """A table of these sections; what it yields again compares equal to them."""
        names, columns = _StringTable(), [(0, 0, 0, 0)]
        for section in sections:
            number = _SECTION_TYPE_NUMBERS.get(section.type)
            flags = sum(bit for bit, letter in _SECTION_FLAGS.items() if letter in section.flags)
            flags |= 0x00100000 * ("o" in section.flags) | 0x10000000 * ("p" in section.flags)
            kind = int(section.type, 16) if number is None else number
            columns.append((names.offset(section.name), kind, flags, section.size))
        offsets, types, bits, sizes = (
            struct.pack(f"<{len(columns)}{code}", *column)
            for code, column in zip("IIQQ", zip(*columns, strict=True), strict=True)
        )
        return cls(bytes(names.data), offsets, types, bits, sizes, machine)

    def __len__(self) -> int:
        return max(len(self.name_offsets) // 4 - 1, 0)

    def __iter__(self) -> Iterator[Section]:
        packed = (self.name_offsets, self.types, self.flags, self.sizes)
        columns = (column(data, width) for data, width in zip(packed, (4, 4, 8, 8), strict=True))
        rows = zip(*columns, strict=True)
        next(rows, None)  # the null section
        for offset, kind, flags, size in rows:
            name = _name(self.names, offset)
            compressed = bool(flags & SHF_COMPRESSED) or name.startswith(".zdebug")
            yield Section(name, size, section_type(kind, self.machine), section_flags(flags), compressed)

    def __contains__(self, section: object) -> bool:
        return any(section == one for one in self)

    def __getitem__(self, index: int) -> Section:
        return tuple(self)[index]

    def listed(self) -> list[str]:
        """The sections' names, in their order: many times faster than whole sections."""
        offsets = column(self.name_offsets, 4)[1:]
        if not self.names.isascii():
            return [_name(self.names, offset) for offset in offsets]
        text = self.names.decode("ascii")
        end = text.index
        return [text[offset : end("\0", offset)] for offset in offsets]

    def indexes(self, name: str) -> tuple[int, ...]:
        """The section header indexes (the null section is 0) of the sections of exactly this name."""
        positions = _positions(self.names, name)
        if not positions:
            return ()
        return tuple(index for at in positions for index in self._named_at(at) if index)

    def _named_at(self, offset: int) -> Iterator[int]:
        """The indexes of the sections whose name lies at an offset of the string table."""
        packed, offsets = _U32.pack(offset), self.name_offsets
        at = offsets.find(packed)
        while at >= 0:
            if at % 4 == 0:
                yield at // 4
            at = offsets.find(packed, at + 1)

    def named(self, name: str) -> tuple[Section, ...]:
        """The sections of exactly this name, without decoding the others unless there is one."""
        return tuple(section for section in self if section.name == name) if self.indexes(name) else ()


@dataclass(frozen=True, slots=True)
class SymbolTable(Collection[Symbol]):
    """A symbol table kept packed; names are decoded only when asked for.

    `names` is the string table that the symbols' names lie in, possibly as tails of each other;
    `records` holds one `RECORD` a symbol (Elf64_Sym), the null symbol left out. `section_offsets`
    holds, for every section index, the offset of its name (4 bytes each) in `section_names`, or in
    `names` if that is empty. `extended` holds the section indexes (4 bytes each) of symbols
    that say SHN_XINDEX. `version_indexes` (2 bytes each) select from `versions`; "" is none.
    `comdat_indexes` (4 bytes for every section index) select from `comdats` in the same way.
    """

    RECORD = struct.Struct("<IBBHQQ")  # name offset, info, other, section index, value, size
    VERSION_HIDDEN = 0x8000

    names: bytes = b"\0"
    records: bytes = b""
    section_offsets: bytes = b""
    section_names: bytes = b""
    extended: bytes = b""
    version_indexes: bytes = b""
    versions: tuple[str, ...] = ()
    comdat_indexes: bytes = b""
    comdats: tuple[str, ...] = ()

    @classmethod
    def of(cls, symbols: Iterable[Symbol]) -> Self:
        """A table of these symbols; what it yields again compares equal to them."""
        names, versions, comdats = _StringTable(), {"": 0}, {"": 0}
        sections: dict[tuple[str, int], int] = {("", 0): 0}
        records, extended, indexes = bytearray(), bytearray(), bytearray()
        for symbol in symbols:
            comdat = comdats.setdefault(symbol.comdat or "", len(comdats))
            number = sections.setdefault((symbol.section or "", comdat), len(sections))
            index = _reserved_index(symbol) if symbol.section is None else SHN_XINDEX
            kind = SymbolType.OBJECT if index == SHN_COMMON else symbol.type
            info = symbol.binding << 4 | kind
            records += cls.RECORD.pack(
                names.offset(symbol.name), info, symbol.visibility, index, symbol.value, symbol.size
            )
            extended += _U32.pack(number)
            version = versions.setdefault(symbol.version or "", len(versions))
            hidden = 0 if symbol.default_version or not version else cls.VERSION_HIDDEN
            indexes += struct.pack("<H", version | hidden)
        offsets = b"".join(_U32.pack(names.offset(section)) for section, _ in sections)
        has_versions, has_comdats = len(versions) > 1, len(comdats) > 1
        return cls(
            bytes(names.data), bytes(records), offsets, b"", bytes(extended),
            bytes(indexes) if has_versions else b"", tuple(versions) if has_versions else (),
            b"".join(_U32.pack(comdat) for _, comdat in sections) if has_comdats else b"",
            tuple(comdats) if has_comdats else (),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.records) // self.RECORD.size

    def __iter__(self) -> Iterator[Symbol]:
        for index, record in enumerate(self.RECORD.iter_unpack(self.records)):
            yield self._symbol(index, record)

    def __contains__(self, symbol: object) -> bool:
        return isinstance(symbol, Symbol) and symbol in self.named(symbol.name)

    def __getitem__(self, index: int) -> Symbol:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._symbol(index, self.RECORD.unpack_from(self.records, index * self.RECORD.size))

    def named(self, name: str) -> tuple[Symbol, ...]:
        """The symbols of exactly this name, without decoding the others."""
        return tuple(self[index] for index in self.indexes(name))

    def indexes(self, name: str) -> list[int]:
        """The positions in the table of the symbols of exactly this name."""
        positions = _positions(self.names, name)
        if not positions:
            return []
        offsets = column(self.records, 4)[0 :: self.RECORD.size // 4]
        return [index for index, offset in enumerate(offsets) if offset in positions]

    def section_index(self, index: int) -> int | None:
        """The index of the section that a symbol is defined in; None if it is in no section."""
        section: int = self.RECORD.unpack_from(self.records, index * self.RECORD.size)[3]
        if section == SHN_XINDEX:
            section = _at(self.extended, index, 4)
        elif section >= SHN_LORESERVE:
            return None
        return section or None

    def bindings(self) -> list[tuple[str, Binding]]:
        """Every symbol's name and binding, in order: many times faster than whole symbols."""
        if not self.names.isascii():
            return [(symbol.name, symbol.binding) for symbol in self]
        text = self.names.decode("ascii")
        end, size = text.index, self.RECORD.size
        rows = zip(column(self.records, 4)[0 :: size // 4], self.records[4::size], strict=True)
        return [(text[offset : end("\0", offset)], _BINDING_OF_INFO[info]) for offset, info in rows]

    def _symbol(self, index: int, record: tuple[int, ...]) -> Symbol:
        offset, info, other, section, value, size = record
        kind = SymbolType.COMMON if section == SHN_COMMON else _TYPES[info & 15]
        return Symbol(
            _name(self.names, offset),
            _BINDINGS[info >> 4],
            _VISIBILITIES[other & 3],
            kind,
            section != SHN_UNDEF,
            section == SHN_ABS,
            self._section(index),
            value,
            size,
            self._version(index),
            bool(section)
            and not _at(self.version_indexes, index, 2) & self.VERSION_HIDDEN
            and self._version(index) is not None,
            self.comdat(index),
        )

    def comdat(self, index: int) -> str | None:
        """The signature of the COMDAT group that a symbol's section belongs to."""
        if not self.comdats:
            return None
        number = _at(self.comdat_indexes, self.section_index(index) or 0, 4)
        return (self.comdats[number] or None) if number < len(self.comdats) else None

    def _section(self, index: int) -> str | None:
        section = self.section_index(index)
        if section is None or section * 4 >= len(self.section_offsets):
            return None
        return _name(self.section_names or self.names, _at(self.section_offsets, section, 4))

    def _version(self, index: int) -> str | None:
        number = _at(self.version_indexes, index, 2) & ~self.VERSION_HIDDEN
        return (self.versions[number] or None) if number < len(self.versions) else None


def column(data: bytes, width: int) -> memoryview:
    """Little-endian numbers of 2, 4 or 8 bytes as a view, to be sliced."""
    code: Literal["H", "I", "Q"] = "H" if width == 2 else "I" if width == 4 else "Q"  # noqa: PLR2004
    if sys.byteorder == "little":
        return memoryview(data).cast(code)
    numbers = array(code, data)
    numbers.byteswap()
    return memoryview(numbers)


def _at(column: bytes, index: int, width: int) -> int:
    """A column's number, 0 beyond its end."""
    return int.from_bytes(column[index * width : (index + 1) * width], "little")


def _reserved_index(symbol: Symbol) -> int:
    if not symbol.defined:
        return SHN_UNDEF
    return SHN_COMMON if symbol.type is SymbolType.COMMON else SHN_ABS
