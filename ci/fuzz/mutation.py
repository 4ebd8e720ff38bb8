"""Other bytes from some bytes: what a fuzzer tries that is not guided by coverage."""

import random
import struct
from collections.abc import Sequence

_VALUES = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    1 << 40,
    1 << 63,
    (1 << 64) - 1,
)
_WORDS = (
    b"{",
    b"[",
    b'"',
    b"\n",
    b"- ",
    b": ",
    b"${",
    b"\0",
    b"*",
    b"(",
    b"\\",
    b"99999999999999999999",
    b"-1",
    b"&a *a",
)


def mutated(chance: random.Random, data: bytes, others: Sequence[bytes], longest: int) -> bytes:
    """A few changes of `data`, which may take parts of `others`."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        _CHANGES[chance.randrange(len(_CHANGES))](chance, changed, others)
    return bytes(changed[:longest])


def _at(chance: random.Random, data: bytearray) -> int:
    """A place; headers, at the beginning and at the end, more often."""
    if not data:
        return 0
    near = min(len(data), chance.choice((16, 64, 512, len(data), len(data))))
    return chance.randrange(near) if chance.random() < 0.7 else len(data) - 1 - chance.randrange(near)  # noqa: PLR2004


def _number(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    field = struct.pack(chance.choice("<>") + "Q", chance.choice((*_VALUES, chance.getrandbits(64))))
    width = chance.choice((1, 2, 4, 8))
    field = field[:width] if chance.random() < 0.5 else field[-width:]  # noqa: PLR2004
    at = _at(chance, data)
    data[at : at + width] = field


def _bit(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_at(chance, data)] ^= 1 << chance.randrange(8)


def _word(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(chance, data)
    data[at:at] = chance.choice(_WORDS) * chance.choice((1, 1, 1, 3, 100, 3000))


def _cut(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(chance, data)
    del data[at : at + chance.choice((1, 2, 8, 100, len(data)))]


def _repeat(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(chance, data)
    data[at:at] = data[at : at + chance.choice((1, 8, 60, 500))] * chance.choice((1, 2, 20))


def _spliced(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    if others:
        other = chance.choice(others)
        start = chance.randrange(len(other) + 1)
        at = _at(chance, data)
        length = chance.choice((4, 30, 300, len(other)))
        data[at : at + chance.choice((0, length))] = other[start : start + length]


_CHANGES = (_number, _number, _bit, _word, _cut, _repeat, _spliced)
