"""The symbol table of LC_SYMTAB, converted at once to the layout of the packed table.

Format: Apple's <mach-o/nlist.h>: `nlist` and `nlist_64`. The debugger's entries (stabs) are left out.
"""

import struct
from array import array
from collections.abc import Mapping, Sequence
from functools import cached_property

from linkage.artifact.bounds import LONGEST_NAME, take
from linkage.artifact.macho.file import MachoFile
from linkage.artifact.macho.names import NameColumn
from linkage.artifact.macho.numbers import (  # fmt: skip
    LC_SYMTAB,
    MH_OBJECT,
    N_ABS,
    N_EXT,
    N_INDR,
    N_PBUD,
    N_PEXT,
    N_SECT,
    N_STAB,
    N_TYPE,
    N_UNDF,
    N_WEAK_DEF,
    N_WEAK_REF,
)
from linkage.artifact.macho.packed import ELSEWHERE, packed_symbols
from linkage.artifact.macho.sections import CODE, TLS_SECTIONS
from linkage.artifact.tables import (
    SHN_ABS,
    SHN_COMMON,
    Binding,
    SectionTable,
    SymbolTable,
    SymbolType,
    Visibility,
    column,
)
from linkage.errors import ArtifactError

_UNDEFINED = (N_UNDF, N_PBUD)
_OUTSIDE = {N_ABS: SHN_ABS, N_INDR: ELSEWHERE}


class MachoSymbols:
    """The symbols of a file, decoded as columns. ArtifactError if the table is damaged."""

    def __init__(self, macho: MachoFile, command: memoryview) -> None:
        self._macho = macho
        fields = macho.numbers(command, "IIII", 8, "LC_SYMTAB")
        offset, self.count, strings_offset, strings_size = fields
        size = 16 if macho.header.wide else 12
        raw = take(macho.data, offset, self.count * size, "symbol table")
        self._names, self._words, self._values = _columns(raw, macho.header.order, wide=macho.header.wide)
        self._positions: Sequence[int] | None = None  # of what is no stab, if there are stabs
        if any(word & N_STAB for word in set(self._words)):
            self._leave_out_stabs()
        self.names = NameColumn.of(
            _strings(take(macho.data, strings_offset, strings_size, "string table")), self._names, "a symbol"
        )

    def _leave_out_stabs(self) -> None:
        kept = [index for index, word in enumerate(self._words) if not word & N_STAB]
        self._positions = kept
        self._names = [self._names[index] for index in kept]
        self._words = [self._words[index] for index in kept]
        self._values = [self._values[index] for index in kept]

    def __len__(self) -> int:
        return len(self._words)

    @cached_property
    def _by_position(self) -> Mapping[int, int]:
        return {position: index for index, position in enumerate(self._positions or ())}

    def index(self, position: int) -> int | None:
        """The index in `table` of a symbol by its position in the file; None for a stab, or if not there."""
        if self._positions is not None:
            return self._by_position.get(position)
        return position if position < len(self) else None

    @property
    def words(self) -> Sequence[int]:
        """`n_type | n_sect << 8 | n_desc << 16` of every symbol."""
        return self._words

    @property
    def raw_offsets(self) -> Sequence[int]:
        """Where the symbols' raw names begin in the string table."""
        return self._names

    @property
    def values(self) -> Sequence[int]:
        return self._values

    def table(self, sections: SectionTable) -> SymbolTable:
        """The packed table. Its names are those of `names` at the time of the call."""
        converted = {word: _converted(word, self._macho) for word in set(self._words)}
        words = array("I", map(converted.__getitem__, self._words))
        values, sizes = array("Q", self._values), array("Q", bytes(8 * len(self)))
        if self._macho.header.type == MH_OBJECT:
            self._set_commons(words, values, sizes)
        return packed_symbols(self.names, words, values, sizes, sections)

    def _set_commons(self, words: "array[int]", values: "array[int]", sizes: "array[int]") -> None:
        """An undefined symbol with a value is a tentative definition; the value is its size."""
        candidates = {word for word in set(self._words) if word & (N_TYPE | N_EXT) == N_UNDF | N_EXT}
        if not candidates:
            return
        for index, (word, size) in enumerate(zip(self._words, self._values, strict=True)):
            if size and word in candidates:
                alignment = word >> 24 & 0xF
                hidden = Visibility.HIDDEN if word & N_PEXT else Visibility.DEFAULT
                words[index] = Binding.GLOBAL << 4 | SymbolType.OBJECT | hidden << 8 | SHN_COMMON << 16
                values[index], sizes[index] = 1 << alignment, size


