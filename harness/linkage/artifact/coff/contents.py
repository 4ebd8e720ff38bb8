"""The bytes of named sections, and what compilers embed in sections: bitcode and crate metadata."""

from collections.abc import Iterator, Sequence

from linkage.artifact.bitcode.reader import read_bitcode
from linkage.artifact.coff.file import CoffFile
from linkage.artifact.compression import contents_by_name, plain_content
from linkage.artifact.facts import Bitcode, Metadata
from linkage.artifact.metadata.header import MAGIC, read_metadata
from linkage.artifact.tables import SectionTable

_BITCODE_SECTIONS = (".llvmbc", ".llvm.lto")
_METADATA_SECTIONS = (".rmeta", ".rustc")
_PREFIX = len(MAGIC) + 1  # bytes: what `.rustc` begins with
_LENGTH = 8  # bytes: the length after it
_LENGTH_SINCE = 9  # the version of metadata


def read_contents(coff: CoffFile, sections: SectionTable, names: Sequence[str]) -> dict[str, bytes]:
    """The content of every section that is there, by name; several of one name one after the other.

    ArtifactError if a content is larger than LIMIT or cannot be decompressed.
    """

    def parts(name: str) -> Iterator[bytes]:
        for index in sections.indexes(name):
            raw = coff.content(index)
            yield plain_content(raw, name) if raw else b""

    return contents_by_name(names, parts)


def read_embedded(coff: CoffFile, sections: SectionTable) -> tuple[Bitcode | None, Metadata | None]:
    """The bitcode and the metadata that are in sections."""
    bitcode = section_content(coff, sections, *_BITCODE_SECTIONS)
    metadata = section_content(coff, sections, *_METADATA_SECTIONS)
    return (
        None if bitcode is None else read_bitcode(bitcode, form="section"),
        None if metadata is None else read_metadata(_whole(metadata)),
    )


def section_content(coff: CoffFile, sections: SectionTable, *names: str) -> memoryview | None:
    """The content of the first section that has one of these names."""
    for name in names:
        if name.encode() not in sections.names:
            continue  # one search through the names is all that most objects cost
        for index in sections.indexes(name):
            return coff.content(index)
    return None


def _whole(metadata: memoryview) -> memoryview:
    """Metadata without what a linker adds behind it: its length is in it."""
    head = bytes(metadata[: _PREFIX + _LENGTH + len(MAGIC)])
    if head[len(MAGIC) : _PREFIX] < bytes([_LENGTH_SINCE]) or not head.endswith(MAGIC):
        return metadata
    return metadata[: _PREFIX + _LENGTH + int.from_bytes(head[_PREFIX : _PREFIX + _LENGTH], "little")]
