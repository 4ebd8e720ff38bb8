"""The symbols that a named function refers to, from its relocations, or from its code.

In an object a function ends where the next symbol of its section begins: MH_SUBSECTIONS_VIA_SYMBOLS says that
linkers may take it apart there. In a linked file LC_FUNCTION_STARTS says where functions begin; their code is
disassembled, and an address is that of a symbol that begins there, of a stub or of a pointer that dyld fills.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

from linkage.artifact.facts import Symbol, SymbolTable
from linkage.artifact.macho.file import MachoFile
from linkage.artifact.macho.indirect import IndirectSymbols
from linkage.artifact.macho.leb128 import uleb128
from linkage.artifact.macho.numbers import (  # fmt: skip
    LC_FUNCTION_STARTS,
    MH_DSYM,
    MH_OBJECT,
    MH_SUBSECTIONS_VIA_SYMBOLS,
    N_ALT_ENTRY,
    machine_name,
)
from linkage.artifact.macho.relocations import (
    MachoRelocation,
    are_read,
    check_relocations,
    relocations,
    target_address,
)
from linkage.artifact.macho.symbols import MachoSymbols, section_number
from linkage.artifact.request import FactsRequest
from linkage.artifact.symbol_names import NAMELESS, callable_names

if TYPE_CHECKING:
    from linkage.artifact.disassembly import Code

_FUNCTION_LIMIT = 1 << 20  # bytes of one function's code
_FEW_NAMES = 16  # that are looked up one by one
_LABEL = "ltmp"  # what LLVM's assembler calls the beginnings of an object's sections


class _FunctionReader(Protocol):
    def references(self, function: Symbol, section: int) -> set[str] | None:
        """What a function in a section refers to; None if its code cannot be read, or not all of it."""
        ...


def read_references(
    macho: MachoFile,
    symbols: MachoSymbols | None,
    tables: Sequence[SymbolTable | None],
    request: FactsRequest,
) -> dict[str, tuple[str, ...]]:
    """For every requested function that is defined here, the names of what it refers to, sorted.

    A function whose code cannot be read, or not all of it, is left out. So is one that refers to what has no
    name, if there is no symbol table (a comparison takes what has one). `tables` are the symbol table and the
    dynamic one, as far as there are any.
    """
    is_object = macho.header.type == MH_OBJECT
    names = [*request.references]
    if request.for_comparison:
        names += callable_names(tables[0] if is_object else tables[1])
    if not names or macho.header.type == MH_DSYM:
        return {}
    reader: _FunctionReader = (
        _ObjectCode(macho, symbols, tables[0]) if is_object else _ImageCode(macho, symbols, tables)
    )
    found = {}
    for name, (function, section) in _defined(tables, set(names)).items():
        referred = reader.references(function, section) if section else None
        if referred is None:
            continue
        if tables[0] is not None or NAMELESS not in referred or name not in request.references:
            found[name] = tuple(sorted(referred - {NAMELESS}))
    return found


def _defined(tables: Sequence[SymbolTable | None], names: set[str]) -> dict[str, tuple[Symbol, int]]:
    """The first definition of each of these names, with the number of its section (0: none)."""
    found: dict[str, tuple[Symbol, int]] = {}
    for table in tables:
        if table is None:
            continue
        for name, index in _rows(table, names):
            if name in names and name not in found and (symbol := table[index]).defined:
                found[name] = symbol, table.section_index(index) or 0
    return found


def _rows(table: SymbolTable, names: set[str]) -> Iterator[tuple[str, int]]:
    """The names with the indexes of their symbols; all symbols if there are many names."""
    if len(names) <= _FEW_NAMES:
        yield from ((name, index) for name in sorted(names) for index in table.indexes(name))
    else:
        yield from ((name, index) for index, (name, _) in enumerate(table.bindings()))


class _ObjectCode:
    """References in an object."""

    def __init__(self, macho: MachoFile, symbols: MachoSymbols | None, table: SymbolTable | None) -> None:
        check_relocations(macho)
        self._macho = macho
        self._symbols = symbols
        self._table = table or SymbolTable()
        self._known: dict[int, list[MachoRelocation]] = {}

    def references(self, function: Symbol, section: int) -> set[str] | None:
        header = self._macho.section(section)
        apart = self._macho.header.flags & MH_SUBSECTIONS_VIA_SYMBOLS
        if not apart or not header.has_content or not are_read(self._macho):
            return None
        start = function.value - header.address
        end = self._end(function.value, section) - header.address
        found = set[str]()
        listed = self._relocations(section)
        first, last = (bisect_left(listed, address, key=attrgetter("address")) for address in (start, end))
        for one in listed[first:last]:
            if one.external:
                found.update(self._named(one.number))
            elif one.number:
                address = target_address(self._macho, section, one)
                if address is None:
                    return None
                found.update(self._at(address, one.number))
        return found

    def _relocations(self, section: int) -> list[MachoRelocation]:
        """A section's relocations by their address: thousands of functions may be in one section."""
        if section not in self._known:
            found = relocations(self._macho, self._macho.section(section))
            self._known[section] = sorted(found, key=attrgetter("address"))
        return self._known[section]

    def _named(self, position: int) -> tuple[str, ...]:
        index = None if self._symbols is None else self._symbols.index(position)
        return () if index is None else (self._table[index].name,)

    @cached_property
    def _starts(self) -> dict[int, list[tuple[int, int]]]:
        """By section, where its symbols begin, with their indexes; alternative entries are left out."""
        found: dict[int, list[tuple[int, int]]] = {}
        if self._symbols is not None:
            for index, (word, value) in enumerate(
                zip(self._symbols.words, self._symbols.values, strict=True)
            ):
                if (number := section_number(word)) and not word >> 16 & N_ALT_ENTRY:
                    found.setdefault(number, []).append((value, index))
        for starts in found.values():
            starts.sort()
        return found

    def _end(self, address: int, section: int) -> int:
        starts = self._starts.get(section, [])
        header = self._macho.section(section)
        following = bisect_left(starts, (address + 1, 0))
        return starts[following][0] if following < len(starts) else header.address + header.size

    def _at(self, address: int, section: int) -> tuple[str, ...]:
        """The symbols of the part of a section that an address is in."""
        starts = self._starts.get(section, [])
        last = bisect_left(starts, (address + 1, 0))
        if not last:
            return ()
        first = bisect_left(starts, (starts[last - 1][0], 0))
        names = [self._table[index].name for _, index in starts[first:last]]
        return tuple(name for name in names if not name.startswith(_LABEL)) or tuple(names)


