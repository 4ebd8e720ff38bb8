"""A module's sections as a packed table, and which of its rows a symbol is in.

The rows are the file's sections, in order, then its data segments if they have names (an object's are in
its `linking` section, a linked module's in its `name` section): a segment is what a section is in other
formats. Symbols of a function that is in a COMDAT group have a row of their own, which is not in the table.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from linkage.artifact.tables import SectionTable
from linkage.artifact.wasm.file import WasmSection
from linkage.artifact.wasm.linking import SegmentInfo
from linkage.artifact.wasm.numbers import CODE, CUSTOM, DATA, SEGMENT_STRINGS, SEGMENT_TLS

_PROGBITS, _SYMTAB, _RELA = 1, 2, 4
_WRITE, _ALLOC, _EXECINSTR, _STRINGS, SHF_TLS = 0x1, 0x2, 0x4, 0x20, 0x400  # ELF's SHF_*
_SYMBOL_SECTIONS = {"linking": _SYMTAB, "name": _SYMTAB}
_FLAGS = {CODE: _ALLOC | _EXECINSTR, DATA: _ALLOC | _WRITE}


@dataclass(slots=True)
class WasmLayout:
    """The table, and the rows (sections' indexes, from 1 on) of sections by id and of segments by index."""

    table: SectionTable
    rows: dict[int, int]
    first_segment: int
    offsets: list[int] = field(default_factory=list)
    """Of each row's name in the table's names, the null section's first."""


def layout_of(
    sections: Sequence[WasmSection], segments: Sequence[SegmentInfo], sizes: Sequence[int]
) -> WasmLayout:
    """The table of these sections and segments, whose sizes are in bytes."""
    names, at = [b""], 1
    offsets, types, flags = [0], [0], [0]
    for section in sections:
        name = plain(section.name.encode())
        names.append(name)
        offsets.append(at)
        at += len(name) + 1
        types.append(_type(section))
        flags.append(_FLAGS.get(section.id, 0))
    for segment in segments:
        name = plain(segment.name)
        names.append(name)
        offsets.append(at)
        at += len(name) + 1
        types.append(_PROGBITS)
        flags.append(_segment_flags(segment.flags))
    count = len(offsets)
    widths = [0, *(section.end - section.start for section in sections), *sizes[: len(segments)]]
    table = SectionTable(
        b"\0".join(names) + b"\0",
        struct.pack(f"<{count}I", *offsets),
        struct.pack(f"<{count}I", *types),
        struct.pack(f"<{count}Q", *flags),
        struct.pack(f"<{count}Q", *widths),
    )
    rows = {section.id: row for row, section in enumerate(sections, 1) if section.id}
    return WasmLayout(table, rows, len(sections) + 1, offsets)


def plain(name: bytes) -> bytes:
    """A name without NUL, which ends one in a table."""
    return name.replace(b"\0", rb"\x00")


def _type(section: WasmSection) -> int:
    if section.id == CUSTOM:
        return _RELA if section.name.startswith("reloc.") else _SYMBOL_SECTIONS.get(section.name, _PROGBITS)
    return _PROGBITS


def _segment_flags(bits: int) -> int:
    strings = _STRINGS if bits & SEGMENT_STRINGS else 0
    return _ALLOC | _WRITE | strings | (SHF_TLS if bits & SEGMENT_TLS else 0)
