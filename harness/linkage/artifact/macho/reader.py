"""The facts of a Mach-O file: an object, a library, a bundle, an executable or a dSYM companion.

Format: Apple's <mach-o/loader.h>. Other documents are named where they are used.
"""

from linkage.artifact.bitcode import reader as bitcode
from linkage.artifact.facts import Bitcode, Metadata, ObjectFile, ObjectType, Relro
from linkage.artifact.macho.contents import read_contents
from linkage.artifact.macho.dynamic import dynamic_facts, read_linkage
from linkage.artifact.macho.dynamic_symbols import DynamicSymbols
from linkage.artifact.macho.file import MachoFile
from linkage.artifact.macho.names import PREFIX, raw_names
from linkage.artifact.macho.numbers import (  # fmt: skip
    LC_LINKER_OPTION,
    LC_LOAD_DYLINKER,
    LC_ROUTINES,
    LC_ROUTINES_64,
    LC_UUID,
    MH_ALLOW_STACK_EXECUTION,
    MH_BUNDLE,
    MH_CORE,
    MH_DSYM,
    MH_DYLIB,
    MH_DYLIB_STUB,
    MH_EXECUTE,
    MH_HAS_TLV_DESCRIPTORS,
    MH_OBJECT,
    MH_PIE,
    MH_PRELOAD,
    S_INIT_FUNC_OFFSETS,
    S_MOD_INIT_FUNC_POINTERS,
    S_MOD_TERM_FUNC_POINTERS,
    machine_name,
)
from linkage.artifact.macho.references import read_references
from linkage.artifact.macho.sections import TLS_SECTIONS, packed_sections
from linkage.artifact.macho.symbols import read_symbols
from linkage.artifact.metadata.header import read_metadata
from linkage.artifact.request import FactsRequest
from linkage.errors import ArtifactError

_TYPES = {
    MH_OBJECT: ObjectType.RELOCATABLE,
    MH_EXECUTE: ObjectType.EXECUTABLE,
    MH_PRELOAD: ObjectType.EXECUTABLE,
    MH_CORE: ObjectType.CORE,
    MH_DYLIB: ObjectType.SHARED,
    MH_BUNDLE: ObjectType.SHARED,
    MH_DYLIB_STUB: ObjectType.SHARED,
    MH_DSYM: ObjectType.DEBUG,
}
_BITCODE_SECTION = b"__LLVM,__bitcode"
_METADATA_SECTIONS = (b"__DWARF,.rmeta", b"__DATA,.rustc")
_UUID = 16  # bytes


def read_macho(data: memoryview, request: FactsRequest) -> ObjectFile:
    """The facts of a Mach-O file; ArtifactError if it is truncated or malformed."""
    macho = MachoFile(data)
    header = macho.header
    sections = packed_sections(macho)
    found = read_symbols(macho)
    linkage = read_linkage(macho, found)
    dynamic = None if linkage is None else DynamicSymbols(macho, linkage, found)
    names = raw_names([one.names for one in (found, dynamic) if one is not None])
    symbols = None if found is None else found.table(sections)
    dynamic_symbols = None if dynamic is None else dynamic.table(sections)
    runs = header.type == MH_EXECUTE
    dynamic_linker = macho.command(LC_LOAD_DYLINKER)
    return ObjectFile(
        format=header.format,
        machine=machine_name(header.cpu_type),
        type=_TYPES.get(header.type, ObjectType.OTHER),
        sections=sections,
        symbols=symbols,
        dynamic_symbols=dynamic_symbols,
        dynamic=None if linkage is None else dynamic_facts(macho, linkage, names),
        interpreter=None if dynamic_linker is None else macho.text(dynamic_linker, 8, "LC_LOAD_DYLINKER"),
        pie=runs and bool(header.flags & MH_PIE),
        relro=Relro.NONE,
        bitcode=_bitcode(macho),
        metadata=_metadata(macho),
        references=read_references(macho, found, (symbols, dynamic_symbols), request),
        contents=read_contents(macho, request.contents),
        executable_stack=bool(header.flags & MH_ALLOW_STACK_EXECUTION) if runs else None,
        build_id=_build_id(macho),
        init_array=_functions(macho, S_MOD_INIT_FUNC_POINTERS)
        + _functions(macho, S_INIT_FUNC_OFFSETS)
        + (macho.command(LC_ROUTINES, LC_ROUTINES_64) is not None),
        fini_array=_functions(macho, S_MOD_TERM_FUNC_POINTERS),
        tls=bool(header.flags & MH_HAS_TLV_DESCRIPTORS)
        or any(one.type in TLS_SECTIONS for one in macho.sections),
        name_prefix=PREFIX,
        raw_names=names,
        linker_options=tuple(_linker_options(macho)),
    )


def _functions(macho: MachoFile, kind: int) -> int:
    """The number of functions in the sections that are lists of them."""
    width = 8 if macho.header.wide and kind != S_INIT_FUNC_OFFSETS else 4
    return sum(one.size for one in macho.sections if one.type == kind) // width


def _build_id(macho: MachoFile) -> str | None:
    command = macho.command(LC_UUID)
    if command is None:
        return None
    if len(command) < 8 + _UUID:
        raise ArtifactError(f"LC_UUID has {len(command) - 8} bytes; a UUID has {_UUID}")
    return bytes(command[8 : 8 + _UUID]).hex()


def _linker_options(macho: MachoFile) -> list[str]:
    """What each LC_LINKER_OPTION asks for: one option, its arguments after a space."""
    found = []
    for command in macho.commands:
        if command.number == LC_LINKER_OPTION:
            (count,) = macho.numbers(command.data, "I", 8, "LC_LINKER_OPTION")
            words = bytes(command.data[12:]).split(b"\0")[:-1]
            if count > len(words):
                raise ArtifactError(f"LC_LINKER_OPTION declares {count} strings, but has {len(words)}")
            found.append(" ".join(one.decode(errors="backslashreplace") for one in words[:count]))
    return found


def _bitcode(macho: MachoFile) -> Bitcode | None:
    """The bitcode; a section with a single zero byte says only that there was some."""
    for number in macho.named(_BITCODE_SECTION):
        content = macho.content(number)
        if bytes(content[:4]) in (bitcode.MAGIC, bitcode.WRAPPER_MAGIC):
            return bitcode.read_bitcode(content, form="section")
    return None


def _metadata(macho: MachoFile) -> Metadata | None:
    for number in macho.named(*_METADATA_SECTIONS):
        return read_metadata(macho.content(number))
    return None
