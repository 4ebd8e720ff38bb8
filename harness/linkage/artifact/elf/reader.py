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
from linkage.artifact.elf.notes import read_notes
from linkage.artifact.elf.numbers import (  # fmt: skip
    DT_FINI_ARRAYSZ,
    DT_INIT_ARRAYSZ,
    DT_SYMTAB,
    DT_VERSYM,
    ET_CORE,
    ET_DYN,
    ET_EXEC,
    ET_REL,
    PF_X,
    PT_GNU_RELRO,
    PT_GNU_STACK,
    PT_INTERP,
    PT_TLS,
    SHF_EXECINSTR,
    SHF_TLS,
    SHT_DYNSYM,
    SHT_FINI_ARRAY,
    SHT_INIT_ARRAY,
    SHT_NOBITS,
    SHT_SYMTAB,
)
from linkage.artifact.elf.references import read_references
from linkage.artifact.facts import Dynamic, ObjectFile, ObjectType, Relro
from linkage.artifact.metadata.header import read_metadata
from linkage.artifact.request import COMMENT, FactsRequest
from linkage.artifact.tables import SymbolTable, column

_PATH_LIMIT = 4096  # bytes; PATH_MAX
_TYPES = {ET_REL: ObjectType.RELOCATABLE, ET_EXEC: ObjectType.EXECUTABLE, ET_CORE: ObjectType.CORE}
_BITCODE_SECTIONS = (".llvmbc", ".llvm.lto")
_STACK_SECTION = ".note.GNU-stack"
_METADATA_SECTIONS = (".rmeta", ".rustc")


def read_elf(data: memoryview, request: FactsRequest) -> ObjectFile:
    """The facts of an ELF file; ArtifactError if it is truncated or malformed."""
    elf = ElfFile(data)
    symtab = elf.first(SHT_SYMTAB)
    symbols = None if symtab is None else _with_comdats(elf, elf.symbols(symtab))
    is_debug = _is_debug_only(elf)
    linked = _UNLINKED if elf.header.type == ET_REL or is_debug else _linked(elf)
    metadata = _section(elf, _METADATA_SECTIONS)
    bitcode = _section(elf, _BITCODE_SECTIONS)
    build_id, properties = read_notes(elf)
    return ObjectFile(
        format=elf.header.format,
        machine=elf.machine,
        type=ObjectType.DEBUG if is_debug else _type(elf.header.type, pie=linked.pie),
        sections=elf.sections,
        symbols=symbols,
        dynamic_symbols=linked.symbols,
        dynamic=linked.dynamic,
        interpreter=linked.interpreter,
        pie=linked.pie,
        relro=linked.relro,
        bitcode=None if bitcode is None else read_bitcode(bitcode, form="section"),
        metadata=None if metadata is None else read_metadata(metadata),
        references={} if is_debug else read_references(elf, (symbols, linked.symbols), request),
        contents=read_contents(elf, _contents(elf, request)),
        executable_stack=_executable_stack(elf),
        properties=properties,
        build_id=build_id,
        init_array=_array(elf, linked, SHT_INIT_ARRAY, DT_INIT_ARRAYSZ),
        fini_array=_array(elf, linked, SHT_FINI_ARRAY, DT_FINI_ARRAYSZ),
        tls=_has_tls(elf),
    )


def _is_debug_only(elf: ElfFile) -> bool:
    """Whether its code is elsewhere: its sections are there, but take no place in the file."""
    if elf.header.type not in (ET_EXEC, ET_DYN) or elf.first(SHT_NOBITS) is None:
        return False
    code = [one for one in map(elf.section, range(elf.count)) if one.flags & SHF_EXECINSTR]
    return bool(code) and all(one.type == SHT_NOBITS for one in code)


def _executable_stack(elf: ElfFile) -> bool | None:
    """Whether the stack is executable; None if the file does not say."""
    if elf.header.type == ET_REL:
        for index in elf.sections.indexes(_STACK_SECTION):
            return bool(elf.section(index).flags & SHF_EXECINSTR)
        return None
    segment = next((s for s in elf.image.segments if s.type == PT_GNU_STACK), None)
    return None if segment is None else bool(segment.flags & PF_X)


def _array(elf: ElfFile, linked: "_Linked", section: int, tag: int) -> int:
    """The number of functions in an array of them: what the loader is told, else what the sections hold."""
    if linked.dynamic is not None:
        size = elf.image.value(tag) or 0
    else:
        size = sum(elf.section(index).size for index in elf.of_type(section))
    return size // (8 if elf.header.wide else 4)


def _has_tls(elf: ElfFile) -> bool:
    if elf.header.type == ET_REL:
        return any(flags & SHF_TLS for flags in column(elf.sections.flags, 8))
    return any(segment.type == PT_TLS for segment in elf.image.segments)


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


_UNLINKED = _Linked()


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
