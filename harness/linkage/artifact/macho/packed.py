"""Columns of numbers as a packed table of symbols: in one pass, without an object a symbol."""

import sys
from array import array

from linkage.artifact.macho.names import NameColumn
from linkage.artifact.tables import SectionTable, SymbolTable

ELSEWHERE = 0xFF00
"""A section index (SHN_LORESERVE): defined, but in no section of the file. An alias, a forwarded export."""


def packed_symbols(
    names: NameColumn, words: "array[int]", values: "array[int]", sizes: "array[int]", sections: SectionTable
) -> SymbolTable:
    """A table of symbols from their columns.

    `words` are `info | visibility << 8 | section index << 16`, `values` and `sizes` 8 bytes each.
    """
    count = len(words)
    records = bytearray(SymbolTable.RECORD.size * count)
    narrow, wide = memoryview(records).cast("I"), memoryview(records).cast("Q")
    narrow[0::6] = _little(array("I", names.offsets))
    narrow[1::6] = _little(words)
    wide[1::3] = _little(values)
    wide[2::3] = _little(sizes)
    return SymbolTable(names.strings, bytes(records), sections.name_offsets, sections.names)


def _little(numbers: "array[int]") -> "array[int]":
    if sys.byteorder != "little":
        numbers.byteswap()
    return numbers
