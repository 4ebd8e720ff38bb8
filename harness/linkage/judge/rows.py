"""Symbols as the judge needs them: the few columns that claims select by, decoded in one pass.

A static library with std has some 13,000 symbols. Decoding all columns takes ten times as long, so
the rarely used ones (section, version) are looked up in the packed table when needed.
"""

from functools import lru_cache
from typing import NamedTuple

from linkage.artifact.facts import Binding, SymbolTable, SymbolType, Visibility
from linkage.artifact.tables import SHN_ABS, SHN_COMMON, SHN_UNDEF
from linkage.judge.pattern import VERSION_MARK, VersionedName

_BINDINGS = tuple({int(one): one for one in Binding}.get(info >> 4, Binding.GLOBAL) for info in range(256))
_TYPES = tuple({int(one): one for one in SymbolType}.get(info & 15, SymbolType.OTHER) for info in range(256))
_VISIBILITIES = tuple(Visibility(other & 3) for other in range(256))
_NAMELESS = (SymbolType.SECTION, SymbolType.FILE)
"""Every object has some of these, even one without functions."""


class SymbolRow(NamedTuple):
    """The columns of a `Symbol` that claims select by."""

    name: str
    binding: Binding
    visibility: Visibility
    type: SymbolType
    defined: bool
    absolute: bool
    table: SymbolTable
    place: int

    @property
    def strong(self) -> bool:
        """Whether a second definition of it is a link error."""
        return self.defined and self.binding is Binding.GLOBAL and self.type is not SymbolType.COMMON

    @property
    def section(self) -> str | None:
        return self.table[self.place].section

    @property
    def size(self) -> int:
        return self.table[self.place].size

    @property
    def value(self) -> int:
        return self.table[self.place].value

    @property
    def version(self) -> str | None:
        return self.table[self.place].version

    @property
    def plain(self) -> str:
        """The name without its version, which bfd writes into the names of the symbol table."""
        return self.name[:1] + self.name[1:].partition(VERSION_MARK)[0]

    @property
    def listed(self) -> str:
        """The name as claims list it: with its version."""
        name = self.table[self.place].versioned if self.table.versions else self.name
        return VersionedName.of(self.plain, name) if VERSION_MARK in name[1:] else name

    @property
    def version_node(self) -> bool:
        """Whether it stands for a version that the library defines."""
        return self.absolute and self.name == self.version

    @property
    def comdat(self) -> str | None:
        return self.table.comdat(self.place)

    @property
    def hidden(self) -> bool:
        return self.visibility in (Visibility.HIDDEN, Visibility.INTERNAL)


@lru_cache(maxsize=1024)  # tables: the objects of std are in many libraries
def rows(table: SymbolTable) -> tuple[SymbolRow, ...]:
    """A table's symbols in order, without section, file and nameless symbols.

    Equal tables give the same rows: a row does not tell which object it is from.
    """
    if not table.names.isascii():
        whole = [
            SymbolRow(s.name, s.binding, s.visibility, s.type, s.defined, s.absolute, table, index)
            for index, s in enumerate(table)
        ]
        return tuple(row for row in whole if row.name and row.type not in _NAMELESS)
    text = table.names.decode("ascii")
    end = text.index
    found: list[SymbolRow] = []
    for index, record in enumerate(table.RECORD.iter_unpack(table.records)):
        offset, info, other, section, _, _ = record
        kind = _TYPES[info]
        name = text[offset : end("\0", offset)]
        if not name or kind in _NAMELESS:
            continue
        kind = SymbolType.COMMON if section == SHN_COMMON else kind
        found.append(
            SymbolRow(
                name,
                _BINDINGS[info],
                _VISIBILITIES[other],
                kind,
                section != SHN_UNDEF,
                section == SHN_ABS,
                table,
                index,
            )
        )
    return tuple(found)
