"""Which functions code in another language can call, by their names."""

import re
from collections.abc import Iterator

from linkage.artifact.tables import Binding, SymbolTable, SymbolType, Visibility

NAMELESS = ""
"""Stands among the names of what a function refers to for what has none."""

_GLOBAL = (Binding.GLOBAL, Binding.WEAK)
_VISIBLE = (Visibility.DEFAULT, Visibility.PROTECTED)
_MANGLED = re.compile(r"_(?:Z|R[A-Z])|\?")


def callable_names(table: SymbolTable | None) -> Iterator[str]:
    """The functions that are defined and visible, and whose names are not mangled."""
    if table is None:
        return
    for record in table.RECORD.iter_unpack(table.records):
        offset, info, other, section = record[:4]
        if section and info & 15 == SymbolType.FUNC and info >> 4 in _GLOBAL and other & 3 in _VISIBLE:
            name = table.names[offset : table.names.index(b"\0", offset)].decode(errors="backslashreplace")
            if not _MANGLED.match(name):
                yield name
