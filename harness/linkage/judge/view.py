"""An artifact's facts as claims use them: an archive's members are one table. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import TypeVar, cast

from linkage.artifact.cache import LruCache
from linkage.artifact.facts import Binding, Bitcode, Facts, Metadata, ObjectFile, Section, SymbolTable
from linkage.judge.rows import SymbolRow, rows

T = TypeVar("T")

_kept: LruCache[tuple[str, str], tuple[object, ...]] = LruCache(16)
"""Decoded tables, shared by all claims about one artifact."""


class View:
    """The tables of one artifact, each decoded once; None for a table that it does not have."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @cached_property
    def objects(self) -> tuple[ObjectFile, ...]:
        """The artifact itself, or an archive's members that are objects."""
        if self.facts.object is not None:
            return (self.facts.object,)
        members = self.facts.archive.members if self.facts.archive is not None else ()
        return tuple(member.object for member in members if member.object is not None)

    @cached_property
    def symbols(self) -> tuple[SymbolRow, ...] | None:
        """The symbol table without section and file symbols; of an archive, those of all members."""
        return self._rows("symbols", [one.symbols for one in self.objects])

    @cached_property
    def dynamic(self) -> tuple[SymbolRow, ...] | None:
        """The dynamic symbol table."""
        table = self.facts.object.dynamic_symbols if self.facts.object is not None else None
        return self._rows("dynamic symbols", [table])

    def _rows(self, which: str, tables: Sequence[SymbolTable | None]) -> tuple[SymbolRow, ...] | None:
        present = [table for table in tables if table is not None]
        if not present:
            return None
        return _decoded(self.facts, which, lambda: chain.from_iterable(map(rows, present)))

    def select(self, chosen: Callable[[SymbolRow], bool], *, dynamic: bool = False) -> list[str] | None:
        """The names of the chosen symbols, in the table's order."""
        table = self.dynamic if dynamic else self.symbols
        return [symbol.name for symbol in table if chosen(symbol)] if table is not None else None

    @cached_property
    def unresolved(self) -> list[str] | None:
        """Undefined symbols that the artifact does not define."""
        if self.symbols is None:
            return None
        defined = {s.name for s in self.symbols if s.defined and s.binding is not Binding.LOCAL}
        return sorted({s.name for s in self.symbols if not s.defined and s.name not in defined})

    @cached_property
    def undefined(self) -> list[str]:
        """Undefined symbols of either table; of an archive, those of each member."""
        return sorted({s.name for s in (*(self.symbols or ()), *(self.dynamic or ())) if not s.defined})

    @cached_property
    def provided(self) -> frozenset[str]:
        """What the artifact defines for others to link with."""
        # A shared library's own symbol table also has symbols that are not exported.
        table = self.dynamic if self.dynamic is not None else self.symbols
        return frozenset(s.name for s in table or () if s.defined and s.binding is not Binding.LOCAL)

    @cached_property
    def duplicates(self) -> list[str] | None:
        """Names with more than one strong definition among an archive's members."""
        if self.facts.archive is None:
            return None
        tables = [one.symbols for one in self.objects if one.symbols is not None]
        counted = Counter(
            name for table in tables for name in {row.name for row in rows(table) if row.strong}
        )
        return sorted(name for name, count in counted.items() if count > 1)

    @cached_property
    def section_names(self) -> tuple[str, ...] | None:
        """The sections' names; of an archive, those of all members."""
        if not self.objects:
            return None
        tables = [one.sections for one in self.objects]
        return _decoded(self.facts, "sections", lambda: chain.from_iterable(one.listed() for one in tables))

    def sections(self, name: str) -> list[Section]:
        """The sections of this name; of an archive, those of all members."""
        return [section for one in self.objects for section in one.sections.named(name)]

    @property
    def references(self) -> dict[str, tuple[str, ...]]:
        """What functions refer to, if it was requested."""
        found: dict[str, tuple[str, ...]] = {}
        for one in self.objects:
            found.update(one.references)
        return found

    @property
    def bitcode(self) -> tuple[Bitcode, ...]:
        """Bitcode in the file or in any of its members."""
        members = self.facts.archive.members if self.facts.archive is not None else ()
        found = [
            self.facts.bitcode,
            *(one.bitcode for one in self.objects),
            *(member.bitcode for member in members),
        ]
        return tuple(one for one in found if one is not None)

    @property
    def metadata(self) -> tuple[Metadata, ...]:
        """Rustc's metadata in the file or in any of its members."""
        members = self.facts.archive.members if self.facts.archive is not None else ()
        found = [
            self.facts.metadata,
            *(one.metadata for one in self.objects),
            *(member.metadata for member in members),
        ]
        return tuple(one for one in found if one is not None)

    def states(self, name: str) -> Iterator[str]:
        """In which tables a missing name is found, and as what."""
        for title, table in (("dynamic symbol table", self.dynamic), ("symbol table", self.symbols)):
            for symbol in table or ():
                if symbol.name == name:
                    yield f"{name} in the {title}: {describe(symbol)}"
                    break


def describe(symbol: SymbolRow) -> str:
    """A symbol in readelf's words."""
    state = "ABS" if symbol.absolute else (symbol.section or "COMMON") if symbol.defined else "UND"
    return f"{symbol.type.name} {symbol.binding.name} {symbol.visibility.name} {state}"


def _decoded(facts: Facts, which: str, decode: Callable[[], Iterable[T]]) -> tuple[T, ...]:
    """A table of an artifact, decoded once for all claims about it."""
    if not facts.digest:
        return tuple(decode())
    key = (facts.digest, which)
    found = _kept.get(key)
    return cast("tuple[T, ...]", _kept.put(key, tuple(decode())) if found is None else found)
