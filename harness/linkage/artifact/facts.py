"""Facts: what the readers found in an artifact, independent of its format.

Whatever judges an artifact sees these and never the file, so that a cached result and a fresh
one are judged by the same code. All of them are plain data: msgspec
encodes them to MessagePack and decodes them with their types checked.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import groupby, takewhile
from operator import attrgetter
from typing import overload

import msgspec

from linkage.artifact.packing import Packed, pack, unpack, without_columns
from linkage.artifact.tables import (
    Binding,
    Section,
    SectionTable,
    Symbol,
    SymbolTable,
    SymbolType,
    Visibility,
)

_LEVEL = 1  # of zlib: higher ones take twice the time for a seventh less

__all__ = [
    "Archive",
    "ArchiveMember",
    "Binding",
    "Bitcode",
    "CrateMembers",
    "Dynamic",
    "Facts",
    "Members",
    "Metadata",
    "ObjectFile",
    "ObjectType",
    "Relro",
    "Section",
    "SectionTable",
    "Symbol",
    "SymbolTable",
    "SymbolType",
    "UnknownFile",
    "Visibility",
]


class ObjectType(StrEnum):
    """What an object file is for."""

    RELOCATABLE = "relocatable"
    SHARED = "shared"  # a shared library
    EXECUTABLE = "executable"  # position-dependent or PIE
    DEBUG = "debug-only"  # what `objcopy --only-keep-debug` leaves of a linked file: no code, no data
    CORE = "core"
    OTHER = "other"


class Relro(StrEnum):
    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Bitcode:
    """LLVM bitcode: raw, with the Darwin wrapper, or embedded in a section of an object."""

    form: str  # "raw", "wrapped", "section"
    size: int
    producer: str | None = None  # the identification block's string: "LLVM22.1.2-rust-1.95.0-stable"
    symbols: SymbolTable | None = None  # that LLVM wrote for linkers; None if there is none


@dataclass(frozen=True, slots=True)
class Metadata:
    """rustc's crate metadata: the version of its header and the compiler that wrote it."""

    version: int
    rustc: str | None  # "rustc 1.95.0 (59807616e 2026-04-14)"
    size: int
    compressed: bool


