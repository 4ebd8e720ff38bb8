"""The symbols that a named function of an object refers to, from its relocations.

Formats: Microsoft's "PE Format", "COFF Relocations (Object Only)" and "Type Indicators". A function ends
where the next symbol of its section begins, since COFF symbols have no size.
"""

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property

from linkage.artifact.bounds import take
from linkage.artifact.coff.file import CoffFile, CoffSectionHeader
from linkage.artifact.coff.numbers import AMD64, I386, SCN_MORE_RELOCATIONS
from linkage.artifact.coff.symbols import CoffSymbols
from linkage.artifact.request import FactsRequest
from linkage.artifact.symbol_names import callable_names
from linkage.artifact.tables import SymbolTable, SymbolType
from linkage.errors import ArtifactError

_RELOCATION = struct.Struct("<IIH")  # place, symbol, type
_MORE = 0xFFFF  # relocations: their number, with the first one, is in that
_IN_PLACE = {AMD64: (1, 2, 3, 4, 5, 6, 7, 8, 9, 11), I386: (6, 7, 11, 20)}
"""Relocations whose place holds what is added to the symbol's address, 4 bytes that are counted from the
beginning of what it belongs to."""
_NAMELESS = (SymbolType.SECTION, SymbolType.FILE)
_ALIASES = 256  # names of one address that are reported; real files have a few


def read_references(
    coff: CoffFile, symbols: CoffSymbols, table: SymbolTable, request: FactsRequest
) -> dict[str, tuple[str, ...]]:
    """For every requested function that is defined here, the names of what it refers to, sorted.

    `table` has the symbols with their final names. ArtifactError if relocations reach beyond the file.
    """
    names = [*request.references, *(callable_names(table) if request.for_comparison else ())]
    if not names:
        return {}
    reader = _References(coff, symbols, table)
    found = {}
    for name in names:
        rows = [row for row in table.indexes(name) if symbols.sections[row] > 0]
        if rows and all(reader.is_readable(row) for row in rows):
            found[name] = tuple(sorted({one for row in rows for one in reader.of(row)}))
    return found


class _References:
    def __init__(self, coff: CoffFile, symbols: CoffSymbols, table: SymbolTable) -> None:
        self._coff = coff
        self._symbols = symbols
        self._table = table
        self._left = len(coff.data)
        self._known: dict[tuple[int, int, int], frozenset[str]] = {}  # functions have several names
        self._relocations: dict[int, list[tuple[int, int, int]]] = {}

    def is_readable(self, row: int) -> bool:
        """Whether the function's code is there."""
        start, end = self._extent(row)
        return start < end

    def of(self, row: int) -> frozenset[str]:
        """The names of what the function refers to."""
        key = self._symbols.sections[row], *self._extent(row)
        if key not in self._known:
            self._known[key] = frozenset(self._referred(*key))
        return self._known[key]

    def _referred(self, section: int, start: int, end: int) -> Iterator[str]:
        found = self._sorted_relocations(section)
        for place, symbol, kind in found[bisect_left(found, (start, 0, 0)) : bisect_left(found, (end, 0, 0))]:
            yield from self._target(section, place, symbol, kind)

    def _extent(self, row: int) -> tuple[int, int]:
        """Where the function begins and ends in its section; both are the same if it has no code."""
        start = self._table[row].value
        section = self._symbols.sections[row]
        size = len(self._coff.content(section))
        starts = self._functions.get(section, ())
        following = bisect_right(starts, start)
        return start, max(min(starts[following] if following < len(starts) else size, size), start)

    @cached_property
    def _rows(self) -> dict[int, list[tuple[int, int]]]:
        """The offset in its section and the row of every named symbol, sorted, by section."""
        found: dict[int, list[tuple[int, int]]] = {}
        for row, record in enumerate(SymbolTable.RECORD.iter_unpack(self._table.records)):
            section = self._symbols.sections[row]
            if section > 0 and record[1] & 15 not in _NAMELESS:
                found.setdefault(section, []).append((record[4], row))
        return {section: sorted(rows) for section, rows in found.items()}

    @cached_property
    def _functions(self) -> dict[int, list[int]]:
        """The offsets of what can end a function, sorted, by section: not the labels within it."""
        records = self._table.records
        infos = records[4 :: SymbolTable.RECORD.size]
        return {
            section: [at for at, row in rows if infos[row] & 15 == SymbolType.FUNC or infos[row] >> 4]
            for section, rows in self._rows.items()
        }

    @cached_property
    def _row_of(self) -> dict[int, int]:
        """The row of a symbol by its index in the file."""
        return {start: row for row, start in enumerate(self._symbols.starts)}

    def _sorted_relocations(self, section: int) -> list[tuple[int, int, int]]:
        if section not in self._relocations:
            header = self._coff.section(section)
            raw = _raw_relocations(self._coff.data, header)
            self._left -= len(raw)
            if self._left < 0:
                raise ArtifactError(f"the relocations of section {section} overlap others")
            base = header.address
            self._relocations[section] = sorted(
                (place - base, symbol, kind) for place, symbol, kind in _RELOCATION.iter_unpack(raw)
            )
        return self._relocations[section]

    def _target(self, section: int, place: int, symbol: int, kind: int) -> Sequence[str]:
        row = self._row_of.get(symbol)
        if row is None:
            return ()
        record = SymbolTable.RECORD.unpack_from(self._table.records, row * SymbolTable.RECORD.size)
        if record[1] & 15 != SymbolType.SECTION:
            return (self._table[row].name,)
        if kind not in _IN_PLACE.get(self._coff.header.machine, ()):
            return ()  # what is added is spread over an instruction
        field = self._coff.content(section)[place : place + 4]
        return self._names_at(self._symbols.sections[row], int.from_bytes(field, "little", signed=True))

    def _names_at(self, section: int, offset: int) -> Sequence[str]:
        """The symbols that begin at an offset in a section, else the nearest before it."""
        rows = self._rows.get(section, [])
        last = bisect_right(rows, (offset, len(self._table)))
        if not last:
            return ()
        first = bisect_left(rows, (rows[last - 1][0], 0))
        return [self._table[row].name for _, row in rows[first : min(last, first + _ALIASES)]]


def _raw_relocations(data: memoryview, header: CoffSectionHeader) -> memoryview:
    count, at = header.relocation_count, header.relocations
    if not count:
        return data[:0]
    if count == _MORE and header.flags & SCN_MORE_RELOCATIONS:
        count = max(int.from_bytes(take(data, at, 4, "relocations"), "little"), 1) - 1
        at += _RELOCATION.size
    return take(data, at, count * _RELOCATION.size, "relocations")
