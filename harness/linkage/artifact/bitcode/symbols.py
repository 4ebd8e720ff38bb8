"""The symbol table that LLVM writes into bitcode for linkers.

A module's SYMTAB_BLOCK holds one blob, its STRTAB_BLOCK the names. Layout: llvm/Object/IRSymtab.h, namespace
`storage` (versions 1 to 3 begin alike), flags: `storage::Symbol::FlagBits`.
"""

import struct

from linkage.artifact.bitcode.bitstream import blocks, first_blob
from linkage.artifact.bounds import take
from linkage.artifact.tables import Binding, Symbol, SymbolTable, SymbolType, Visibility
from linkage.errors import ArtifactError

SECTION = "(bitcode)"
"""The section of what bitcode defines: the real one is not known before code is generated."""

_STRTAB, _SYMTAB = 23, 25  # block ids
_SYMBOLS = struct.Struct(
    "<II"
)  # the offset and the number of symbols, after version, producer, modules, comdats
_SYMBOLS_AT = 28
_SYMBOL = struct.Struct("<IIIIiI")  # name, IR name (offset and size each), comdat index, flags
_VERSIONS = range(1, 4)
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
    if version not in _VERSIONS:
        raise ArtifactError(f"bitcode symbol table of version {version}, which is not known")
    offset, count = _SYMBOLS.unpack(take(table, _SYMBOLS_AT, _SYMBOLS.size, "bitcode symbol table"))
    records = take(table, offset, count * _SYMBOL.size, "bitcode symbols")
    symbols = []
    for name, length, _, _, _comdat, flags in _SYMBOL.iter_unpack(records):
        if not flags & _FORMAT_SPECIFIC:
            text = bytes(take(names, name, length, "bitcode symbol's name"))
            symbols.append(_symbol(text.decode(errors="backslashreplace"), flags))
    return SymbolTable.of(symbols)


def _symbol(name: str, flags: int) -> Symbol:
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
    )


def _type(flags: int, *, defined: bool) -> SymbolType:
    if flags & _COMMON:
        return SymbolType.COMMON
    if flags & _TLS:
        return SymbolType.TLS
    if not defined:
        return SymbolType.NOTYPE
    return SymbolType.FUNC if flags & _EXECUTABLE else SymbolType.OBJECT
