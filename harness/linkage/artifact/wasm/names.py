"""The `name` section of a linked module: what its functions, globals, tables, tags and data are called.

Format: the core specification, appendix "Custom Sections", "Name Section"; the extended name section
proposal adds what is not a function's.
"""

from linkage.artifact.wasm.leb128 import Cursor, long_number
from linkage.artifact.wasm.numbers import (  # fmt: skip
    EXTERN_FUNCTION,
    EXTERN_GLOBAL,
    EXTERN_TABLE,
    EXTERN_TAG,
    NAMES_DATA,
    NAMES_FUNCTIONS,
    NAMES_GLOBALS,
    NAMES_TABLES,
    NAMES_TAGS,
)
from linkage.errors import ArtifactError

SECTION = "name"

NameMap = list[tuple[int, bytes]]
"""Indexes and names, in the file's order."""

_KINDS = {
    NAMES_FUNCTIONS: EXTERN_FUNCTION, NAMES_TABLES: EXTERN_TABLE, NAMES_GLOBALS: EXTERN_GLOBAL,
    NAMES_TAGS: EXTERN_TAG,
}  # fmt: skip


def read_names(cursor: Cursor) -> tuple[dict[int, NameMap], NameMap]:
    """The names of functions, tables, globals and tags, by kind (EXTERN_*), and those of data segments."""
    found: dict[int, NameMap] = {}
    segments: NameMap = []
    for number, content in cursor.parts():
        if number in _KINDS:
            found[_KINDS[number]] = _map(content)
        elif number == NAMES_DATA:
            segments = _map(content)
    return found, segments


def _map(data: bytes) -> NameMap:
    cursor = Cursor(data, f"a subsection of section {SECTION}")
    count, at = len(cursor.vector()), cursor.at
    found: NameMap = []
    try:
        for _ in range(count):
            index, length = data[at], data[at + 1]
            at += 2
            if (index | length) >= 0x80:  # noqa: PLR2004 - the continuation bit of either
                index, at = long_number(data, at - 2)
                length, at = long_number(data, at)
            found.append((index, data[at : at + length]))
            at += length
    except IndexError:
        at = len(data) + 1
    if at > len(data):
        raise ArtifactError(f"a subsection of section {SECTION}: its {count} names reach beyond its end")
    return found
