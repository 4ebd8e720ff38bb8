"""The symbols that a named function refers to: from its relocations, or from its code.

Format of relocations: tool conventions, "Linking" (Linking.md), "Relocation Sections". In a linked module
calls and globals are found, not data and not functions whose address is taken: these are plain numbers.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping

from linkage.artifact.request import FactsRequest
from linkage.artifact.tables import Binding, SymbolTable, SymbolType, Visibility
from linkage.artifact.wasm.code import code_targets
from linkage.artifact.wasm.entities import WasmEntities
from linkage.artifact.wasm.layout import plain
from linkage.artifact.wasm.names import NameMap
from linkage.artifact.wasm.numbers import (  # fmt: skip
    EXTERN_FUNCTION,
    RELOCATION_TYPE_INDEX,
    RELOCATION_TYPES,
    RELOCATIONS_WITH_ADDEND,
)
from linkage.errors import ArtifactError

_MANGLED = re.compile(r"_(?:Z|R[A-Z])")
_FUNCTION_LIMIT = 1 << 20  # bytes of one function's code
References = dict[str, tuple[str, ...]]


def callable_names(table: SymbolTable | None) -> list[str]:
    """The functions that code in another language can call: defined, visible, the name not mangled."""
    return [
        symbol.name
        for symbol in table or ()
        if symbol.defined
        and symbol.type is SymbolType.FUNC
        and symbol.binding is not Binding.LOCAL
        and symbol.visibility is Visibility.DEFAULT
        and not _MANGLED.match(symbol.name)
    ]


def object_references(entities: WasmEntities, symbols: SymbolTable, request: FactsRequest) -> References:
    """For every requested function that is defined in an object, the names of what it refers to, sorted."""
    names = [*request.references, *(callable_names(symbols) if request.for_comparison else ())]
    if not names:
        return {}
    relocations = sorted(_relocations(entities, len(symbols)))
    found = {}
    for name in names:
        functions = [one for one in symbols.named(name) if one.defined and one.type is SymbolType.FUNC]
        indexes = set[int]()
        for one in functions:
            first, end = (bisect_left(relocations, (at, 0)) for at in (one.value, one.value + one.size))
            indexes.update(index for _, index in relocations[first:end])
        if functions:
            found[name] = tuple(sorted({symbols[index].name for index in indexes} - {""}))
    return found


def _relocations(entities: WasmEntities, symbols: int) -> Iterator[tuple[int, int]]:
    """Where in the code section a symbol is referred to, and the symbol's index."""
    cursor = entities.wasm.cursor("reloc.CODE")
    if cursor is None:
        return
    cursor.skip_number()  # the section that it is about
    for _ in cursor.vector():
        kind, offset, index = cursor.number(), cursor.number(), cursor.number()
        if kind > RELOCATION_TYPES:
            raise ArtifactError(f"section reloc.CODE: a relocation of type {kind}, which is not known")
        if kind in RELOCATIONS_WITH_ADDEND:
            cursor.skip_number()
        if kind == RELOCATION_TYPE_INDEX:
            continue
        if index >= symbols:
            raise ArtifactError(f"section reloc.CODE: symbol {index} of {symbols} is referred to")
        yield offset, index


def module_references(
    entities: WasmEntities, names: Mapping[int, NameMap], exports: SymbolTable, request: FactsRequest
) -> References:
    """For every requested function of a linked module, the names of what its code names, sorted.

    A function whose code cannot be read to its end is left out.
    """
    wanted = [*request.references, *(callable_names(exports) if request.for_comparison else ())]
    if not wanted:
        return {}
    spelled = _spellings(entities, names)
    indexes: dict[str, set[int]] = {}
    for (kind, index), name in spelled.items():
        if kind == EXTERN_FUNCTION:
            indexes.setdefault(name, set()).add(index)
    for export in entities.exports:
        if export.kind == EXTERN_FUNCTION:
            indexes.setdefault(_text(export.name), set()).add(export.target)
    first = len(entities.imports.by_kind[EXTERN_FUNCTION])
    found = {}
    for name in wanted:
        functions = [one - first for one in indexes.get(name, ()) if one >= first]
        try:
            targets = {target for one in functions for target in code_targets(_body(entities, one))}
        except ArtifactError:
            continue
        if functions:
            found[name] = tuple(sorted({spelled[target] for target in targets if target in spelled}))
    return found


def _spellings(entities: WasmEntities, names: Mapping[int, NameMap]) -> dict[tuple[int, int], str]:
    """What things are called, by kind and index: by the name section, else as exports and imports."""
    found = {(one.kind, one.target): one.name for one in entities.exports}
    for kind, imports in entities.imports.by_kind.items():
        found |= {(kind, index): one.name for index, one in enumerate(imports)}
    found |= {(kind, index): name for kind, listed in names.items() for index, name in listed}
    return {place: _text(name) for place, name in found.items()}


def _text(name: bytes) -> str:
    return plain(name).decode(errors="backslashreplace")


def _body(entities: WasmEntities, index: int) -> bytes:
    start, size = entities.bodies[index]
    if size > _FUNCTION_LIMIT:
        raise ArtifactError(f"function {index} has {size} bytes of code; at most {_FUNCTION_LIMIT} are read")
    return entities.code[start : start + size]
