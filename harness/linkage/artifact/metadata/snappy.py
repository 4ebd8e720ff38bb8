"""The first chunk of a stream of Snappy frames, as rustc wrote metadata into dylibs up to 1.7x.

Formats: google/snappy, framing_format.txt and format_description.txt. The whole stream is
not needed: the compiler's version string is at its beginning.
"""

STREAM_IDENTIFIER = b"\xff\x06\x00\x00sNaPpY"

_COMPRESSED, _UNCOMPRESSED = 0x00, 0x01
_CHUNK_LIMIT = 1 << 16  # bytes of uncompressed data in a chunk
_CHECKSUM = 4


def first_chunk(stream: bytes) -> bytes:
    """The first chunk, uncompressed; as much as is readable of a damaged one. The checksum is not read."""
    at = len(STREAM_IDENTIFIER)
    header = stream[at : at + 4]
    size = int.from_bytes(header[1:4], "little")
    body = stream[at + 4 + _CHECKSUM : at + 4 + size]
    if header[:1] == bytes([_UNCOMPRESSED]):
        return body[:_CHUNK_LIMIT]
    return _uncompress(body) if header[:1] == bytes([_COMPRESSED]) else b""


def _uncompress(data: bytes) -> bytes:
    at = 0
    while at < len(data) and data[at] & 0x80:  # the uncompressed length, a varint: not needed
        at += 1
    at += 1
    out = bytearray()
    while at < len(data) and len(out) < _CHUNK_LIMIT:
        tag = data[at]
        at += 1
        if tag & 3 == 0:
            length, at = _literal_length(data, tag, at)
            out += data[at : at + length]
            at += length
        else:
            length, distance, at = _copy(data, tag, at)
            if not 0 < distance <= len(out):
                break
            out += (out[-distance:] * (length // distance + 1))[:length]
    return bytes(out)


def _literal_length(data: bytes, tag: int, at: int) -> tuple[int, int]:
    length = tag >> 2
    if length < 60:  # noqa: PLR2004 - 60 to 63 say how many bytes the length takes
        return length + 1, at
    width = length - 59
    return int.from_bytes(data[at : at + width], "little") + 1, at + width


def _copy(data: bytes, tag: int, at: int) -> tuple[int, int, int]:
    """A copy's length and distance back, and where the next element begins."""
    if tag & 3 == 1:
        distance = (tag & 0xE0) << 3 | int.from_bytes(data[at : at + 1], "little")
        return (tag >> 2 & 7) + 4, distance, at + 1
    width = 2 if tag & 3 == 2 else 4  # noqa: PLR2004 - the element's kind
    return (tag >> 2) + 1, int.from_bytes(data[at : at + width], "little"), at + width
