"""The short members of an import library: one imported symbol each, without sections or a symbol table.

Format: Microsoft's "PE Format", "Import Library Format"; IMPORT_OBJECT_EXPORTAS and the four symbols of an
Arm64EC function: LLVM's `llvm/Object/COFFImportFile.h`.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace

from linkage.artifact.bounds import check_strings, take
from linkage.artifact.coff.numbers import (
    ARM64EC,
    ARM64X,
    I386,
    IMPORT_DATA,
    MACHINES,
    NAME_EXPORT_AS,
    NAME_NO_PREFIX,
    NAME_ORDINAL,
    NAME_UNDECORATED,
)
from linkage.artifact.coff.records import SIZE
from linkage.artifact.coff.source_names import PREFIX, source_name, with_source_names
from linkage.artifact.facts import Dynamic, ObjectFile, ObjectType, Relro
from linkage.artifact.tables import (
    Binding,
    SectionTable,
    Symbol,
    SymbolTable,
    SymbolType,
    Visibility,
)
from linkage.errors import ArtifactError

_HEADER = struct.Struct(
    "<4sHHIIHH"
)  # magic, version, machine, time, size of the names, ordinal or hint, type
_CODE_SECTION, _DATA_SECTION = ".text", ".idata$5"  # where a linker puts what it makes of it


def read_short_import(data: memoryview) -> ObjectFile:
    """The facts of an import; ArtifactError if it is truncated or malformed.

    It defines the function, a jump to it, unless it is data, and `__imp_` and its name: the address.
    """
    _, _, machine, _, size, ordinal, kinds = _HEADER.unpack(take(data, 0, _HEADER.size, "import's header"))
    raw = bytes(take(data, _HEADER.size, size, "import's names"))
    name, library, export_as = _texts(raw)
    kind, name_type = kinds & 3, kinds >> 2 & 7
    imported = export_as if name_type == NAME_EXPORT_AS and export_as else _imported(name, name_type, ordinal)
    if machine in (ARM64EC, ARM64X):
        symbols = SymbolTable.of(_arm64ec_symbols(name, is_data=kind == IMPORT_DATA))
        name = _plain_arm64ec(name)
    else:
        text = _TABLE.names + raw[: raw.index(b"\0") + 1]
        symbols = replace(_TABLE, names=text, records=_TABLE.records[: SIZE if kind == IMPORT_DATA else None])
    raw_names: Mapping[str, str] = {}
    if machine == I386:
        symbols, raw_names = with_source_names(symbols)
        name = source_name(name, prefixed=True)
    machine_name = MACHINES.get(machine, str(machine))
    return ObjectFile(
        format=f"coff-import-{machine_name}",
        machine=machine_name,
        type=ObjectType.RELOCATABLE,
        sections=SectionTable(),
        symbols=symbols,
        dynamic_symbols=None,
        dynamic=Dynamic(
            needed=(library,),
            imports={library: (imported,)},
            ordinals={name: ordinal} if name_type == NAME_ORDINAL else {},
        ),
        interpreter=None,
        pie=False,
        relro=Relro.NONE,
        bitcode=None,
        metadata=None,
        name_prefix=PREFIX if machine == I386 else "",
        raw_names=raw_names,
    )


def _texts(raw: bytes) -> tuple[str, str, str]:
    """The symbol, the library, and the name that it is exported as, if that is given."""
    check_strings(raw, "import's names")
    found = raw.decode(errors="backslashreplace").split("\0")
    if len(found) < 3:  # noqa: PLR2004 - two names, each with a NUL after it
        raise ArtifactError("an import whose names do not end")
    return found[0], found[1], found[2]


def _imported(name: str, name_type: int, ordinal: int) -> str:
    """What the loader looks for in the library."""
    if name_type == NAME_ORDINAL:
        return f"#{ordinal}"
    if name_type in (NAME_NO_PREFIX, NAME_UNDECORATED):
        name = name[1:] if name[:1] in ("?", "@", "_") else name
    return name.partition("@")[0] if name_type == NAME_UNDECORATED else name


def _plain_arm64ec(name: str) -> str:
    return name.removeprefix("#") if name.startswith("#") else name.replace("$$h", "", 1)


def _arm64ec_symbols(name: str, *, is_data: bool) -> Iterator[Symbol]:
    plain = _plain_arm64ec(name)
    yield _symbol(f"__imp_{plain}", SymbolType.OBJECT)
    if not is_data:
        yield _symbol(plain, SymbolType.FUNC)
        yield _symbol(f"__imp_aux_{plain}", SymbolType.OBJECT)
        yield _symbol(name, SymbolType.FUNC)


def _symbol(name: str, kind: SymbolType) -> Symbol:
    return Symbol(
        name,
        Binding.GLOBAL,
        Visibility.DEFAULT,
        kind,
        defined=True,
        absolute=False,
        section=_CODE_SECTION if kind is SymbolType.FUNC else _DATA_SECTION,
        value=0,
        size=0,
    )


def _table() -> SymbolTable:
    """The symbols of every import but for the name, which is still to be added behind `names`, once: the
    function's is the end of the address's. Import libraries have thousands of members.
    """
    whole = SymbolTable.of([_symbol("__imp_", SymbolType.OBJECT), _symbol("", SymbolType.FUNC)])
    names = whole.names.replace(b"__imp_\0", b"") + b"__imp_"
    places = {text: names.index(text) for text in (b"__imp_", b".text", b".idata$5")}
    records = bytearray(whole.records)
    for at, place in ((0, places[b"__imp_"]), (SIZE, len(names))):
        records[at : at + 4] = place.to_bytes(4, "little")
    offsets = b"".join(place.to_bytes(4, "little") for place in (0, places[b".idata$5"], places[b".text"]))
    return replace(whole, names=names, records=bytes(records), section_offsets=offsets)


_TABLE = _table()
