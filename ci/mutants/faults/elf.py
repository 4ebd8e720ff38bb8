"""64-bit little-endian ELF files: as much as is needed to change a byte in the right place.

https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"\x7fELF\x02\x01"
GLOBAL, WEAK, LOCAL = 1, 2, 0
HIDDEN, PROTECTED = 2, 3
FUNCTION = 2
NEEDED, SONAME, RPATH, RUNPATH, FLAGS, FLAGS_1 = 1, 14, 15, 29, 30, 0x6FFFFFFB
NOTHING = 0x6FFFFEF0
"""A tag that no loader knows."""

_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_DYNAMIC = struct.Struct("<qQ")


@dataclass(frozen=True)
class SectionEntry:
    """The position of a section."""

    name: str
    offset: int
    size: int
    link: int


@dataclass(frozen=True)
class SymbolEntry:
    """A symbol, and the position of its entry."""

    name: str
    at: int
    info: int
    other: int
    section: int

    @property
    def binding(self) -> int:
        return self.info >> 4

    @property
    def is_exported(self) -> bool:
        return bool(self.section) and self.binding in (GLOBAL, WEAK, 10) and not self.other & 3


class EditableElf:
    """The bytes of a file, and the positions of its parts. Raises ValueError if it is not such a file."""

    def __init__(self, content: bytes) -> None:
        self.bytes = bytearray(content)
        if not content.startswith(MAGIC):
            raise ValueError("not a 64-bit ELF file")
        offset = struct.unpack_from("<Q", content, 0x28)[0]
        count, names = struct.unpack_from("<HH", content, 0x3C)
        raw = [_SECTION.unpack_from(content, offset + index * _SECTION.size) for index in range(count)]
        base = raw[names][4] if raw else 0
        self.sections = [SectionEntry(self._text(base + one[0]), one[4], one[5], one[6]) for one in raw]
        self.section_names = self.sections[names] if raw else None

    def _text(self, at: int) -> str:
        return self.bytes[at : self.bytes.index(0, at)].decode("utf-8", "replace")

    def section(self, name: str) -> SectionEntry | None:
        return next((one for one in self.sections if one.name == name), None)

    def symbols(self, table: str) -> Iterator[SymbolEntry]:
        """The entries of `.symtab` or `.dynsym`."""
        found = self.section(table)
        if found is None:
            return
        names = self.sections[found.link].offset
        for at in range(found.offset, found.offset + found.size, _SYMBOL.size):
            name, info, other, section, _, _ = _SYMBOL.unpack_from(self.bytes, at)
            yield SymbolEntry(self._text(names + name), at, info, other, section)

    def undefine(self, symbol: SymbolEntry) -> None:
        struct.pack_into("<H", self.bytes, symbol.at + 6, 0)

    def hide(self, symbol: SymbolEntry) -> None:
        self.bytes[symbol.at + 5] = symbol.other & ~3 | HIDDEN

    def show(self, symbol: SymbolEntry) -> None:
        """Make it protected: not hidden, and not bound through the GOT."""
        self.bytes[symbol.at + 5] = symbol.other & ~3 | PROTECTED

    def bind(self, symbol: SymbolEntry, binding: int) -> None:
        self.bytes[symbol.at + 4] = binding << 4 | symbol.info & 15

    def dynamic(self) -> Iterator[tuple[int, int, int]]:
        """The position, tag and value of each entry of the dynamic section."""
        found = self.section(".dynamic")
        if found is not None:
            for at in range(found.offset, found.offset + found.size, _DYNAMIC.size):
                yield (at, *_DYNAMIC.unpack_from(self.bytes, at))

    def dynamic_text(self, value: int) -> str:
        strings = self.section(".dynstr")
        return self._text(strings.offset + value) if strings else ""

    def set_dynamic(self, at: int, tag: int, value: int) -> None:
        _DYNAMIC.pack_into(self.bytes, at, tag, value)


def change(file: Path, edit: Callable[[EditableElf], None]) -> None:
    """Change a file in place."""
    elf = EditableElf(file.read_bytes())
    edit(elf)
    file.write_bytes(bytes(elf.bytes))


def defined(content: bytes) -> list[str]:
    """The global symbols that an object file defines; none if it is not an object file."""
    try:
        found = EditableElf(content)
        return [one.name for one in found.symbols(".symtab") if one.section and one.binding != LOCAL]
    except (ValueError, struct.error, IndexError):
        return []


def undefined(content: bytes) -> list[str]:
    try:
        return [one.name for one in EditableElf(content).symbols(".symtab") if not one.section and one.name]
    except (ValueError, struct.error, IndexError):
        return []
