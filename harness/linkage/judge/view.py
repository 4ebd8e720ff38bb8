"""An artifact's facts as claims use them: an archive's members are one table, which may be unread. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from functools import cached_property
from itertools import chain
from typing import NamedTuple, TypeVar, cast

from linkage.artifact.cache import LruCache
from linkage.artifact.facts import (
    ArchiveMember,
    Binding,
    Bitcode,
    Facts,
    Metadata,
    ObjectFile,
    ObjectType,
    Section,
    SymbolTable,
    UnknownFile,
)
from linkage.host.terminal import escape
from linkage.judge.formats import NAMES, no_counterpart
from linkage.judge.rows import SymbolRow, rows

T = TypeVar("T")

_kept: LruCache[tuple[str, str], tuple[object, ...]] = LruCache(16)
"""Decoded tables, shared by all claims about one artifact."""


class Table(Enum):
    """What a claim is about: all that it needs to have been read."""

    SYMBOLS = auto()
    DYNAMIC_SYMBOLS = auto()
    DYNAMIC = auto()
    """What is asked of the dynamic loader."""
    SEGMENTS = auto()
    HEADERS = auto()
    """What objects and linked files alike say of themselves."""
    LOADED = auto()
    """What the loader sets up for its code: thread-local storage, functions that it calls."""
    CODE = auto()
    """What functions refer to."""
    SECTIONS = auto()
    EMBEDDED = auto()
    """Bitcode and rustc's metadata, in sections or as they are."""
    MEMBERS = auto()
    """An archive's list of members and its index."""
    MEMBER_SYMBOLS = auto()


_NOUNS = {
    Table.SYMBOLS: "symbol table", Table.DYNAMIC_SYMBOLS: "dynamic symbols", Table.DYNAMIC: "dynamic section",
    Table.SEGMENTS: "program headers", Table.HEADERS: "object headers", Table.LOADED: "object headers",
    Table.CODE: "code", Table.SECTIONS: "sections", Table.EMBEDDED: "content", Table.MEMBERS: "members",
    Table.MEMBER_SYMBOLS: "members",
}  # fmt: skip
_OF_LINKED_FILES = (Table.DYNAMIC_SYMBOLS, Table.DYNAMIC, Table.SEGMENTS)
_OF_CODE = (*_OF_LINKED_FILES, Table.HEADERS, Table.LOADED, Table.CODE, Table.EMBEDDED)
"""Tables that a debug-only file has not kept."""
DESCRIBED = {
    **NAMES, "archive": "an archive", "bitcode": "LLVM bitcode", "empty": "an empty file",
    "metadata": "rustc metadata", "other": "a file", "unreadable": "a file",
}  # fmt: skip
_DESCRIBED_TYPES = {ObjectType.RELOCATABLE: "an object file", ObjectType.DEBUG: "a debug-only file"}
_GCC_BYTECODE = b"\0__gnu_lto_slim\0"


class Part(NamedTuple):
    """The artifact itself, or a member of an archive."""

    name: str | None
    object: ObjectFile | None
    bitcode: Bitcode | None
    unread: str | None = None
    """Why nothing of it was read: it is damaged, or of a format that no reader reads."""

    @property
    def raw_names(self) -> Mapping[str, str]:
        """The names that do not have the platform's prefix, as linkers see them."""
        return self.object.raw_names if self.object is not None else {}

    def linked_name(self, name: str) -> str:
        """What stands for a name among those of other parts: `foo` and `_foo` of Mach-O are two."""
        raw = self.raw_names.get(name)
        return name if raw is None else f"\0{raw}"

    @property
    def symbols(self) -> SymbolTable | None:
        """The symbol table that linkers see."""
        if self.object is not None:
            return self.object.symbols
        return self.bitcode.symbols if self.bitcode is not None else None