def read_symbols(macho: MachoFile) -> MachoSymbols | None:
    """The symbols of LC_SYMTAB; None if there is no such command."""
    command = macho.command(LC_SYMTAB)
    return None if command is None else MachoSymbols(macho, command)


def is_defined(word: int) -> bool:
    return word & N_TYPE not in _UNDEFINED


def section_number(word: int) -> int:
    """The section that a symbol is defined in, the first being 1; 0 for none."""
    return word >> 8 & 0xFF if word & N_TYPE == N_SECT else 0


def _columns(raw: memoryview, order: str, *, wide: bool) -> tuple[list[int], list[int], list[int]]:
    if order == "<":
        narrow = column(bytes(raw), 4)
        step = 4 if wide else 3
        values = column(bytes(raw), 8)[1::2] if wide else narrow[2::3]
        return narrow[0::step].tolist(), narrow[1::step].tolist(), values.tolist()
    names, words, found = list[int](), list[int](), list[int]()
    for name, kind, section, description, value in struct.iter_unpack(">IBBHQ" if wide else ">IBBHI", raw):
        names.append(name)
        words.append(kind | section << 8 | description << 16)
        found.append(value)
    return names, words, found


def _strings(raw: memoryview) -> bytes:
    """The string table with a NUL at both ends: offset 0 is the empty name, whatever is there."""
    strings = bytes(raw) + b"\0"
    if strings[:1] == b" ":
        strings = b"\0" + strings[1:]  # what linkers begin their tables with
    if len(strings) > LONGEST_NAME and max(map(len, strings.split(b"\0"))) > LONGEST_NAME:
        raise ArtifactError(f"string table: a string of more than {LONGEST_NAME} bytes")
    return strings


def _converted(word: int, macho: MachoFile) -> int:
    """A symbol's info, visibility and section index as the packed table has them."""
    defined = is_defined(word)
    binding = Binding.LOCAL
    if word & N_EXT:
        weak = word >> 16 & (N_WEAK_DEF if defined else N_WEAK_REF)
        binding = Binding.WEAK if weak else Binding.GLOBAL
    kind, section = _place(word, macho)
    visibility = Visibility.HIDDEN if word & N_PEXT else Visibility.DEFAULT
    return binding << 4 | kind | visibility << 8 | section << 16


def _place(word: int, macho: MachoFile) -> tuple[SymbolType, int]:
    """A symbol's type and section index."""
    kind = word & N_TYPE
    if kind in _UNDEFINED:
        return SymbolType.NOTYPE, 0
    if kind in _OUTSIDE:
        return SymbolType.NOTYPE, _OUTSIDE[kind]
    if kind != N_SECT:
        raise ArtifactError(f"a symbol of the unknown type {kind:#x}")
    number = section_number(word)
    return section_symbol_type(macho, number), number


def section_symbol_type(macho: MachoFile, number: int) -> SymbolType:
    """The type of what a section defines."""
    if not 0 < number <= len(macho.sections):
        raise ArtifactError(f"a symbol is in section {number} of {len(macho.sections)}")
    section = macho.sections[number - 1]
    if section.type in TLS_SECTIONS:
        return SymbolType.TLS
    return SymbolType.FUNC if section.flags & CODE else SymbolType.OBJECT
