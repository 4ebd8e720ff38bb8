"""Compressed content of sections, within a limit.

Formats: gABI, chapter "Sections", "Compressed Sections" (the numbers of the algorithms); the older
`.zdebug_*` sections begin with "ZLIB" and a big-endian size of 8 bytes (binutils' documentation of
`objcopy --compress-debug-sections=zlib-gnu`).
"""

import zlib
from collections.abc import Callable, Iterable
from importlib import import_module

from linkage.artifact.bounds import take
from linkage.errors import ArtifactError

LIMIT = 1 << 20
"""Bytes of one section's content, decompressed. A larger one is an error: a claim about what it lacks must
not pass because only half of it was read."""

_ZLIB, _ZSTD = 1, 2  # ch_type: ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD
_GNU_MAGIC = b"ZLIB"


def contents_by_name(
    names: Iterable[str], parts: Callable[[str], Iterable[bytes | memoryview]]
) -> dict[str, bytes]:
    """The content of the sections of each name, of which there may be several, one after the other.

    `parts` gives those of one name. ArtifactError if a name has more than LIMIT.
    """
    found: dict[str, bytes] = {}
    for name in names:
        for content in parts(name):
            check_size(len(found.get(name, b"")) + len(content), name)
            found[name] = found.get(name, b"") + bytes(content)
    return found


def plain_content(raw: memoryview, name: str) -> bytes:
    """The content of a section, of which only its name may tell that it is compressed.

    ArtifactError if it is larger than LIMIT or cannot be decompressed.
    """
    if name.startswith(".zdebug") and raw[:4] == _GNU_MAGIC:
        size = int.from_bytes(take(raw, 4, 8, f"section {name}'s compression header"), "big")
        return decompressed(_ZLIB, raw[12:], size, name)
    check_size(len(raw), name)
    return bytes(raw)


def decompressed(kind: int, raw: memoryview, size: int, name: str) -> bytes:
    """The content of a section that an algorithm (ch_type) has compressed from `size` bytes.

    ArtifactError if it is larger than LIMIT, cannot be decompressed, or has another size.
    """
    check_size(size, name)
    decompress = {_ZLIB: _zlib, _ZSTD: _zstd}.get(kind)
    if decompress is None:
        raise ArtifactError(f"section {name} is compressed with an unknown algorithm ({kind})")
    try:
        content = decompress(raw, size + 1)
    except ImportError:
        why = "which needs Python 3.14 or later"
        raise ArtifactError(f"section {name} is compressed with zstd, {why}") from None
    except Exception as error:  # noqa: BLE001 - whatever a decompressor raises
        raise ArtifactError(f"section {name} cannot be decompressed: {error}") from None
    if len(content) != size:
        raise ArtifactError(f"section {name} declares {size} bytes, but decompresses to {len(content)}")
    return content


def _zlib(raw: memoryview, limit: int) -> bytes:
    return zlib.decompressobj().decompress(raw, limit)


def _zstd(raw: memoryview, limit: int) -> bytes:
    content: bytes = import_module("compression.zstd").ZstdDecompressor().decompress(bytes(raw), limit)
    return content


def check_size(size: int, name: str) -> None:
    """ArtifactError if a section's content is larger than LIMIT."""
    if size > LIMIT:
        raise ArtifactError(f"section {name} has {size} bytes of content; at most {LIMIT} are read")