class View:
    """The tables of one artifact, each decoded once; None for a table that it does not have."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The artifact itself, or an archive's members."""
        if self.facts.archive is None:
            return (Part(None, self.facts.object, self.facts.bitcode),)
        return tuple(map(_part, self.facts.archive.members))

    def unjudgeable(self, key: str, table: Table) -> str | None:
        """Why a claim with this key cannot be judged: its table was not seen, or its format has none."""
        why = self.unseen(table)
        if why is not None:
            return why
        kinds = dict.fromkeys(one.kind for one in self.objects)
        return next((why for kind in kinds if (why := no_counterpart(key, kind)) is not None), None)

    def unseen(self, table: Table) -> str | None:
        """Why a table was not seen, or not whole; None if it was. No claim about it can be judged then."""
        facts = self.facts
        if facts.error is not None:
            return f"{described(facts)} that cannot be read: {facts.error}"
        if is_foreign(facts):
            return f"{described(facts)}, which is not read"
        if facts.object is not None and facts.object.type is ObjectType.DEBUG and table in _OF_CODE:
            return f"a debug-only file has no {_NOUNS[table]}: they are in the file that it was split from"
        if not self._has(table):
            return f"{described(facts)} has no {_NOUNS[table]}"
        if table in (Table.MEMBERS, Table.HEADERS) or table in _OF_LINKED_FILES:
            return None
        hidden = [
            why if part.name is None else f"member {escape(part.name)} is {why}"
            for part in self.parts
            if (why := _hidden(part, table)) is not None
        ]
        if not hidden:
            return None
        return hidden[0] + (f" (and {len(hidden) - 1} more)" if len(hidden) > 1 else "")

    def _has(self, table: Table) -> bool:
        """Whether a file of its kind can have the table."""
        facts = self.facts
        if table in (Table.MEMBERS, Table.MEMBER_SYMBOLS):
            return facts.archive is not None
        if table in (Table.HEADERS, Table.LOADED):
            return facts.object is not None
        if table in _OF_LINKED_FILES:
            return facts.object is not None and facts.object.type is not ObjectType.RELOCATABLE
        if table in (Table.SECTIONS, Table.CODE):
            return facts.archive is not None or facts.object is not None
        if table is Table.EMBEDDED:
            return facts.kind != "empty" and (facts.archive is None or bool(facts.archive.members))
        return bool(facts.archive or facts.object or facts.bitcode)

    @cached_property
    def objects(self) -> tuple[ObjectFile, ...]:
        """The artifact itself, or an archive's members that are objects."""
        return tuple(part.object for part in self.parts if part.object is not None)

    @cached_property
    def symbols(self) -> tuple[SymbolRow, ...] | None:
        """The symbol table without section and file symbols; of an archive, those of all members."""
        return self._rows("symbols", [part.symbols for part in self.parts])

    @cached_property
    def dynamic(self) -> tuple[SymbolRow, ...] | None:
        """The dynamic symbol table."""
        table = self.facts.object.dynamic_symbols if self.facts.object is not None else None
        return self._rows("dynamic symbols", [table])

    def _rows(self, which: str, tables: Sequence[SymbolTable | None]) -> tuple[SymbolRow, ...] | None:
        present = [table for table in tables if table is not None]
        if not present:
            return None
        return self._decoded(which, lambda: chain.from_iterable(map(rows, present)))

    def select(self, chosen: Callable[[SymbolRow], bool], *, dynamic: bool = False) -> list[str]:
        """The names of the chosen symbols, in the table's order."""
        table = self.dynamic if dynamic else self.symbols
        return [self.listed(symbol) for symbol in table or () if chosen(symbol)]

    def listed(self, symbol: SymbolRow) -> str:
        """A symbol's name as claims list it. LLD does not write versions into the symbol table, bfd does:
        what the dynamic table has at the same address has its version.
        """
        names = self._versioned.get(symbol.name)
        return symbol.listed if names is None else names.get(symbol.value, symbol.listed)

    @cached_property
    def _versioned(self) -> dict[str, dict[int, str]]:
        """Names with their versions in the dynamic table, by name and address."""
        found: dict[str, dict[int, str]] = {}
        for symbol in self.dynamic or ():
            if symbol.listed != symbol.name:
                found.setdefault(symbol.name, {})[symbol.value] = symbol.listed
        return found

    @property
    def optional_imports(self) -> list[str]:
        """Imports of which the loader may find nothing: weak ones, and those from an optional library."""
        dynamic = self.facts.object.dynamic if self.facts.object is not None else None
        libraries = dynamic.optional if dynamic is not None else ()
        imports = dynamic.imports if dynamic is not None else {}
        found = [name for library in libraries for name in imports.get(library, ())]
        late = set(found)
        weak = self.select(
            lambda s: not s.defined and s.binding is Binding.WEAK and s.name not in late, dynamic=True
        )
        return found + weak

    @cached_property
    def unresolved(self) -> list[str]:
        """Undefined symbols that the artifact does not define."""
        if any(part.raw_names for part in self.parts):
            return self._unresolved_by_raw_names()
        defined = {s.name for s in self.symbols or () if s.defined and s.binding is not Binding.LOCAL}
        return sorted({self.listed(s) for s in self.symbols or () if not s.defined and s.name not in defined})

    def _unresolved_by_raw_names(self) -> list[str]:
        defined: set[str] = set()
        undefined: dict[str, str] = {}
        for part in self.parts:
            for row in rows(part.symbols) if part.symbols is not None else ():
                if not row.defined:
                    undefined[part.linked_name(row.name)] = self.listed(row)
                elif row.binding is not Binding.LOCAL:
                    defined.add(part.linked_name(row.name))
        return sorted({name for key, name in undefined.items() if key not in defined})

    @cached_property
    def undefined(self) -> list[str]:
        """Undefined symbols of either table; of an archive, those of each member."""
        return sorted({s.plain for s in (*(self.symbols or ()), *(self.dynamic or ())) if not s.defined})

    @cached_property
    def provided(self) -> frozenset[str]:
        """What the artifact defines for others to link with."""
        # A shared library's own symbol table also has symbols that are not exported.
        table = self.dynamic if self.dynamic is not None else self.symbols
        return frozenset(s.plain for s in table or () if s.defined and s.binding is not Binding.LOCAL)

    @property
    def unlinkable(self) -> str | None:
        """Why it is not known what the artifact defines for others, or leaves undefined."""
        return None if self.dynamic is not None else self.unseen(Table.SYMBOLS)

    @cached_property
    def duplicates(self) -> list[str]:
        """Names with more than one strong definition among an archive's members.

        All definitions in COMDAT groups of one signature are one: linkers keep one of these groups.
        """
        found: Counter[str] = Counter()
        groups: dict[str, set[str]] = {}
        for part in self.parts:
            table = part.symbols
            if table is None:
                continue
            strong = [row for row in rows(table) if row.strong]
            if not table.comdats:
                found.update({part.linked_name(row.name) for row in strong})
                continue
            for name, comdat in {(part.linked_name(row.name), row.comdat) for row in strong}:
                if comdat is None:
                    found[name] += 1
                else:
                    groups.setdefault(name, set()).add(comdat)
        found.update({name: len(signatures) for name, signatures in groups.items()})
        return sorted(name.removeprefix("\0") for name, count in found.items() if count > 1)

    @cached_property
    def section_names(self) -> tuple[str, ...]:
        """The sections' names; of an archive, those of all members."""
        tables = [one.sections for one in self.objects]
        return self._decoded("sections", lambda: chain.from_iterable(one.listed() for one in tables))

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
                if name in (symbol.name, symbol.plain):
                    yield f"{symbol.listed} in the {title}: {describe(symbol)}"
                    break

    def _decoded(self, which: str, decode: Callable[[], Iterable[T]]) -> tuple[T, ...]:
        """A table of the artifact, decoded once for all claims about it."""
        archive = self.facts.archive
        # The digest of a thin archive does not cover the files that it refers to.
        if not self.facts.digest or (archive is not None and archive.thin):
            return tuple(decode())
        key = (self.facts.digest, which)
        found = _kept.get(key)
        return cast("tuple[T, ...]", _kept.put(key, tuple(decode())) if found is None else found)


