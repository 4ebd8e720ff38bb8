"""An image's exports and imports as a symbol table, and what it asks of the loader."""

import struct
from collections.abc import Mapping
from itertools import accumulate

from linkage.artifact.coff.exports import Exports, read_exports
from linkage.artifact.coff.image import PeImage, shown
from linkage.artifact.coff.imports import Imports
from linkage.artifact.coff.numbers import I386, SCN_EXECUTE
from linkage.artifact.coff.records import packed_records
from linkage.artifact.coff.source_names import source_name, with_source_names
from linkage.artifact.facts import Dynamic
from linkage.artifact.tables import SHN_UNDEF, Binding, SectionTable, SymbolTable, SymbolType

_NOTYPE, _OBJECT, _FUNC = (
    Binding.GLOBAL << 4 | kind for kind in (SymbolType.NOTYPE, SymbolType.OBJECT, SymbolType.FUNC)
)


def read_dynamic(
    image: PeImage, sections: SectionTable, imports: Imports
) -> tuple[Dynamic, SymbolTable, Mapping[str, str]]:
    """What is asked of the loader; the exports, then the imports; their raw names if the source's differ.

    A function that is forwarded is in the section of the export table, of type NOTYPE and value 0.
    """
    exports = read_exports(image)
    table = _table(image, exports, imports, sections)
    raw_names: Mapping[str, str] = {}
    spelled = shown
    if image.coff.header.machine == I386:
        table, raw_names = with_source_names(table, prefixed=False)

        def spelled(text: str) -> str:
            return source_name(shown(text), prefixed=False)

    ordinals = exports.ordinals
    if spelled is not shown or not "".join(ordinals).isascii():
        ordinals = {spelled(name): number for name, number in ordinals.items()}
    libraries = {name: shown(name) for name in imports.names}
    dynamic = Dynamic(
        needed=tuple(libraries.values()),
        soname=None if exports.library is None else shown(exports.library),
        optional=tuple(libraries[name] for name in dict.fromkeys(imports.delayed)),
        imports={libraries[name]: tuple(map(spelled, names)) for name, names in imports.names.items()},
        ordinals=ordinals,
        forwarders={spelled(name): shown(target) for name, target in exports.forwarders.items()},
    )
    return dynamic, table, raw_names


def _table(image: PeImage, exports: Exports, imports: Imports, sections: SectionTable) -> SymbolTable:
    imported = [name for names in imports.names.values() for name in names]
    names = [*exports.names, *imported]
    text = "\0".join(["", *names, ""]).encode("latin-1")
    offsets = list(accumulate([len(name) + 1 for name in names], initial=1))[:-1]
    numbers = image.sections_at(exports.addresses)
    infos = [_OBJECT] + [_FUNC if flag & SCN_EXECUTE else _OBJECT for flag in image.coff.flags]
    kinds = [infos[number] for number in numbers]
    if exports.forwarders:
        (home,) = image.sections_at([exports.start])
        for at, name in enumerate(exports.names):
            if not exports.addresses[at] and name in exports.forwarders:
                numbers[at], kinds[at] = home, _NOTYPE
    count = len(imported)
    records = packed_records(
        struct.pack(f"<{len(names)}I", *offsets),
        bytes(kinds) + bytes([_NOTYPE]) * count,
        struct.pack(f"<{len(numbers)}H", *numbers) + struct.pack("<H", SHN_UNDEF) * count,
        struct.pack(f"<{len(numbers)}I", *exports.addresses) + bytes(4 * count),
    )
    return SymbolTable(text, bytes(records), sections.name_offsets, sections.names)
