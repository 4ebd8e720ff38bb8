"""A Mach-O file's header, load commands and sections, through which the rest is found.

Format: Apple's <mach-o/loader.h>: `mach_header`, `load_command`, `segment_command`, `section` and their
64-bit forms.
"""

import struct
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from linkage.artifact.bounds import string, take
from linkage.artifact.macho.numbers import (  # fmt: skip
    LC_ENCRYPTION_INFO,
    LC_ENCRYPTION_INFO_64,
    LC_SEGMENT,
    LC_SEGMENT_64,
    MH_DSYM,
    MH_DYLIB_STUB,
    MH_OBJECT,
    S_GB_ZEROFILL,
    S_THREAD_LOCAL_ZEROFILL,
    S_ZEROFILL,
    SECTION_TYPE,
    VM_PROT_WRITE,
    architecture_name,
)
from linkage.errors import ArtifactError

_LAYOUTS = {
    b"\xfe\xed\xfa\xce": (">", False), b"\xfe\xed\xfa\xcf": (">", True),
    b"\xce\xfa\xed\xfe": ("<", False), b"\xcf\xfa\xed\xfe": ("<", True),
}  # fmt: skip
"""The byte order and the class (64 bits?) that a magic number stands for."""

MAGIC = tuple(_LAYOUTS)

_HEADER = "6I"  # cputype, cpusubtype, filetype, ncmds, sizeofcmds, flags
_COMMAND = "II"
_SEGMENT64, _SEGMENT32 = (
    "16sQQQQIIII",
    "16sIIIIIIII",
)  # name, address, size, offset, size, prots, sections, flags
_SECTION64, _SECTION32 = "16s16sQQ8I", "16s16sII7I"
_ZEROFILL = (S_ZEROFILL, S_GB_ZEROFILL, S_THREAD_LOCAL_ZEROFILL)
_READ_ONLY = (
    b"__TEXT",
    b"__DWARF",
    b"__LLVM",
    b"__LD",
)  # segments of an object's sections; others are written


class MachoHeader(NamedTuple):
    """The Mach header. `order` is "<" or ">"; `wide` says whether addresses have 64 bits."""

    order: str
    wide: bool
    cpu_type: int
    cpu_subtype: int
    type: int
    commands: int
    commands_size: int
    flags: int

    @property
    def format(self) -> str:
        return f"macho-{architecture_name(self.cpu_type, self.cpu_subtype)}"


class LoadCommand(NamedTuple):
    """A load command: its number, and its bytes, the number and the size included."""

    number: int
    data: memoryview


class MachoSection(NamedTuple):
    """A section's header, its name with its segment's: `__TEXT,__text`. `has_content`: in the file."""

    name: bytes
    address: int
    size: int
    offset: int
    relocations: int
    relocation_count: int
    flags: int
    first_indirect: int  # reserved1: of its pointers or stubs, in the table of indirect symbols
    stub_size: int  # reserved2
    writable: bool
    has_content: bool

    @property
    def type(self) -> int:
        return self.flags & SECTION_TYPE

    @property
    def segment(self) -> bytes:
        return self.name.partition(b",")[0]


class MachoSegment(NamedTuple):
    """A segment's place in memory and in the file (bytes)."""

    name: bytes
    address: int
    size: int
    offset: int
    file_size: int
    protection: int


