"""What a linked file imports, by its chained fixups or its symbol table.

Formats: Apple's <mach-o/fixup-chains.h> (`dyld_chained_fixups_header`, `dyld_chained_import` and its two
other forms) and <mach-o/nlist.h> (GET_LIBRARY_ORDINAL).
"""

import struct
from collections.abc import Iterator

from linkage.artifact.bounds import take
from linkage.artifact.macho.bind_opcodes import FLAT_LOOKUP, MAIN_EXECUTABLE, MachoImport
from linkage.artifact.macho.file import MachoFile
from linkage.artifact.macho.names import names_at
from linkage.artifact.macho.numbers import MH_TWOLEVEL, N_EXT, N_WEAK_REF
from linkage.artifact.macho.symbols import MachoSymbols, is_defined
from linkage.errors import ArtifactError

_FORMATS = {1: ("I", 9, 8, 0xF0), 2: ("Ii", 9, 8, 0xF0), 3: ("QQ", 32, 16, 0xFFF0)}
"""By imports_format: an import, the bits below the name's offset, those of the ordinal, its highest value."""
_SYMTAB_ORDINALS = {0xFE: FLAT_LOOKUP, 0xFF: MAIN_EXECUTABLE}


def chained_imports(macho: MachoFile, fixups: memoryview) -> list[MachoImport]:
    """The imports of LC_DYLD_CHAINED_FIXUPS. ArtifactError if its strings are compressed."""
    what = "chained fixups"
    version, _, imports, strings, count, format_, compression = macho.numbers(fixups, "7I", 0, what)
    if version:
        raise ArtifactError(f"{what} of version {version}, which is not known")
    if compression:
        raise ArtifactError(f"{what}: the names of the imports are compressed, which is not supported")
    if format_ not in _FORMATS:
        raise ArtifactError(f"{what}: imports of format {format_}, which is not known")
    layout, shift, ordinal_bits, last = _FORMATS[format_]
    entry = struct.Struct(macho.header.order + layout)
    raw = take(fixups, imports, count * entry.size, "chained imports")
    if strings > len(fixups):
        raise ArtifactError(f"{what}: the names are at {strings:#x} of {len(fixups)} bytes")
    fields = [first for first, *_ in entry.iter_unpack(raw)]
    names = names_at(bytes(fixups[strings:]) + b"\0", [one >> shift for one in fields], "an import")
    ordinals = [one & ((1 << ordinal_bits) - 1) for one in fields]
    return [
        MachoImport(name, ordinal - (ordinal > last) * (1 << ordinal_bits), bool(one >> ordinal_bits & 1))
        for name, ordinal, one in zip(names, ordinals, fields, strict=True)
    ]


def undefined_imports(macho: MachoFile, symbols: MachoSymbols) -> Iterator[MachoImport]:
    """The undefined symbols of the symbol table, with their libraries if there are two levels of names."""
    two_levels = macho.header.flags & MH_TWOLEVEL
    wanted = [index for index, word in enumerate(symbols.words) if word & N_EXT and not is_defined(word)]
    names = names_at(symbols.names.strings, [symbols.raw_offsets[index] for index in wanted], "a symbol")
    for index, name in zip(wanted, names, strict=True):
        word = symbols.words[index]
        number = word >> 24
        ordinal = _SYMTAB_ORDINALS.get(number, number) if two_levels else FLAT_LOOKUP
        yield MachoImport(name, ordinal, bool(word >> 16 & N_WEAK_REF))
