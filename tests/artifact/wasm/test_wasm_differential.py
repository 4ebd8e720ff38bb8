"""The WebAssembly reader against llvm-readobj, wasm-objdump and node, on what rustc and clang wrote."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from linkage.artifact import read, read_bytes
from linkage.artifact.facts import Archive, ObjectFile, ObjectType, SymbolType
from linkage.artifact.wasm.code import code_targets
from linkage.artifact.wasm.entities import WasmEntities
from linkage.artifact.wasm.file import WasmFile
from linkage.artifact.wasm.leb128 import Cursor
from linkage.artifact.wasm.linking import read_linking
from linkage.artifact.wasm.numbers import EXTERN_FUNCTION
from linkage.artifact.wasm.references import _relocations
from support.no_core_fixtures import NoCoreBuild
from support.readobj import ReadobjBlock, readobj

TARGETS = (
    "wasm32-unknown-unknown", "wasm64-unknown-unknown", "wasm32-unknown-emscripten", "wasm32-wasip1",
    "wasm32-wasip1-threads", "wasm32v1-none",
)  # fmt: skip
LINKED = ("wasm32-unknown-unknown", "wasm32v1-none", "wasm32-wasip1")
FLAGS = ((), ("-g",), ("-Copt-level=0",), ("-Copt-level=s", "-Crelocation-model=pic"))
WASI = sorted(
    path for folder in ("/usr/lib/wasm32-wasi", "/usr/lib/wasm32-wasip1") for path in Path(folder).glob("*.a")
    if path.stat().st_size > 100
)  # fmt: skip
KINDS = {
    SymbolType.FUNC: "FUNCTION", SymbolType.OBJECT: "DATA GLOBAL", SymbolType.TLS: "DATA",
    SymbolType.SECTION: "SECTION", SymbolType.OTHER: "TABLE TAG EVENT",
}  # fmt: skip


def _object(path: Path, *names: str) -> ObjectFile:
    facts = read(path, references=names)
    assert facts.error is None
    assert facts.object is not None
    return facts.object


def _archive(path: Path) -> Archive:
    facts = read(path)
    assert facts.error is None
    assert facts.archive is not None
    assert not [one.error for one in facts.archive.members if one.error]
    return facts.archive


def _check_symbols(found: ObjectFile, blocks: list[ReadobjBlock]) -> None:
    symbols = list(found.symbols or ())
    assert len(symbols) == len(blocks)
    for one, block in zip(symbols, blocks, strict=True):
        flags = {line.split(" ")[0] for flag in block.blocks for line in flag.lines}
        name = one.section if one.type is SymbolType.SECTION else one.name
        assert name == block.values["Name"]
        assert block.values["Type"].split(" ")[0] in KINDS[one.type].split()
        binding = (
            "BINDING_LOCAL" if "BINDING_LOCAL" in flags else "BINDING_WEAK" if "BINDING_WEAK" in flags else ""
        )
        assert one.binding.name == (binding.removeprefix("BINDING_") or "GLOBAL")
        assert one.visibility.name == ("HIDDEN" if "VISIBILITY_HIDDEN" in flags else "DEFAULT")
        assert one.defined == ("UNDEFINED" not in flags)


def _check_sections(found: ObjectFile, blocks: list[ReadobjBlock]) -> None:
    expected = [
        (block.values.get("Name") or block.values["Type"].split(" ")[0], int(block.values["Size"]))
        for block in blocks
    ]
    assert [(one.name, one.size) for one in found.sections][: len(expected)] == expected


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
@pytest.mark.parametrize("target", TARGETS)
def test_objects(no_core: NoCoreBuild, target: str, flags: tuple[str, ...]) -> None:
    path = no_core(target, *flags)
    found = _object(path, "inside")
    printed = readobj(path, "--sections", "--symbols")
    _check_sections(found, list(printed.all("Section")))
    _check_symbols(found, list(printed.all("Symbol")))
    assert len(found.symbols or ()) >= 13
    assert found.format == found.machine == printed.values["Arch"] == target[:6]
    assert found.type is ObjectType.RELOCATABLE
    assert found.references["inside"][-1] == "outside"
    assert {"COUNTER", "OWN"} & set(read(path, references=["caller"]).object.references["caller"])  # type: ignore[union-attr]


def test_thread_local_data(no_core: NoCoreBuild) -> None:
    assert not _object(no_core("wasm32-unknown-unknown")).tls  # it has one thread only
    found = _object(no_core("wasm32-wasip1-threads"))
    (own,) = (one for one in found.symbols or () if one.name == "OWN")
    assert found.tls
    assert (own.type, own.section) == (SymbolType.TLS, ".tdata.OWN")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("crate_type", ["rlib", "staticlib"])
def test_archives_of_rustc(no_core: NoCoreBuild, target: str, crate_type: str) -> None:
    path = no_core(target, f"--crate-type={crate_type}", output="liblib.a")
    archive = _archive(path)
    blocks = iter(readobj(path, "--symbols").all("Symbols"))
    for member in archive.members:
        if member.object is not None:
            _check_symbols(member.object, list(next(blocks).all("Symbol")))
    assert archive.flavour == "gnu"
    assert archive.index is not None
    assert {"inside", "weakling"} <= set(archive.index)
    code = [one for one in archive.members if one.crate == "lib"]
    producers = {one.bitcode.producer for one in code if one.bitcode is not None}
    assert all(one is not None and one.startswith("LLVM") for one in producers)
    assert (len(producers), len(code)) == (int(crate_type == "rlib"), 1)
    metadata = [one.metadata.rustc for one in archive.members if one.metadata is not None]
    assert len(metadata) == (crate_type == "rlib")
    assert all(one is not None and one.startswith("rustc 1.") for one in metadata)


@pytest.mark.skipif(not WASI, reason="needs the package wasi-libc")
@pytest.mark.parametrize("path", WASI, ids=lambda path: path.name)
def test_objects_of_clang(path: Path) -> None:
    """Whatever wasi-libc has: weak and hidden symbols, tables, all kinds of instructions."""
    archive = _archive(path)
    symbols, sections = (readobj(path, option) for option in ("--symbols", "--sections"))
    objects = [one.object for one in archive.members if one.object is not None]
    for found, block in zip(objects, symbols.all("Symbols"), strict=True):
        _check_symbols(found, list(block.all("Symbol")))
    for found, block in zip(objects, sections.all("Sections"), strict=True):
        _check_sections(found, list(block.all("Section")))
    defined = {
        symbol.name for found in objects for symbol in found.symbols or ()
        if symbol.defined and symbol.binding.name != "LOCAL"
    }  # fmt: skip
    assert set(archive.index or ()) == defined


def _modules(data: bytes) -> list[bytes]:
    found, at = [], 8
    while at < len(data):
        size = int(data[at + 48 : at + 58])
        content = data[at + 60 : at + 60 + size]
        found += [content] if content.startswith(b"\0asm") else []
        at += 60 + size + size % 2
    return found


@pytest.mark.skipif(not WASI, reason="needs the package wasi-libc")
def test_code_names_what_its_relocations_name() -> None:
    """The functions that a body calls are those that relocations of function indexes within it name."""
    functions = 0
    for data in [module for path in WASI for module in _modules(path.read_bytes())]:
        entities = WasmEntities(WasmFile(memoryview(data)))
        linking = entities.wasm.cursor("linking")
        assert linking is not None
        symbols = read_bytes(data).object
        assert symbols is not None
        targets = _function_indexes(data)
        for start, size in entities.bodies:
            called = {
                index
                for kind, index in code_targets(entities.code[start : start + size])
                if kind == EXTERN_FUNCTION
            }
            related = {
                targets[symbol]
                for at, symbol in _relocations(entities, 1 << 30)
                if start <= at < start + size and symbol in targets and entities.code[at - 1] == 0x10
            }
            assert called == related
            functions += 1
    assert functions > 900


def _function_indexes(data: bytes) -> dict[int, int]:
    """The function of every function symbol, as wasm's own table has it."""
    cursor = WasmFile(memoryview(data)).cursor("linking")
    assert cursor is not None
    table = Cursor(read_linking(cursor).symbols, "symbols")
    found = {}
    for symbol in table.vector():
        kind, flags = table.number(), table.number()
        if kind == 1:
            table.name()
            for _ in () if flags & 0x10 else range(3):
                table.number()
        else:
            index = table.number()
            if kind != 3 and (not flags & 0x10 or flags & 0x40):
                table.name()
            if kind == 0:
                found[symbol] = index
    return found


