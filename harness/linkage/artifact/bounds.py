"""Access to parts of a file's bytes: every offset and count is checked against the file's size."""

from collections.abc import Iterable

from linkage.errors import ArtifactError

LONGEST_NAME = 1 << 20  # bytes; the longest Rust symbol names are some 10,000
_NAMES_LIMIT = 1 << 34  # bytes; the largest libraries of rustc stay far below


def take(data: memoryview, offset: int, size: int, what: str) -> memoryview:
    """The `size` bytes at `offset`; ArtifactError names what would lie beyond the end."""
    if offset + size > len(data):
        place = f"{what} at offset {offset:#x}, {size} bytes"
        raise ArtifactError(f"{place}, reaches beyond the end of the file ({len(data)} bytes)")
    return data[offset : offset + size]


def string(data: bytes, offset: int, what: str) -> str:
    r"""The NUL-terminated string at `offset`; bytes that are not UTF-8 become `\xNN` escapes."""
    end = data.find(b"\0", offset, offset + LONGEST_NAME)
    if end < 0:
        raise ArtifactError(f"{what}: no string at offset {offset:#x} of its string table")
    return data[offset:end].decode(errors="backslashreplace")


def check_strings(strings: bytes, what: str) -> None:
    """ArtifactError if a string table has a string that is longer than LONGEST_NAME."""
    if len(strings) > LONGEST_NAME and max(map(len, strings.split(b"\0"))) > LONGEST_NAME:
        raise ArtifactError(f"{what}: a string of more than {LONGEST_NAME} bytes")


def check_names(offsets: Iterable[int], names: bytes, what: str) -> None:
    """Raise ArtifactError if one of these offsets is beyond the end of a string table."""
    highest = max(offsets, default=0)
    if highest >= len(names):
        raise ArtifactError(f"{what}'s name is at {highest:#x} of a string table of {len(names)} bytes")


def check_length(count: int, names: bytes) -> None:
    """Raise ArtifactError if this number of names, which may overlap, would take all memory if decoded."""
    if count * len(names) > _NAMES_LIMIT and count * max(map(len, names.split(b"\0"))) > _NAMES_LIMIT:
        raise ArtifactError(f"{count} symbols with names of more than {_NAMES_LIMIT // count} bytes")
