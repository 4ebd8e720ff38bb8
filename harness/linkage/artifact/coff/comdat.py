"""COMDAT: which sections are copies of something that the linker keeps once.

Format: Microsoft's "PE Format", "COMDAT Sections (Object Only)": the first symbol of such a section is the
section's and tells in an auxiliary record what is done with copies; the second one names it.
"""

import struct
from collections.abc import Mapping
from dataclasses import replace

from linkage.artifact.coff.file import CoffFile
from linkage.artifact.coff.numbers import SCN_COMDAT, SELECT_ASSOCIATIVE, SELECT_NO_DUPLICATES
from linkage.artifact.coff.symbols import SECTION_INFO, CoffSymbols
from linkage.artifact.tables import SymbolTable

_DEFINITION = struct.Struct(
    "<IHHIHBxH"
)  # size, relocations, lines, checksum, section, selection, its upper half
_INFO_AT = 4
_MOST_LINKS = 16  # associative sections that lead to each other


def with_comdats(coff: CoffFile, symbols: CoffSymbols) -> SymbolTable:
    """An object's symbols with the names of the COMDAT sections that they are in.

    A section of which a second copy is an error has no name.
    """
    table = symbols.table
    comdats = {index for index, flags in enumerate(coff.flags, 1) if flags & SCN_COMDAT}
    if not comdats:
        return table
    selections = _selections(symbols, comdats)
    leaders = _leaders(symbols, {one for one in selections if selections[one][0] > SELECT_NO_DUPLICATES})
    numbers = {"": 0}
    indexes = [
        numbers.setdefault(_signature(index, selections, leaders), len(numbers)) if index in selections else 0
        for index in range(coff.count + 1)
    ]
    if len(numbers) == 1:
        return table
    return replace(table, comdat_indexes=struct.pack(f"<{len(indexes)}I", *indexes), comdats=tuple(numbers))


def _selections(symbols: CoffSymbols, comdats: set[int]) -> dict[int, tuple[int, int]]:
    """How the copies of each section are selected, and the section that it is associated with."""
    found: dict[int, tuple[int, int]] = {}
    infos = symbols.table.records[_INFO_AT :: SymbolTable.RECORD.size]
    for row, (section, info) in enumerate(zip(symbols.sections, infos, strict=True)):
        if info == SECTION_INFO and section in comdats and section not in found:
            auxiliary = symbols.raw.auxiliary(symbols.starts[row])[: _DEFINITION.size]
            if len(auxiliary) == _DEFINITION.size:
                _, _, _, _, number, selection, upper = _DEFINITION.unpack(auxiliary)
                found[section] = selection, number | (upper << 16 if symbols.raw.wide else 0)
    return found


def _leaders(symbols: CoffSymbols, wanted: set[int]) -> dict[int, str]:
    """The name of each of these sections' first symbol after the section's own."""
    found: dict[int, str] = {}
    if wanted:
        infos = symbols.table.records[_INFO_AT :: SymbolTable.RECORD.size]
        for row, (section, info) in enumerate(zip(symbols.sections, infos, strict=True)):
            if section in wanted and info != SECTION_INFO and section not in found:
                found[section] = symbols.name(row)
    return found


def _signature(index: int, selections: Mapping[int, tuple[int, int]], leaders: Mapping[int, str]) -> str:
    for _ in range(_MOST_LINKS):
        selection, other = selections.get(index, (0, 0))
        if selection != SELECT_ASSOCIATIVE:
            return leaders.get(index, "")
        index = other
    return ""
