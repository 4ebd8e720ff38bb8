"""The symbols that a named function refers to, from its relocations, or from its code.

In an object file every reference out of a function is a relocation within its bytes. In a
linked file the direct ones are resolved: its code is disassembled, addresses that it names are
looked up in the symbol table, and slots of the global offset table in the relocations that the
loader applies. Calls through a computed register or address are not found.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from linkage.artifact.elf.addends import implicit_addend, mips_halves
from linkage.artifact.elf.addresses import SymbolAddresses
from linkage.artifact.elf.file import ElfFile
from linkage.artifact.elf.numbers import (  # fmt: skip
    EM_386,
    EM_HEXAGON,
    EM_MIPS,
    EM_PPC,
    EM_PPC64,
    EM_X86_64,
    ET_REL,
)
from linkage.artifact.elf.relocations import Relocation, relocation_sections, relocations
from linkage.artifact.facts import Binding, Symbol, SymbolTable, SymbolType
from linkage.artifact.request import FactsRequest
from linkage.artifact.symbol_names import NAMELESS, callable_names
from linkage.errors import ArtifactError

if TYPE_CHECKING:
    from linkage.artifact.disassembly import Code

_PC_RELATIVE = {EM_X86_64: (2, 4), EM_386: (2, 4)}  # R_*_PC32, R_*_PLT32: counted from 4 bytes on
_DESCRIPTORS, _CONTENTS, _GOT2 = ".opd", ".toc", ".got2"  # of PowerPC
_R_MIPS_SUB, _R_HEX_6_PCREL_X = 24, 65
_FUNCTION_LIMIT = 1 << 20  # bytes of one function's code


def read_references(
    elf: ElfFile, tables: Sequence[SymbolTable | None], request: FactsRequest
) -> dict[str, tuple[str, ...]]:
    """For every requested function that is defined here, the names of what it refers to, sorted.

    A function whose code cannot be read, or not all of it, is left out: its size is not known, say. So is one
    that refers to what has no name, if there is no symbol table (a comparison takes what has one).
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
            if tables[0] is not None or NAMELESS not in referred or name not in request.references:
                found[name] = tuple(sorted(referred - {NAMELESS}))
    return found


