"""Facts: what the readers found in an artifact, independent of its format.

Everything that judges an artifact sees these and never the file, so that a result from the
store and a fresh one are judged by the same code. All of them are plain data: msgspec
encodes them to MessagePack and decodes them with their types checked.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Binding(IntEnum):
    """A symbol's binding; the ELF names are used for every format."""

    LOCAL = 0
    GLOBAL = 1
    WEAK = 2
    UNIQUE = 10  # STB_GNU_UNIQUE


class Visibility(IntEnum):
    """A symbol's visibility; the numbers are ELF's STV_*."""

    DEFAULT = 0
    INTERNAL = 1
    HIDDEN = 2
    PROTECTED = 3


class SymbolType(IntEnum):
    """A symbol's type; the numbers are ELF's STT_*."""

    NOTYPE = 0
    OBJECT = 1
    FUNC = 2
    SECTION = 3
    FILE = 4
    COMMON = 5
    TLS = 6
    IFUNC = 10
    OTHER = 15


@dataclass(frozen=True, slots=True)
class Symbol:
    """One entry of a symbol table, decoded.

    `name` is the raw name, bytes that are no UTF-8 kept as `\\xNN` escapes. `section` is None
    for an undefined, absolute or common symbol. `size` and `value` are in bytes.
    `version` is a dynamic symbol's version (`GLIBC_2.34`), None where there is none.
    """

    name: str
    binding: Binding
    visibility: Visibility
    type: SymbolType
    defined: bool
    absolute: bool
    section: str | None
    value: int
    size: int
    version: str | None = None

    @property
    def strong(self) -> bool:
        """Whether a second definition of it is a link error."""
        return self.defined and self.binding is Binding.GLOBAL


NO_SECTION = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class SymbolTable:
    """A symbol table kept as packed columns; names are decoded only when asked for.

    `names` holds every name NUL-terminated, in order, after one leading NUL, so that a name
    can be searched for as `\\0name\\0`. `records` holds one `RECORD` a symbol.
    """

    RECORD = struct.Struct("<BBBBIIQQ")  # binding, visibility, type, flags, section, version, value, size
    DEFINED = 1
    ABSOLUTE = 2

    names: bytes = b"\0"
    records: bytes = b""
    sections: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.records) // self.RECORD.size

    def __iter__(self) -> Iterator[Symbol]:
        raise NotImplementedError

    def named(self, name: str) -> tuple[Symbol, ...]:
        """The symbols of exactly this name, without decoding the others."""
        raise NotImplementedError


class ObjectType(StrEnum):
    """What an object file is for."""

    RELOCATABLE = "relocatable"
    SHARED = "shared"  # a shared library
    EXECUTABLE = "executable"  # position-dependent or PIE
    CORE = "core"
    OTHER = "other"


class Relro(StrEnum):
    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its size in the file's terms (bytes), whether its content is compressed."""

    name: str
    size: int
    type: str
    flags: str  # as readelf prints them: "AX", "WA", "MS", …
    compressed: bool = False


@dataclass(frozen=True, slots=True)
class Bitcode:
    """LLVM bitcode: raw, with the Darwin wrapper, or embedded in a section of an object."""

    form: str  # "raw", "wrapped", "section"
    size: int
    producer: str | None = None  # the identification block's string: "LLVM22.1.2-rust-1.95.0-stable"


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


@dataclass(frozen=True, slots=True)
class ObjectFile:
    """An ELF file's facts. `dynamic` and `dynamic_symbols` are None where there is no such table."""

    format: str  # "elf64-little", "elf32-big", …
    machine: str  # "x86_64", "aarch64", … (e_machine by its usual name, else its number)
    type: ObjectType
    sections: tuple[Section, ...]
    symbols: SymbolTable | None
    dynamic_symbols: SymbolTable | None
    dynamic: Dynamic | None
    interpreter: str | None
    pie: bool
    relro: Relro
    bitcode: Bitcode | None
    metadata: Metadata | None
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Member:
    """An archive's member: an object, bitcode, rustc metadata, or something else."""

    name: str
    size: int
    object: ObjectFile | None = None
    bitcode: Bitcode | None = None
    metadata: Metadata | None = None
    crate: str | None = None  # crate of origin, where the member's name tells: "std", "compiler_builtins"


@dataclass(frozen=True, slots=True)
class Archive:
    """An ar archive. `index` holds the names in its symbol index, None where it has none."""

    flavour: str  # "gnu", "bsd", "darwin64", "gnu64"
    thin: bool
    members: tuple[Member, ...]
    index: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Other:
    """A file of no format that the readers know; `text` where it is UTF-8 (and at most 1 MiB)."""

    text: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the readers found in one file: exactly one of the kinds is set.

    `kind` is "elf", "archive", "bitcode", "metadata", "other" or "empty"; `size` is in bytes;
    `digest` is the content's BLAKE2b, 32 hexadecimal digits; `error` says why a file that
    announces a format could not be read (then no kind is set).
    """

    kind: str
    size: int
    digest: str
    object: ObjectFile | None = None
    archive: Archive | None = None
    bitcode: Bitcode | None = None
    metadata: Metadata | None = None
    other: Other | None = None
    error: str | None = None
