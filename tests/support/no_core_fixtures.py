"""Real files of any target that rustc knows: a crate without core that has many kinds of symbols."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.foreign_fixtures import compile_without_core

NoCoreBuild = Callable[..., Path]
"""Builds for a target, with flags; `crate_type`, or `emit` to get an object."""

SOURCE = """
#![feature(no_core, lang_items, linkage, thread_local)]
#![allow(internal_features)]
#![no_core]
@ITEMS@
#[lang = "copy"] pub trait Copy {}
impl Copy for i32 {} impl Copy for u8 {} impl Copy for [u8; 4] {}
#[lang = "sync"] pub unsafe trait Sync {}
unsafe impl Sync for i32 {} unsafe impl Sync for fn(i32) -> i32 {} unsafe impl Sync for [u8; 4] {}
extern "C" { fn outside(x: i32) -> i32; static mut REMOTE: i32; }
#[link(wasm_import_module = "host")] extern "C" { fn host_call(x: i32) -> i32; }
#[no_mangle] pub static mut COUNTER: i32 = 7;
#[no_mangle] pub static mut ZERO: [i32; 16] = [0; 16];
#[no_mangle] pub static CONSTANT: i32 = 5;
#[no_mangle] @THREAD@ pub static mut OWN: i32 = 3;
#[no_mangle] @NOTE@ pub static NOTE: [u8; 4] = *b"note";
#[no_mangle] #[linkage = "weak"] pub extern "C" fn weakling(x: i32) -> i32 { x }
#[inline(never)] fn local(x: i32) -> i32 { unsafe { REMOTE = x; REMOTE } }
#[no_mangle] pub static TABLE: fn(i32) -> i32 = local;
#[no_mangle] pub unsafe extern "C" fn inside(x: i32) -> i32 { OWN = x; local(outside(host_call(x))) }
#[no_mangle] pub unsafe extern "C" fn caller(x: i32) -> i32 { COUNTER = x; inside(x) }
"""


@pytest.fixture(scope="session")
def no_core(rustc: Path, tmp_path_factory: pytest.TempPathFactory) -> NoCoreBuild:
    """What rustc makes of SOURCE for a target."""
    folder = tmp_path_factory.mktemp("no_core")
    made: dict[tuple[str, ...], Path] = {}

    def build(target: str, *flags: str, output: str = "lib.o", source: str = SOURCE) -> Path:
        key = (target, *flags, output, source)
        if key in made:
            return made[key]
        place = folder / f"{len(list(folder.iterdir()))}-{target}"
        place.mkdir()
        kind = (
            () if any(one.startswith("--crate-type") for one in flags) else ("--crate-type=lib", "--emit=obj")
        )
        # A section's name has another form in Mach-O, and not every target has thread-local storage.
        text = source.replace("@NOTE@", '#[link_section = "notes"]').replace("@THREAD@", "#[thread_local]")
        made[key] = compile_without_core(
            rustc, place, output, "-Cpanic=abort", f"--target={target}", *kind, *flags, source=text
        )
        return made[key]

    return build
