"""A linked module's symbols: those of its `name` section, its imports and its exports."""

from collections.abc import Collection

from linkage.artifact.facts import Dynamic
from linkage.artifact.tables import Binding, SymbolTable, SymbolType
from linkage.artifact.wasm.customs import Dylink
from linkage.artifact.wasm.entities import WasmEntities
from linkage.artifact.wasm.layout import WasmLayout
from linkage.artifact.wasm.names import NameMap
from linkage.artifact.wasm.numbers import EXPORT, EXTERN_FUNCTION, EXTERN_GLOBAL, EXTERN_SECTIONS
from linkage.artifact.wasm.symbols import UNDEFINED, SymbolRows
from linkage.errors import ArtifactError

_TYPES = {EXTERN_FUNCTION: SymbolType.FUNC, EXTERN_GLOBAL: SymbolType.OBJECT}
_KINDS = ("function", "table", "memory", "global", "tag")
_GLOBAL, _WEAK, _LOCAL = Binding.GLOBAL << 4, Binding.WEAK << 4, Binding.LOCAL << 4


class ModuleSymbols:
    """The tables of one module."""

    def __init__(self, entities: WasmEntities, layout: WasmLayout) -> None:
        self._entities = entities
        self._layout = layout
        self._imported = {kind: len(listed) for kind, listed in entities.imports.by_kind.items()}
        self._defined = {kind: entities.defined(kind) for kind in EXTERN_SECTIONS}

    def named(self, names: dict[int, NameMap]) -> SymbolTable:
        """What has a name: local unless it is imported or exported."""
        rows = SymbolRows(self._layout)
        exported = {(one.kind, one.target) for one in self._entities.exports}
        for kind, listed in names.items():
            imported, kind_type = self._imported[kind], _TYPES.get(kind, SymbolType.OTHER)
            for index, name in listed:
                binding = _GLOBAL if index < imported or (kind, index) in exported else _LOCAL
                rows.add(rows.name(name), binding | kind_type, 0, *self._place(kind, index))
        return rows.table([])

    def dynamic(self, weak: Collection[tuple[bytes, bytes]] = ()) -> SymbolTable:
        """The imports, which are undefined, then the exports; `weak`: those that may be missing."""
        rows = SymbolRows(self._layout)
        for one in self._entities.imports.listed:
            info = _WEAK if weak and (one.module, one.name) in weak else _GLOBAL
            info |= _TYPES.get(one.kind, SymbolType.OTHER)
            rows.add(rows.name(one.name), info, 0, UNDEFINED, 0, 0)
        for export in self._entities.exports:
            info = _GLOBAL | _TYPES.get(export.kind, SymbolType.OTHER)
            row, value, size = self._place(export.kind, export.target)
            if row == UNDEFINED:  # an import that is exported again: others find it here
                row = self._layout.rows[EXPORT]
            rows.add(rows.name(export.name), info, 0, row, value, size)
        return rows.table([])

    def _place(self, kind: int, index: int) -> tuple[int, int, int]:
        """The row of something, and where and how large a function's code is."""
        own = index - self._imported[kind]
        if own < 0:
            return UNDEFINED, 0, 0
        if own >= self._defined[kind]:
            raise ArtifactError(
                f"{_KINDS[kind]} {index} of {index - own + self._defined[kind]} is referred to"
            )
        row = self._layout.rows[EXTERN_SECTIONS[kind]]
        if kind != EXTERN_FUNCTION:
            return row, 0, 0
        return row, *self._entities.bodies[own]


def module_dynamic(entities: WasmEntities, dylink: Dylink | None) -> Dynamic:
    """What a module asks of whoever instantiates it: the libraries that it names, else its import modules."""
    imports: dict[str, list[str]] = {}
    for one in entities.imports.listed:
        imports.setdefault(_text(one.module), []).append(_text(one.name))
    return Dynamic(
        needed=tuple(imports) if dylink is None else dylink.needed,
        runpath=() if dylink is None else dylink.runtime_path,
        imports={module: tuple(names) for module, names in imports.items()},
    )


def runs(entities: WasmEntities) -> bool:
    """Whether it exports what a host calls to run a program: `_start`, or `main` without WASI."""
    names = {one.name for one in entities.exports if one.kind == EXTERN_FUNCTION}
    return bool(names & {b"_start", b"main"})


def _text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")
