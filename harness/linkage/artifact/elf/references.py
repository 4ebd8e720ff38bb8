"""The symbols that a named function refers to, from its relocations, or from its code.

In an object file every reference out of a function is a relocation within its bytes. In a
linked file the direct ones are resolved: its code is disassembled, addresses that it names are
looked up in the symbol table, and slots of the global offset table in the relocations that the
loader applies. Calls through a computed register or address are not found.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from linkage.artifact.elf.addresses import SymbolAddresses
from linkage.artifact.elf.file import ElfFile
from linkage.artifact.elf.numbers import EM_386, EM_X86_64, ET_REL
from linkage.artifact.elf.relocations import Relocation, relocation_sections, relocations
from linkage.artifact.facts import Symbol, SymbolTable, SymbolType
from linkage.artifact.request import FactsRequest
from linkage.artifact.symbol_names import callable_names
from linkage.errors import ArtifactError

if TYPE_CHECKING:
    from linkage.artifact.disassembly import Code

_PC_RELATIVE = {EM_X86_64: (2, 4), EM_386: (2, 4)}  # R_*_PC32, R_*_PLT32: counted from 4 bytes on
_FUNCTION_LIMIT = 1 << 20  # bytes of one function's code


def read_references(
    elf: ElfFile, tables: Sequence[SymbolTable | None], request: FactsRequest
) -> dict[str, tuple[str, ...]]:
    """For every requested function that is defined here, the names of what it refers to, sorted.

    A function whose code cannot be read, or not all of it, is left out: its size is not known, say.
    `tables` are the symbol table and the dynamic one, as far as there are any.
    """
    names = [*request.references]
    if request.for_comparison:
        names += callable_names(tables[1] if elf.header.type != ET_REL else tables[0])
    if not names:
        return {}
    reader = _InObject(elf, tables[0]) if elf.header.type == ET_REL else _InImage(elf, tables)
    found = {}
    for name in names:
        functions = [symbol for symbol in reader.named(name) if symbol[1].defined]
        if functions and all(reader.is_readable(index, symbol) for index, symbol in functions):
            referred = {one for index, symbol in functions for one in reader.references(index, symbol)}
            found[name] = tuple(sorted(referred))
    return found


class _InObject:
    """References in a relocatable file."""

    def __init__(self, elf: ElfFile, symbols: SymbolTable | None) -> None:
        self._elf = elf
        self._symbols = symbols or SymbolTable()
        self._places: dict[int, SymbolAddresses] = {}  # the symbols of a section by their offset in it

    def named(self, name: str) -> list[tuple[int, Symbol]]:
        return [(index, self._symbols[index]) for index in self._symbols.indexes(name)]

    def is_readable(self, index: int, function: Symbol) -> bool:
        section = self._symbols.section_index(index)
        return bool(function.size) and section is not None and bool(self._elf.content(section))

    def references(self, index: int, function: Symbol) -> Iterator[str]:
        section = self._symbols.section_index(index)
        end = function.value + function.size
        for table in relocation_sections(self._elf):
            if table.target != section:
                continue
            for relocation in relocations(self._elf, table):
                if function.value <= relocation.offset < end:
                    yield from self._target(relocation, section)

    def _target(self, relocation: Relocation, section: int) -> tuple[str, ...]:
        index = relocation.symbol - 1
        if not 0 <= index < len(self._symbols):
            return ()
        symbol = self._symbols[index]
        if symbol.type is not SymbolType.SECTION:
            return (symbol.name,)
        base = self._symbols.section_index(index)
        if base is None:
            return ()
        if base not in self._places:
            self._places[base] = SymbolAddresses(self._by_section[base])
        return self._places[base].at(self._addend(relocation, section) + symbol.value)

    def _addend(self, relocation: Relocation, section: int) -> int:
        addend = relocation.addend
        if addend is None:
            field = self._elf.content(section)[relocation.offset : relocation.offset + 4]
            byteorder = "little" if self._elf.header.order == "<" else "big"
            addend = int.from_bytes(field, byteorder, signed=True)  # type: ignore[arg-type]
        counted = relocation.type in _PC_RELATIVE.get(self._elf.header.machine, ())
        return addend + 4 * counted

    @cached_property
    def _by_section(self) -> dict[int, list[Symbol]]:
        grouped: dict[int, list[Symbol]] = {}
        for index, symbol in enumerate(self._symbols):
            section = self._symbols.section_index(index)
            if section is not None:
                grouped.setdefault(section, []).append(symbol)
        return grouped


class _InImage:
    """References in a linked file."""

    def __init__(self, elf: ElfFile, tables: Sequence[SymbolTable | None]) -> None:
        self._elf = elf
        self._tables = [table for table in tables if table is not None]
        self._dynamic = tables[1] or SymbolTable()

    def named(self, name: str) -> list[tuple[int, Symbol]]:
        for table in self._tables:
            found = [(index, table[index]) for index in table.indexes(name)]
            if any(symbol.defined for _, symbol in found):
                return found
        return []

    def is_readable(self, _: int, function: Symbol) -> bool:
        if self._code is None or not 0 < function.size <= _FUNCTION_LIMIT:
            return False
        return len(self._bytes(function.value, function.size) or b"") == function.size

    def references(self, _: int, function: Symbol) -> Iterator[str]:
        size = function.size
        code = self._bytes(function.value, size)
        if self._code is None or code is None:
            return
        for target in self._code.targets(code, function.value):
            if target.address in range(function.value, function.value + size) and not target.slot:
                continue  # a jump within the function
            if target.slot:
                yield from self._in_slot(target.address)
                continue
            names = self._places.at(target.address)
            yield from names or (self._through_stub(target.address) if target.branch else ())

    @cached_property
    def _code(self) -> "Code | None":
        from linkage.artifact.disassembly import code_for  # noqa: PLC0415 - capstone is loaded on demand

        return code_for(self._elf.machine)

    @cached_property
    def _places(self) -> SymbolAddresses:
        return SymbolAddresses(symbol for table in self._tables[:1] for symbol in table)

    @cached_property
    def _slots(self) -> dict[int, tuple[str, ...]]:
        """The symbol of each dynamic relocation, by the address that the loader writes."""
        slots: dict[int, tuple[str, ...]] = {}
        for table in relocation_sections(self._elf):
            for one in relocations(self._elf, table):
                if 0 < one.symbol <= len(self._dynamic):
                    slots[one.offset] = (self._dynamic[one.symbol - 1].name,)
                elif one.addend:
                    slots[one.offset] = self._places.at(one.addend)
        return slots

    def _in_slot(self, address: int) -> tuple[str, ...]:
        """The symbol that a slot of the global offset table leads to, or the variable read there."""
        if address in self._slots:
            return self._slots[address]
        if names := self._places.at(address):
            return names
        content = self._bytes(address, 8 if self._elf.header.wide else 4)
        if content is None:
            return ()
        return self._places.at(int.from_bytes(content, "little"))  # a packed (RELR) or static slot

    def _through_stub(self, address: int) -> tuple[str, ...]:
        """The import that an entry of the procedure linkage table jumps to."""
        if self._code is None:
            return ()
        code = self._bytes(address, self._code.stub_size)
        if code is None:
            return ()
        slot = next((target for target in self._code.targets(code, address) if target.slot), None)
        return self._slots.get(slot.address, ()) if slot else ()

    def _bytes(self, address: int, size: int) -> bytes | None:
        """The file's bytes at an address, None if it has none."""
        try:
            offset = self._elf.image.offset(address, "code")
        except ArtifactError:
            return None
        return bytes(self._elf.data[offset : offset + size])
