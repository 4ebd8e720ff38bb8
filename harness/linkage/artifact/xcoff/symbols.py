"""The symbol table, as far as linkers read it, converted to the packed table.

Names are as they are in the file: a function `foo` is the symbol `.foo` (its code) and the symbol `foo`
(its descriptor, which has the address). An entry of the table of contents has the name of what it points to,
defined elsewhere: it gets none here, as a slot of ELF's global offset table has none. A csect without a name
is a section symbol. Symbols for debuggers are left out.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from linkage.artifact.bounds import check_length
from linkage.artifact.tables import SHN_ABS, SHN_COMMON, SHN_UNDEF, Binding, SymbolTable, SymbolType
from linkage.artifact.xcoff.file import XcoffFile
from linkage.artifact.xcoff.numbers import (  # fmt: skip
    AUX_FCN,
    C_DWARF,
    C_EXT,
    C_FILE,
    C_HIDEXT,
    C_INFO,
    C_STAT,
    C_WEAKEXT,
    N_ABS,
    N_DEBUG,
    XMC_DS,
    XMC_GL,
    XMC_PR,
    XMC_SV,
    XMC_SV64,
    XMC_SV3264,
    XMC_TC,
    XMC_TE,
    XMC_TL,
    XMC_UL,
    XMC_XO,
    XTY_CM,
    XTY_ER,
    XTY_LD,
    XTY_SD,
)
from linkage.errors import ArtifactError

_ENTRY32, _ENTRY64 = struct.Struct(">8sIhHBB"), struct.Struct(">QIhHBB")
_CSECT = struct.Struct(">I6xBBI2x")  # length, type, class, the length's upper half (64-bit)
_FUNCTION_SIZE32, _FUNCTION_SIZE64 = slice(4, 8), slice(8, 12)
_EXTERNAL = {C_EXT: Binding.GLOBAL, C_HIDEXT: Binding.LOCAL, C_WEAKEXT: Binding.WEAK}
_OTHERS = {
    C_FILE: SymbolType.FILE, C_STAT: SymbolType.SECTION, C_DWARF: SymbolType.SECTION,
    C_INFO: SymbolType.NOTYPE,
}  # fmt: skip
_TYPES = {
    **dict.fromkeys((XMC_PR, XMC_GL, XMC_XO, XMC_SV, XMC_SV64, XMC_SV3264, XMC_DS), SymbolType.FUNC),
    **dict.fromkeys((XMC_TL, XMC_UL), SymbolType.TLS), **dict.fromkeys((XMC_TC, XMC_TE), SymbolType.SECTION),
}  # fmt: skip
_VISIBILITIES = {0x1000: 1, 0x2000: 2, 0x3000: 3}  # SYM_V_INTERNAL, _HIDDEN, _PROTECTED; the rest is default
_PLAIN_NAME = b"\0\0\0\0"  # a name that is in the string table begins so


@dataclass(frozen=True, slots=True)
class XcoffSymbol:
    """An entry of the table with what its auxiliary entries say of it."""

    position: int
    """Its index in the table, as relocations have it: auxiliary entries count."""
    name: int
    """The offset of its name in `XcoffSymbols.names`."""
    value: int
    section: int
    type: int
    storage: int
    kind: int = XTY_ER
    mapping: int = -1
    size: int = 0

    @property
    def is_code(self) -> bool:
        """Whether it is a function's code, not its descriptor."""
        return self.mapping == XMC_PR and self.section > 0 and self.kind in (XTY_SD, XTY_LD)


@dataclass(frozen=True, slots=True)
class XcoffSymbols:
    """The entries that linkers read, and the string table with the short names after it."""

    entries: list[XcoffSymbol]
    names: bytes

    def name(self, symbol: XcoffSymbol) -> bytes:
        return self.names[symbol.name : self.names.index(b"\0", symbol.name)]


def read_symbols(xcoff: XcoffFile) -> XcoffSymbols:
    """The symbol table; ArtifactError if it refers to what is not there."""
    reader = _Reader(xcoff)
    entries = list(reader.entries())
    return XcoffSymbols(entries, b"".join(reader.names))


