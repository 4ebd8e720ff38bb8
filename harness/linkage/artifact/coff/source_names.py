"""Names as the source spells them: 32-bit Windows decorates those of C.

Rules: Microsoft's "Decorated Names" (C++ names begin with `?` and stay as they are):

    _foo       __cdecl and data      _foo@8     __stdcall
    @foo@8     __fastcall            foo@@8     __vectorcall

`__imp_` stands before the decorated name of what is imported. What has no such form keeps its raw name.
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import replace

from linkage.artifact.coff.records import SIZE
from linkage.artifact.tables import SymbolTable, SymbolType
from linkage.errors import ArtifactError

PREFIX = "_"
_IMPORTED = "__imp_"
_DECORATED = re.compile(r"(?:[_@]?([^@?]+)@|([^@?]+)@@)\d+")
_MOST_TEXT = 4
"""How often the bytes of names may be shared: real ones are at most tails of each other."""
_NAMELESS = (SymbolType.SECTION, SymbolType.FILE)


def source_name(raw: str, *, prefixed: bool = True) -> str:
    """The source's name of a symbol on 32-bit Windows.

    `prefixed`: it is of a symbol table, where names have a `_`; those that a dll exports have none.
    """
    imported = _IMPORTED if prefixed and raw.startswith(_IMPORTED) else ""
    return imported + _plain(raw.removeprefix(imported), prefixed=prefixed)


def _plain(raw: str, *, prefixed: bool) -> str:
    if "@" in raw and (found := _DECORATED.fullmatch(raw)):
        return found[1] or found[2]
    return raw.removeprefix(PREFIX) if prefixed else raw


def with_source_names(table: SymbolTable, *, prefixed: bool = True) -> tuple[SymbolTable, Mapping[str, str]]:
    """The table with the names of the source, and the raw names of those that are not PREFIX and the name.

    If not `prefixed`: those that are not the name. ArtifactError if names overlap without bound.
    """
    names, text, raw_names = table.names, bytearray(table.names), dict[str, str]()
    left = _MOST_TEXT * len(names)
    offsets: list[int] = []
    places: dict[int, int] = {}
    for offset, info, *_ in table.RECORD.iter_unpack(table.records):
        if info & 15 in _NAMELESS:
            offsets.append(offset)
            continue
        if offset not in places:
            raw = names[offset : names.find(b"\0", offset)].decode(errors="backslashreplace")
            name = source_name(raw, prefixed=prefixed)
            left -= len(raw)
            if left < 0:
                raise ArtifactError("the names of symbols overlap")
            if raw == (PREFIX if prefixed else "") + name:
                places[offset] = offset + (len(PREFIX) if prefixed else 0)
            else:
                raw_names[name] = raw
                places[offset] = offset if raw == name else len(text)
                text += b"" if raw == name else name.encode(errors="backslashreplace") + b"\0"
        offsets.append(places[offset])
    packed, records = struct.pack(f"<{len(offsets)}I", *offsets), bytearray(table.records)
    for byte in range(4):
        records[byte::SIZE] = packed[byte::4]
    comdats = tuple(source_name(one, prefixed=prefixed) for one in table.comdats)
    return replace(table, names=bytes(text), records=bytes(records), comdats=comdats), raw_names
