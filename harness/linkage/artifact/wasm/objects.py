"""An object file's symbols: its own symbol table, with the names of its imports.

Format: tool conventions, "Linking" (Linking.md), "Symbol Table Subsection".
"""

from linkage.artifact.tables import Binding, SymbolTable, SymbolType, Visibility
from linkage.artifact.wasm.entities import WasmEntities
from linkage.artifact.wasm.layout import WasmLayout
from linkage.artifact.wasm.leb128 import Cursor, long_number
from linkage.artifact.wasm.linking import Linking
from linkage.artifact.wasm.numbers import (  # fmt: skip
    CODE,
    COMDAT_DATA,
    COMDAT_FUNCTION,
    COMDAT_SECTION,
    DATA,
    EXTERN_FUNCTION,
    EXTERN_GLOBAL,
    EXTERN_SECTIONS,
    EXTERN_TABLE,
    EXTERN_TAG,
    SYMBOL_ABSOLUTE,
    SYMBOL_DATA,
    SYMBOL_EXPLICIT_NAME,
    SYMBOL_FUNCTION,
    SYMBOL_GLOBAL,
    SYMBOL_HIDDEN,
    SYMBOL_LOCAL,
    SYMBOL_SECTION,
    SYMBOL_TABLE,
    SYMBOL_TAG,
    SYMBOL_TLS,
    SYMBOL_UNDEFINED,
    SYMBOL_WEAK,
)
from linkage.artifact.wasm.symbols import ABSOLUTE, UNDEFINED, SymbolRows
from linkage.errors import ArtifactError

_CONTINUES = 0x80
_NAMED_BY_IMPORT = SYMBOL_UNDEFINED | SYMBOL_EXPLICIT_NAME
_NOWHERE = UNDEFINED, 0, 0
_WHAT = "symbol table of section linking"
_KINDS = {
    SYMBOL_FUNCTION: (EXTERN_FUNCTION, SymbolType.FUNC), SYMBOL_GLOBAL: (EXTERN_GLOBAL, SymbolType.OBJECT),
    SYMBOL_TABLE: (EXTERN_TABLE, SymbolType.OTHER), SYMBOL_TAG: (EXTERN_TAG, SymbolType.OTHER),
}  # fmt: skip
_BINDINGS = tuple(
    (Binding.LOCAL if flags & SYMBOL_LOCAL else Binding.WEAK if flags & SYMBOL_WEAK else Binding.GLOBAL) << 4
    for flags in range(4)
)
"""In the place where a symbol's `info` has it, by the lowest bits of the flags."""


def object_symbols(
    linking: Linking, entities: WasmEntities, layout: WasmLayout
) -> tuple[SymbolTable, list[int]]:
    """The symbol table, and each symbol's flags. ArtifactError if it refers to what is not there."""
    reader = _SymbolReader(linking, entities, layout)
    try:
        reader.read(linking.symbols)
    except IndexError:
        raise ArtifactError(f"{_WHAT}: it reaches beyond its end") from None
    return reader.rows.table(linking.comdats), reader.flags


