"""LEB128 numbers, as the tables of dyld have them."""

from linkage.errors import ArtifactError

_LONGEST = 10  # bytes of 64 bits
_LAST = 0x7F  # the highest byte that ends a number


def uleb128(data: bytes, at: int, what: str) -> tuple[int, int]:
    """An unsigned number, and where the next one begins. ArtifactError if it has no end."""
    try:
        first = data[at]
        if first <= _LAST:  # what follows is a loop, written out for the numbers that libraries are full of
            return first, at + 1
        second = data[at + 1]
        if second <= _LAST:
            return (second << 7) + first - 0x80, at + 2
        third = data[at + 2]
        if third <= _LAST:
            return (third << 14) + (second << 7) + first - 0x4080, at + 3
        value, shift = (third << 14) + (second << 7) + first - 0x204080, 21
        for position in range(at + 3, at + _LONGEST):
            byte = data[position]
            value |= (byte & _LAST) << shift
            if byte <= _LAST:
                return value, position + 1
            shift += 7
    except IndexError:
        pass
    raise ArtifactError(f"{what}: the number at offset {at:#x} has no end")
