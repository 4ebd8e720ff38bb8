"""LLVM's bitstream, written here bit by bit."""

import struct
from collections.abc import Callable

import pytest

from linkage.artifact.bitcode.bitstream import Bits, blocks, first_blob, records
from linkage.errors import ArtifactError

FIXED, VBR, ARRAY, CHAR6, BLOB = range(1, 6)
END, ENTER, DEFINE, UNABBREVIATED = range(4)


class BitWriter:
    """Bits, least significant first."""

    def __init__(self) -> None:
        self.value = self.length = 0

    def fixed(self, value: int, width: int) -> "BitWriter":
        self.value |= value << self.length
        self.length += width
        return self

    def vbr(self, value: int, width: int) -> "BitWriter":
        more = 1 << (width - 1)
        while value >= more:
            self.fixed(value & (more - 1) | more, width)
            value >>= width - 1
        return self.fixed(value, width)

    def abbreviation(self, *operands: tuple[int | None, int]) -> "BitWriter":
        """Define one, in a block whose abbreviations have 4 bits."""
        self.fixed(DEFINE, 4).vbr(len(operands), 5)
        for encoding, width in operands:
            if encoding is None:
                self.fixed(1, 1).vbr(width, 8)
            else:
                self.fixed(0, 1).fixed(encoding, 3)
                if encoding in (FIXED, VBR):
                    self.vbr(width, 5)
        return self

    def align(self) -> "BitWriter":
        return self.fixed(0, -self.length % 32)

    def bytes(self) -> bytes:
        return self.value.to_bytes((self.length + 31) // 32 * 4, "little")


def read_all(writer: BitWriter) -> list[tuple[int, list[int]]]:
    return list(records(Bits(writer.fixed(END, 4).bytes()), 4))


# --- bits


def test_numbers_round_trip() -> None:
    written = (
        BitWriter().fixed(5, 3).vbr(3, 4).vbr(1000, 6).fixed(1, 1).vbr(31, 6).vbr(32, 6).align().fixed(9, 4)
    )
    bits = Bits(written.bytes())
    assert [bits.fixed(3), bits.vbr(4), bits.vbr(6), bits.fixed(1), bits.vbr(6), bits.vbr(6)] == [
        5,
        3,
        1000,
        1,
        31,
        32,
    ]
    bits.align()
    assert bits.at == 64
    assert bits.fixed(4) == 9


def test_alignment_of_what_is_aligned_changes_nothing() -> None:
    bits = Bits(bytes(8))
    for width, at in ((0, 0), (1, 32), (32, 64)):
        bits.fixed(width)
        bits.align()
        assert bits.at == at


def test_the_end_is_an_error_and_nothing_is_read_without_end() -> None:
    bits = Bits(b"\xff")
    assert bits.fixed(8) == 255
    with pytest.raises(EOFError):
        bits.fixed(1)
    with pytest.raises(EOFError):
        Bits(b"\xff").vbr(4)
    for width in (0, 1):
        with pytest.raises(EOFError):
            Bits(bytes(8)).vbr(width)
    assert Bits(b"\x01").vbr(2) == 1
    nothing = Bits(b"\0")
    assert [nothing.fixed(0) for _ in range(8)] == [0] * 8
    with pytest.raises(EOFError):
        nothing.fixed(0)


# --- records


def test_a_record_without_an_abbreviation() -> None:
    written = BitWriter().fixed(UNABBREVIATED, 4).vbr(33, 6).vbr(3, 6).vbr(1, 6).vbr(40, 6).vbr(5000, 6)
    written.fixed(UNABBREVIATED, 4).vbr(2, 6).vbr(0, 6)
    assert read_all(written) == [(33, [1, 40, 5000]), (2, [])]


@pytest.mark.parametrize(
    ("operands", "write", "values"),
    [
        ([(None, 300)], lambda bits: bits, [300]),
        ([(None, 1), (FIXED, 5)], lambda bits: bits.fixed(21, 5), [1, 21]),
        ([(None, 1), (VBR, 4)], lambda bits: bits.vbr(1234, 4), [1, 1234]),
        ([(None, 1), (CHAR6, 0)], lambda bits: bits.fixed(0, 6), [1, ord("a")]),
        ([(None, 1), (CHAR6, 0)], lambda bits: bits.fixed(63, 6), [1, ord("_")]),
        (
            [(None, 1), (CHAR6, 0), (FIXED, 2)],
            lambda bits: bits.fixed(26, 6).fixed(3, 2),
            [1, ord("A"), 3],
        ),
        (
            [(FIXED, 3), (ARRAY, 0), (FIXED, 8)],
            lambda bits: bits.fixed(7, 3).vbr(3, 6).fixed(76, 8).fixed(86, 8).fixed(77, 8),
            [7, 76, 86, 77],
        ),
        (
            [(VBR, 6), (ARRAY, 0), (CHAR6, 0)],
            lambda bits: bits.vbr(40, 6).vbr(1, 6).fixed(62, 6),
            [40, ord(".")],
        ),
        ([(None, 9), (ARRAY, 0), (VBR, 6)], lambda bits: bits.vbr(0, 6), [9]),
    ],
)
def test_a_record_with_an_abbreviation(
    operands: list[tuple[int | None, int]], write: Callable[[BitWriter], BitWriter], values: list[int]
) -> None:
    written = write(BitWriter().abbreviation(*operands).fixed(4, 4))
    written.fixed(UNABBREVIATED, 4).vbr(5, 6).vbr(0, 6)
    assert read_all(written) == [(values[0], values[1:]), (5, [])]


def test_abbreviations_are_numbered_from_four() -> None:
    written = BitWriter().abbreviation((None, 1)).abbreviation((None, 2)).fixed(5, 4).fixed(4, 4).fixed(5, 4)
    assert read_all(written) == [(2, []), (1, []), (2, [])]


def test_an_abbreviation_without_operands_makes_no_record() -> None:
    assert read_all(BitWriter().abbreviation().fixed(4, 4).fixed(UNABBREVIATED, 4).vbr(5, 6).vbr(0, 6)) == [
        (5, [])
    ]


@pytest.mark.parametrize("number", [5, ENTER, END])
def test_what_is_not_a_record_ends_them(number: int) -> None:
    written = BitWriter().abbreviation((None, 1)).fixed(4, 4).fixed(number, 4).fixed(4, 4)
    assert read_all(written) == [(1, [])]


@pytest.mark.parametrize("operands", [[(ARRAY, 0), (None, 1)], [(BLOB, 0)], [(ARRAY, 0), (BLOB, 0)]])
def test_what_no_record_of_ours_has(operands: list[tuple[int | None, int]]) -> None:
    written = BitWriter().abbreviation(*operands).fixed(4, 4).vbr(1, 6).fixed(0, 32)
    with pytest.raises(EOFError):
        read_all(written)


# --- blocks


def block(number: int, body: bytes, *, width: int = 3, words: int | None = None) -> bytes:
    header = BitWriter().fixed(ENTER, 2).vbr(number, 8).vbr(width, 4).align().bytes()
    return header + struct.pack("<I", len(body) // 4 if words is None else words) + body


def listed(data: bytes) -> list[tuple[int, int, bytes]]:
    return [(number, width, bytes(body)) for number, width, body in blocks(memoryview(b"BC\xc0\xde" + data))]


def test_blocks() -> None:
    data = block(13, b"one.", width=5) + block(300, b"") + block(8, b"two.more")
    assert listed(data) == [(13, 5, b"one."), (300, 3, b""), (8, 3, b"two.more")]
    for padding in (b"", b"\0" * 4, b"\0" * 8, b"\0" * 12):
        assert listed(block(13, b"one.") + padding) == [(13, 3, b"one.")]


def test_a_block_that_is_cut() -> None:
    with pytest.raises(ArtifactError, match=r"^bitcode block 13 at offset 0xc reaches beyond the end$"):
        listed(block(13, b"one.", words=2))
    assert listed(b"\xfd\xff\xff\xff" * 2) == []  # its number has no end


# --- blobs


def blob(content: bytes, *, size: int | None = None) -> bytes:
    written = BitWriter().abbreviation((None, 1), (FIXED, 7), (VBR, 6), (BLOB, 0)).fixed(4, 4)
    written.fixed(99, 7).vbr(77, 6).vbr(len(content) if size is None else size, 6).align()
    return written.bytes() + content


@pytest.mark.parametrize("content", [b"", b"text", b"x" * 1000])
def test_a_blob(content: bytes) -> None:
    found = first_blob(memoryview(blob(content) + b"after"), 4)
    assert found is not None
    assert bytes(found) == content


def test_a_blob_that_is_cut() -> None:
    with pytest.raises(
        ArtifactError, match=r"^bitcode: a blob of 5 bytes reaches beyond the end of its block$"
    ):
        first_blob(memoryview(blob(b"text", size=5)), 4)


@pytest.mark.parametrize(
    "written",
    [
        BitWriter().fixed(UNABBREVIATED, 4).vbr(1, 6).vbr(0, 6),
        BitWriter().abbreviation((None, 1), (BLOB, 0)).fixed(UNABBREVIATED, 4).vbr(1, 6).vbr(0, 6),
        BitWriter().abbreviation((None, 1), (FIXED, 8)).fixed(4, 4).fixed(1, 8),
        BitWriter().abbreviation().fixed(4, 4),
        BitWriter().abbreviation((None, 1), (BLOB, 0)),
        BitWriter(),
    ],
)
def test_a_block_without_a_blob(written: BitWriter) -> None:
    assert first_blob(memoryview(written.align().bytes()), 4) is None
