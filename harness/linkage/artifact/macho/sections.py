"""The sections of a Mach-O file in the layout of the packed table, with the nearest types of ELF."""

import struct

from linkage.artifact.macho.file import MachoFile, MachoSection
from linkage.artifact.macho.numbers import (  # fmt: skip
    S_4BYTE_LITERALS,
    S_8BYTE_LITERALS,
    S_16BYTE_LITERALS,
    S_ATTR_DEBUG,
    S_ATTR_PURE_INSTRUCTIONS,
    S_ATTR_SOME_INSTRUCTIONS,
    S_CSTRING_LITERALS,
    S_INIT_FUNC_OFFSETS,
    S_MOD_INIT_FUNC_POINTERS,
    S_MOD_TERM_FUNC_POINTERS,
    S_THREAD_LOCAL_REGULAR,
    S_THREAD_LOCAL_VARIABLES,
    S_THREAD_LOCAL_ZEROFILL,
)
from linkage.artifact.tables import SectionTable

TLS_SECTIONS = (S_THREAD_LOCAL_REGULAR, S_THREAD_LOCAL_ZEROFILL, S_THREAD_LOCAL_VARIABLES)
CODE = S_ATTR_PURE_INSTRUCTIONS | S_ATTR_SOME_INSTRUCTIONS

_PROGBITS, _NOBITS, _INIT_ARRAY, _FINI_ARRAY = 1, 8, 14, 15
_TYPES = {
    S_MOD_INIT_FUNC_POINTERS: _INIT_ARRAY,
    S_INIT_FUNC_OFFSETS: _INIT_ARRAY,
    S_MOD_TERM_FUNC_POINTERS: _FINI_ARRAY,
}
_WRITE, _ALLOC, _EXECUTE, _MERGE, _STRINGS, _TLS = 0x1, 0x2, 0x4, 0x10, 0x20, 0x400
_UNLOADED = (b"__DWARF", b"__LLVM")  # segments that no linker puts into memory
_FLAGS = {
    S_CSTRING_LITERALS: _MERGE | _STRINGS,
    **dict.fromkeys((S_4BYTE_LITERALS, S_8BYTE_LITERALS, S_16BYTE_LITERALS), _MERGE),
    **dict.fromkeys(TLS_SECTIONS, _TLS),
}


def packed_sections(macho: MachoFile) -> SectionTable:
    """All sections, named `SEGMENT,SECTION`; an empty table if there are none."""
    sections = macho.sections
    if not sections:
        return SectionTable()
    names, offsets = bytearray(b"\0"), [0]
    for one in sections:
        offsets.append(len(names))
        names += one.name + b"\0"
    count = len(offsets)
    return SectionTable(
        bytes(names),
        struct.pack(f"<{count}I", *offsets),
        struct.pack(f"<{count}I", 0, *map(_type, sections)),
        struct.pack(f"<{count}Q", 0, *map(_flags, sections)),
        struct.pack(f"<{count}Q", 0, *(one.size for one in sections)),
    )


def _type(section: MachoSection) -> int:
    if not section.has_content:
        return _NOBITS
    return _TYPES.get(section.type, _PROGBITS)


def _flags(section: MachoSection) -> int:
    flags = _FLAGS.get(section.type, 0)
    if not section.flags & S_ATTR_DEBUG and section.segment not in _UNLOADED:
        flags |= _ALLOC
    if section.flags & CODE:
        flags |= _EXECUTE
    return flags | _WRITE * section.writable
