"""The tables of an archive's objects, packed together for the store.

The objects of one library are similar: the same section names, sizes with zeros in the upper bytes,
offsets that grow evenly. So their columns are written one after the other, each split into planes of
its first bytes, its second bytes, and so on, and a column that repeats another of its object is left
out: compressed with zlib, this is a tenth as large as the tables.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from linkage.artifact.tables import SectionTable, SymbolTable

_COLUMNS = (
    ("sections", "names", 1), ("sections", "name_offsets", 4), ("sections", "types", 4),
    ("sections", "flags", 8), ("sections", "sizes", 8), ("symbols", "names", 1),
    ("symbols", "records", SymbolTable.RECORD.size), ("symbols", "section_offsets", 4),
    ("symbols", "section_names", 1), ("symbols", "extended", 4), ("symbols", "version_indexes", 2),
    ("symbols", "comdat_indexes", 4),
)  # fmt: skip
"""Table, field, and the width of its entries (bytes)."""
_REPEATS = {5: 0, 7: 1}
"""Columns that are, in what LLVM writes, the same as an earlier one."""
_REPEATED = -1

Tables = tuple[SectionTable, SymbolTable | None]


@dataclass(frozen=True, slots=True)
class Packed:
    """The tables of objects in their order, but for the symbol tables' `versions` and `comdats`."""

    lengths: tuple[tuple[int, ...], ...]
    """For each column, what each object has of it (bytes); -1 if it repeats another column."""
    sizes: tuple[int, ...]
    """The size of each column (bytes), in planes one after the other in `data`."""
    data: bytes


def pack(tables: Sequence[Tables]) -> Packed:
    """The tables' columns; `unpack` is the reverse."""
    rows = [_values(*one) for one in tables]
    lengths: list[tuple[int, ...]] = []
    planes: list[bytes] = []
    sizes: list[int] = []
    for index, (_, _, width) in enumerate(_COLUMNS):
        twin = _REPEATS.get(index)
        repeated = [twin is not None and row[index] and row[index] == row[twin] for row in rows]
        column = b"".join(
            row[index] for row, is_repeated in zip(rows, repeated, strict=True) if not is_repeated
        )
        lengths.append(
            tuple(_REPEATED if one else len(row[index]) for row, one in zip(rows, repeated, strict=True))
        )
        sizes.append(len(column))
        planes.extend(_planes(column, width))
    return Packed(tuple(lengths), tuple(sizes), b"".join(planes))


def unpack(packed: Packed, empty: Iterable[Tables]) -> Iterator[Tables]:
    """The tables again. `empty` are tables without columns, which tell whether there is one at all."""
    data, at = memoryview(packed.data), 0
    columns: list[bytes] = []
    for (_, _, width), size in zip(_COLUMNS, packed.sizes, strict=True):
        columns.append(_joined(data[at : at + size], width))
        at += size
    positions = [0] * len(columns)
    for (sections, symbols), *lengths in zip(empty, *packed.lengths, strict=True):
        row: list[bytes] = []
        for index, length in enumerate(lengths):
            if length == _REPEATED:
                row.append(row[_REPEATS[index]])
            else:
                row.append(columns[index][positions[index] : positions[index] + length])
                positions[index] += length
        yield _filled(sections, symbols, row)


def without_columns(sections: SectionTable, symbols: SymbolTable | None) -> Tables:
    """The tables without what is packed."""
    empty = SectionTable(machine=sections.machine)
    if symbols is None:
        return empty, None
    return empty, SymbolTable(versions=symbols.versions, comdats=symbols.comdats)


def _values(sections: SectionTable, symbols: SymbolTable | None) -> tuple[bytes, ...]:
    tables = {"sections": sections, "symbols": SymbolTable(names=b"") if symbols is None else symbols}
    return tuple(getattr(tables[table], field) for table, field, _ in _COLUMNS)


def _filled(sections: SectionTable, symbols: SymbolTable | None, row: Sequence[bytes]) -> Tables:
    fields: dict[str, dict[str, Any]] = {"sections": {}, "symbols": {}}
    for (table, field, _), value in zip(_COLUMNS, row, strict=True):
        fields[table][field] = value
    filled = replace(sections, **fields["sections"])
    if symbols is None:
        return filled, None
    return filled, SymbolTable(**fields["symbols"], versions=symbols.versions, comdats=symbols.comdats)


def _planes(column: bytes, width: int) -> Iterator[bytes]:
    return (column[start::width] for start in range(width))


def _joined(planes: memoryview, width: int) -> bytes:
    column, at = bytearray(len(planes)), 0
    for start in range(width):
        count = len(range(start, len(column), width))
        column[start::width] = planes[at : at + count]
        at += count
    return bytes(column)
