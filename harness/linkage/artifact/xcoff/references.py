"""The symbols that a named function refers to, from the relocations within its code.

A linked file has no such relocations and its code is not disassembled: it has no references.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator

from linkage.artifact.request import FactsRequest
from linkage.artifact.xcoff.file import XcoffFile
from linkage.artifact.xcoff.numbers import C_EXT, C_WEAKEXT, XMC_DS
from linkage.artifact.xcoff.symbols import XcoffSymbol, XcoffSymbols

_MANGLED = re.compile(rb"_(?:Z|R[A-Z])")
_VISIBILITY, _NOT_EXPORTED = 0xF000, (0x1000, 0x2000)


def read_references(
    xcoff: XcoffFile, symbols: XcoffSymbols, request: FactsRequest
) -> dict[str, tuple[str, ...]]:
    """For every requested function that is defined here, the names of what its code refers to, sorted.

    A function is asked for by the name of its descriptor, `foo`, or of its code, `.foo`. What is reached
    through the table of contents has the name of its entry there, which is its own.
    """
    names = [*request.references, *(_callable(symbols) if request.for_comparison else ())]
    if not names:
        return {}
    code: dict[bytes, list[XcoffSymbol]] = {}
    for one in symbols.entries:
        if one.is_code and one.size:
            code.setdefault(symbols.name(one), []).append(one)
    targets = {one.position: one for one in symbols.entries}
    relocations: dict[int, list[tuple[int, int]]] = {}
    found = {}
    for name in names:
        raw = name.encode(errors="surrogatepass")
        functions = code.get(b"." + raw) or code.get(raw)
        indexes = set[int]()
        for one in functions or ():
            if one.section not in relocations:
                relocations[one.section] = sorted(xcoff.relocations(one.section))
            listed = relocations[one.section]
            first, end = (bisect_left(listed, (at, -1)) for at in (one.value, one.value + one.size))
            indexes.update(index for _, index in listed[first:end])
        if functions:
            referred = {symbols.name(targets[index]) for index in indexes if index in targets}
            found[name] = tuple(sorted(one.decode(errors="backslashreplace") for one in referred if one))
    return found


def _callable(symbols: XcoffSymbols) -> Iterator[str]:
    """The functions that code in another language can call: defined, visible, the name not mangled."""
    for one in symbols.entries:
        if one.mapping == XMC_DS and one.section > 0 and one.storage in (C_EXT, C_WEAKEXT):
            name = symbols.name(one)
            if one.type & _VISIBILITY not in _NOT_EXPORTED and not _MANGLED.match(name):
                yield name.decode(errors="backslashreplace")
