"""The XCOFF reader against llvm-readobj, on what rustc and LLVM write for AIX."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from linkage.artifact import read
from linkage.artifact.facts import ObjectFile, ObjectType, SymbolType
from linkage.artifact.tables import Binding, Visibility
from support.no_core_fixtures import NoCoreBuild
from support.readobj import ReadobjBlock, llvm_tool, readobj

TARGET = "powerpc64-ibm-aix"
FLAGS = (
    (), ("-g",), ("-Copt-level=0",), ("-Copt-level=s",), ("-Crelocation-model=pic",),
    ("-Zfunction-sections=no",), ("-Ccode-model=large",),
)  # fmt: skip
TRIPLES = {
    "powerpc-ibm-aix-xcoff": ("xcoff32", "powerpc"), "powerpc64-ibm-aix-xcoff": ("xcoff64", "powerpc64"),
}  # fmt: skip
LLC = ((), ("-function-sections",), ("-data-sections=false",), ("-O0",), ("-code-model=large",))
IR = """
%entry = type { i32, ptr, ptr }
@common = common global i32 0
@weak_data = weak global i32 1
@hidden = hidden global i32 2
@protected = protected global i32 3
@constant = constant [6 x i8] c"hello\\00"
@thread = thread_local global i32 4
@thread_zero = thread_local global i32 0
@internal = internal global i32 5
@zero = global [4 x i32] zeroinitializer
@far = external global i32
@maybe = extern_weak global i32
@llvm.global_ctors = appending global [1 x %entry] [%entry { i32 65535, ptr @starter, ptr null }]
@llvm.global_dtors = appending global [1 x %entry] [%entry { i32 65535, ptr @ender, ptr null }]
declare void @a_function_with_a_long_name()
declare extern_weak void @maybe_called()
define internal void @starter() { ret void }
define internal void @ender() { ret void }
define weak void @weak_function() { call void @a_function_with_a_long_name() ret void }
define hidden void @hidden_function() { ret void }
define protected i32 @uses() {
  call void @a_function_with_a_long_name()
  call void @maybe_called()
  call void @hidden_function()
  %1 = load i32, ptr @far
  %2 = load i32, ptr @thread
  %3 = load i32, ptr @internal
  %4 = load i32, ptr @maybe
  %5 = add i32 %1, %2
  %6 = add i32 %5, %3
  %7 = add i32 %6, %4
  ret i32 %7
}
define void @tiny() { ret void }
"""
STORAGE = {
    "C_EXT": Binding.GLOBAL, "C_WEAKEXT": Binding.WEAK, "C_HIDEXT": Binding.LOCAL, "C_FILE": Binding.LOCAL,
    "C_STAT": Binding.LOCAL, "C_INFO": Binding.LOCAL, "C_DWARF": Binding.LOCAL,
}  # fmt: skip
VISIBILITIES = {0: Visibility.DEFAULT, 1: Visibility.INTERNAL, 2: Visibility.HIDDEN, 3: Visibility.PROTECTED}


@pytest.fixture(scope="module")
def llc(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    folder = tmp_path_factory.mktemp("llc")

    def build(triple: str, *flags: str) -> Path:
        output = folder / f"{len(list(folder.iterdir()))}.o"
        command: list[str | Path] = [
            llvm_tool("llc"),
            f"-mtriple={triple}",
            "-filetype=obj",
            *flags,
            "-o",
            output,
        ]
        subprocess.run(command, input=IR, check=True, text=True)
        return output

    return build


def _object(path: Path, *names: str) -> ObjectFile:
    facts = read(path, references=names)
    assert facts.error is None
    assert facts.object is not None
    assert facts.kind == "xcoff"
    return facts.object


def _number(text: str) -> int:
    found = re.search(r"0x([0-9A-F]+)", text)
    return int(found[1], 16) if found else int(text)


def _check(found: ObjectFile, printed: ReadobjBlock) -> None:
    sections = [(one.values["Name"], _number(one.values["Size"])) for one in printed.all("Section")]
    assert [(one.name, one.size) for one in found.sections] == sections
    blocks = [one for one in printed.all("Symbol") if one.values["StorageClass"].split(" ")[0] in STORAGE]
    symbols = list(found.symbols or ())
    assert len(symbols) == len(blocks) > 0
    for one, block in zip(symbols, blocks, strict=True):
        values = block.values
        csect = next((aux.values for aux in block.blocks if aux.name == "CSECT Auxiliary Entry"), {})
        mapping = csect.get("StorageMappingClass", "").split(" ")[0]
        kind = csect.get("SymbolType", "").split(" ")[0]
        assert one.name in (values["Name"], "")
        assert (one.name == "") == (
            values["Name"] == ""
            or mapping in ("XMC_TC", "XMC_TE")
            or values["StorageClass"].startswith("C_DWARF")
        )
        assert one.binding is STORAGE[values["StorageClass"].split(" ")[0]]
        assert one.defined == (values["Section"] != "N_UNDEF")
        is_common = kind == "XTY_CM" and one.binding is not Binding.LOCAL
        assert (one.type is SymbolType.COMMON) == is_common
        assert one.section == (
            None if is_common or values["Section"] in ("N_UNDEF", "N_DEBUG", "N_ABS") else values["Section"]
        )
        if "Value (RelocatableAddress)" in values:
            assert one.value == _number(values["Value (RelocatableAddress)"])
        if kind in ("XTY_SD", "XTY_CM"):
            assert one.size == int(csect["SectionLen"])
        if "Type" in values:
            assert one.visibility is VISIBILITIES[_number(values["Type"]) >> 12 & 7]


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_objects_of_rustc(no_core: NoCoreBuild, flags: tuple[str, ...]) -> None:
    path = no_core(TARGET, *flags)
    found = _object(path, "inside", ".caller", "absent", "outside")
    _check(found, readobj(path, "--sections", "--symbols"))
    assert (found.format, found.machine, found.type) == ("xcoff64", "powerpc64", ObjectType.RELOCATABLE)
    assert found.tls
    if "-Zfunction-sections=no" in flags:
        assert found.references == {}  # labels in one csect have no size
        return
    assert set(found.references) == {"inside", ".caller"}
    assert {".outside", ".host_call"} <= set(found.references["inside"])
    assert "OWN" in found.references["inside"]
    assert "COUNTER" in found.references[".caller"]
    compared = read(path, for_comparison=True).object
    assert compared is not None
    assert {"inside", "caller", "weakling"} <= set(compared.references)
    assert not any(name.startswith((".", "_R")) for name in compared.references)


@pytest.mark.parametrize("flags", LLC, ids=" ".join)
@pytest.mark.parametrize("triple", TRIPLES)
def test_objects_of_llvm(llc: Callable[..., Path], triple: str, flags: tuple[str, ...]) -> None:
    path = llc(triple, *flags)
    found = _object(path, "uses")
    _check(found, readobj(path, "--sections", "--symbols"))
    assert (found.format, found.machine) == TRIPLES[triple]
    named = {one.name: one for one in found.symbols or () if one.binding is not Binding.LOCAL}
    assert named["common"].type is SymbolType.COMMON
    assert named["hidden"].visibility is Visibility.HIDDEN
    assert named["protected"].visibility is Visibility.PROTECTED
    assert named["weak_data"].binding is Binding.WEAK
    assert named[".uses"].visibility is Visibility.PROTECTED
    assert not named[".a_function_with_a_long_name"].defined
    assert named["thread"].type is SymbolType.TLS
    assert (found.init_array, found.fini_array, found.tls) == (1, 1, True)
    if "-function-sections" in flags:
        assert {".a_function_with_a_long_name", ".maybe_called", "far"} <= set(found.references["uses"])


@pytest.mark.parametrize("crate_type", ["rlib", "staticlib"])
def test_archives_of_rustc(no_core: NoCoreBuild, crate_type: str) -> None:
    path = no_core(TARGET, f"--crate-type={crate_type}", output="liblib.a")
    facts = read(path)
    archive = facts.archive
    assert archive is not None
    assert (facts.kind, archive.flavour, archive.thin) == ("archive", "aixbig", False)
    printed = subprocess.run(
        [llvm_tool("llvm-ar"), "t", path], check=True, capture_output=True, text=True
    ).stdout
    assert [one.name for one in archive.members] == printed.split()
    assert not [one.error for one in archive.members if one.error]
    command: list[str | Path] = [llvm_tool("llvm-nm"), "--print-armap", path]
    table = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n\n")[0]
    assert list(archive.index or ()) == re.findall(r"^(\S+) in ", table, re.MULTILINE)
    assert {"inside", ".inside", "COUNTER"} <= set(archive.index or ())
    symbols = readobj(path, "--symbols", "--sections").blocks
    assert len(symbols) >= 2 * len(archive.members)
    metadata = [one.metadata for one in archive.members if one.metadata is not None]
    assert len(metadata) == (crate_type == "rlib")
    if crate_type == "rlib":
        assert (metadata[0].rustc or "").startswith("rustc 1.")
        (code,) = (one for one in archive.members if one.crate == "lib")
        assert code.bitcode is not None
        assert (code.bitcode.producer or "").startswith("LLVM")


@pytest.mark.parametrize(
    "triples", [("powerpc-ibm-aix-xcoff",), ("powerpc64-ibm-aix-xcoff",), tuple(TRIPLES)]
)
def test_archives_of_llvm(llc: Callable[..., Path], triples: tuple[str, ...], tmp_path: Path) -> None:
    """Objects of both widths have a symbol table each."""
    archiver = llvm_tool("llvm-ar")
    objects = [llc(triple) for triple in triples]
    path = tmp_path / "libboth.a"
    subprocess.run([archiver, "--format=bigarchive", "rcs", path, *objects], check=True)
    archive = read(path).archive
    assert archive is not None
    assert [one.object.format for one in archive.members if one.object] == [
        TRIPLES[one][0] for one in triples
    ]
    assert (archive.index or ()).count(".uses") == len(triples)
    subprocess.run([archiver, "--format=bigarchive", "rcS", tmp_path / "none.a", *objects], check=True)
    none = read(tmp_path / "none.a").archive
    assert none is not None
    assert len(none.members) == len(objects)


def test_contents(no_core: NoCoreBuild) -> None:
    found = read(no_core(TARGET, "-g"), contents=[".tdata", ".dwinfo", "absent"]).object
    assert found is not None
    assert found.contents[".tdata"] == b"\0\0\0\3"
    assert set(found.contents) == {".tdata", ".dwinfo"}
