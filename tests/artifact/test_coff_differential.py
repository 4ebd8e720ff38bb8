"""The reader of COFF and PE against LIEF, pefile and llvm-readobj, on real files."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linkage.artifact import read, read_bytes
from linkage.artifact.facts import ObjectFile, ObjectType, Symbol, SymbolType
from support import windows_oracles as oracles
from support.windows_fixtures import MSVC, TARGETS, installed, wheels

FORMATS = {
    "x86_64-pc-windows-msvc": "coff-x86_64", "i686-pc-windows-msvc": "coff-i386",
    "aarch64-pc-windows-msvc": "coff-aarch64", "arm64ec-pc-windows-msvc": "coff-arm64ec",
    "thumbv7a-pc-windows-msvc": "coff-arm", "x86_64-pc-windows-gnu": "coff-x86_64",
    "i686-pc-windows-gnu": "coff-i386",
}  # fmt: skip
_ARM64EC_SINCE = 19  # of LLVM: the oldest that was tried
ForWindows = Callable[[str, str], Path]


def _object(path: Path) -> ObjectFile:
    facts = read(path)
    assert facts.error is None
    assert facts.object is not None
    return facts.object


def _members(path: Path) -> list[tuple[str, ObjectFile]]:
    """The objects of an archive, all of whose members are read; or the one object."""
    facts = read(path)
    assert facts.error is None
    if facts.object is not None:
        return [("", facts.object)]
    assert facts.archive is not None
    assert not [(one.name, one.error, one.unread) for one in facts.archive.members if one.object is None]
    return [(one.name, one.object) for one in facts.archive.members if one.object is not None]


def _raw(found: ObjectFile, symbol: Symbol) -> str:
    if symbol.type is SymbolType.SECTION:
        return symbol.name
    return found.raw_names.get(symbol.name, found.name_prefix + symbol.name)


def _rows(found: ObjectFile) -> Iterator[oracles.Row]:
    for one in found.symbols or ():
        if one.type is not SymbolType.FILE:
            value = one.size if one.type is SymbolType.COMMON else one.value
            yield _raw(found, one), one.binding.name, one.defined, one.section, value


def _need_readobj(least: int) -> None:
    """Skip the test if there is no llvm-readobj of at least this version of LLVM."""
    found = oracles.readobj_version()
    if found is None:
        pytest.skip("llvm-readobj is not installed: the package llvm")
    if found < least:
        pytest.skip(
            f"llvm-readobj {found} does not know Arm64EC: install the package llvm-{least} or a newer one"
        )


def _compare_with_readobj(path: Path) -> int:
    """The number of symbols that were compared."""
    _need_readobj(_ARM64EC_SINCE if "arm64ec" in str(path) else 0)
    members, others = _members(path), oracles.readobj_files(path)
    assert len(members) == len(others)
    compared = 0
    for (name, found), other in zip(members, others, strict=True):
        if found.format.startswith("coff-import"):
            assert {_raw(found, one) for one in found.symbols or ()} == set(other.imported), name
            continue
        assert [(one.name, one.size) for one in found.sections] == oracles.readobj_sections(other), name
        mine = [row for row in _rows(found) if row[1] != "WEAK"]
        theirs = [row for row in oracles.readobj_symbols(other) if row[1] != "WEAK"]
        assert mine == theirs, name
        assert (found.symbols is None) <= (not theirs)
        weak = [row[0] for row in _rows(found) if row[1] == "WEAK"]
        assert weak == [row[0] for row in oracles.readobj_symbols(other) if row[1] == "WEAK"], name
        compared += len(theirs) + len(weak)
    return compared


# --- objects


@pytest.mark.parametrize("target", TARGETS)
def test_an_object_of_every_target(foreign: Callable[[str], Path], target: str) -> None:
    path = foreign(target)
    found = _object(path)
    assert (found.format, found.type) == (FORMATS[target], ObjectType.RELOCATABLE)
    assert [row for row in _rows(found) if row[1] != "WEAK"] == oracles.lief_symbols(path.read_bytes())
    assert [(one.name, one.size) for one in found.sections] == oracles.lief_sections(path.read_bytes())
    names = {one.name: one for one in found.symbols or ()}
    assert names["COUNTER"].type is SymbolType.OBJECT
    assert (names["inside"].type, names["inside"].defined) == (SymbolType.FUNC, True)
    assert not names["outside"].defined


@pytest.mark.parametrize("target", TARGETS)
def test_an_object_as_llvm_shows_it(foreign: Callable[[str], Path], target: str) -> None:
    assert _compare_with_readobj(foreign(target)) > 5


@pytest.mark.parametrize("target", [one for one in TARGETS if not one.startswith("arm64ec")])
def test_what_a_function_refers_to(foreign: Callable[[str], Path], target: str) -> None:
    """Also with a call from the decorated names of 32-bit Windows."""
    found = read(foreign(target), references=["inside", "outside", "absent"]).object
    assert found is not None
    assert found.references == {"inside": ("outside",)}


@pytest.mark.parametrize("crate_type", ["rlib", "staticlib"])
@pytest.mark.parametrize("target", TARGETS)
def test_every_member_of_a_library(for_windows: ForWindows, target: str, crate_type: str) -> None:
    path = for_windows(target, crate_type)
    archive = read(path).archive
    assert archive is not None
    assert archive.flavour == ("gnu" if target.endswith("gnu") else "coff")
    assert archive.index is not None
    assert "inside" in {name.removeprefix("#").removeprefix("_") for name in archive.index}
    assert (crate_type == "rlib") == any(one.metadata for one in archive.members)
    assert not [(one.name, one.error, one.unread) for one in archive.members if one.object is None]


@pytest.mark.parametrize("crate_type", ["rlib", "staticlib"])
@pytest.mark.parametrize("target", TARGETS)
def test_a_library_as_llvm_shows_it(for_windows: ForWindows, target: str, crate_type: str) -> None:
    assert _compare_with_readobj(for_windows(target, crate_type)) > 5


# --- images


def _compare_with_pefile(data: bytes) -> tuple[int, int]:
    """The numbers of exports and imports that were compared."""
    facts = read_bytes(data)
    assert facts.error is None
    found = facts.object
    assert found is not None
    assert found.dynamic is not None
    other, dynamic = oracles.pefile_facts(data), found.dynamic
    symbols = list(found.dynamic_symbols or ())
    exports = {found.raw_names.get(one.name, one.name): one.value for one in symbols if one.defined}
    imports = {
        library: [found.raw_names.get(name, name) for name in names]
        for library, names in dynamic.imports.items()
    }
    undefined = [found.raw_names.get(one.name, one.name) for one in symbols if not one.defined]
    assert exports == other.exports
    assert {found.raw_names.get(k, k): v for k, v in dynamic.forwarders.items()} == other.forwarders
    assert {found.raw_names.get(k, k): v for k, v in dynamic.ordinals.items()} == other.ordinals
    assert imports == other.imports
    assert undefined == [name for names in imports.values() for name in names]
    assert (list(dynamic.needed), list(dynamic.optional)) == (list(other.imports), other.delayed)
    assert dynamic.soname == other.soname
    assert [one.size for one in found.sections] == [size for _, size in other.sections]
    is_library = found.type is ObjectType.SHARED
    assert (is_library, found.pie, not found.executable_stack, found.tls) == other.flags
    assert found.build_id == other.build_id
    return len(exports), len(undefined)


@pytest.mark.parametrize("target", MSVC)
def test_a_dll_and_its_import_library(for_windows: ForWindows, target: str) -> None:
    path = for_windows(target, "cdylib")
    assert _compare_with_pefile(path.read_bytes()) == (2, 0)
    found = _object(path)
    assert found.format == FORMATS[target].replace("coff", "pe")
    assert found.debug_file == "lib.pdb"
    assert found.dynamic is not None
    assert found.dynamic.soname == "lib.dll"
    exports = {one.name: one.type.name for one in found.dynamic_symbols or ()}
    assert exports == {"inside": "FUNC", "COUNTER": "OBJECT"}
    imports = path.with_name("lib.dll.lib")
    short = [one for _, one in _members(imports) if one.format == FORMATS[target].replace("-", "-import-", 1)]
    assert [one.dynamic and one.dynamic.imports for one in short] == [
        {"lib.dll": ("COUNTER",)},
        {"lib.dll": ("inside",)},
    ]
    assert found.dynamic.ordinals == {"COUNTER": 1, "inside": 2}
    assert [[one.name for one in found.symbols or ()] for found in short] == [
        ["__imp_COUNTER"],
        ["__imp_inside", "inside"],
    ]


@pytest.mark.parametrize("target", MSVC)
def test_an_import_library_as_llvm_shows_it(for_windows: ForWindows, target: str) -> None:
    assert _compare_with_readobj(for_windows(target, "cdylib").with_name("lib.dll.lib")) > 0


def test_metadata_of_a_dylib(for_windows: ForWindows) -> None:
    found = _object(for_windows("x86_64-pc-windows-msvc", "dylib"))
    rlib = read(for_windows("x86_64-pc-windows-msvc", "rlib")).archive
    assert rlib is not None
    (inside,) = [one.metadata for one in rlib.members if one.metadata]
    assert found.metadata is not None
    assert found.metadata.rustc == inside.rustc
    assert found.metadata.size < sum(one.size for one in found.sections if one.name == ".rustc") + 1


@pytest.mark.parametrize("package", ["mingw-w64-x86-64-dev", "mingw-w64-i686-dev"])
def test_the_libraries_of_mingw(package: str) -> None:
    paths = [one for one in installed(package, "*.[ao]", 30) if one.stat().st_size < 600_000]
    assert sum(map(_compare_with_readobj, paths)) > 10_000


def test_the_images_of_wine() -> None:
    counts = [_compare_with_pefile(path.read_bytes()) for path in installed("libwine", "*.dll", 25)]
    assert sum(exports for exports, _ in counts) > 500
    assert sum(imports for _, imports in counts) > 500


def test_the_symbols_of_wines_images() -> None:
    """Whose values are addresses from the base of the image."""
    _need_readobj(0)
    for path in [one for one in installed("libwine", "*.dll", 40) if one.stat().st_size < 300_000][:12]:
        (other,) = oracles.readobj_files(path)
        starts = {one["Name"].rpartition(" (")[0]: int(one["VirtualAddress"], 0) for one in other.sections}
        mine = [(*row[:4], row[4] - starts.get(row[3] or "", 0)) for row in _rows(_object(path))]
        assert [row for row in mine if row[1] != "WEAK"] == [
            row for row in oracles.readobj_symbols(other) if row[1] != "WEAK"
        ]


def test_what_a_function_of_wine_refers_to() -> None:
    """A dll with a symbol table: what llvm-objdump shows, but for addresses within data."""
    (path,) = installed("libwine", "ws2_32.dll", 1)
    found = read(path, references=["gethostname"]).object
    assert found is not None
    assert set(found.references["gethostname"]) >= {
        "IsBadStringPtrA", "strlen", "strcpy", "wine_dbg_log", "__wine_dbch_winsock",
        ".refptr.__wine_unixlib_handle",
    }  # fmt: skip
    assert "WSAStartup" not in found.references["gethostname"]


def test_the_modules_of_wheels() -> None:
    compared = 0
    for path in wheels():
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                if name.endswith((".pyd", ".dll")):
                    compared += sum(_compare_with_pefile(wheel.read(name)))
    assert compared > 100