# --- linked modules


def _linked(no_core: NoCoreBuild, target: str, *flags: str) -> Path:
    return no_core(target, "--crate-type=cdylib", "-Clink-arg=--allow-undefined", *flags, output="lib.wasm")


@pytest.mark.parametrize("target", LINKED)
@pytest.mark.parametrize("flags", [(), ("-Cstrip=symbols",), ("-g",)], ids=" ".join)
def test_imports_and_exports_as_node_sees_them(
    no_core: NoCoreBuild, target: str, flags: tuple[str, ...]
) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    path = _linked(no_core, target, *flags)
    found = _object(path)
    script = (
        "const m = new WebAssembly.Module(require('fs').readFileSync(process.argv[1]));"
        "console.log(JSON.stringify([WebAssembly.Module.imports(m), WebAssembly.Module.exports(m)]))"
    )
    imports, exports = json.loads(
        subprocess.run([node, "-e", script, path], check=True, capture_output=True).stdout
    )
    dynamic, symbols = found.dynamic, list(found.dynamic_symbols or ())
    assert dynamic is not None
    assert [one.name for one in symbols if not one.defined] == [one["name"] for one in imports]
    assert [one.name for one in symbols if one.defined] == [one["name"] for one in exports]
    types = {"function": SymbolType.FUNC, "global": SymbolType.OBJECT}
    assert [one.type for one in symbols] == [
        types.get(one["kind"], SymbolType.OTHER) for one in imports + exports
    ]
    assert [(module, name) for module, names in dynamic.imports.items() for name in names] == [
        (one["module"], one["name"]) for one in imports
    ]
    assert set(dynamic.needed) == {"host", "env"}
    assert found.type is ObjectType.SHARED
    assert (found.symbols is None) == ("-Cstrip=symbols" in flags)


