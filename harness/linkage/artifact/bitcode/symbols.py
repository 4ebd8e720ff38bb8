"""The symbol table that LLVM writes into bitcode for linkers.

A module's SYMTAB_BLOCK holds one blob, its STRTAB_BLOCK the names. Layout: llvm/Object/IRSymtab.h, namespace
`storage` (versions 1 to 3 begin alike), flags: `storage::Symbol::FlagBits`. The names are those of the object
file; as in its facts, the `_` that Apple's platforms put before each is left out.
"""

import struct

from linkage.artifact.bitcode.bitstream import blocks, first_blob
from linkage.artifact.bounds import take
from linkage.artifact.tables import Binding, Symbol, SymbolTable, SymbolType, Visibility
from linkage.errors import ArtifactError

SECTION = "(bitcode)"
"""The section of what bitcode defines: the real one is not known before code is generated."""

_STRTAB, _SYMTAB = 23, 25  # block ids
_RANGE = struct.Struct("<II")  # offset and number; of COMDATs and symbols, after version, producer, modules
_COMDATS_AT, _SYMBOLS_AT, _TRIPLE_AT = 20, 28, 44
_APPLE, _APPLE_PREFIX = "-apple-", "_"
_COMDAT_SIZES = {1: 8, 2: 8, 3: 12}  # by version: name (offset and size), from 3 on the kind of selection
_NO_DUPLICATES = 3  # Comdat::NoDeduplicate: a second definition is an error
_SYMBOL = struct.Struct("<IIIIiI")  # name, IR name (offset and size each), comdat index, flags
_VISIBILITIES = (Visibility.DEFAULT, Visibility.HIDDEN, Visibility.PROTECTED, Visibility.DEFAULT)
_UNDEFINED, _WEAK, _COMMON, _TLS, _GLOBAL, _FORMAT_SPECIFIC, _EXECUTABLE = (
    1 << bit for bit in (3, 4, 5, 8, 10, 11, 13)
)


def read_symbols(data: memoryview) -> SymbolTable | None:
    """The symbols of raw bitcode; None if it has no symbol table, as if LLVM does not know the target.

    Raises ArtifactError for a table that is damaged or of an unknown version.
    """
    found = {
        block: first_blob(body, width) for block, width, body in blocks(data) if block in (_STRTAB, _SYMTAB)
    }
    table, names = found.get(_SYMTAB), found.get(_STRTAB)
    if table is None or names is None or not table:
        return None
    version = int.from_bytes(take(table, 0, 4, "bitcode symbol table"), "little")
    if version not in _COMDAT_SIZES:
        raise ArtifactError(f"bitcode symbol table of version {version}, which is not known")
    comdats = _comdats(table, names, _COMDAT_SIZES[version])
    prefix = _prefix(table, names)
    symbols = []
    for name, length, _, _, comdat, flags in _SYMBOL.iter_unpack(_range(table, _SYMBOLS_AT, _SYMBOL.size)):
        if flags & _FORMAT_SPECIFIC:
            continue
        if comdat >= len(comdats):
            raise ArtifactError(f"bitcode symbol table: COMDAT {comdat} of {len(comdats)} is referred to")
        source_name = _text(names, name, length).removeprefix(prefix)
        symbols.append(_symbol(source_name, flags, comdats[comdat] if comdat >= 0 else None))
    return SymbolTable.of(symbols)


def _prefix(table: memoryview, names: memoryview) -> str:
    """What the platform of the target triple puts before each name."""
    triple = _text(names, *_RANGE.unpack(take(table, _TRIPLE_AT, _RANGE.size, "bitcode symbol table")))
    return _APPLE_PREFIX if _APPLE in triple else ""


def _comdats(table: memoryview, names: memoryview, size: int) -> list[str | None]:
    """The names of the COMDAT groups; None for one that linkers do not keep once."""
    raw = _range(table, _COMDATS_AT, size)
    words = struct.iter_unpack(f"<{size // 4}I", raw)
    return [
        None if _NO_DUPLICATES in selection else _text(names, name, length)
        for name, length, *selection in words
    ]


def _range(table: memoryview, at: int, size: int) -> memoryview:
    offset, count = _RANGE.unpack(take(table, at, _RANGE.size, "bitcode symbol table"))
    return take(table, offset, count * size, "bitcode symbols")


def _text(names: memoryview, offset: int, length: int) -> str:
    return bytes(take(names, offset, length, "bitcode symbol's name")).decode(errors="backslashreplace")


def _symbol(name: str, flags: int, comdat: str | None) -> Symbol:
    binding = Binding.WEAK if flags & _WEAK else Binding.GLOBAL if flags & _GLOBAL else Binding.LOCAL
    defined = not flags & _UNDEFINED
    return Symbol(
        name,
        binding,
        _VISIBILITIES[flags & 3],
        _type(flags, defined=defined),
        defined=defined,
        absolute=False,
        section=SECTION if defined and not flags & _COMMON else None,
        value=0,
        size=0,
        comdat=comdat if defined else None,
    )


def _type(flags: int, *, defined: bool) -> SymbolType:
    if flags & _COMMON:
        return SymbolType.COMMON
    if flags & _TLS:
        return SymbolType.TLS
    if not defined:
        return SymbolType.NOTYPE
    return SymbolType.FUNC if flags & _EXECUTABLE else SymbolType.OBJECT
