"""LLVM bitcode: where it begins, how large it is, and who wrote it.

Format: LLVM's "LLVM Bitcode File Format" (llvm.org/docs/BitCodeFormat.html), chapters
"Bitstream Format", "Bitcode Wrapper Format" and "IDENTIFICATION_BLOCK Contents".
"""

import struct
from collections.abc import Iterator
from functools import lru_cache

from linkage.artifact.bounds import take
from linkage.artifact.facts import Bitcode

MAGIC = b"BC\xc0\xde"
WRAPPER_MAGIC = b"\xde\xc0\x17\x0b"

_WRAPPER = struct.Struct("<IIIII")  # magic, version, offset, size, CPU type
_IDENTIFICATION_BLOCK_ID = 13
_IDENTIFICATION_CODE_STRING = 1
_IDENTIFICATION_LIMIT = 4096  # bytes; real blocks have some 50
_END_BLOCK, _ENTER_SUBBLOCK, _DEFINE_ABBREV, _UNABBREV_RECORD = range(4)
_FIXED, _VBR, _ARRAY, _CHAR6, _BLOB = range(1, 6)
_CHAR6_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._"

_Operand = tuple[int | None, int]  # encoding (None for a literal), its width or value


def read_bitcode(data: memoryview, *, form: str | None = None) -> Bitcode:
    """The facts of raw or wrapped bitcode; `form` overrides how it is called ("section").

    ArtifactError where a wrapper points beyond the data's end.
    """
    if data[:4] == WRAPPER_MAGIC:
        _, _, offset, size, _ = _WRAPPER.unpack(take(data, 0, _WRAPPER.size, "bitcode wrapper"))
        inner = take(data, offset, size, "wrapped bitcode")
        return Bitcode(form or "wrapped", len(data), _producer(inner))
    return Bitcode(form or "raw", len(data), _producer(data))


def _producer(data: memoryview) -> str | None:
    """The identification block's string; None where there is none at the beginning."""
    if data[:4] != MAGIC:
        return None
    # A word of abbreviation id, block id and width, padded; a word of length; the block.
    words = int.from_bytes(data[8:12], "little")
    return _identification(bytes(data[4 : 12 + min(4 * words, _IDENTIFICATION_LIMIT)]))


@lru_cache(maxsize=64)  # the members of one archive nearly all begin with the same block
def _identification(block: bytes) -> str | None:
    bits = _Bits(block)
    try:
        if bits.fixed(2) != _ENTER_SUBBLOCK or bits.vbr(8) != _IDENTIFICATION_BLOCK_ID:
            return None
        width = bits.vbr(4)
        bits.align()
        bits.fixed(32)
        for code, text in _records(bits, width):
            if code == _IDENTIFICATION_CODE_STRING:
                return bytes(char & 0xFF for char in text).decode(errors="backslashreplace")
    except EOFError:
        pass
    return None


def _records(bits: "_Bits", width: int) -> Iterator[tuple[int, list[int]]]:
    """The records of a block up to its end; nested blocks end it, none is expected."""
    abbreviations: list[list[_Operand]] = []
    while (abbreviation := bits.fixed(width)) not in (_END_BLOCK, _ENTER_SUBBLOCK):
        if abbreviation == _DEFINE_ABBREV:
            abbreviations.append(_abbreviation(bits))
        elif abbreviation == _UNABBREV_RECORD:
            code = bits.vbr(6)
            yield code, [bits.vbr(6) for _ in range(bits.vbr(6))]
        elif abbreviation - 4 < len(abbreviations):
            values = _abbreviated(bits, abbreviations[abbreviation - 4])
            if values:
                yield values[0], values[1:]
        else:
            return


def _abbreviation(bits: "_Bits") -> list[_Operand]:
    operands: list[_Operand] = []
    for _ in range(bits.vbr(5)):
        if bits.fixed(1):
            operands.append((None, bits.vbr(8)))
        else:
            encoding = bits.fixed(3)
            operands.append((encoding, bits.vbr(5) if encoding in (_FIXED, _VBR) else 0))
    return operands


def _abbreviated(bits: "_Bits", operands: list[_Operand]) -> list[int]:
    values: list[int] = []
    for encoding, width in operands:
        if encoding == _ARRAY:
            element = operands[-1]
            if element[0] is None:
                raise EOFError  # literals take no bits: their count would be bounded by nothing
            values += [_scalar(bits, element) for _ in range(bits.vbr(6))]
            break
        values.append(_scalar(bits, (encoding, width)))
    return values


def _scalar(bits: "_Bits", operand: _Operand) -> int:
    encoding, width = operand
    if encoding is None:
        return width
    if encoding == _FIXED:
        return bits.fixed(width)
    if encoding == _VBR:
        return bits.vbr(width)
    if encoding == _CHAR6:
        return ord(_CHAR6_ALPHABET[bits.fixed(6)])
    raise EOFError  # a blob or an array of arrays: nothing that an identification block holds


class _Bits:
    """A bitstream, least significant bit first. EOFError at its end: also for what takes no bits."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "little")
        self._length = len(data) * 8
        self._at = 0
        self._reads = 0

    def fixed(self, width: int) -> int:
        self._reads += 1
        if self._at + width > self._length or self._reads > self._length:
            raise EOFError
        value = self._bits >> self._at & ((1 << width) - 1)
        self._at += width
        return value

    def vbr(self, width: int) -> int:
        if width < 2:  # noqa: PLR2004 - one bit says whether more follow
            raise EOFError
        more, value, shift = 1 << (width - 1), 0, 0
        while True:
            chunk = self.fixed(width)
            value |= (chunk & (more - 1)) << shift
            if not chunk & more:
                return value
            shift += width - 1

    def align(self) -> None:
        self._at = (self._at + 31) & ~31
