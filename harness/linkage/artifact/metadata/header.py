r"""rustc's crate metadata: its header and the version of the compiler that wrote it.

Format: rustc's sources, compiler/rustc_metadata/src/rmeta/mod.rs (METADATA_HEADER, the root's
position) and rustc_codegen_ssa/src/back/metadata.rs (what wraps it). No other compiler reads
it, and only its beginning is stable enough to be read here:

    `rust\0\0\0` and a version byte; the root's position: 4 bytes, big-endian, up to version 8,
    then 8 bytes, little-endian; the compiler's version string, its length first (LEB128).

A dylib's `.rustc` section repeats the first 8 bytes before the whole: up to version 8 they are
followed by a stream of Snappy frames (seen: 5, 6; some versions have a length between), from
version 9 by an 8-byte length and the metadata uncompressed. An rlib's `lib.rmeta` holds the
metadata uncompressed, raw or (since about 1.64) in the `.rmeta` section of an object file.
"""

import zlib

from linkage.artifact.bounds import take
from linkage.artifact.facts import Metadata
from linkage.artifact.metadata.snappy import STREAM_IDENTIFIER, first_chunk

MAGIC = b"rust\0\0\0"

_HEADER = len(MAGIC) + 1
_BEGINNING = 1 << 17  # bytes; a Snappy chunk's limit is 64 KiB, compressed it may be a little more
_ENOUGH = 512  # bytes of uncompressed metadata that surely hold the version string


def read_metadata(data: memoryview) -> Metadata | None:
    """The metadata's facts, `size` being that in the file; None if its magic is missing.

    ArtifactError if nothing follows the magic.
    """
    beginning = bytes(data[:_BEGINNING])
    if not beginning.startswith(MAGIC):
        return None
    take(data, 0, _HEADER, "metadata header")
    version = beginning[len(MAGIC)]
    for start in (_HEADER, _HEADER + 4, _HEADER + 8):
        if beginning.startswith(MAGIC, start):
            return Metadata(version, _rustc(beginning[start:]), len(data), compressed=False)
        if beginning.startswith(STREAM_IDENTIFIER, start):
            inner = first_chunk(beginning[start:])
            return Metadata(version, _rustc(inner), len(data), compressed=True)
    rustc = _rustc(beginning)
    if rustc is None and (inner := _inflate(beginning[_HEADER:])).startswith(MAGIC):
        return Metadata(version, _rustc(inner), len(data), compressed=True)
    return Metadata(version, rustc, len(data), compressed=False)


def _rustc(data: bytes) -> str | None:
    """The version string after the header, whose root position has 4 or 8 bytes."""
    for start in (_HEADER + 4, _HEADER + 8):
        length, at = _leb128(data, start)
        if data.startswith(b"rustc ", at) and at + length <= len(data):
            return data[at : at + length].decode(errors="backslashreplace")
    return None


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift, byte in zip((0, 7, 14), data[at : at + 3], strict=False):
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            break
    return value, at


def _inflate(data: bytes) -> bytes:
    """The beginning of a raw DEFLATE stream: rustc's compression before it used Snappy."""
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, _ENOUGH)
    except zlib.error:
        return b""
