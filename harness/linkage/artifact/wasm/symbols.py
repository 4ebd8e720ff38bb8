"""A packed symbol table that is written symbol by symbol."""

import struct

from linkage.artifact.bounds import check_length
from linkage.artifact.tables import SHN_ABS, SHN_LORESERVE, SHN_XINDEX, SectionTable, SymbolTable
from linkage.artifact.wasm.layout import WasmLayout, plain

UNDEFINED, ABSOLUTE = 0, -1  # as rows


class SymbolRows:
    """Symbols in the rows of a layout. More rows can be added: a part of a section, a COMDAT group's."""

    def __init__(self, layout: WasmLayout) -> None:
        self._sections: SectionTable = layout.table
        self._offsets = layout.offsets
        self._added: list[int] = []
        self._comdats: dict[int, int] = {}  # a row's group, from 1 on
        self._names = [b""]
        self._end = 1
        self._records: list[int] = []
        self._rows: list[int] = []

    def row_like(self, row: int) -> int:
        """A new row with the name of another."""
        self._added.append(self._offsets[row])
        return len(self._offsets) + len(self._added) - 1

    def set_comdat(self, row: int, group: int) -> None:
        """State that a row belongs to a COMDAT group (0 is the first)."""
        self._comdats[row] = group + 1

    def name(self, name: bytes) -> int:
        """The offset of a name that is added to the string table."""
        at = self._end
        name = plain(name)
        self._names.append(name)
        self._end = at + len(name) + 1
        return at

    def add(self, name: int, info: int, visibility: int, row: int, value: int, size: int) -> None:
        """A symbol: `info` is its binding and its type, `row` may be UNDEFINED or ABSOLUTE."""
        self._records += (name, info, visibility, row, value, size)

    def table(self, comdats: list[str]) -> SymbolTable:
        """The table. Raises ArtifactError if decoding its names would take too much memory."""
        records, count = self._records, len(self._records) // 6
        rows = len(self._offsets) + len(self._added)
        places, extended = records[3::6], b""
        if rows >= SHN_LORESERVE:
            extended = struct.pack(f"<{count}I", *(max(row, 0) for row in places))
            records[3::6] = [row if row < SHN_LORESERVE else SHN_XINDEX for row in places]
        if ABSOLUTE in places:
            records[3::6] = [SHN_ABS if row == ABSOLUTE else row for row in records[3::6]]
        names = b"\0".join(self._names) + b"\0"
        check_length(count, names)
        offsets = self._sections.name_offsets
        if self._added:
            offsets += struct.pack(f"<{len(self._added)}I", *self._added)
        indexes = b""
        if self._comdats:
            indexes = struct.pack(f"<{rows}I", *(self._comdats.get(row, 0) for row in range(rows)))
        return SymbolTable(
            names,
            struct.pack("<" + "IBBHQQ" * count, *records),
            offsets,
            self._sections.names,
            extended,
            comdat_indexes=indexes,
            comdats=("", *comdats) if self._comdats else (),
        )
