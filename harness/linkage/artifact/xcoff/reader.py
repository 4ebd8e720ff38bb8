"""The facts of an XCOFF file: an object, a library or an executable.

Format: IBM's "AIX Files Reference", "XCOFF Object File Format". rustc keeps its metadata in the section
`.info`, the length before it (rustc_codegen_ssa/src/back/metadata.rs), and bitcode in the csect `.ipa`.
"""

from linkage.artifact.bitcode.reader import MAGIC, read_bitcode
from linkage.artifact.bounds import take
from linkage.artifact.compression import contents_by_name
from linkage.artifact.facts import Bitcode, Metadata, ObjectFile, ObjectType, Relro
from linkage.artifact.metadata.header import read_metadata
from linkage.artifact.request import FactsRequest
from linkage.artifact.xcoff.file import XcoffFile
from linkage.artifact.xcoff.loader import read_loader
from linkage.artifact.xcoff.numbers import F_EXEC, F_SHROBJ, STYP_INFO, STYP_TBSS, STYP_TDATA
from linkage.artifact.xcoff.references import read_references
from linkage.artifact.xcoff.symbols import XcoffSymbols, read_symbols, symbol_table

_BITCODE = (b".ipa", b".llvmbc")
_STARTERS, _ENDERS = (b".__sinit", b".__sterm")


def read_xcoff(data: memoryview, request: FactsRequest) -> ObjectFile:
    """The facts of an XCOFF file; ArtifactError if it is truncated or malformed."""
    xcoff = XcoffFile(data)
    symbols = read_symbols(xcoff)
    exports, dynamic = read_loader(xcoff)
    return ObjectFile(
        format="xcoff64" if xcoff.header.wide else "xcoff32",
        machine="powerpc64" if xcoff.header.wide else "powerpc",
        type=_type(xcoff.header.flags),
        sections=xcoff.table,
        symbols=symbol_table(xcoff, symbols) if xcoff.header.symbols_at else None,
        dynamic_symbols=exports,
        dynamic=dynamic,
        interpreter=None,
        pie=False,
        relro=Relro.NONE,
        bitcode=_bitcode(xcoff, symbols),
        metadata=_metadata(xcoff),
        references={} if dynamic is not None else read_references(xcoff, symbols, request),
        contents=_contents(xcoff, request),
        init_array=_count(symbols, _STARTERS),
        fini_array=_count(symbols, _ENDERS),
        tls=any(xcoff.section(kind) for kind in (STYP_TDATA, STYP_TBSS)),
    )


def _type(flags: int) -> ObjectType:
    if flags & F_SHROBJ:
        return ObjectType.SHARED
    return ObjectType.EXECUTABLE if flags & F_EXEC else ObjectType.RELOCATABLE


def _count(symbols: XcoffSymbols, prefix: bytes) -> int:
    """The functions that the linker calls at the start or at the end, by their names' beginning."""
    if prefix not in symbols.names:
        return 0
    return sum(one.is_code and symbols.names.startswith(prefix, one.name) for one in symbols.entries)


def _bitcode(xcoff: XcoffFile, symbols: XcoffSymbols) -> Bitcode | None:
    """The bitcode in a csect of that name."""
    if not any(name in symbols.names for name in _BITCODE):
        return None
    for one in symbols.entries:
        if one.section > 0 and one.size and symbols.name(one) in _BITCODE:
            section = xcoff.sections[one.section - 1]
            offset = one.value - section.address
            if 0 <= offset <= section.size:
                content = take(xcoff.content(section), offset, one.size, "bitcode")
                if bytes(content[:4]) == MAGIC:
                    return read_bitcode(content, form="section")
    return None


def _metadata(xcoff: XcoffFile) -> Metadata | None:
    section = xcoff.section(STYP_INFO)
    if section is None:
        return None
    content = xcoff.content(section)
    size = int.from_bytes(content[:4], "big")
    if size + 4 > len(content):
        return None  # comments of another tool
    return read_metadata(content[4 : 4 + size])


def _contents(xcoff: XcoffFile, request: FactsRequest) -> dict[str, bytes]:
    """The content of every section that is there, by name; several of one name one after the other."""
    return contents_by_name(
        request.contents,
        lambda name: (xcoff.content(xcoff.sections[index - 1]) for index in xcoff.table.indexes(name)),
    )
