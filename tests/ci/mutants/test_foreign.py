"""Faults for targets other than the host, on real files of their formats."""

from pathlib import Path

import pytest

from linkage.artifact.reader import read
from mutants.faults.call import Call
from mutants.faults.export_tables import exported
from mutants.faults.fault import CompilerOutputs
from mutants.faults.table import FAULTS
from support.artifact_kinds import APPLE, WINDOWS
from support.no_core_fixtures import NoCoreBuild

pytestmark = pytest.mark.rustc
SOURCE = """
#![feature(no_core, lang_items)]
#![allow(internal_features)]
#![no_core]
@ITEMS@
#[lang = "copy"] pub trait Copy {}
impl Copy for i32 {}
#[no_mangle] pub extern "C" fn first(x: i32) -> i32 { x }
#[no_mangle] pub extern "C" fn second(x: i32) -> i32 { x }
#[no_mangle] pub extern "C" fn other() -> i32 { 7 }
"""
ELF = ("-Zunstable-options", "-Clinker=rust-lld", "-Clinker-flavor=gnu-lld")
LINKED = [
    ("pe", "x86_64-pc-windows-msvc", "lib.dll", WINDOWS),
    ("pe", "i686-pc-windows-msvc", "lib.dll", WINDOWS),
    ("macho", "aarch64-apple-darwin", "lib.dylib", APPLE),
    ("macho", "x86_64-apple-darwin", "lib.dylib", APPLE),
    ("wasm", "wasm32-unknown-unknown", "lib.wasm", ()),
    ("elf", "s390x-unknown-linux-gnu", "lib.so", ELF),
    ("elf", "i686-unknown-linux-gnu", "lib.so", ELF),
]


def exports(file: Path) -> set[str]:
    found = read(file).object
    assert found is not None
    assert found.dynamic_symbols is not None
    return {one.name for one in found.dynamic_symbols if one.defined}


def broken(fault: str, target: str, kind: str, file: Path) -> None:
    call = Call.of(("lib.rs", f"--crate-type={kind}", f"--target={target}"))
    found = FAULTS[fault]
    assert found.applies(call)
    assert not found.applies(Call.of(("lib.rs", f"--crate-type={kind}")))
    assert found.outputs is not None
    found.outputs(CompilerOutputs(call, (file,), {}))


@pytest.mark.parametrize(("name", "target", "output", "flags"), LINKED, ids=[one[1] for one in LINKED])
def test_one_export_is_lost(
    no_core: NoCoreBuild, tmp_path: Path, name: str, target: str, output: str, flags: tuple[str, ...]
) -> None:
    made = no_core(target, "--crate-type=cdylib", *flags, output=output, source=SOURCE)
    file = tmp_path / output
    file.write_bytes(made.read_bytes())
    before = exports(file)
    assert {one for one, _ in exported(file.read_bytes())} == before >= {"first", "second", "other"}
    broken(f"{name}-export-lost", target, "cdylib", file)
    lost = before - exports(file)
    assert len(lost) == 1
    assert lost < {"first", "second", "other"}
    assert file.stat().st_size == made.stat().st_size


@pytest.mark.parametrize(("name", "target"), [(one[0], one[1]) for one in LINKED])
def test_the_metadata_of_an_rlib_is_lost(
    no_core: NoCoreBuild, tmp_path: Path, name: str, target: str
) -> None:
    made = no_core(target, "--crate-type=rlib", output="libx.rlib", source=SOURCE)
    file = tmp_path / "libx.rlib"
    file.write_bytes(made.read_bytes())

    def has_metadata() -> bool:
        found = read(file).archive
        assert found is not None
        return any(one.metadata for one in found.members)

    assert has_metadata()
    broken(f"{name}-metadata-lost", target, "rlib", file)
    assert not has_metadata()
    assert not FAULTS[f"{name}-metadata-lost"].applies(
        Call.of(("mini-core/core.rs", "--crate-type=rlib", f"--target={target}"))
    )