def facts_of(member: ArchiveMember) -> Facts:
    """The facts of an archive's member, as those of a file of its own."""
    alone = member.object is None
    return Facts(
        member.kind,
        member.size,
        "",
        object=member.object,
        bitcode=member.bitcode if alone else None,
        metadata=member.metadata if alone else None,
        other=UnknownFile(None, member.unread) if member.unread is not None else None,
        error=member.error,
    )


def _part(member: ArchiveMember) -> Part:
    unread = None
    if member.error is not None:
        unread = f"not read: {member.error}"
    elif member.unread is not None and member.unread != "text":
        unread = f"{_a_file(member.unread)}, which is not read"
    return Part(member.name, member.object, member.bitcode, unread)


def _hidden(part: Part, table: Table) -> str | None:
    """Why a part's share of a table was not seen. An empty member, and rustc's metadata, have none."""
    if part.unread is not None:
        return part.unread
    found, bitcode = part.object, part.bitcode
    if found is not None:
        return _hidden_in(found, table)
    if bitcode is None or table is Table.EMBEDDED:
        return None
    if table in (Table.SECTIONS, Table.CODE):
        return f"LLVM bitcode, which has no {_NOUNS[table]}"
    return None if bitcode.symbols is not None else "LLVM bitcode without a symbol table"


def _hidden_in(found: ObjectFile, table: Table) -> str | None:
    """Why an object's share of a table was not seen."""
    if table is Table.SECTIONS:
        return None
    of_symbols = table in (Table.SYMBOLS, Table.MEMBER_SYMBOLS)
    if (
        found.kind == "elf"
        and not found.sections.sizes
        and (table is not Table.LOADED or found.type is ObjectType.RELOCATABLE)
    ):
        what = "symbol table" if of_symbols else "content" if table is Table.EMBEDDED else "code"
        return f"an ELF file without section headers, through which the {what} is found"
    if found.symbols is not None and _GCC_BYTECODE in found.symbols.names:
        return f"GCC's LTO bytecode, whose {'symbols are' if of_symbols else 'code is'} not read"
    return None


def is_foreign(facts: Facts) -> bool:
    """Whether no reader reads files of its format."""
    other = facts.other
    return other is not None and other.format != "text" and (other.format is not None or other.text is None)


def described(facts: Facts) -> str:
    """What kind of file it is, for a message."""
    other = facts.other
    if facts.object is not None and facts.object.type in _DESCRIBED_TYPES:
        return _DESCRIBED_TYPES[facts.object.type]
    if other is None:
        return DESCRIBED.get(facts.kind, f"a file of kind {facts.kind}")
    return _a_file(other.format or ("unknown" if other.text is None else "text"))


def _a_file(format_: str) -> str:
    """A file of a format that is not read."""
    if format_ == "archive":
        return "an archive"
    if format_ == "unknown":
        return "a file of an unknown format"
    return f"{'an' if format_[0] in 'AEIOUX' else 'a'} {format_} file"


def describe(symbol: SymbolRow) -> str:
    """A symbol in readelf's words."""
    state = "ABS" if symbol.absolute else (symbol.section or "COMMON") if symbol.defined else "UND"
    return f"{symbol.type.name} {symbol.binding.name} {symbol.visibility.name} {state}"
