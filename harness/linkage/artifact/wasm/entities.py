"""What a module imports, defines and exports: functions, memories, data segments.

Format: the core specification, "Modules": Import Section to Data Section; "Types": Limits.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from linkage.artifact.wasm.file import WasmFile
from linkage.artifact.wasm.leb128 import Cursor, long_number
from linkage.artifact.wasm.numbers import (  # fmt: skip
    CODE,
    DATA,
    EXPORT,
    EXTERN_FUNCTION,
    EXTERN_GLOBAL,
    EXTERN_MEMORY,
    EXTERN_SECTIONS,
    EXTERN_TABLE,
    EXTERN_TAG,
    IMPORT,
    MEMORY,
)
from linkage.errors import ArtifactError

_HAS_MAXIMUM, _IS_64_BIT, _HAS_PAGE_SIZE = 0x1, 0x4, 0x8  # of limits
_TYPED_REFERENCES = (0x63, 0x64)  # a heap type follows
_PASSIVE, _EXPLICIT_MEMORY = 1, 2  # of data segments
_END, _GLOBAL_GET, _CONSTANTS, _REF_NULL, _REF_FUNC = 0x0B, 0x23, (0x41, 0x42), 0xD0, 0xD2
_ARITHMETIC = range(0x6A, 0x7F)  # i32.add … i64.mul: extended constant expressions
_F32_CONST, _F64_CONST = 0x43, 0x44


class WasmImport(NamedTuple):
    """What is imported, as what, and from which module."""

    module: bytes
    name: bytes
    kind: int


class WasmExport(NamedTuple):
    name: bytes
    kind: int
    target: int
    """The index of what is exported."""


@dataclass(slots=True)
class ModuleImports:
    """All imports, in order and by their kind, and whether an imported memory has 64-bit addresses."""

    listed: list[WasmImport] = field(default_factory=list)
    by_kind: dict[int, list[WasmImport]] = field(
        default_factory=lambda: {kind: [] for kind in EXTERN_SECTIONS}
    )
    wide: bool = False


class WasmEntities:
    """What is in a module's index spaces, read when it is asked for."""

    def __init__(self, wasm: WasmFile) -> None:
        self.wasm = wasm

    @cached_property
    def imports(self) -> ModuleImports:
        found = ModuleImports()
        cursor = self.wasm.cursor(IMPORT)
        if cursor is None:
            return found
        for _ in cursor.vector():
            module, name, kind = cursor.name(), cursor.name(), cursor.byte()
            found.wide |= _skip_type(cursor, kind)
            one = WasmImport(module, name, kind)
            found.listed.append(one)
            found.by_kind[kind].append(one)
        return found

    @cached_property
    def exports(self) -> list[WasmExport]:
        cursor = self.wasm.cursor(EXPORT)
        if cursor is None:
            return []
        found = [WasmExport(cursor.name(), cursor.byte(), cursor.number()) for _ in cursor.vector()]
        unknown = next((one.kind for one in found if one.kind not in EXTERN_SECTIONS), None)
        if unknown is not None:
            raise ArtifactError(f"section EXPORT: an export of kind {unknown}, which is not known")
        return found

    @cached_property
    def wide(self) -> bool:
        """Whether the first memory has 64-bit addresses."""
        if self.imports.by_kind[EXTERN_MEMORY]:
            return self.imports.wide
        cursor = self.wasm.cursor(MEMORY)
        return cursor is not None and bool(cursor.vector()) and _skip_limits(cursor)

    @cached_property
    def code(self) -> bytes:
        """The content of the code section."""
        return bytes(self.wasm.section(CODE) or b"")

    @cached_property
    def bodies(self) -> list[tuple[int, int]]:
        """Where each function defined here has its code: offset in the code section and size (bytes)."""
        data = self.code
        if not data:
            return []
        cursor = Cursor(data, "section CODE")
        found, count = [], len(cursor.vector())
        at, end = cursor.at, len(data)
        try:
            for _ in range(count):
                size = data[at]
                at += 1
                if size >= 0x80:  # noqa: PLR2004 - the continuation bit
                    size, at = long_number(data, at - 1)
                found.append((at, size))
                at += size
        except IndexError:
            at = end + 1
        if at > end:
            raise ArtifactError(f"section CODE: its {count} functions reach beyond its end")
        return found

    @cached_property
    def segments(self) -> list[tuple[int, int]]:
        """Where each data segment's bytes are: offset in the data section and size (bytes)."""
        cursor = self.wasm.cursor(DATA)
        if cursor is None:
            return []
        found = []
        for _ in cursor.vector():
            flags = cursor.number()
            if flags > _EXPLICIT_MEMORY:
                raise ArtifactError(f"section DATA: a segment's flags are {flags:#x}, which is not known")
            if flags == _EXPLICIT_MEMORY:
                cursor.skip_number()
            if flags != _PASSIVE:
                _skip_expression(cursor)
            size = cursor.number()
            found.append((cursor.at, size))
            cursor.take(size)
        return found

    def defined(self, kind: int) -> int:
        """The number of functions, tables, memories, globals or tags that are defined here."""
        cursor = self.wasm.cursor(EXTERN_SECTIONS[kind])
        return 0 if cursor is None else len(cursor.vector())


def _skip_type(cursor: Cursor, kind: int) -> bool:
    """An import's type; whether it is a memory of 64-bit addresses."""
    if kind == EXTERN_FUNCTION:
        cursor.skip_number()
    elif kind == EXTERN_TABLE:
        _skip_value_type(cursor)
        _skip_limits(cursor)
    elif kind == EXTERN_MEMORY:
        return _skip_limits(cursor)
    elif kind == EXTERN_GLOBAL:
        _skip_value_type(cursor)
        cursor.byte()
    elif kind == EXTERN_TAG:
        cursor.byte()
        cursor.skip_number()
    else:
        raise ArtifactError(f"section IMPORT: an import of kind {kind}, which is not known")
    return False


def _skip_value_type(cursor: Cursor) -> None:
    if cursor.byte() in _TYPED_REFERENCES:
        cursor.skip_number()


def _skip_limits(cursor: Cursor) -> bool:
    """A memory's or table's limits; whether its addresses have 64 bits."""
    flags = cursor.number()
    cursor.skip_number()
    for bit in (_HAS_MAXIMUM, _HAS_PAGE_SIZE):
        if flags & bit:
            cursor.skip_number()
    return bool(flags & _IS_64_BIT)


def _skip_expression(cursor: Cursor) -> None:
    """The constant expression of a segment's address."""
    while (opcode := cursor.byte()) != _END:
        if opcode in (_GLOBAL_GET, *_CONSTANTS, _REF_NULL, _REF_FUNC):
            cursor.skip_number()
        elif opcode in (_F32_CONST, _F64_CONST):
            cursor.take(4 if opcode == _F32_CONST else 8)
        elif opcode not in _ARITHMETIC:
            raise ArtifactError(f"section DATA: instruction {opcode:#x} in a segment's address is not known")
