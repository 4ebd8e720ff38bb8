"""A file's content as a name: its BLAKE3, 32 hexadecimal digits.

A run hashes gigabytes of artifacts, and BLAKE3 is made for that (https://github.com/BLAKE3-team/BLAKE3-specs).
"""

from pathlib import Path

from blake3 import blake3

_SIZE = 16  # bytes
_CHUNK = 1 << 20


def digest_of(content: bytes | memoryview) -> str:
    """The name of this content."""
    return blake3(content).hexdigest(length=_SIZE)


def file_digest(path: Path) -> str:
    """The name of a file's content. Raises OSError."""
    found = blake3()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest(length=_SIZE)
