"""Facts: what the readers found in an artifact, independent of its format.

Everything that judges an artifact sees these and never the file, so that a result from the
store and a fresh one are judged by the same code. All of them are plain data: msgspec
encodes them to MessagePack and decodes them with their types checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.artifact.table import (
    Binding,
    Section,
    SectionTable,
    Symbol,
    SymbolTable,
    SymbolType,
    Visibility,
)

__all__ = [
    "Archive",
    "Binding",
    "Bitcode",
    "Dynamic",
    "Facts",
    "Member",
    "Metadata",
    "ObjectFile",
    "ObjectType",
    "Other",
    "Relro",
    "Section",
    "SectionTable",
    "Symbol",
    "SymbolTable",
    "SymbolType",
    "Visibility",
]


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


@dataclass(frozen=True, slots=True)
class Member:
    """An archive's member: an object, bitcode, rustc metadata, or something else.

    `bitcode` and `metadata` are also set where `object` carries them in a section. `error` says
    why a member that announces a format could not be read.
    """

    name: str
    size: int
    object: ObjectFile | None = None
    bitcode: Bitcode | None = None
    metadata: Metadata | None = None
    crate: str | None = None  # crate of origin, where the member's name tells: "std", "compiler_builtins"
    error: str | None = None


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
