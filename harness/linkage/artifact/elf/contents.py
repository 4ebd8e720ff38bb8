"""The bytes of named sections, decompressed.

Format: gABI, chapter "Sections", "Compressed Sections" (SHF_COMPRESSED and Elf32_Chdr, Elf64_Chdr).
"""

import struct
from collections.abc import Sequence

from linkage.artifact.bounds import take
from linkage.artifact.compression import contents_by_name, decompressed, plain_content
from linkage.artifact.elf.file import ElfFile
from linkage.artifact.tables import SHF_COMPRESSED


def read_contents(elf: ElfFile, names: Sequence[str]) -> dict[str, bytes]:
    """The content of every section that is there, by name; several of one name one after the other.

    A section of SHT_NOBITS has none. ArtifactError if a content is larger than LIMIT or cannot be
    decompressed.
    """
    return contents_by_name(
        names, lambda name: (_content(elf, index, name) for index in elf.sections.indexes(name))
    )


def _content(elf: ElfFile, index: int, name: str) -> bytes:
    raw = elf.content(index)
    if not raw:
        return b""
    if elf.section(index).flags & SHF_COMPRESSED:
        return _compressed(elf, raw, name)
    return plain_content(raw, name)


def _compressed(elf: ElfFile, raw: memoryview, name: str) -> bytes:
    layout = struct.Struct(elf.header.order + ("IIQQ" if elf.header.wide else "III"))
    fields = layout.unpack(take(raw, 0, layout.size, f"section {name}'s compression header"))
    return decompressed(fields[0], raw[layout.size :], fields[-2], name)
