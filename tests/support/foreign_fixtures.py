"""Objects for other targets than this machine, from a crate without core."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

# No target but the host's needs to be installed for a crate without core. The names of
# language items change between compilers: the first spelling that compiles is taken.
NO_CORE = """
#![feature(no_core, lang_items)]
#![no_core]
#![crate_type = "lib"]
@ITEMS@
#[lang = "copy"] pub trait Copy {}
impl Copy for i32 {}
extern "C" { fn outside(x: i32) -> i32; }
#[no_mangle] pub static mut COUNTER: i32 = 7;
#[no_mangle] pub unsafe extern "C" fn inside(x: i32) -> i32 { outside(x) }
"""
_OLD_ITEMS = '#[lang = "sized"] pub trait Sized {}'
_NEW_ITEMS = """
#[lang = "pointee_sized"] pub trait PointeeSized {}
#[lang = "meta_sized"] pub trait MetaSized: PointeeSized {}
#[lang = "sized"] pub trait Sized: MetaSized {}
"""
_DROP = '#[lang = "@"] unsafe fn drop_it<T: PointeeSized>(it: *mut T) { drop_it(it) }'
ITEMS = (
    _NEW_ITEMS + _DROP.replace("@", "drop_in_place"),
    _NEW_ITEMS + _DROP.replace("@", "drop_glue"),
    _NEW_ITEMS,
    _OLD_ITEMS,
)


@pytest.fixture(scope="session")
def foreign(rustc: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """An object file for any target that rustc knows, from a crate without core."""
    folder = tmp_path_factory.mktemp("foreign")

    def build(target: str) -> Path:
        return compile_without_core(rustc, folder, f"{target}.o", f"--target={target}", "--emit=obj")

    return build


def compile_without_core(rustc: Path, folder: Path, name: str, *flags: str, source: str = NO_CORE) -> Path:
    """The crate, compiled with these flags into a file of this name."""
    output, errors = folder / name, []
    command: list[str | Path] = [rustc, "-O", "-Awarnings", *flags, "lib.rs", f"-o{output}"]
    for items in ITEMS:
        (folder / "lib.rs").write_text(source.replace("@ITEMS@", items))
        environment = os.environ | {"RUSTC_BOOTSTRAP": "1"}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, check=False, text=True
        )
        if done.returncode == 0:
            return output
        errors.append(done.stderr)
    pytest.fail(f"no spelling of the language items compiles: {errors}")