class _InObject:
    """References in a relocatable file."""

    def __init__(self, elf: ElfFile, symbols: SymbolTable | None) -> None:
        self._elf = elf
        self._symbols = symbols or SymbolTable()
        self._places: dict[int, SymbolAddresses] = {}  # the symbols of a section by their offset in it
        self._relocations: dict[int, list[Relocation]] = {}  # of a section that code or an entry is in

    def named(self, name: str) -> list[tuple[int, Symbol]]:
        return [(index, self._symbols[index]) for index in self._symbols.indexes(name)]

    def is_readable(self, index: int, function: Symbol) -> bool:
        place = self._code(index, function)
        if not function.size or place is None or not self._elf.content(place[0]):
            return False
        return self._elf.header.machine != EM_PPC or not self._uses_hidden_slots(*place, function.size)

    def _uses_hidden_slots(self, section: int, start: int, size: int) -> bool:
        """Whether a register points to .got2 and that has slots: no relocation says which ones are read."""
        bases = {self._symbols.section_index(one.symbol - 1) for one in self._within(section, start, size)
                 if 0 < one.symbol <= len(self._symbols)}  # fmt: skip
        return any(
            base is not None and self._section_name(base) == _GOT2 and self._elf.section(base).size
            for base in bases
        )

    def references(self, index: int, function: Symbol) -> Iterator[str]:
        place = self._code(index, function)
        if place is None:
            return
        section, start = place
        for relocation in self._within(section, start, function.size):
            if self._is_own_label(relocation, section, range(start, start + function.size)):
                continue
            if self._repeats(relocation):
                continue
            yield from self._target(relocation, section)

    def _code(self, index: int, function: Symbol) -> tuple[int, int] | None:
        """The section and offset of a function's code: of 64-bit PowerPC's ABI v1, through its descriptor."""
        section = self._symbols.section_index(index)
        if section is None:
            return None
        if self._elf.header.machine != EM_PPC64 or self._section_name(section) != _DESCRIPTORS:
            return section, function.value
        for one in self._within(section, function.value, 1):
            if 0 < one.symbol <= len(self._symbols):
                target = self._symbols.section_index(one.symbol - 1)
                start = self._symbols[one.symbol - 1].value + self._addend(one, section)
                return None if target is None or start < 0 else (target, start)
        return None

    def _within(self, section: int, start: int, size: int) -> list[Relocation]:
        """A section's relocations in a range of its bytes."""
        if section not in self._relocations:
            tables = (one for one in relocation_sections(self._elf) if one.target == section)
            self._relocations[section] = [one for table in tables for one in relocations(self._elf, table)]
        found = [one for one in self._relocations[section] if start <= one.offset < start + size]
        if self._elf.header.machine == EM_MIPS and any(one.addend is None for one in found):
            return mips_halves(found, self._elf.content(section), self._elf.header.order)
        return found

    def _repeats(self, relocation: Relocation) -> bool:
        """Whether it is a part of what another one says: an instruction's half of an address, say."""
        machine = self._elf.header.machine
        if machine == EM_MIPS:  # the distance from the function to its global pointer
            return relocation.type >> 8 & 0xFF == _R_MIPS_SUB
        return machine == EM_HEXAGON and relocation.type == _R_HEX_6_PCREL_X

    def _is_own_label(self, relocation: Relocation, section: int, code: range) -> bool:
        """Whether it refers to a label in the function itself, as the halves of an address of RISC-V do."""
        index = relocation.symbol - 1
        if not 0 <= index < len(self._symbols) or self._symbols.section_index(index) != section:
            return False
        symbol = self._symbols[index]
        label = symbol.type is SymbolType.NOTYPE and symbol.binding is Binding.LOCAL
        return label and symbol.value in code

    def _target(self, relocation: Relocation, section: int, *, entries: bool = True) -> Iterator[str]:
        """The names of what a relocation refers to; `entries` follows an entry of the table of contents."""
        index = relocation.symbol - 1
        if not 0 <= index < len(self._symbols):
            return
        symbol = self._symbols[index]
        if symbol.type is not SymbolType.SECTION:
            yield symbol.name
            return
        base = self._symbols.section_index(index)
        if base is None:
            return
        offset = self._addend(relocation, section) + symbol.value
        if entries and self._section_name(base) == _CONTENTS:
            for entry in self._within(base, offset, 1):
                yield from self._target(entry, base, entries=False)
            return
        if base not in self._places:
            self._places[base] = SymbolAddresses(self._by_section[base])
        yield from self._places[base].at(offset)

    def _section_name(self, index: int | None) -> str | None:
        return None if not index else self._section_names[index - 1]

    @cached_property
    def _section_names(self) -> list[str]:
        return self._elf.sections.listed()

    def _addend(self, relocation: Relocation, section: int) -> int:
        addend, machine = relocation.addend, self._elf.header.machine
        if addend is None:
            addend = implicit_addend(machine, relocation, self._elf.content(section), self._elf.header.order)
        return addend + 4 * (relocation.type in _PC_RELATIVE.get(machine, ()))

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
                yield from self._in_slot(target.address) or (NAMELESS,)
                continue
            names = self._places.at(target.address)
            names = names or (self._through_stub(target.address) if target.branch else ())
            yield from names or (NAMELESS,)

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
        byteorder = "little" if self._elf.header.order == "<" else "big"
        address = int.from_bytes(content, byteorder)  # type: ignore[arg-type]
        return self._places.at(address)  # of a packed (RELR) or static slot

    def _through_stub(self, address: int) -> tuple[str, ...]:
        """The import that an entry of the procedure linkage table jumps to."""
        if self._code is None:
            return ()
        code = self._bytes(address, self._code.stub_size)
        if code is None:
            return ()
        slot = self._code.stub_slot(code, address)
        return self._slots.get(slot, ()) if slot is not None else ()

    def _bytes(self, address: int, size: int) -> bytes | None:
        """The file's bytes at an address, None if it has none."""
        try:
            offset = self._elf.image.offset(address, "code")
        except ArtifactError:
            return None
        return bytes(self._elf.data[offset : offset + size])
