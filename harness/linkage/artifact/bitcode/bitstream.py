"""LLVM's bitstream: abbreviations, records and blobs.

Format: LLVM's "LLVM Bitcode File Format" (llvm.org/docs/BitCodeFormat.html), chapter "Bitstream Format".
"""

from collections.abc import Iterator

from linkage.errors import ArtifactError

END_BLOCK, ENTER_SUBBLOCK, _DEFINE_ABBREV, _UNABBREV_RECORD = range(4)
_FIXED, _VBR, _ARRAY, _CHAR6, _BLOB = range(1, 6)
_CHAR6_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._"
_BLOB_PREFIX = 64  # bytes: the abbreviation and the length of a block's first blob fit

_Operand = tuple[int | None, int]  # encoding (None for a literal), its width or value


def blocks(data: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """The blocks at the top of a stream after its magic: block id, width of abbreviation ids, content.

    Ends at padding. Raises ArtifactError for a block that reaches beyond the end.
    """
    at = 4
    while at + 8 <= len(data):
        bits = Bits(bytes(data[at : at + 8]))
        if bits.fixed(2) != ENTER_SUBBLOCK:
            return
        try:
            block, width = bits.vbr(8), bits.vbr(4)
        except EOFError:
            return
        words = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if at + 4 * words > len(data):
            raise ArtifactError(f"bitcode block {block} at offset {at:#x} reaches beyond the end")
        yield block, width, data[at : at + 4 * words]
        at += 4 * words


def first_blob(block: memoryview, width: int) -> memoryview | None:
    """The blob in the first record of a block, which defines an abbreviation for it; else None."""
    bits = Bits(bytes(block[:_BLOB_PREFIX]))
    try:
        if bits.fixed(width) != _DEFINE_ABBREV:
            return None
        operands = _abbreviation(bits)
        if bits.fixed(width) <= _UNABBREV_RECORD or not operands or operands[-1][0] != _BLOB:
            return None
        for operand in operands[:-1]:
            _scalar(bits, operand)
        size = bits.vbr(6)
        bits.align()
    except EOFError:
        return None
    if bits.at // 8 + size > len(block):
        raise ArtifactError(f"bitcode: a blob of {size} bytes reaches beyond the end of its block")
    return block[bits.at // 8 : bits.at // 8 + size]


def records(bits: "Bits", width: int) -> Iterator[tuple[int, list[int]]]:
    """The records of a block up to its end; nested blocks end it, none is expected."""
    abbreviations: list[list[_Operand]] = []
    while (abbreviation := bits.fixed(width)) not in (END_BLOCK, ENTER_SUBBLOCK):
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


def _abbreviation(bits: "Bits") -> list[_Operand]:
    operands: list[_Operand] = []
    for _ in range(bits.vbr(5)):
        if bits.fixed(1):
            operands.append((None, bits.vbr(8)))
        else:
            encoding = bits.fixed(3)
            operands.append((encoding, bits.vbr(5) if encoding in (_FIXED, _VBR) else 0))
    return operands


def _abbreviated(bits: "Bits", operands: list[_Operand]) -> list[int]:
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


def _scalar(bits: "Bits", operand: _Operand) -> int:
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


class Bits:
    """A bitstream, least significant bit first. EOFError at its end: also for what takes no bits."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "little")
        self._length = len(data) * 8
        self.at = 0
        """Where the next bit is read."""
        self._reads = 0

    def fixed(self, width: int) -> int:
        self._reads += 1
        if self.at + width > self._length or self._reads > self._length:
            raise EOFError
        value = self._bits >> self.at & ((1 << width) - 1)
        self.at += width
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
        self.at = (self.at + 31) & ~31
