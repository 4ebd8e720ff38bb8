"""Indirect symbols: which symbol each stub and each pointer that dyld fills stands for.

Format: Apple's <mach-o/loader.h>, at `dysymtab_command`: `indirectsymoff`. A section of stubs or pointers
says in `reserved1` where its symbols begin, in `reserved2` how large a stub is.
"""

from bisect import bisect_right
from functools import cached_property

from linkage.artifact.facts import SymbolTable
from linkage.artifact.macho.file import MachoFile, MachoSection
from linkage.artifact.macho.numbers import (  # fmt: skip
    INDIRECT_SYMBOL_ABS,
    INDIRECT_SYMBOL_LOCAL,
    LC_DYSYMTAB,
    S_LAZY_DYLIB_SYMBOL_POINTERS,
    S_LAZY_SYMBOL_POINTERS,
    S_NON_LAZY_SYMBOL_POINTERS,
    S_SYMBOL_STUBS,
    S_THREAD_LOCAL_VARIABLE_POINTERS,
)
from linkage.artifact.macho.symbols import MachoSymbols

_POINTERS = (
    S_NON_LAZY_SYMBOL_POINTERS, S_LAZY_SYMBOL_POINTERS, S_LAZY_DYLIB_SYMBOL_POINTERS,
    S_THREAD_LOCAL_VARIABLE_POINTERS,
)  # fmt: skip
_PLACE = 56  # of indirectsymoff and nindirectsyms in dysymtab_command


class IndirectSymbols:
    """The indirect symbols of a linked file, by address."""

    def __init__(self, macho: MachoFile, symbols: MachoSymbols | None, table: SymbolTable | None) -> None:
        self._macho = macho
        self._symbols = symbols
        self._table = table
        self._sections = sorted(
            (one for one in macho.sections if one.type in (*_POINTERS, S_SYMBOL_STUBS)),
            key=lambda one: one.address,
        )
        self._starts = [one.address for one in self._sections]

    def at(self, address: int) -> tuple[str, ...]:
        """The symbol of the stub or pointer at an address; none if there is nothing of that kind."""
        position = bisect_right(self._starts, address)
        if not position or self._symbols is None or self._table is None:
            return ()
        section = self._sections[position - 1]
        width = self._width(section)
        if address >= section.address + section.size or not width:
            return ()
        number = section.first_indirect + (address - section.address) // width
        if number >= len(self._numbers) or self._numbers[number] & (
            INDIRECT_SYMBOL_LOCAL | INDIRECT_SYMBOL_ABS
        ):
            return ()
        index = self._symbols.index(self._numbers[number])
        return () if index is None else (self._table[index].name,)

    def _width(self, section: MachoSection) -> int:
        """The bytes of a stub or pointer."""
        if section.type == S_SYMBOL_STUBS:
            return section.stub_size
        return 8 if self._macho.header.wide else 4

    @cached_property
    def _numbers(self) -> tuple[int, ...]:
        command = self._macho.command(LC_DYSYMTAB)
        if command is None:
            return ()
        offset, count = self._macho.numbers(command, "II", _PLACE, "LC_DYSYMTAB")
        return self._macho.numbers(self._macho.data, f"{count}I", offset, "indirect symbols")