@dataclass(frozen=True, slots=True)
class Dynamic:
    """What an object asks of the dynamic loader."""

    needed: tuple[str, ...] = ()
    soname: str | None = None
    runpath: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    bind_now: bool = False
    text_relocations: bool = False
    versions_needed: tuple[str, ...] = ()  # "libc.so.6:GLIBC_2.34"
    versions_defined: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()  # of `needed`: may be missing, or loaded at the first use (PE, Mach-O)
    imports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The names that are imported from each library (PE, Mach-O's two-level names) or module (wasm); `#7` if
    only by ordinal."""

    ordinals: Mapping[str, int] = field(default_factory=dict)
    """Of PE: the ordinals of exports that have names (`#7` is one without); of an import library's member
    that imports `#7`, the name that stands for it in the library."""

    forwarders: Mapping[str, str] = field(default_factory=dict)
    """Exports that another library defines: name to `NTDLL.RtlAllocateHeap` (PE) or `libfoo.dylib:_foo`."""


@dataclass(frozen=True, slots=True)
class ObjectFile:
    """An object file's facts. `dynamic` and `dynamic_symbols` are None if there is no such table.

    The format's name begins with its kind: "elf64-little", "elf32-big", "coff-x86_64", "coff-import-x86_64",
    "pe-x86_64", "macho-arm64", "wasm32", "xcoff32", … In a format without ELF's tables, `dynamic_symbols` are
    the exports (defined) and the imports (undefined); section types and flags are the nearest ones of ELF.
    Names are as the source spells them: without `name_prefix`, the `_` of Mach-O and of 32-bit Windows.
    """

    format: str
    machine: str  # "x86_64", "aarch64", … (e_machine by its usual name, else its number)
    type: ObjectType
    sections: SectionTable  # iterates as Section; SectionTable.of(...) makes one
    symbols: SymbolTable | None
    dynamic_symbols: SymbolTable | None
    dynamic: Dynamic | None
    interpreter: str | None
    pie: bool
    relro: Relro
    bitcode: Bitcode | None
    metadata: Metadata | None
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    contents: Mapping[str, bytes] = field(default_factory=dict)  # of the sections that were asked for
    executable_stack: bool | None = None  # None if the file does not say, and the system decides
    properties: tuple[str, ...] = ()  # GNU properties: "IBT", "SHSTK", "x86-64-v2", "BTI", …
    build_id: str | None = None  # hexadecimal digits
    init_array: int = 0  # functions that are called at the start
    fini_array: int = 0  # functions that are called at the end
    tls: bool = False  # whether it has thread-local storage
    name_prefix: str = ""  # what the platform puts before each name of the source
    raw_names: Mapping[str, str] = field(default_factory=dict)  # if not `name_prefix` and the name
    debug_file: str | None = None  # the PDB with its debug information, as the linker wrote its path
    linker_options: tuple[str, ...] = ()  # what it asks of the linker: `.drectve`, LC_LINKER_OPTION

    @property
    def kind(self) -> str:
        """What Facts call a file of this format: "elf", "coff", "pe", "macho", "wasm", "xcoff"."""
        return kind_of(self.format)


def kind_of(format_: str) -> str:
    """The kind of a format: the letters that its name begins with."""
    return "".join(takewhile(str.isalpha, format_))


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """An archive's member: an object, bitcode, rustc metadata, or something else.

    `bitcode` and `metadata` are also set if `object` has them in a section. `error` is the reason why
    a member of a known format could not be read, or why a thin archive's was not; `unread` is what a
    member is that no reader reads: a format ("COFF"), "archive", "text" or "unknown". An empty member has
    none of all these.
    """

    name: str
    size: int
    object: ObjectFile | None = None
    bitcode: Bitcode | None = None
    metadata: Metadata | None = None
    crate: str | None = None  # crate of origin, if the member's name shows it: "std", "compiler_builtins"
    error: str | None = None
    unread: str | None = None

    @property
    def kind(self) -> str:
        """What the facts of a file of its own would call it; "other" if it could not be read."""
        if self.object is not None:
            return self.object.kind
        if self.bitcode is not None or self.metadata is not None:
            return "bitcode" if self.bitcode is not None else "metadata"
        if self.unread == "archive":
            return "archive"
        return "other" if self.unread is not None or self.error is not None else "empty"


@dataclass(frozen=True, slots=True)
class _PackedMembers:
    """Members as `Members.packed` has them: their objects' tables apart, which is a tenth as large."""

    members: tuple[ArchiveMember, ...]
    tables: Packed


@dataclass(frozen=True, slots=True)
class CrateMembers:
    """The members of one crate, which are next to each other in an archive, and their packed form."""

    members: tuple[ArchiveMember, ...]
    packed: bytes

    @classmethod
    def of(cls, members: Iterable[ArchiveMember]) -> "CrateMembers":
        """These members, packed."""
        listed = tuple(members)
        objects = [one.object for one in listed if one.object is not None]
        tables = pack([(one.sections, one.symbols) for one in objects])
        kept = _PackedMembers(tuple(map(_without_tables, listed)), tables)
        return cls(listed, zlib.compress(msgspec.msgpack.encode(kept), _LEVEL))


@lru_cache(maxsize=256)  # parts: std's are those of every library that holds it
def _unpacked(part: bytes) -> tuple[ArchiveMember, ...]:
    kept = msgspec.msgpack.decode(zlib.decompress(part), type=_PackedMembers)
    objects = [one.object for one in kept.members if one.object is not None]
    tables = unpack(kept.tables, ((one.sections, one.symbols) for one in objects))
    return tuple(one if one.object is None else _with_tables(one, *next(tables)) for one in kept.members)


@dataclass(frozen=True, eq=False)
class Members(Sequence[ArchiveMember]):
    """An archive's members: a sequence to everyone, packed for whoever encodes it.

    Unpacked when a member is first asked for; `packed`, crate by crate, is the one field, and what is
    compared.
    """

    packed: tuple[bytes, ...]

    @classmethod
    def of(cls, members: Iterable[ArchiveMember]) -> "Members":
        """These members, as a sequence that packs them."""
        return cls.joined([CrateMembers.of(run) for _, run in groupby(members, key=attrgetter("crate"))])

    @classmethod
    def joined(cls, parts: Sequence[CrateMembers]) -> "Members":
        """The members of these parts, one for each run of members of one crate."""
        joined = cls(tuple(part.packed for part in parts))
        members = tuple(member for part in parts for member in part.members)
        joined.__dict__["_members"] = members  # known already: never unpacked
        return joined

    @cached_property
    def _members(self) -> tuple[ArchiveMember, ...]:
        return tuple(member for part in self.packed for member in _unpacked(part))

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[ArchiveMember]:
        return iter(self._members)

    @overload
    def __getitem__(self, index: int) -> ArchiveMember: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[ArchiveMember, ...]: ...
    def __getitem__(self, index: int | slice) -> ArchiveMember | tuple[ArchiveMember, ...]:
        return self._members[index]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Members):
            return self.packed == other.packed
        return self._members == other

    __hash__ = None  # type: ignore[assignment]  # equal to a tuple of the same members


