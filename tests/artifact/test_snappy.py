"""Snappy's elements one by one, and damaged data."""

import pytest

from linkage.artifact.metadata.snappy import STREAM_IDENTIFIER, first_chunk

LIMIT = 1 << 16


def chunk(kind: int, body: bytes, *, size: int | None = None) -> bytes:
    """A stream of one chunk, and the beginning of another."""
    length = len(body) + 4 if size is None else size
    return STREAM_IDENTIFIER + bytes([kind]) + length.to_bytes(3, "little") + b"\xff" * 4 + body + b"\x01\x09"


def compressed(*elements: bytes, length: bytes = b"\x05") -> bytes:
    return first_chunk(chunk(0, length + b"".join(elements)))


def literal(text: bytes) -> bytes:
    if len(text) <= 60:
        return bytes([len(text) - 1 << 2]) + text
    size = (len(text) - 1).to_bytes(3, "little").rstrip(b"\0") or b"\0"
    return bytes([59 + len(size) << 2]) + size + text


def near(length: int, distance: int) -> bytes:
    """A copy of 4 to 11 bytes, from at most 2047 bytes back."""
    return bytes([1 | length - 4 << 2 | distance >> 8 << 5, distance & 0xFF])


def far(length: int, distance: int, width: int) -> bytes:
    """A copy of 1 to 64 bytes."""
    return bytes([{2: 2, 4: 3}[width] | length - 1 << 2]) + distance.to_bytes(width, "little")


@pytest.mark.parametrize("length", [1, 2, 59, 60, 61, 256, 257, 60000])
def test_a_literal(length: int) -> None:
    text = bytes(number % 251 for number in range(length))
    assert compressed(literal(text)) == text
    assert compressed(literal(text), literal(b"end")) == text + b"end"


@pytest.mark.parametrize("length", [b"\x05", b"\x80\x01", b"\xff\xff\x7f"])
def test_the_length_is_skipped(length: bytes) -> None:
    assert compressed(literal(b"text"), length=length) == b"text"
    assert first_chunk(chunk(0, length)) == b""


def test_a_copy() -> None:
    text = bytes(range(256)) * 2
    assert compressed(literal(text), near(4, 300)) == text + text[-300:-296]
    assert compressed(literal(text), near(11, 11), literal(b"x")) == text + text[-11:] + b"x"
    assert compressed(literal(text), far(1, 512, 2), literal(b"x")) == text + text[:1] + b"x"
    assert compressed(literal(text), far(64, 500, 4), literal(b"x")) == text + text[12:76] + b"x"


def test_a_copy_may_overlap_what_it_makes() -> None:
    assert compressed(literal(b"ab"), near(5, 2)) == b"abababa"
    assert compressed(literal(b"ab"), near(4, 1)) == b"abbbbb"
    assert compressed(literal(b"ab"), far(6, 2, 2)) == b"abababab"


@pytest.mark.parametrize("element", [near(4, 0), near(4, 3), far(4, 3, 2), far(4, 0, 4)])
def test_after_a_copy_from_nowhere_nothing_is_read(element: bytes) -> None:
    assert compressed(literal(b"ab"), element, literal(b"cd")) == b"ab"


def test_what_is_cut_is_read_as_far_as_it_goes() -> None:
    assert compressed(literal(b"abcd")[:3]) == b"ab"
    assert compressed(literal(b"abcd"), near(4, 4)[:1]) == b"abcd"
    assert first_chunk(STREAM_IDENTIFIER) == b""
    assert first_chunk(chunk(1, b"text", size=6)) == b"te"


def test_a_chunk_is_limited() -> None:
    half = literal(b"x" * 40000)
    assert len(compressed(half, half)) == 80000
    assert len(compressed(half, half, half)) == 80000
    assert len(compressed(literal(b"x" * 32768), literal(b"x" * 32768), literal(b"y"))) == LIMIT
    assert first_chunk(chunk(1, b"x" * (LIMIT + 1))) == b"x" * LIMIT


def test_chunks_of_other_kinds_are_not_read() -> None:
    assert first_chunk(chunk(1, b"text")) == b"text"
    assert first_chunk(chunk(0xFE, b"\x04" + literal(b"text"))) == b""
