"""A PE image as the system loads it: its headers, its directories, and what is at an address.

Format: Microsoft's "PE Format", sections "MS-DOS Stub", "Optional Header" and "Section Table". All addresses
are relative to the image's base.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property

from linkage.artifact.bounds import LONGEST_NAME, take
from linkage.artifact.coff.file import HEADER, CoffFile, CoffHeader
from linkage.errors import ArtifactError

DOS_MAGIC = b"MZ"
MAGIC = b"PE\0\0"
_MAGIC_PLACE = 0x3C
_PE32, _PE32_PLUS = 0x10B, 0x20B
_HEADERS_SIZE_AT, _CHARACTERISTICS_AT = 60, 70  # in the optional header
_SYMBOL_SIZE = 18
_TEXT_LIMIT = 1 << 24  # bytes of names; mshtml imports and exports some 100,000
_OVERLAP = 2  # how often the bytes of a file may be read for names


def magic_offset(data: memoryview) -> int:
    """Where `PE` and two NULs should be, by the header of MS-DOS."""
    return int.from_bytes(data[_MAGIC_PLACE : _MAGIC_PLACE + 4], "little")


class PeImage:
    """An image whose headers have been read. ArtifactError for every access to what is not there."""

    def __init__(self, data: memoryview) -> None:
        at = magic_offset(data) + len(MAGIC)
        raw = take(data, at, HEADER.size, "COFF header")
        machine, sections, _, symbols, count, options, flags = HEADER.unpack(raw)
        optional = take(data, at + HEADER.size, options, "optional header")
        magic = int.from_bytes(optional[:2], "little")
        if magic not in (_PE32, _PE32_PLUS):
            raise ArtifactError(f"optional header: its magic number is {magic:#x}")
        self.data = data
        self.wide = magic == _PE32_PLUS
        header = CoffHeader(
            machine, flags, at + HEADER.size + options, sections, symbols, count, _SYMBOL_SIZE
        )
        self.coff = CoffFile(data, header, linked=True)
        where, self._directories_at = ("<Q", 112) if self.wide else ("<I", 96)
        take(optional, 0, self._directories_at, "optional header")
        self.base: int = struct.unpack_from(where, optional, 24 if self.wide else 28)[0]
        self._headers_size = int.from_bytes(optional[_HEADERS_SIZE_AT : _HEADERS_SIZE_AT + 4], "little")
        characteristics = optional[_CHARACTERISTICS_AT : _CHARACTERISTICS_AT + 2]
        self.characteristics = int.from_bytes(characteristics, "little")
        self._optional = optional
        self._left, self._unread = _TEXT_LIMIT, _OVERLAP * len(data)
        self._texts: dict[int, str] = {}

    def directory(self, index: int) -> tuple[int, int] | None:
        """The address and the size of a directory; None if there is none."""
        at = self._directories_at
        count = int.from_bytes(self._optional[at - 4 : at], "little")
        if index >= count:
            return None
        entry = take(self._optional, at + 8 * index, 8, f"directory {index}")
        address, size = struct.unpack("<II", entry)
        return (address, size) if address else None

    @cached_property
    def _sections(self) -> list[tuple[int, int]]:
        """The address and the number of each section, sorted."""
        count = self.coff.count
        return sorted((self.coff.section(index).address, index) for index in range(1, count + 1))

    @cached_property
    def _addresses(self) -> list[int]:
        return [address for address, _ in self._sections]

    def sections_at(self, addresses: Iterable[int]) -> list[int]:
        """The number of the section that begins before each address; 0 for the headers."""
        numbers = (0, *[number for _, number in self._sections])
        starts = self._addresses
        return [numbers[bisect_right(starts, address)] for address in addresses]

    def _mapped(self, address: int, what: str) -> tuple[int, int, int]:
        """The section of an address, where that begins, and its offset in the file; 0 for the headers."""
        (index,) = self.sections_at([address])
        if not index:
            return 0, 0, 0
        section = self.coff.section(index)
        if address - section.address >= max(section.size, section.virtual_size):
            raise ArtifactError(f"{what} at address {address:#x} is in no section")
        return index, section.address, section.offset

    def view(self, address: int, what: str) -> memoryview:
        """The bytes from an address to the end of what the file has of its section."""
        index, start, offset = self._mapped(address, what)
        size = self.coff.section(index).size if index else self._headers_size
        found = self.data[offset : offset + size][address - start :]
        if not found:
            raise ArtifactError(f"{what} at address {address:#x} is not in the file")
        return found

    def take(self, address: int, size: int, what: str) -> memoryview:
        """The `size` bytes at an address."""
        found = self.view(address, what)[:size] if size else self.data[:0]
        if len(found) < size:
            raise ArtifactError(f"{what} at address {address:#x}, {size} bytes, reaches beyond its section")
        return found

    def texts(self, addresses: Sequence[int], what: str) -> list[str]:
        """The NUL-terminated strings at these addresses, a character a byte (`shown` decodes them)."""
        found: list[str] = []
        text, start, length = "", 0, 0
        for address in addresses:
            at = address - start
            if not 0 <= at < length:
                text, start = self._section_text(address, what)
                at, length = address - start, len(text)
            end = text.find("\0", at, at + LONGEST_NAME)
            if end < 0:
                raise ArtifactError(f"{what}: no string at address {address:#x}")
            found.append(text[at:end])
        self._left -= sum(map(len, found))
        if self._left < 0:  # strings may overlap: without a limit a small file names gigabytes
            raise ArtifactError(f"{what}: more than {_TEXT_LIMIT} bytes of names")
        return found

    def _section_text(self, address: int, what: str) -> tuple[str, int]:
        """What the file has of the section of an address, as text, and where the section begins."""
        index, start, _ = self._mapped(address, what)
        if index not in self._texts:
            raw = self.view(start, what)
            self._unread -= len(raw)
            if self._unread < 0:
                raise ArtifactError(f"{what}: its names are in sections that overlap")
            self._texts[index] = str(raw, "latin-1")
        if address - start >= len(self._texts[index]):
            raise ArtifactError(f"{what}: no string at address {address:#x}")
        return self._texts[index], start


def shown(text: str) -> str:
    r"""A text of PeImage.texts as the facts have it; bytes that are not UTF-8 become `\xNN` escapes."""
    return text if text.isascii() else text.encode("latin-1").decode(errors="backslashreplace")
