"""The bytes of named sections, decompressed.

Formats: gABI, chapter "Sections", "Compressed Sections" (SHF_COMPRESSED and Elf32_Chdr,
Elf64_Chdr); the older `.zdebug_*` sections begin with "ZLIB" and a big-endian size of 8 bytes
(binutils' documentation of `objcopy --compress-debug-sections=zlib-gnu`).
"""

import struct
import zlib
from collections.abc import Sequence
from importlib import import_module

from linkage.artifact.bounds import take
from linkage.artifact.elf.file import ElfFile
from linkage.artifact.tables import SHF_COMPRESSED
from linkage.errors import ArtifactError

LIMIT = 1 << 20
"""Bytes of one section's content, decompressed. A larger one is an error: a claim about what it lacks must
not pass because only half of it was read."""

_ZLIB, _ZSTD = 1, 2  # ch_type: ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD
_GNU_MAGIC = b"ZLIB"


def read_contents(elf: ElfFile, names: Sequence[str]) -> dict[str, bytes]:
    """The content of every section that is there, by name; several of one name one after the other.

    A section of SHT_NOBITS has none. ArtifactError if a content is larger than LIMIT or cannot be
    decompressed.
    """
    found: dict[str, bytes] = {}
    for name in names:
        for index in elf.sections.indexes(name):
            found[name] = found.get(name, b"") + _content(elf, index, name)
            _check_size(len(found[name]), name)
    return found


def _content(elf: ElfFile, index: int, name: str) -> bytes:
    raw = elf.content(index)
    if not raw:
        return b""
    if elf.section(index).flags & SHF_COMPRESSED:
        return _compressed(elf, raw, name)
    if name.startswith(".zdebug") and raw[:4] == _GNU_MAGIC:
        size = int.from_bytes(take(raw, 4, 8, f"section {name}'s compression header"), "big")
        return _decompressed(_ZLIB, raw[12:], size, name)
    _check_size(len(raw), name)
    return bytes(raw)


def _compressed(elf: ElfFile, raw: memoryview, name: str) -> bytes:
    layout = struct.Struct(elf.header.order + ("IIQQ" if elf.header.wide else "III"))
    fields = layout.unpack(take(raw, 0, layout.size, f"section {name}'s compression header"))
    return _decompressed(fields[0], raw[layout.size :], fields[-2], name)


def _decompressed(kind: int, raw: memoryview, size: int, name: str) -> bytes:
    _check_size(size, name)
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


def _check_size(size: int, name: str) -> None:
    if size > LIMIT:
        raise ArtifactError(f"section {name} has {size} bytes of content; at most {LIMIT} are read")