@pytest.mark.parametrize("target", LINKED)
def test_names_and_sizes_as_wasm_objdump_sees_them(no_core: NoCoreBuild, target: str) -> None:
    objdump = shutil.which("wasm-objdump")
    if objdump is None:
        pytest.skip("needs wasm-objdump: install the package wabt")
    path = _linked(no_core, target)
    found = _object(path)
    printed = subprocess.run([objdump, "-x", path], check=True, capture_output=True, text=True).stdout
    code = re.findall(r"^ - func\[\d+\] size=(\d+) <(.*)>$", printed, re.MULTILINE)
    functions = [one for one in found.symbols or () if one.type is SymbolType.FUNC and one.defined]
    assert [(one.size, one.name) for one in functions] == [(int(size), name) for size, name in code]
    names = printed[printed.index('- name: "name"') :]
    listed = re.findall(r"^ - (?:func|global)\[\d+\] <(.*)>$", names, re.MULTILINE)
    assert [one.name for one in found.symbols or ()] == listed
    local = [one.name for one in functions if one.binding.name == "LOCAL"]
    assert [re.sub("^_R.*", "_R", name) for name in local] == ["_R"]


@pytest.mark.parametrize("target", [*LINKED, "wasm64-unknown-unknown"])
def test_what_a_linked_function_calls(no_core: NoCoreBuild, target: str) -> None:
    path = _linked(no_core, target)
    found = read(path, references=["inside", "outside", "absent"], for_comparison=True).object
    assert found is not None
    assert [re.sub("^_R.*(local|host_call)$", r"\1", one) for one in found.references["inside"]] == [
        "local", "host_call", "outside",
    ]  # fmt: skip
    assert set(found.references) == {"inside", "caller", "weakling"}
    assert b"processed-by rustc" in found.contents[".comment"]
    assert found.format == target[:6]
    stripped = read(_linked(no_core, target, "-Cstrip=symbols"), references=["inside"]).object
    assert stripped is not None
    assert set(stripped.references["inside"]) >= {"host_call", "outside"}  # as the imports are called


def test_a_program_and_a_shared_library(no_core: NoCoreBuild) -> None:
    program = _object(
        _linked(no_core, "wasm32-unknown-unknown", "-Clink-arg=--export=inside", "-Clink-arg=--entry=caller")
    )
    assert program.type is ObjectType.SHARED  # its entry has no name that a host looks for
    shared = _object(
        _linked(no_core, "wasm32-unknown-unknown", "-Crelocation-model=pic", "-Clink-arg=-shared",
                "-Clink-arg=--experimental-pic", "-Clink-arg=--unresolved-symbols=import-dynamic")
    )  # fmt: skip
    assert shared.type is ObjectType.SHARED
    assert shared.dynamic is not None
    assert shared.dynamic.needed == ()
    assert "env" in shared.dynamic.imports
    assert "dylink.0" in shared.sections.listed()


def test_relocations_kept_in_a_linked_module(no_core: NoCoreBuild) -> None:
    path = _linked(no_core, "wasm32-unknown-unknown", "-Clink-arg=--emit-relocs")
    found = _object(path)
    assert found.type is ObjectType.SHARED
    assert "linking" in found.sections.listed()
    assert found.dynamic_symbols is not None
    assert {"inside", "COUNTER"} <= {one.name for one in found.symbols or () if one.defined}
    _check_symbols(found, list(readobj(path, "--symbols").all("Symbol")))


def test_contents(no_core: NoCoreBuild) -> None:
    path = no_core("wasm32-unknown-unknown", "-g")
    found = read(path, contents=["notes", ".data.COUNTER", "TYPE", "absent", ".rodata.NOTE"]).object
    assert found is not None
    assert found.contents[".data.COUNTER"] == b"\7\0\0\0"
    assert found.contents["TYPE"].startswith(b"\1\x60")
    assert b"note" in found.contents.get("notes", b"") + found.contents[".rodata.NOTE"]
    assert "absent" not in found.contents