class _SymbolReader:
    """The symbol table's entries, one after the other."""

    def __init__(self, linking: Linking, entities: WasmEntities, layout: WasmLayout) -> None:
        self.rows = SymbolRows(layout)
        self.flags: list[int] = []
        self._entities = entities
        self._layout = layout
        self._functions: dict[int, int] = {}  # the rows of functions in COMDAT groups
        self._imported: dict[tuple[int, int], int] = {}  # the names of imports in the string table
        for (kind, index), group in linking.members.items():
            self._place_in_group(kind, index, group)

    def _place_in_group(self, kind: int, index: int, group: int) -> None:
        layout = self._layout
        if kind == COMDAT_FUNCTION and CODE in layout.rows:
            row = self._functions[index] = self.rows.row_like(layout.rows[CODE])
        elif kind == COMDAT_DATA:
            row = self._segment_row(index)
        elif kind == COMDAT_SECTION:
            row = self._section_row(index)
        else:
            raise ArtifactError(f"a COMDAT group has a member of kind {kind}, which is not known")
        self.rows.set_comdat(row, group)

    def read(self, data: bytes) -> None:
        """All entries of the table, whose number is before them. Raises IndexError at the end of the data."""
        cursor = Cursor(data, _WHAT)
        count, at, add = len(cursor.vector()), cursor.at, self.rows.add
        for _ in range(count):
            kind, flags = data[at], data[at + 1]
            at += 2
            if flags >= _CONTINUES:
                flags, at = long_number(data, at - 1)
            self.flags.append(flags)
            visibility = Visibility.HIDDEN if flags & SYMBOL_HIDDEN else Visibility.DEFAULT
            info = _BINDINGS[flags & 3]
            if kind in _KINDS:
                index = data[at]
                at += 1
                if index >= _CONTINUES:
                    index, at = long_number(data, at - 1)
                if flags & _NAMED_BY_IMPORT == SYMBOL_UNDEFINED:
                    name = self._imported_name(kind, index)
                else:
                    name, at = self._name(data, at)
                place = _NOWHERE if flags & SYMBOL_UNDEFINED else self._place(kind, index)
                add(name, info | _KINDS[kind][1], visibility, *place)
            elif kind == SYMBOL_DATA:
                name, at = self._name(data, at)
                info |= SymbolType.TLS if flags & SYMBOL_TLS else SymbolType.OBJECT
                if flags & SYMBOL_UNDEFINED:
                    add(name, info, visibility, UNDEFINED, 0, 0)
                    continue
                segment, at = _number(data, at)
                value, at = _number(data, at)
                size, at = _number(data, at)
                row = ABSOLUTE if flags & SYMBOL_ABSOLUTE else self._segment_row(segment)
                add(name, info, visibility, row, value, size)
            elif kind == SYMBOL_SECTION:
                index, at = _number(data, at)
                add(0, info | SymbolType.SECTION, visibility, self._section_row(index), 0, 0)
            else:
                raise ArtifactError(f"{_WHAT}: a symbol of kind {kind}, which is not known")
        if at > len(data):
            raise IndexError(at)

    def _name(self, data: bytes, at: int) -> tuple[int, int]:
        length = data[at]
        at += 1
        if length >= _CONTINUES:
            length, at = long_number(data, at - 1)
        return self.rows.name(data[at : at + length]), at + length

    def _imported_name(self, kind: int, index: int) -> int:
        found = self._imported.get((kind, index))
        if found is None:
            imports = self._entities.imports.by_kind[_KINDS[kind][0]]
            if index >= len(imports):
                raise ArtifactError(f"{_WHAT}: import {index} of {len(imports)} is referred to")
            found = self._imported[kind, index] = self.rows.name(imports[index].name)
        return found

    def _place(self, kind: int, index: int) -> tuple[int, int, int]:
        """The row of a function, global, table or tag, and where and how large a function's code is."""
        extern = _KINDS[kind][0]
        index -= len(self._entities.imports.by_kind[extern])
        row = self._layout.rows.get(EXTERN_SECTIONS[extern], 0)
        if kind == SYMBOL_FUNCTION:
            bodies = self._entities.bodies
            if 0 <= index < len(bodies):
                return self._functions.get(index, row), *bodies[index]
        elif 0 <= index < self._entities.defined(extern):
            return row, 0, 0
        raise ArtifactError(
            f"{_WHAT}: a symbol is defined as what is not there: {_KINDS[kind][1].name} {index}"
        )

    def _segment_row(self, index: int) -> int:
        count = len(self._entities.segments)
        if index >= count:
            raise ArtifactError(f"{_WHAT}: data segment {index} of {count} is referred to")
        row = self._layout.first_segment + index
        return row if row < len(self._layout.offsets) else self._layout.rows[DATA]  # it has no name

    def _section_row(self, index: int) -> int:
        if index + 1 >= self._layout.first_segment:
            raise ArtifactError(
                f"{_WHAT}: section {index} of {self._layout.first_segment - 1} is referred to"
            )
        return index + 1


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = data[at]
    if value >= _CONTINUES:
        return long_number(data, at)
    return value, at + 1
