"""LLVM bitcode: where it begins, how large it is, and who wrote it.

Format: LLVM's "LLVM Bitcode File Format" (llvm.org/docs/BitCodeFormat.html), chapters
"Bitstream Format", "Bitcode Wrapper Format" and "IDENTIFICATION_BLOCK Contents".
"""

import struct
from functools import lru_cache

from linkage.artifact.bitcode.bitstream import ENTER_SUBBLOCK, Bits, records
from linkage.artifact.bitcode.symbols import read_symbols
from linkage.artifact.bounds import take
from linkage.artifact.facts import Bitcode

MAGIC = b"BC\xc0\xde"
WRAPPER_MAGIC = b"\xde\xc0\x17\x0b"

_WRAPPER = struct.Struct("<IIIII")  # magic, version, offset, size, CPU type
_IDENTIFICATION_BLOCK_ID = 13
_IDENTIFICATION_CODE_STRING = 1
_IDENTIFICATION_LIMIT = 4096  # bytes; real blocks have some 50


def read_bitcode(data: memoryview, *, form: str | None = None) -> Bitcode:
    """The facts of raw or wrapped bitcode; `form` is "section" if an object carries it.

    The symbols of bitcode in a section are those of its object and are not read. Raises ArtifactError if
    a wrapper or a block reaches beyond the end.
    """
    inner, wrapped = data, data[:4] == WRAPPER_MAGIC
    if wrapped:
        _, _, offset, size, _ = _WRAPPER.unpack(take(data, 0, _WRAPPER.size, "bitcode wrapper"))
        inner = take(data, offset, size, "wrapped bitcode")
    symbols = None if form else read_symbols(inner)
    return Bitcode(form or ("wrapped" if wrapped else "raw"), len(data), _producer(inner), symbols)


def _producer(data: memoryview) -> str | None:
    """The identification block's string; None if there is none at the beginning."""
    if data[:4] != MAGIC:
        return None
    # A word of abbreviation id, block id and width, padded; a word of length; the block.
    words = int.from_bytes(data[8:12], "little")
    return _identification(bytes(data[4 : 12 + min(4 * words, _IDENTIFICATION_LIMIT)]))


@lru_cache(maxsize=64)  # the members of one archive nearly all begin with the same block
def _identification(block: bytes) -> str | None:
    bits = Bits(block)
    try:
        if bits.fixed(2) != ENTER_SUBBLOCK or bits.vbr(8) != _IDENTIFICATION_BLOCK_ID:
            return None
        width = bits.vbr(4)
        bits.align()
        bits.fixed(32)
        for code, text in records(bits, width):
            if code == _IDENTIFICATION_CODE_STRING:
                return bytes(char & 0xFF for char in text).decode(errors="backslashreplace")
    except EOFError:
        pass
    return None