def _without_tables(member: ArchiveMember) -> ArchiveMember:
    found = member.object
    if found is None:
        return member
    return _with_tables(member, *without_columns(found.sections, found.symbols))


def _with_tables(member: ArchiveMember, sections: SectionTable, symbols: SymbolTable | None) -> ArchiveMember:
    if member.object is None:
        return member
    # Not dataclasses.replace: import libraries have thousands of members, and it takes twice as long.
    values = list(_OBJECT_FIELDS(member.object))
    values[_SECTIONS], values[_SYMBOLS] = sections, symbols
    one = ObjectFile(*values)
    return ArchiveMember(
        member.name,
        member.size,
        one,
        member.bitcode,
        member.metadata,
        member.crate,
        member.error,
        member.unread,
    )


_NAMES = [one.name for one in fields(ObjectFile)]
_OBJECT_FIELDS = attrgetter(*_NAMES)
_SECTIONS, _SYMBOLS = _NAMES.index("sections"), _NAMES.index("symbols")


@dataclass(frozen=True, slots=True)
class Archive:
    """An ar archive, or a universal file of Mach-O, whose members are named by their architectures.

    `index` holds the names in its symbol index, spelled as in the objects' tables; None if it has none.
    """

    flavour: str  # "gnu", "bsd", "darwin64", "gnu64", "aixbig", "universal", "coff" (two indexes)
    thin: bool
    members: Members  # any sequence may be given
    index: tuple[str, ...] | None

    def __post_init__(self) -> None:
        given: Sequence[ArchiveMember] = self.members
        if not isinstance(given, Members):
            object.__setattr__(self, "members", Members.of(given))


@dataclass(frozen=True, slots=True)
class UnknownFile:
    """A file that no reader reads: its text if it is UTF-8 and at most 1 MiB, its format if it is known."""

    text: str | None
    format: str | None = None  # "PE/COFF", "WebAssembly", …


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the readers found in one file: exactly one of the kinds is set.

    `kind` is the object's, or "archive", "bitcode", "metadata", "other" or "empty"; `size` is in bytes;
    `digest` is the content's, as `linkage.artifact.digest` has it; `error` is the reason why a file of
    a known format could not be read (then no kind is set).
    """

    kind: str
    size: int
    digest: str
    object: ObjectFile | None = None
    archive: Archive | None = None
    bitcode: Bitcode | None = None
    metadata: Metadata | None = None
    other: UnknownFile | None = None
    error: str | None = None
