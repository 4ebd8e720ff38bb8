"""A COFF symbol table in the packed layout.

Format: Microsoft's "PE Format", section "COFF Symbol Table" and its parts on auxiliary records; with 32-bit
section numbers: IMAGE_SYMBOL_EX in winnt.h. A symbol has no size and no visibility: sizes are 0 but for
common symbols, whose value is their size, and all are visible.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from linkage.artifact.bounds import check_length, take
from linkage.artifact.coff.file import CoffFile
from linkage.artifact.coff.numbers import (
    CLASS_EXTERNAL,
    CLASS_EXTERNAL_DEFINITION,
    CLASS_FILE,
    CLASS_SECTION,
    CLASS_STATIC,
    CLASS_WEAK_EXTERNAL,
    SCN_CODE,
    SCN_EXECUTE,
    WEAK_ANTI_DEPENDENCY,
)
from linkage.artifact.coff.records import SIZE, packed_records
from linkage.artifact.tables import (
    SHN_ABS,
    SHN_COMMON,
    SHN_UNDEF,
    SHN_XINDEX,
    Binding,
    SymbolTable,
    SymbolType,
)
from linkage.errors import ArtifactError

_RECORD, _BIG_RECORD = struct.Struct("<8sIhBxBB"), struct.Struct("<8sIiBxBB")
_WEAK_EXTERNAL = struct.Struct("<II")  # the symbol that it stands for, how that is searched
_ELSEWHERE = bytes(4)  # begins a name that is in the string table
_FUNCTION = 2  # in bits 4 and 5 of a symbol's type
Row = tuple[bytes, int, int, int, int, int]
"""Name, value, section number, type, storage class and number of auxiliary records of a symbol."""

_NO_DEFAULT: Row = (b"", 0, 0, 0, 0, 0)
_EXIT_THUNK = b"$exit_thunk"
_MOST_ALIASES = 16  # weak externals that lead to each other

# What a symbol's binding and type depend on, as bits of one number.
_IN_DATA, _IN_TLS, _IS_FUNCTION, _HAS_AUXILIARY = 0x01, 0x02, 0x04, 0x08
_EXTERNAL, _STATIC, _FILE, _SECTION, _WEAK = 0x10, 0x20, 0x30, 0x40, 0x50
_CLASSES = {
    CLASS_EXTERNAL: _EXTERNAL, CLASS_EXTERNAL_DEFINITION: _EXTERNAL, CLASS_STATIC: _STATIC, CLASS_FILE: _FILE,
    CLASS_SECTION: _SECTION, CLASS_WEAK_EXTERNAL: _WEAK,
}  # fmt: skip
_CLASS_BITS = bytes(_CLASSES.get(number, 0) for number in range(256))
_TYPE_BITS = bytes(_IS_FUNCTION * (number >> 4 & 3 == _FUNCTION) for number in range(256))
_AUXILIARY_BITS = bytes(_HAS_AUXILIARY * bool(number) for number in range(256))


def _info(bits: int) -> int:
    """A symbol's binding and type as in ELF's st_info."""
    kind, is_function = bits & 0xF0, bits & _IS_FUNCTION
    binding = {_EXTERNAL: Binding.GLOBAL, _WEAK: Binding.WEAK}.get(kind, Binding.LOCAL)
    if kind == _FILE:
        found = SymbolType.FILE
    elif kind == _SECTION or (kind == _STATIC and bits & _HAS_AUXILIARY and not is_function):
        found = SymbolType.SECTION
    elif is_function:
        found = SymbolType.FUNC
    elif kind in (_EXTERNAL, _STATIC, _WEAK) and bits & (_IN_DATA | _IN_TLS):
        found = SymbolType.TLS if bits & _IN_TLS else SymbolType.OBJECT
    else:
        found = SymbolType.NOTYPE
    return binding << 4 | found


_INFOS = bytes(map(_info, range(128)))
SECTION_INFO = Binding.LOCAL << 4 | SymbolType.SECTION


class RawSymbols:
    """The symbol table as it is in the file. ArtifactError for every access to what is not there."""

    def __init__(self, coff: CoffFile) -> None:
        header = coff.header
        self.size = header.symbol_size
        self.count = header.symbol_count
        self.wide = self.size == _BIG_RECORD.size
        layout = _RECORD if self.size == _RECORD.size else _BIG_RECORD
        self._raw = bytes(take(coff.data, header.symbol_offset, self.count * self.size, "symbol table"))
        self.rows: list[Row] = list(layout.iter_unpack(self._raw))

    def row(self, index: int) -> Row:
        """The fields of a symbol."""
        if not 0 <= index < self.count:
            raise ArtifactError(f"symbol {index} of {self.count} is referred to")
        return self.rows[index]

    def auxiliary(self, index: int, count: int = 1) -> bytes:
        """The auxiliary records of a symbol, as many as there are."""
        return self._raw[(index + 1) * self.size : (index + 1 + count) * self.size]

    def starts(self) -> Sequence[int]:
        """The indexes of the symbols, those of auxiliary records left out."""
        counts = self._raw[self.size - 1 :: self.size]
        if not any(counts):
            return range(self.count)
        found, index = [], 0
        while index < self.count:
            found.append(index)
            index += 1 + counts[index]
        return found


@dataclass(frozen=True, slots=True)
class CoffSymbols:
    """The symbols without their auxiliary records; all sequences have one entry a symbol."""

    table: SymbolTable
    raw: RawSymbols
    starts: Sequence[int]  # the index in the file's table, which counts auxiliary records, too
    sections: Sequence[int]  # section numbers; 0 if undefined or common, negative if absolute

    def name(self, row: int) -> str:
        """The raw name of a symbol, without decoding the rest."""
        names, records = self.table.names, self.table.records
        place = int.from_bytes(records[row * SIZE : row * SIZE + 4], "little")
        return names[place : names.find(b"\0", place)].decode(errors="backslashreplace")


def read_symbols(coff: CoffFile) -> CoffSymbols:
    """The symbols and the names of their sections; absolute ones and those for debuggers are in no section.

    Values in an image are addresses from its base, in an object offsets in the section.
    """
    raw = RawSymbols(coff)
    starts = raw.starts()
    rows = raw.rows if len(starts) == raw.count else [raw.rows[at] for at in starts]
    columns = _Columns(*map(list, zip(*rows, strict=True))) if rows else _Columns()
    _follow_weak(coff, raw, starts, columns)
    if max(columns.sections, default=0) > coff.count:
        raise ArtifactError(f"a symbol is in section {max(columns.sections)} of {coff.count}")
    if coff.linked:
        columns.values = coff.addresses(columns.sections, columns.values)
    text = bytearray(coff.names.text)
    records = _records(coff, raw, columns, text)
    _fix_special(raw, starts, columns, records, text)
    names = bytes(text)
    check_length(len(starts), names)
    table = SymbolTable(names, bytes(records), coff.section_offsets, b"", _extended(raw, columns))
    return CoffSymbols(table, raw, starts, columns.sections)


@dataclass(slots=True)
class _Columns:
    """The fields of symbols, one entry a symbol."""

    names: list[bytes] = field(default_factory=list)
    values: list[int] = field(default_factory=list)
    sections: list[int] = field(default_factory=list)
    types: list[int] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    auxiliary: list[int] = field(default_factory=list)


def _follow_weak(coff: CoffFile, raw: RawSymbols, starts: Sequence[int], columns: _Columns) -> None:
    """Give weak externals the place of what they stand for unless another file defines them."""
    if CLASS_WEAK_EXTERNAL not in columns.classes:
        return
    for at, (kind, section) in enumerate(zip(columns.classes, columns.sections, strict=True)):
        if kind == CLASS_WEAK_EXTERNAL and not section:
            found = _default(coff, raw, starts[at])
            _, columns.values[at], columns.sections[at], columns.types[at], _, _ = found or _NO_DEFAULT


def _default(coff: CoffFile, raw: RawSymbols, start: int) -> Row | None:
    """The definition in this file that a weak external leads to.

    None if it is only a reference: the other symbol is not defined here, or is the absolute 0 that compilers
    and assemblers write for it. On Arm64EC, what an anti-dependency leads to is a definition unless it is
    another weak external, or the thunk for calls out of the file.
    """
    for _ in range(_MOST_ALIASES):
        auxiliary = raw.auxiliary(start)[: _WEAK_EXTERNAL.size]
        if len(auxiliary) < _WEAK_EXTERNAL.size:
            return None
        index, search = _WEAK_EXTERNAL.unpack(auxiliary)
        row = raw.row(index)
        name, value, section, _, kind, _ = row
        if section or kind != CLASS_WEAK_EXTERNAL:
            is_thunk = search == WEAK_ANTI_DEPENDENCY and _text(coff, name).endswith(_EXIT_THUNK)
            return row if (section > 0 or (section and value)) and not is_thunk else None
        if search == WEAK_ANTI_DEPENDENCY:
            return None
        start = index
    return None


def _text(coff: CoffFile, name: bytes) -> bytes:
    if not name.startswith(_ELSEWHERE):
        return name.partition(b"\0")[0]
    place = int.from_bytes(name[4:], "little")
    return coff.strings[place : max(coff.strings.find(b"\0", place), 0)]


def _records(coff: CoffFile, raw: RawSymbols, columns: _Columns, text: bytearray) -> bytearray:
    count = len(columns.names)
    bits = zip(
        bytes(columns.classes).translate(_CLASS_BITS),
        bytes(columns.types).translate(_TYPE_BITS),
        bytes(columns.auxiliary).translate(_AUXILIARY_BITS),
        _section_bits(coff, columns.sections),
        strict=True,
    )
    elsewhere = SHN_XINDEX if raw.wide else None
    return packed_records(
        struct.pack(f"<{count}I", *_name_offsets(coff, columns.names, text)),
        bytes([_INFOS[kind | function | auxiliary | place] for kind, function, auxiliary, place in bits]),
        struct.pack(
            f"<{count}H", *[(elsewhere or one) if one > 0 else SHN_UNDEF for one in columns.sections]
        ),
        struct.pack(f"<{count}I", *columns.values),
    )


def _extended(raw: RawSymbols, columns: _Columns) -> bytes:
    """The section numbers of all symbols if they may not fit into 16 bits."""
    if not raw.wide:
        return b""
    return struct.pack(f"<{len(columns.sections)}I", *[max(one, 0) for one in columns.sections])


def _section_bits(coff: CoffFile, sections: Sequence[int]) -> list[int]:
    """What the section of each symbol is: data, thread-local data, or neither (0)."""
    kinds = [0, *[_IN_DATA * (not flag & (SCN_CODE | SCN_EXECUTE)) for flag in coff.flags]]
    for index in coff.tls_sections():
        kinds[index] = _IN_TLS
    return [kinds[one] if one > 0 else 0 for one in sections]


def _name_offsets(coff: CoffFile, names: Sequence[bytes], text: bytearray) -> list[int]:
    """Where each symbol's name is in `text`, to which names that are in the records are added once."""
    places: dict[bytes, int] = {}
    end = len(coff.strings)
    for name in dict.fromkeys(names):
        if name.startswith(_ELSEWHERE):
            place = int.from_bytes(name[4:], "little")
            if place >= end:
                raise ArtifactError(f"a symbol's name is at {place:#x} of a string table of {end} bytes")
        else:
            place = len(text)
            text += name.partition(b"\0")[0] + b"\0"
        places[name] = place
    return [places[name] for name in names]


def _fix_special(
    raw: RawSymbols, starts: Sequence[int], columns: _Columns, records: bytearray, text: bytearray
) -> None:
    """Complete the records of files' names, and of what is in no section: absolute and common symbols."""
    layout = SymbolTable.RECORD
    for at, (section, value, kind) in enumerate(
        zip(columns.sections, columns.values, columns.classes, strict=True)
    ):
        if section >= 0 and not (value and not section) and kind != CLASS_FILE:
            continue
        name, info, other, index, value, size = layout.unpack_from(records, at * layout.size)  # noqa: PLW2901
        if kind == CLASS_FILE:
            index = SHN_ABS
            if columns.auxiliary[at]:
                name = len(text)
                text += raw.auxiliary(starts[at], columns.auxiliary[at]).partition(b"\0")[0] + b"\0"
        elif section < 0:
            index = SHN_ABS
        elif kind in (CLASS_EXTERNAL, CLASS_EXTERNAL_DEFINITION):
            index, value, size = SHN_COMMON, 0, value  # noqa: PLW2901
            info = Binding.GLOBAL << 4 | SymbolType.OBJECT
        layout.pack_into(records, at * layout.size, name, info, other, index, value, size)