class _Reader:
    def __init__(self, xcoff: XcoffFile) -> None:
        self._wide = xcoff.header.wide
        self._raw = bytes(xcoff.symbols)
        self._sections = len(xcoff.sections)
        self.names = [xcoff.strings]
        self._strings = self._end = len(xcoff.strings)

    def entries(self) -> Iterator[XcoffSymbol]:
        raw, at = self._raw, 0
        rows = list((_ENTRY64 if self._wide else _ENTRY32).iter_unpack(raw))
        while at < len(rows):
            first, second, section, kind, storage, auxiliary = rows[at]
            position, at = at, at + 1 + auxiliary
            if at > len(rows):
                raise ArtifactError(f"symbol {position} of {len(rows)} has {auxiliary} auxiliary entries")
            if storage not in _EXTERNAL and storage not in _OTHERS:
                continue
            if section > self._sections:
                raise ArtifactError(f"a symbol is in section {section} of {self._sections}")
            name = self._offset(second) if self._wide else self._name(first)
            value = first if self._wide else second
            if storage not in _EXTERNAL or not auxiliary:
                yield XcoffSymbol(position, name, value, section, kind, storage)
                continue
            low, type_, mapping, high = _CSECT.unpack_from(raw, (at - 1) * 18)
            size = low | high << 32 if self._wide else low
            if type_ & 7 == XTY_LD:  # the number is that of its csect
                size = self._function_size(position, auxiliary)
            yield XcoffSymbol(position, name, value, section, kind, storage, type_ & 7, mapping, size)

    def _function_size(self, position: int, auxiliary: int) -> int:
        """A function's size by its own auxiliary entry, which is before the csect's; 0 if there is none."""
        for index in range(position + 1, position + auxiliary):
            entry = self._raw[index * 18 : index * 18 + 18]
            if not self._wide or entry[17] == AUX_FCN:
                return int.from_bytes(entry[_FUNCTION_SIZE64 if self._wide else _FUNCTION_SIZE32], "big")
        return 0

    def _name(self, field: bytes) -> int:
        """Of a 32-bit entry: in the string table, or up to 8 bytes in place."""
        if field.startswith(_PLAIN_NAME):
            return self._offset(int.from_bytes(field[4:], "big"))
        name = field.split(b"\0", 1)[0] + b"\0"
        self.names.append(name)
        self._end += len(name)
        return self._end - len(name)

    def _offset(self, offset: int) -> int:
        if offset >= self._strings:
            raise ArtifactError(
                f"a symbol's name is at {offset:#x} of a string table of {self._strings - 1} bytes"
            )
        return offset


def symbol_table(xcoff: XcoffFile, symbols: XcoffSymbols) -> SymbolTable:
    """The packed table."""
    records: list[int] = []
    for one in symbols.entries:
        binding = _EXTERNAL.get(one.storage, Binding.LOCAL)
        kind = _type(one) if symbols.names[one.name] else SymbolType.SECTION
        if one.section in (N_ABS, N_DEBUG):
            section = SHN_ABS
        elif one.kind == XTY_CM and binding is not Binding.LOCAL:
            section = SHN_COMMON
        else:
            section = max(one.section, SHN_UNDEF)
        name = 0 if kind is SymbolType.SECTION else one.name
        visibility = _VISIBILITIES.get(one.type & 0xF000, 0)
        records += (name, binding << 4 | kind, visibility, section, one.value, one.size)
    count = len(symbols.entries)
    check_length(count, symbols.names)
    packed = struct.pack("<" + "IBBHQQ" * count, *records)
    return SymbolTable(symbols.names, packed, xcoff.table.name_offsets, xcoff.table.names)


def _type(one: XcoffSymbol) -> SymbolType:
    if one.storage in _OTHERS:
        return _OTHERS[one.storage]
    if one.mapping < 0 or (one.kind == XTY_ER and one.mapping not in _TYPES):
        return SymbolType.NOTYPE
    return _TYPES.get(one.mapping, SymbolType.OBJECT)
