"""Access to parts of a file's bytes: every offset and count is checked against the file's size."""

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


def check_names(count: int, names: bytes) -> None:
    """ArtifactError if `count` symbols could have too much text: names may overlap, and decoding those of a
    small hostile file must not take all memory.
    """
    if count * len(names) > _NAMES_LIMIT and count * max(map(len, names.split(b"\0"))) > _NAMES_LIMIT:
        raise ArtifactError(f"{count} symbols with names of more than {_NAMES_LIMIT // count} bytes")
