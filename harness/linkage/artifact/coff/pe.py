"""The facts of a PE image: a program or a dll."""

from linkage.artifact.coff.contents import read_contents, read_embedded
from linkage.artifact.coff.debug import read_debug
from linkage.artifact.coff.dynamic import read_dynamic
from linkage.artifact.coff.image import PeImage
from linkage.artifact.coff.image_references import read_image_references
from linkage.artifact.coff.imports import read_imports
from linkage.artifact.coff.numbers import (
    DIRECTORY_TLS,
    DLL_DYNAMIC_BASE,
    DLL_NX_COMPATIBLE,
    FILE_DLL,
    I386,
)
from linkage.artifact.coff.source_names import PREFIX, with_source_names
from linkage.artifact.coff.symbols import read_symbols
from linkage.artifact.facts import ObjectFile, ObjectType, Relro
from linkage.artifact.request import FactsRequest


def read_pe(data: memoryview, request: FactsRequest) -> ObjectFile:
    """The facts of an image; ArtifactError if it is truncated or malformed.

    Values of symbols, exports included, are addresses from the image's base. Names in the export and import
    tables never have `name_prefix`, those in the symbol table do.
    """
    image = PeImage(data)
    coff = image.coff
    table = read_symbols(coff).table if coff.header.symbol_offset and coff.header.symbol_count else None
    raw_names: dict[str, str] = {}
    decorated = table is not None and coff.header.machine == I386
    if table is not None and decorated:
        table, found = with_source_names(table)
        raw_names |= found
    sections = coff.table(bytes(coff.names.text) if table is None else table.names)
    imports = read_imports(image)
    dynamic, dynamic_symbols, found = read_dynamic(image, sections, imports)
    bitcode, metadata = read_embedded(coff, sections)
    build_id, debug_file = read_debug(image)
    return ObjectFile(
        format=f"pe-{coff.machine}",
        machine=coff.machine,
        type=ObjectType.SHARED if coff.header.flags & FILE_DLL else ObjectType.EXECUTABLE,
        sections=sections,
        symbols=table,
        dynamic_symbols=dynamic_symbols,
        dynamic=dynamic,
        interpreter=None,
        pie=bool(image.characteristics & DLL_DYNAMIC_BASE),
        relro=Relro.NONE,
        bitcode=bitcode,
        metadata=metadata,
        references=read_image_references(image, imports, (table, dynamic_symbols), request),
        contents=read_contents(coff, sections, request.contents),
        executable_stack=not image.characteristics & DLL_NX_COMPATIBLE,
        build_id=build_id,
        tls=image.directory(DIRECTORY_TLS) is not None,
        name_prefix=PREFIX if decorated else "",
        raw_names=raw_names | dict(found),
        debug_file=debug_file,
    )
