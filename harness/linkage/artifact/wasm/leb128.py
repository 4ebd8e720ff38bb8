"""LEB128 numbers, and what is built of them: names and vectors.

Format: the core specification, "Values": Integers, Names, and "Conventions": Vectors.
"""

from collections.abc import Iterator

from linkage.errors import ArtifactError

_CONTINUES = 0x80
VECTOR_LIMIT = 1 << 20
_WIDEST = 64  # bits


def long_number(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """The unsigned number at `at`, and where it ends.

    Raises IndexError at the end of the data, ArtifactError if it has more than 64 bits.
    """
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < _CONTINUES:
            break
        shift += 7
        if shift >= _WIDEST + 7:
            raise ArtifactError(f"a LEB128 number at offset {at:#x} has no end")
    if value >> _WIDEST:
        raise ArtifactError(f"a LEB128 number of more than {_WIDEST} bits")
    return value, at


class Cursor:
    """Reads through a part of a file, named `what` in the ArtifactError of whatever reaches beyond it."""

    __slots__ = ("at", "data", "what")

    def __init__(self, data: bytes, what: str, at: int = 0) -> None:
        self.data = data
        self.what = what
        self.at = at

    @property
    def left(self) -> int:
        """Bytes that have not been read."""
        return len(self.data) - self.at

    def byte(self) -> int:
        try:
            value = self.data[self.at]
        except IndexError:
            raise self._end("a byte") from None
        self.at += 1
        return value

    def number(self) -> int:
        """An unsigned number."""
        try:
            value = self.data[self.at]
            if value < _CONTINUES:  # most are
                self.at += 1
            else:
                value, self.at = long_number(self.data, self.at)
        except IndexError:
            raise self._end("a number") from None
        return value

    def skip_number(self) -> None:
        """A number of any width and sign, which is not wanted."""
        data, at = self.data, self.at
        while at < len(data) and data[at] >= _CONTINUES:
            at += 1
        if at >= len(data):
            raise self._end("a number")
        self.at = at + 1

    def take(self, size: int) -> bytes:
        start = self.at
        self.at = end = start + size
        if end > len(self.data):
            self.at = start
            raise self._end(f"{size} bytes")
        return self.data[start:end]

    def name(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        r"""A name; bytes that are not UTF-8 become `\xNN` escapes."""
        return self.name().decode(errors="backslashreplace")

    def vector(self) -> range:
        """The indexes of a vector, whose entries have at least one byte each.

        The JavaScript API allows a million of anything that a module imports, defines or exports.
        """
        count = self.number()
        if count > VECTOR_LIMIT:
            raise ArtifactError(f"{self.what}: it declares {count} entries; at most {VECTOR_LIMIT} are read")
        if count > self.left:
            raise ArtifactError(f"{self.what}: it declares {count} entries, but has {self.left} bytes")
        return range(count)

    def parts(self) -> Iterator[tuple[int, bytes]]:
        """The numbered, sized parts (subsections) up to the end."""
        while self.left:
            number = self.byte()
            yield number, self.name()

    def _end(self, wanted: str) -> ArtifactError:
        return ArtifactError(
            f"{self.what}: {wanted} at offset {self.at:#x} of it, which has {len(self.data)} bytes"
        )
