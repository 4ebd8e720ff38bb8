"""The facts of an ELF file: an object, a library or an executable.

Format: "System V Application Binary Interface" (gABI), chapters "Object Files" and "Program Loading
and Dynamic Linking".
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from linkage.artifact.bitcode.reader import read_bitcode
from linkage.artifact.bounds import take
from linkage.artifact.elf.contents import read_contents
from linkage.artifact.elf.dynamic import Image, read_dynamic
from linkage.artifact.elf.file import ElfFile
from linkage.artifact.elf.groups import comdat_sections
from linkage.artifact.elf.numbers import (  # fmt: skip
    DT_SYMTAB,
    DT_VERSYM,
    ET_CORE,
    ET_DYN,
    ET_EXEC,
    ET_REL,
    PT_GNU_RELRO,
    PT_INTERP,
    SHT_DYNSYM,
    SHT_SYMTAB,
)
from linkage.artifact.elf.references import read_references
from linkage.artifact.facts import Dynamic, ObjectFile, ObjectType, Relro
from linkage.artifact.metadata.header import read_metadata
from linkage.artifact.request import COMMENT, FactsRequest
from linkage.artifact.tables import SymbolTable

_PATH_LIMIT = 4096  # bytes; PATH_MAX
_TYPES = {ET_REL: ObjectType.RELOCATABLE, ET_EXEC: ObjectType.EXECUTABLE, ET_CORE: ObjectType.CORE}
_BITCODE_SECTIONS = (".llvmbc", ".llvm.lto")
_METADATA_SECTIONS = (".rmeta", ".rustc")


def read_elf(data: memoryview, request: FactsRequest) -> ObjectFile:
    """The facts of an ELF file; ArtifactError if it is truncated or malformed."""
    elf = ElfFile(data)
    symtab = elf.first(SHT_SYMTAB)
    symbols = None if symtab is None else _with_comdats(elf, elf.symbols(symtab))
    linked = _linked(elf) if elf.header.type != ET_REL else _RELOCATABLE
    metadata = _section(elf, _METADATA_SECTIONS)
    bitcode = _section(elf, _BITCODE_SECTIONS)
    return ObjectFile(
        format=elf.header.format,
        machine=elf.machine,
        type=_type(elf.header.type, pie=linked.pie),
        sections=elf.sections,
        symbols=symbols,
        dynamic_symbols=linked.symbols,
        dynamic=linked.dynamic,
        interpreter=linked.interpreter,
        pie=linked.pie,
        relro=linked.relro,
        bitcode=None if bitcode is None else read_bitcode(bitcode, form="section"),
        metadata=None if metadata is None else read_metadata(metadata),
        references=read_references(elf, (symbols, linked.symbols), request),
        contents=read_contents(elf, _contents(elf, request)),
    )


def _with_comdats(elf: ElfFile, symbols: SymbolTable) -> SymbolTable:
    """An object's symbols with the COMDAT groups of their sections; a linked file has no groups."""
    found = comdat_sections(elf, symbols) if elf.header.type == ET_REL else {}
    if not found:
        return symbols
    numbers = {"": 0}
    indexes = [numbers.setdefault(found.get(index, ""), len(numbers)) for index in range(elf.count)]
    packed = struct.pack(f"<{len(indexes)}I", *indexes)
    return replace(symbols, comdat_indexes=packed, comdats=tuple(numbers))


def _contents(elf: ElfFile, request: FactsRequest) -> tuple[str, ...]:
    compared = request.for_comparison and elf.header.type != ET_REL
    return (*request.contents, COMMENT) if compared and COMMENT not in request.contents else request.contents


@dataclass(frozen=True, slots=True)
class _Linked:
    """What only a linked file has."""

    symbols: SymbolTable | None = None
    dynamic: Dynamic | None = None
    interpreter: str | None = None
    pie: bool = False
    relro: Relro = Relro.NONE


_RELOCATABLE = _Linked()


def _linked(elf: ElfFile) -> _Linked:
    dynamic, flagged = read_dynamic(elf.image)
    interpreter = _interpreter(elf)
    # ld.so and libc have an interpreter and can be run, yet are libraries: they have a name.
    runs = interpreter is not None and (dynamic is None or dynamic.soname is None)
    relro = Relro.NONE
    if any(segment.type == PT_GNU_RELRO for segment in elf.image.segments):
        relro = Relro.FULL if dynamic is not None and dynamic.bind_now else Relro.PARTIAL
    pie = elf.header.type == ET_DYN and (flagged or runs)
    return _Linked(_dynamic_symbols(elf), dynamic, interpreter, pie, relro)


def _dynamic_symbols(elf: ElfFile) -> SymbolTable | None:
    """The dynamic symbols with their versions: through SHT_DYNSYM, else as the loader finds them."""
    index = elf.first(SHT_DYNSYM)
    image = elf.image
    if index is not None:
        table = elf.symbols(index)
    else:
        address, count = image.value(DT_SYMTAB), image.symbol_count()
        if address is None or not count:
            return None
        size = count * (24 if elf.header.wide else 16)
        raw = take(image.data, image.offset(address, "DT_SYMTAB"), size, "DT_SYMTAB")
        table = elf.symbol_table(raw, image.strings, dynamic=True)
    return _with_versions(table, image)


def _with_versions(table: SymbolTable, image: Image) -> SymbolTable:
    address = image.value(DT_VERSYM)
    if address is None or not image.versions:
        return table
    offset = image.offset(address, "DT_VERSYM") + 2  # the null symbol's
    numbers = image.unpack(f"{len(table)}H", offset, "DT_VERSYM")
    names = [""] * (max(version.index & ~SymbolTable.VERSION_HIDDEN for version in image.versions) + 1)
    for version in image.versions:
        names[version.index & ~SymbolTable.VERSION_HIDDEN] = version.name
    indexes = struct.pack(f"<{len(numbers)}H", *numbers)
    return replace(table, version_indexes=indexes, versions=tuple(names))


def _interpreter(elf: ElfFile) -> str | None:
    segment = next((s for s in elf.image.segments if s.type == PT_INTERP), None)
    if segment is None:
        return None
    path = take(elf.data, segment.offset, segment.size, "interpreter")
    return bytes(path[:_PATH_LIMIT]).split(b"\0")[0].decode(errors="backslashreplace")


def _section(elf: ElfFile, names: Sequence[str]) -> memoryview | None:
    """The content of the first section that has one of these names."""
    strings = elf.sections.names
    for name in names:
        if name.encode() not in strings:
            continue  # one search through the names is all that most objects cost
        for index in elf.sections.indexes(name):
            return elf.content(index)
    return None


def _type(number: int, *, pie: bool) -> ObjectType:
    if number == ET_DYN:
        return ObjectType.EXECUTABLE if pie else ObjectType.SHARED
    return _TYPES.get(number, ObjectType.OTHER)
