"""A module's sections, through which the rest is found.

Format: the core specification, "Modules": Sections, Custom Section.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from linkage.artifact.bounds import take
from linkage.artifact.wasm.leb128 import Cursor, long_number
from linkage.artifact.wasm.numbers import CUSTOM, SECTIONS
from linkage.errors import ArtifactError

MAGIC = b"\0asm"

_VERSION = b"\1\0\0\0"  # version 1, layer 0: a core module
_HEADER = len(MAGIC) + len(_VERSION)
_LAYER = slice(6, 8)
_SECTION_LIMIT = 1 << 16


class WasmSection(NamedTuple):
    """A section: its content is `data[start:end]`, without a custom section's name."""

    id: int
    name: str
    start: int
    end: int


def is_module(data: memoryview) -> bool:
    """Whether a file begins as a core module; a component has another layer (Component Model, Binary.md)."""
    return bytes(data[:4]) == MAGIC and not any(data[_LAYER])


class WasmFile:
    """A module whose sections have been found. ArtifactError if one reaches beyond the end."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        version = bytes(take(data, 0, _HEADER, "WebAssembly header")[len(MAGIC) :])
        if version != _VERSION:
            raise ArtifactError(f"WebAssembly version {int.from_bytes(version, 'little')}; only 1 is read")
        self.sections = list(_sections(data))

    @cached_property
    def _first(self) -> dict[int | str, WasmSection]:
        return {section.id or section.name: section for section in reversed(self.sections)}

    def section(self, key: int | str) -> memoryview | None:
        """The content of the section of an id, or of the first custom section of a name."""
        section = self._first.get(key)
        return None if section is None else self.content(section)

    def content(self, section: WasmSection) -> memoryview:
        return self.data[section.start : section.end]

    def cursor(self, key: int | str) -> Cursor | None:
        """At the beginning of the section of an id, or of the first custom section of a name."""
        content = self.section(key)
        if content is None:
            return None
        return Cursor(bytes(content), f"section {SECTIONS[key] if isinstance(key, int) else key}")


def _sections(data: memoryview) -> Iterator[WasmSection]:
    at, count, seen = _HEADER, 0, set[int]()
    while at < len(data):
        number = data[at]
        size, start = _number(data, at + 1, "size")
        end = start + size
        take(data, start, size, f"section {number}")
        if number == CUSTOM:
            length, name_at = _number(data, start, "name")
            start = name_at + length
            if start > end:
                raise ArtifactError(
                    f"a custom section's name at offset {name_at:#x} is longer than the section"
                )
            yield WasmSection(number, _text(data, name_at, start), start, end)
        else:
            name = SECTIONS.get(number)
            if name is None or number in seen:
                what = "a second" if name else "an unknown"
                raise ArtifactError(f"{what} section of id {number} at offset {at:#x}")
            seen.add(number)
            yield WasmSection(number, name, start, end)
        at, count = end, count + 1
        if count > _SECTION_LIMIT:
            raise ArtifactError(f"more than {_SECTION_LIMIT} sections")


def _number(data: memoryview, at: int, what: str) -> tuple[int, int]:
    try:
        return long_number(data, at)
    except IndexError:
        raise ArtifactError(f"a section's {what} at offset {at:#x} reaches beyond the end") from None


def _text(data: memoryview, start: int, end: int) -> str:
    return bytes(data[start:end]).decode(errors="backslashreplace")
