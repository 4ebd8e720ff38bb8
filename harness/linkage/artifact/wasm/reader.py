"""The facts of a WebAssembly module: an object, a program or a library.

What a module is: an object if it has a `linking` section and exports nothing; a shared library if it has
`dylink.0`; a program if it has a start function or exports `_start` or `main`; else a library (`cdylib`),
whose functions a host calls.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from linkage.artifact.bitcode.reader import read_bitcode
from linkage.artifact.compression import contents_by_name
from linkage.artifact.facts import Dynamic, ObjectFile, ObjectType, Relro
from linkage.artifact.metadata.header import read_metadata
from linkage.artifact.request import COMMENT, FactsRequest
from linkage.artifact.tables import SymbolTable, column
from linkage.artifact.wasm.customs import Dylink, read_build_id, read_dylink, read_features, read_producers
from linkage.artifact.wasm.entities import WasmEntities
from linkage.artifact.wasm.file import WasmFile
from linkage.artifact.wasm.layout import SHF_TLS, WasmLayout, layout_of
from linkage.artifact.wasm.linking import SECTION as LINKING
from linkage.artifact.wasm.linking import Linking, SegmentInfo, read_linking
from linkage.artifact.wasm.modules import ModuleSymbols, module_dynamic, runs
from linkage.artifact.wasm.names import SECTION as NAMES
from linkage.artifact.wasm.names import NameMap, read_names
from linkage.artifact.wasm.numbers import DATA, SEGMENT_TLS, START, SYMBOL_EXPORTED
from linkage.artifact.wasm.objects import object_symbols
from linkage.artifact.wasm.references import module_references, object_references
from linkage.errors import ArtifactError

_BITCODE, _METADATA = ".llvmbc", (".rmeta", ".rustc")
_TLS_SEGMENTS = (b".tdata", b".tbss")


@dataclass(frozen=True, slots=True)
class _ModuleTables:
    """What is found in another way in an object than in a linked module."""

    layout: WasmLayout
    symbols: SymbolTable | None
    references: Mapping[str, tuple[str, ...]]
    dynamic_symbols: SymbolTable | None = None
    dynamic: Dynamic | None = None
    linker_options: tuple[str, ...] = ()
    init_functions: int = 0


def read_wasm(data: memoryview, request: FactsRequest) -> ObjectFile:
    """The facts of a core module; ArtifactError if it is truncated or malformed."""
    wasm = WasmFile(data)
    entities = WasmEntities(wasm)
    dylink = read_dylink(wasm)
    cursor = wasm.cursor(LINKING)
    linking = None if cursor is None else read_linking(cursor)
    is_object = linking is not None and not entities.exports
    found = (
        _object(linking, entities, request)
        if linking is not None and is_object
        else _linked(linking, dylink, entities, request)
    )
    machine = "wasm64" if entities.wide else "wasm32"
    bitcode = wasm.section(_BITCODE)
    metadata = next((one for name in _METADATA if (one := wasm.section(name)) is not None), None)
    tls = any(flags & SHF_TLS for flags in column(found.layout.table.flags, 8))
    return ObjectFile(
        format=machine,
        machine=machine,
        type=ObjectType.RELOCATABLE if is_object else _type(entities, dylink),
        sections=found.layout.table,
        symbols=found.symbols,
        dynamic_symbols=found.dynamic_symbols,
        dynamic=found.dynamic,
        interpreter=None,
        pie=False,
        relro=Relro.NONE,
        bitcode=None if bitcode is None else read_bitcode(bitcode, form="section"),
        metadata=None if metadata is None else read_metadata(metadata),
        references=found.references,
        contents=_contents(entities, found.layout, request, is_object=is_object),
        properties=read_features(wasm),
        build_id=read_build_id(wasm),
        init_array=found.init_functions,
        tls=tls or (dylink is not None and dylink.tls),
        linker_options=found.linker_options,
    )


def _type(entities: WasmEntities, dylink: Dylink | None) -> ObjectType:
    if dylink is not None:
        return ObjectType.SHARED
    starts = entities.wasm.section(START) is not None
    return ObjectType.EXECUTABLE if starts or runs(entities) else ObjectType.SHARED


def _layout(entities: WasmEntities, segments: list[SegmentInfo]) -> WasmLayout:
    sizes = [size for _, size in entities.segments] if segments else []
    if len(segments) > len(sizes):
        raise ArtifactError(f"{len(segments)} names for {len(sizes)} data segments")
    return layout_of(entities.wasm.sections, segments, sizes)


def _object(linking: Linking, entities: WasmEntities, request: FactsRequest) -> _ModuleTables:
    layout = _layout(entities, linking.segments)
    symbols, flags = object_symbols(linking, entities, layout)
    exported = [symbols[index].name for index, bits in enumerate(flags) if bits & SYMBOL_EXPORTED]
    return _ModuleTables(
        layout,
        symbols,
        object_references(entities, symbols, request),
        linker_options=tuple(f"--export={name}" for name in exported),
        init_functions=linking.init_functions,
    )


def _linked(
    linking: Linking | None, dylink: Dylink | None, entities: WasmEntities, request: FactsRequest
) -> _ModuleTables:
    """A linked module; one that was linked with `--emit-relocs` has kept its symbol table."""
    cursor = entities.wasm.cursor(NAMES)
    names, named = ({}, []) if cursor is None else read_names(cursor)
    segments = _named_segments(entities, named) if linking is None else linking.segments
    layout = _layout(entities, segments)
    tables = ModuleSymbols(entities, layout)
    if linking is not None:
        symbols: SymbolTable | None = object_symbols(linking, entities, layout)[0]
    else:
        symbols = None if cursor is None else tables.named(names)
    exports = tables.dynamic(() if dylink is None else dylink.weak)
    return _ModuleTables(
        layout,
        symbols,
        module_references(entities, names, exports, request),
        exports,
        module_dynamic(entities, dylink),
        init_functions=int(entities.wasm.section(START) is not None),
    )


def _named_segments(entities: WasmEntities, named: NameMap) -> list[SegmentInfo]:
    """The data segments if all have names: a part of them could not be told from the whole."""
    names = dict(named)
    if entities.wasm.section(DATA) is None or set(names) != set(range(len(entities.segments))):
        return []
    return [
        SegmentInfo(names[index], SEGMENT_TLS if names[index].startswith(_TLS_SEGMENTS) else 0)
        for index in range(len(names))
    ]


def _contents(
    entities: WasmEntities, layout: WasmLayout, request: FactsRequest, *, is_object: bool
) -> dict[str, bytes]:
    """The content of every section and data segment that is there, by name; `.comment` from `producers`."""
    sections, wasm = entities.wasm.sections, entities.wasm

    def parts(name: str) -> Iterator[memoryview]:
        for row in layout.table.indexes(name):
            if row < layout.first_segment:
                yield wasm.content(sections[row - 1])
            else:
                start, size = entities.segments[row - layout.first_segment]
                yield (wasm.section(DATA) or memoryview(b""))[start : start + size]

    found = contents_by_name(request.contents, parts)
    if request.for_comparison and not is_object and (producers := read_producers(wasm)) is not None:
        found[COMMENT] = found.get(COMMENT, b"") + producers
    return found
