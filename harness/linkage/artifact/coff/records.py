"""Symbol records in the layout of the packed tables, a column at a time.

A loop that packs each record takes as long as all the rest of a reader; slices copy a column at once.
"""

from linkage.artifact.tables import SymbolTable

SIZE = SymbolTable.RECORD.size
_INFO, _SECTION, _VALUE = 4, 6, 8  # where the fields of a record begin


def packed_records(names: bytes, infos: bytes, sections: bytes, values: bytes) -> bytearray:
    """Records of SymbolTable, of visibility DEFAULT and size 0.

    `names` and `values` have 4 bytes for each, `sections` 2, `infos` 1; all are little-endian.
    """
    records = bytearray(SIZE * len(infos))
    for at, column, width in ((0, names, 4), (_INFO, infos, 1), (_SECTION, sections, 2), (_VALUE, values, 4)):
        for byte in range(width):
            records[at + byte :: SIZE] = column[byte::width]
    return records