class _ImageCode:
    """References in a linked file."""

    def __init__(
        self, macho: MachoFile, symbols: MachoSymbols | None, tables: Sequence[SymbolTable | None]
    ) -> None:
        self._macho = macho
        self._tables = [table for table in tables if table is not None]
        self._indirect = IndirectSymbols(macho, symbols, tables[0])

    def references(self, function: Symbol, section: int) -> set[str] | None:
        header = self._macho.section(section)
        position = bisect_right(self._functions, function.value)
        if self._code is None or not position or self._functions[position - 1] != function.value:
            return None
        end = header.address + header.size
        if position < len(self._functions):
            end = min(end, self._functions[position])
        start, size = function.value - header.address, end - function.value
        code = bytes(self._macho.content(section)[start : start + size]) if start >= 0 else b""
        if not 0 < size <= _FUNCTION_LIMIT or len(code) != size:
            return None
        found = set[str]()
        for target in self._code.targets(code, function.value):
            if target.slot or not function.value <= target.address < end:
                names = self._indirect.at(target.address) or self._named.get(target.address, ())
                found.update(names or (NAMELESS,))
        return found

    @cached_property
    def _code(self) -> "Code | None":
        from linkage.artifact.disassembly import code_for  # noqa: PLC0415 - capstone is loaded on demand

        return code_for(machine_name(self._macho.header.cpu_type))

    @cached_property
    def _named(self) -> dict[int, tuple[str, ...]]:
        """The symbols by where they begin."""
        found: dict[int, tuple[str, ...]] = {}
        for symbol in self._tables[0] if self._tables else ():
            if symbol.section is not None:
                found[symbol.value] = (*found.get(symbol.value, ()), symbol.name)
        return found

    @cached_property
    def _functions(self) -> list[int]:
        """Where functions begin: distances, the first from the file's beginning in memory."""
        command = self._macho.command(LC_FUNCTION_STARTS)
        if command is None:
            return []
        offset, size = self._macho.numbers(command, "II", 8, "LC_FUNCTION_STARTS")
        data = bytes(self._macho.part(offset, size, "LC_FUNCTION_STARTS"))
        address, at, found = self._macho.base, 0, list[int]()
        while at < len(data):
            distance, at = uleb128(data, at, "LC_FUNCTION_STARTS")
            if not distance:
                break
            address += distance
            found.append(address)
        return found
