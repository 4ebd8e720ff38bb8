"""COFF objects and PE images: which a file is, and its facts."""

from linkage.artifact.coff.file import ANONYMOUS, HEADER
from linkage.artifact.coff.image import DOS_MAGIC, MAGIC, magic_offset
from linkage.artifact.coff.numbers import FILE_EXECUTABLE, MACHINES
from linkage.artifact.coff.object import read_object
from linkage.artifact.coff.pe import read_pe
from linkage.artifact.coff.short_import import read_short_import
from linkage.artifact.facts import ObjectFile
from linkage.artifact.request import FactsRequest

__all__ = ["is_coff", "is_pe", "read_coff", "read_pe"]


def is_coff(view: memoryview) -> bool:
    """Whether it is an object or an import: by its machine, as there is no magic number."""
    if len(view) < HEADER.size:
        return False
    if bytes(view[:4]) == ANONYMOUS:
        return int.from_bytes(view[6:8], "little") in MACHINES
    machine, count, _, symbols, _, options, flags = HEADER.unpack(view[: HEADER.size])
    least = HEADER.size if count else 0
    return (
        machine in MACHINES
        and not options
        and not flags & FILE_EXECUTABLE
        and (not symbols or symbols >= least)
    )


def is_pe(view: memoryview) -> bool:
    """Whether it is an image, not a program for MS-DOS."""
    if bytes(view[:2]) != DOS_MAGIC:
        return False
    at = magic_offset(view)
    return bytes(view[at : at + 4]) == MAGIC


def read_coff(data: memoryview, request: FactsRequest) -> ObjectFile:
    """The facts of an object or of an import library's member; ArtifactError if it is malformed."""
    if data[:4] == ANONYMOUS and data[4:6] == bytes(2):
        return read_short_import(data)
    return read_object(data, request)
