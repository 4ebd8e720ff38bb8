"""The facts of a COFF object."""

from linkage.artifact.coff.comdat import with_comdats
from linkage.artifact.coff.contents import read_contents, read_embedded, section_content
from linkage.artifact.coff.directives import SECTION as DIRECTIVES
from linkage.artifact.coff.directives import linker_options
from linkage.artifact.coff.file import CoffFile, object_header
from linkage.artifact.coff.numbers import I386
from linkage.artifact.coff.references import read_references
from linkage.artifact.coff.source_names import PREFIX, with_source_names
from linkage.artifact.coff.symbols import read_symbols
from linkage.artifact.facts import ObjectFile, ObjectType, Relro
from linkage.artifact.request import FactsRequest


def read_object(data: memoryview, request: FactsRequest) -> ObjectFile:
    """The facts of an object; ArtifactError if it is truncated or malformed."""
    coff = CoffFile(data, object_header(data))
    decorated = coff.header.machine == I386
    symbols = read_symbols(coff) if coff.header.symbol_offset else None
    table = None if symbols is None else with_comdats(coff, symbols)
    table, raw_names = with_source_names(table) if table is not None and decorated else (table, {})
    sections = coff.table(bytes(coff.names.text) if table is None else table.names)
    bitcode, metadata = read_embedded(coff, sections)
    directives = section_content(coff, sections, DIRECTIVES)
    return ObjectFile(
        format=f"coff-{coff.machine}",
        machine=coff.machine,
        type=ObjectType.RELOCATABLE,
        sections=sections,
        symbols=table,
        dynamic_symbols=None,
        dynamic=None,
        interpreter=None,
        pie=False,
        relro=Relro.NONE,
        bitcode=bitcode,
        metadata=metadata,
        references={} if symbols is None or table is None else read_references(coff, symbols, table, request),
        contents=read_contents(coff, sections, request.contents),
        tls=bool(coff.tls_sections()),
        name_prefix=PREFIX if decorated else "",
        raw_names=raw_names,
        linker_options=() if directives is None else linker_options(directives),
    )
