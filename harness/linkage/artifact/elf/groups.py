"""COMDAT: which sections are copies of something that the linker keeps once.

Formats: gABI, chapter "Sections", "Section Groups"; before there were groups, GNU tools named such sections
`.gnu.linkonce.KIND.NAME`.
"""

import struct

from linkage.artifact.elf.file import ElfFile
from linkage.artifact.elf.numbers import GRP_COMDAT, SHT_GROUP
from linkage.artifact.facts import SymbolTable, SymbolType
from linkage.errors import ArtifactError

_LINKONCE = ".gnu.linkonce."


def comdat_sections(elf: ElfFile, symbols: SymbolTable) -> dict[int, str]:
    """The signature of each section's COMDAT group, by the section's index; `symbols` name the groups."""
    found: dict[int, str] = {}
    if _LINKONCE.encode() in elf.sections.names:
        for index, name in enumerate(elf.sections.listed(), 1):
            if name.startswith(_LINKONCE):
                found[index] = name.removeprefix(_LINKONCE).partition(".")[2]
    left = len(elf.data)
    for index in elf.of_type(SHT_GROUP):
        group = elf.section(index)
        left -= group.size
        if left < 0:
            raise ArtifactError(f"section group {index} overlaps another")
        raw = elf.content(index)
        words = struct.unpack(f"{elf.header.order}{len(raw) // 4}I", raw[: len(raw) // 4 * 4])
        if words and words[0] & GRP_COMDAT:
            found |= dict.fromkeys(words[1:], _signature(symbols, group.info, index))
    return found


def _signature(symbols: SymbolTable, index: int, group: int) -> str:
    """The name of a group's symbol; of a section symbol, the section's."""
    if not 0 < index <= len(symbols):
        raise ArtifactError(f"section group {group}: it is named by symbol {index} of {len(symbols) + 1}")
    symbol = symbols[index - 1]
    return (symbol.section or "") if symbol.type is SymbolType.SECTION else symbol.name
