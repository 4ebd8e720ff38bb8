"""Real outputs of a real compiler, built once per session."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

LIBRARY = """
use std::collections::HashMap;

pub trait Shape { fn area(&self) -> f64; }
pub struct Square(pub f64);
impl Shape for Square { fn area(&self) -> f64 { self.0 * self.0 } }

#[inline(never)]
pub fn describe(shape: &dyn Shape) -> String { format!("{:.1}", shape.area()) }

#[no_mangle]
pub extern "C" fn count_shapes(n: u32) -> u32 {
    let mut seen = HashMap::new();
    for i in 0..n { seen.insert(i, describe(&Square(f64::from(i)))); }
    println!("{}", seen.len());
    seen.len() as u32
}
"""
MAIN = 'fn main() { println!("{}", std::env::args().count()); }'


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"these tests need `{name}` on PATH: install a Rust toolchain and a C compiler")
    return path


@pytest.fixture(scope="session")
def built(rustc: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The library as every crate type, and a program, by the crate type's name."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "shapes.rs").write_text(LIBRARY)
    (folder / "main.rs").write_text(MAIN)
    outputs = {"bin": folder / "main"}
    subprocess.run([rustc, "main.rs", "-o", "main"], cwd=folder, check=True)
    names = {
        "rlib": "libshapes.rlib",
        "staticlib": "libshapes.a",
        "cdylib": "libshapes.so",
        "dylib": "libshapes.so",
    }
    for crate_type, name in names.items():
        command = [
            rustc,
            "-O",
            "--edition=2021",
            f"--crate-type={crate_type}",
            f"--out-dir={crate_type}",
            "shapes.rs",
        ]
        subprocess.run(command, cwd=folder, check=True)
        outputs[crate_type] = folder / crate_type / name
    command = [rustc, "--edition=2021", "--crate-type=rlib", "--emit=metadata,llvm-bc,obj", "shapes.rs"]
    subprocess.run(command, cwd=folder, check=True)
    return outputs | {
        "metadata": folder / "libshapes.rmeta",
        "bitcode": folder / "shapes.bc",
        "object": folder / "shapes.o",
    }


@pytest.fixture(scope="session")
def compile_c(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A C or assembly source, compiled with the flags given."""
    folder = tmp_path_factory.mktemp("c")
    compiler = _tool("cc")

    def build(source: str, *flags: str, language: str = "c") -> Path:
        output = folder / f"output{len(list(folder.iterdir()))}"
        command = [compiler, "-x", language, "-", *flags, f"-o{output}"]
        subprocess.run(command, input=source, text=True, cwd=folder, check=True)
        return output

    return build
