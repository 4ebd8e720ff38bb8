"""Relocations of an ELF file: the place that is patched, and the symbol that it refers to.

Formats: gABI, chapter "Relocation"; MIPS, "64-bit ELF Object File Specification", section "Relocation". Only
the fields that every architecture shares are read.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from linkage.artifact.elf.file import ElfFile
from linkage.artifact.elf.numbers import EM_MIPS, SHT_REL, SHT_RELA
from linkage.errors import ArtifactError


@dataclass(frozen=True, slots=True)
class Relocation:
    """`symbol` is an index into the symbol table (0: none); `addend` is None if the patched place has it."""

    offset: int
    symbol: int
    type: int
    addend: int | None


@dataclass(frozen=True, slots=True)
class RelocationSection:
    """A relocation section, and the section that it applies to (0: none)."""

    index: int
    target: int
    explicit: bool  # RELA


def relocation_sections(elf: ElfFile) -> Iterator[RelocationSection]:
    """All sections of relocations; ArtifactError if they overlap, as reading them would have no bound."""
    left = len(elf.data)
    for index in range(elf.count):
        section = elf.section(index)
        if section.type in (SHT_RELA, SHT_REL):
            left -= section.size
            if left < 0:
                raise ArtifactError(f"relocation section {index} overlaps another")
            yield RelocationSection(index, section.info, section.type == SHT_RELA)


def relocations(elf: ElfFile, section: RelocationSection) -> Iterator[Relocation]:
    """A section's relocations, in order."""
    wide, order = elf.header.wide, elf.header.order
    layout = struct.Struct(order + ("QQ" if wide else "II") + ("qi"[not wide] if section.explicit else ""))
    raw = elf.content(section.index)
    shift = 32 if wide else 8
    is_mips = wide and order == "<" and elf.header.machine == EM_MIPS
    for entry in layout.iter_unpack(raw[: len(raw) // layout.size * layout.size]):
        offset, info = entry[:2]
        addend = entry[2] if section.explicit else None
        if is_mips:  # its symbol is first in the file, then four bytes, of which the type is the last
            info = (info & 0xFFFFFFFF) << 32 | int.from_bytes(info.to_bytes(8, "big")[:4], "little")
        yield Relocation(offset, info >> shift, info & ((1 << shift) - 1), addend)