class MachoFile:
    """A Mach-O file whose commands have been read. ArtifactError for every access to what is not there."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.header = _header(data)
        self.commands = tuple(_commands(data, self.header))
        self.segments: list[MachoSegment] = []
        self.sections: list[MachoSection] = []
        for command in self.commands:
            if command.number in (LC_SEGMENT, LC_SEGMENT_64):
                self._add_segment(command)

    def command(self, *numbers: int) -> memoryview | None:
        """The bytes of the first command of one of these numbers; None if there is none."""
        return next((one.data for one in self.commands if one.number in numbers), None)

    def numbers(self, data: memoryview, layout: str, at: int, what: str) -> tuple[int, ...]:
        """The numbers at an offset in `data`, which is the file or a part of it."""
        found = struct.Struct(self.header.order + layout)
        return found.unpack(take(data, at, found.size, what))

    def text(self, command: memoryview, at: int, what: str) -> str:
        """The string in a command that its number at `at` is the offset of. It may end with the command."""
        (offset,) = self.numbers(command, "I", at, what)
        if offset >= len(command):
            raise ArtifactError(
                f"{what}: no string at offset {offset:#x} of a command of {len(command)} bytes"
            )
        return string(bytes(command[offset:]) + b"\0", 0, what)

    def content(self, index: int) -> memoryview:
        """A section's bytes in the file, the first section being 1; none for one that only takes memory."""
        section = self.section(index)
        if not section.has_content:
            return self.data[:0]
        what = f"section {section.name.decode(errors='backslashreplace')}"
        if self._encrypted is not None:
            start, end = self._encrypted
            if section.offset < end and start < section.offset + section.size:
                raise ArtifactError(f"{what} is encrypted")
        return take(self.data, section.offset, section.size, what)

    def section(self, index: int) -> MachoSection:
        """A section's header; the first section is 1, as symbols count them."""
        if not 0 < index <= len(self.sections):
            raise ArtifactError(f"section {index} of {len(self.sections)} is referred to")
        return self.sections[index - 1]

    def named(self, *names: bytes) -> Iterator[int]:
        """The numbers of the sections of these names."""
        return (index for index, one in enumerate(self.sections, 1) if one.name in names)

    def part(self, offset: int, size: int, what: str) -> memoryview:
        """What a command refers to."""
        return take(self.data, offset, size, what)

    @property
    def base(self) -> int:
        """Where the file begins in memory: the address of `__TEXT`."""
        return next((one.address for one in self.segments if one.name == b"__TEXT"), 0)

    @cached_property
    def _encrypted(self) -> tuple[int, int] | None:
        command = self.command(LC_ENCRYPTION_INFO, LC_ENCRYPTION_INFO_64)
        if command is None:
            return None
        offset, size, system = self.numbers(command, "III", 8, "LC_ENCRYPTION_INFO")
        return (offset, offset + size) if system else None

    def _add_segment(self, command: LoadCommand) -> None:
        wide, order = command.number == LC_SEGMENT_64, self.header.order
        layout = struct.Struct(order + (_SEGMENT64 if wide else _SEGMENT32))
        fields = layout.unpack(take(command.data, 8, layout.size, "segment command"))
        name, address, size, offset, file_size, _, protection, count, _ = fields
        segment = MachoSegment(_name(name), address, size, offset, file_size, protection)
        self.segments.append(segment)
        entry = struct.Struct(order + (_SECTION64 if wide else _SECTION32))
        raw = take(command.data, 8 + layout.size, count * entry.size, "section headers")
        for one in entry.iter_unpack(raw):
            self.sections.append(self._section(segment, one))

    def _section(self, segment: MachoSegment, fields: tuple[Any, ...]) -> MachoSection:
        name, segment_name, address, size, offset, _, relocations, count, flags, first, second = fields[:11]
        owner = _name(segment_name)
        is_object = self.header.type == MH_OBJECT
        writable = not owner.startswith(_READ_ONLY) if is_object else segment.protection & VM_PROT_WRITE
        absent = flags & SECTION_TYPE in _ZEROFILL or self.header.type == MH_DYLIB_STUB
        if self.header.type == MH_DSYM and not segment.file_size:
            absent = True
        return MachoSection(
            owner + b"," + _name(name), address, size, offset, relocations, count, flags, first, second,
            bool(writable), not absent,
        )  # fmt: skip


def _name(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _header(data: memoryview) -> MachoHeader:
    order, wide = _LAYOUTS[bytes(take(data, 0, 4, "Mach header"))]
    layout = struct.Struct(order + _HEADER)
    fields = layout.unpack(take(data, 4, layout.size, "Mach header"))
    return MachoHeader(order, wide, *fields)


def _commands(data: memoryview, header: MachoHeader) -> Iterator[LoadCommand]:
    start = 32 if header.wide else 28
    area = take(data, start, header.commands_size, "load commands")
    layout = struct.Struct(header.order + _COMMAND)
    at = 0
    for index in range(header.commands):
        number, size = layout.unpack(take(area, at, layout.size, f"load command {index}"))
        if size < layout.size:
            raise ArtifactError(f"load command {index} at offset {start + at:#x} has a size of {size}")
        yield LoadCommand(number, take(area, at, size, f"load command {index}"))
        at += size
