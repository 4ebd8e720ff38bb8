"""The symbols of bitcode are those of the object from the same compilation."""

import os
import subprocess
from pathlib import Path

import pytest

from linkage.artifact import read, read_bytes
from linkage.artifact.facts import Binding, Symbol, SymbolTable, SymbolType, Visibility
from support.foreign_fixtures import ITEMS, NO_CORE

SOURCE = """
#![crate_type = "lib"]
#![no_std]
#![feature(linkage)]
extern "C" { fn missing() -> i32; static outside: i32; }
#[no_mangle] pub extern "C" fn both() -> i32 { unsafe { missing() } }
#[no_mangle] pub static DATA: i32 = 7;
#[no_mangle] pub fn reads() -> i32 { unsafe { outside } }
#[used] static KEEP: i32 = 4;
#[linkage = "weak"] #[no_mangle] pub fn soft() {}
#[inline(never)] pub fn plain() -> i32 { unsafe { missing() + 1 } }
core::arch::global_asm!(".globl from_asm", "from_asm:", "ret");
"""


@pytest.fixture(scope="module")
def compiled(rustc: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bitcode")
    (folder / "lib.rs").write_text(SOURCE)
    flags = ["-O", "-Ccodegen-units=1", "-Cpanic=abort", "-Awarnings", "--emit=obj,llvm-bc", "lib.rs"]
    subprocess.run([rustc, *flags], cwd=folder, check=True, env=os.environ | {"RUSTC_BOOTSTRAP": "1"})
    return {"object": folder / "lib.o", "bitcode": folder / "lib.bc"}


def _known(table: SymbolTable | None) -> dict[str, tuple[Binding, Visibility, bool]]:
    assert table is not None
    named = [one for one in table if one.name and one.type not in (SymbolType.FILE, SymbolType.SECTION)]
    return {one.name: (one.binding, one.visibility, one.defined) for one in named}


def _symbols(path: Path) -> SymbolTable:
    bitcode = read(path).bitcode
    assert bitcode is not None
    assert bitcode.symbols is not None
    return bitcode.symbols


def test_they_are_those_of_the_object(compiled: dict[str, Path]) -> None:
    made = read(compiled["object"]).object
    assert made is not None
    assert _known(_symbols(compiled["bitcode"])) == _known(made.symbols)


def test_names_are_as_the_source_spells_them(rustc: Path, tmp_path: Path) -> None:
    """Apple's platforms put `_` before each name, in bitcode as in objects."""
    flags = ["--target=aarch64-apple-darwin", "--emit=obj,llvm-bc", "-Cpanic=abort", "-Awarnings", "lib.rs"]
    for items in ITEMS:
        (tmp_path / "lib.rs").write_text(NO_CORE.replace("@ITEMS@", items))
        environment = os.environ | {"RUSTC_BOOTSTRAP": "1"}
        done = subprocess.run(
            [rustc, *flags], cwd=tmp_path, env=environment, capture_output=True, check=False
        )
        if not done.returncode:
            break
    made = read(tmp_path / "lib.o").object
    assert made is not None
    expected = {name: one for name, one in _known(made.symbols).items() if not name.startswith("ltmp")}
    assert _known(_symbols(tmp_path / "lib.bc")) == expected
    assert "inside" in expected


def test_what_each_is(compiled: dict[str, Path]) -> None:
    def of(name: str) -> Symbol:
        (found,) = _symbols(compiled["bitcode"]).named(name)
        return found

    assert of("both").type is SymbolType.FUNC
    assert of("DATA").type is SymbolType.OBJECT
    assert of("soft").binding is Binding.WEAK
    assert not of("missing").defined
    assert of("missing").section is None
    assert of("from_asm").defined


def test_comdat_groups() -> None:
    """`comdat.bc` is what llvm-as makes of three functions: `once` in `comdat any`, `every` in
    `comdat nodeduplicate`, `plain` in none.
    """
    table = _symbols(Path(__file__).with_name("comdat.bc"))
    assert {one.name: one.comdat for one in table} == {"once": "once", "every": None, "plain": None}


def test_a_damaged_table_is_an_error_or_no_table(compiled: dict[str, Path]) -> None:
    data = bytearray(compiled["bitcode"].read_bytes())
    start = data.index(b"\x12\x03\x94")  # the abbreviation of the first blob
    version = start + 8
    assert data[version] in (1, 2, 3)
    data[version] = 9
    assert read_bytes(bytes(data)).error == "bitcode symbol table of version 9, which is not known"
    data[version] = 3
    data[version + 28 + 4 : version + 28 + 8] = b"\xff\xff\xff\x0f"
    error = read_bytes(bytes(data)).error
    assert error is not None
    assert error.startswith("bitcode symbols at offset")


def test_without_a_table_there_are_none(compiled: dict[str, Path]) -> None:
    data = compiled["bitcode"].read_bytes()
    whole = read_bytes(data[: data.index(b"\x12\x03\x94") - 8]).bitcode
    assert whole is not None
    assert whole.symbols is None
