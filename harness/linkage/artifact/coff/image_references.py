"""The symbols that a named function of an image refers to, from its code.

Format: Microsoft's "PE Format", "The .pdata Section", which has the extent of functions on x86-64. A function
that is not in it ends where the next symbol begins, if there is a symbol table. Calls through a computed
register or address are not found.
"""

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from linkage.artifact.coff.image import PeImage, shown
from linkage.artifact.coff.imports import Imports
from linkage.artifact.coff.numbers import AMD64, DIRECTORY_EXCEPTION, SCN_EXECUTE
from linkage.artifact.request import FactsRequest
from linkage.artifact.symbol_names import NAMELESS, callable_names
from linkage.artifact.tables import SymbolTable, SymbolType
from linkage.errors import ArtifactError

if TYPE_CHECKING:
    from linkage.artifact.disassembly import Code

_FUNCTION = struct.Struct("<III")  # where it begins and ends, how it is unwound
_MACHINES = ("x86_64", "aarch64")  # whose code names slots of the import table relative to itself
_FUNCTION_LIMIT = 1 << 20  # bytes of one function's code
_OVERLAP = 2  # how often the code of a file may be read
_NAMELESS = (SymbolType.SECTION, SymbolType.FILE)
_ALIASES = 256  # names of one address that are reported; real files have a few


def read_image_references(
    image: PeImage, imports: Imports, tables: Sequence[SymbolTable | None], request: FactsRequest
) -> dict[str, tuple[str, ...]]:
    """For every requested function that is defined here, the names of what it refers to, sorted.

    A function whose code cannot be read, or whose end is not known, is left out. So is one that refers to
    what has no name, if there is no symbol table (a comparison takes what has one). `tables` are the symbol
    table, if there is one, and the exports.
    """
    names = [*request.references, *(callable_names(tables[1]) if request.for_comparison else ())]
    if not names or image.coff.machine not in _MACHINES:
        return {}
    reader = _ImageReferences(image, imports, tables)
    found = {}
    for name in names:
        extents = [reader.extent(address) for address in reader.functions(name)]
        known = [extent for extent in extents if extent is not None]
        if known and len(known) == len(extents):
            referred = {one for extent in known for one in reader.of(extent)}
            if tables[0] is not None or NAMELESS not in referred or name not in request.references:
                found[name] = tuple(sorted(referred - {NAMELESS}))
    return found


class _ImageReferences:
    def __init__(self, image: PeImage, imports: Imports, tables: Sequence[SymbolTable | None]) -> None:
        self._image = image
        self._imports = imports
        self._tables = [table for table in tables if table is not None]
        self._has_symbols = tables[0] is not None
        self._known: dict[tuple[int, int], frozenset[str]] = {}  # functions have several names
        self._left = _OVERLAP * len(image.data)

    def functions(self, name: str) -> list[int]:
        """The addresses of the functions of this name, of the first table that has one."""
        for table in self._tables:
            found = [one.value for one in table.named(name) if one.defined and one.value]
            if found:
                return list(dict.fromkeys(found))
        return []

    def extent(self, address: int) -> tuple[int, int] | None:
        """Where a function begins and ends; None if that is not known, or if it is not code."""
        (section,) = self._image.sections_at([address])
        if not section or not self._image.coff.section(section).flags & SCN_EXECUTE:
            return None
        starts = self._unwound_starts
        at = bisect_left(starts, address)
        if at < len(starts) and starts[at] == address:
            end = self._unwound[at][1]
        elif not self._has_symbols:
            return None
        else:
            header = self._image.coff.section(section)
            following = bisect_right(self._starts, address)
            ends = (
                header.address + header.size,
                *self._starts[following : following + 1],
                *starts[at : at + 1],
            )
            end = min(ends)
        size = end - address
        if not 0 < size <= _FUNCTION_LIMIT or len(self._image.view(address, "code")) < size:
            return None
        return address, end

    def of(self, extent: tuple[int, int]) -> frozenset[str]:
        """The names of what the code of a function refers to."""
        if extent not in self._known:
            self._left -= extent[1] - extent[0]
            if self._left < 0:
                raise ArtifactError("the functions of the exception table overlap")
            self._known[extent] = frozenset(self._referred(*extent))
        return self._known[extent]

    def _referred(self, start: int, end: int) -> Iterator[str]:
        code = bytes(self._image.take(start, end - start, "code"))
        for target in self._code.targets(code, start):
            if target.address in range(start, end) and not target.slot:
                continue  # a jump within the function
            if target.slot and target.address in self._slots:
                yield self._slots[target.address]
                continue
            names = self._names_at(target.address)
            names = names or (self._through_stub(target.address) if target.branch else ())
            yield from names or (NAMELESS,)

    def _names_at(self, address: int) -> tuple[str, ...]:
        """The symbols that begin at an address."""
        first, last = bisect_left(self._starts, address), bisect_right(self._starts, address)
        return tuple(name for _, name in self._places[first : min(last, first + _ALIASES)])

    def _through_stub(self, address: int) -> tuple[str, ...]:
        """The import that a jump through the import table leads to."""
        (section,) = self._image.sections_at([address])
        if not section or not self._image.coff.section(section).flags & SCN_EXECUTE:
            return ()
        code = bytes(self._image.view(address, "code")[: self._code.stub_size])
        slot = self._code.stub_slot(code, address)
        return (self._slots[slot],) if slot in self._slots else ()

    @cached_property
    def _code(self) -> "Code":
        from linkage.artifact.disassembly import code_for  # noqa: PLC0415 - capstone is loaded on demand

        found = code_for(self._image.coff.machine)
        assert found is not None  # noqa: S101 - of _MACHINES
        return found

    @cached_property
    def _places(self) -> list[tuple[int, str]]:
        """The address and the name of everything that is defined, sorted."""
        found = set()
        for table in self._tables:
            for one in table:
                if one.defined and not one.absolute and one.value and one.type not in _NAMELESS:
                    found.add((one.value, one.name))
        return sorted(found)

    @cached_property
    def _starts(self) -> list[int]:
        return [address for address, _ in self._places]

    @cached_property
    def _slots(self) -> dict[int, str]:
        """The name of each import by the address in which the loader puts that of the function."""
        size = 8 if self._image.wide else 4
        return {
            start + size * at: shown(name)
            for start, names in self._imports.slots
            for at, name in enumerate(names)
        }

    @cached_property
    def _unwound_starts(self) -> list[int]:
        return [start for start, _ in self._unwound]

    @cached_property
    def _unwound(self) -> list[tuple[int, int]]:
        """Where functions begin and end, sorted."""
        place = self._image.directory(DIRECTORY_EXCEPTION)
        if place is None or self._image.coff.header.machine != AMD64:
            return []
        raw = self._image.take(place[0], place[1] // _FUNCTION.size * _FUNCTION.size, "exception table")
        return sorted((start, end) for start, end, _ in _FUNCTION.iter_unpack(raw))
