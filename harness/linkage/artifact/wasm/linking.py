"""The `linking` section of an object file: symbols, segments, init functions, COMDAT groups.

Format: tool conventions, "Linking" (Linking.md), version 2 of the section.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from linkage.artifact.wasm.leb128 import Cursor
from linkage.artifact.wasm.numbers import (  # fmt: skip
    COMDAT_INFO,
    INIT_FUNCTIONS,
    LINKING_VERSION,
    SEGMENT_INFO,
    SYMBOL_SUBSECTION,
)
from linkage.errors import ArtifactError

SECTION = "linking"


class SegmentInfo(NamedTuple):
    """A data segment's name and flags (SEGMENT_*)."""

    name: bytes
    flags: int


@dataclass(slots=True)
class Linking:
    """What the section holds. `symbols` is the symbol table as it is in the file, its number first."""

    symbols: bytes = b"\0"
    segments: list[SegmentInfo] = field(default_factory=list)
    init_functions: int = 0
    comdats: list[str] = field(default_factory=list)
    """The groups' names."""
    members: dict[tuple[int, int], int] = field(default_factory=dict)
    """The number of the group that something belongs to: by its kind (COMDAT_*) and index."""


def read_linking(cursor: Cursor) -> Linking:
    """The section's parts; those that are not known are passed over."""
    version = cursor.number()
    if version != LINKING_VERSION:
        raise ArtifactError(f"linking section of version {version}; only {LINKING_VERSION} is read")
    found = Linking()
    for number, content in cursor.parts():
        part = Cursor(content, f"subsection {number} of section {SECTION}")
        if number == SYMBOL_SUBSECTION:
            found.symbols = content
        elif number == SEGMENT_INFO:
            found.segments = [_segment(part) for _ in part.vector()]
        elif number == INIT_FUNCTIONS:
            found.init_functions = len(part.vector())
        elif number == COMDAT_INFO:
            _read_comdats(part, found)
    return found


def _segment(part: Cursor) -> SegmentInfo:
    name = part.name()
    part.skip_number()  # the alignment
    return SegmentInfo(name, part.number())


def _read_comdats(part: Cursor, found: Linking) -> None:
    for _ in part.vector():
        found.comdats.append(part.text())
        part.skip_number()  # flags: none is defined
        for _ in part.vector():
            kind, index = part.number(), part.number()
            found.members[kind, index] = len(found.comdats) - 1
