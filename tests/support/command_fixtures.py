"""The command as a user starts it, and small real artifacts."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NO_STD = """
#![no_std]
#[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
extern "C" { fn outside(x: i32) -> i32; }
#[no_mangle] pub extern "C" fn answer() -> i32 { 42 }
#[no_mangle] pub unsafe extern "C" fn asks(x: i32) -> i32 { outside(x) }
pub mod inner { #[inline(never)] pub fn deep() {} }
"""

Linkage = Callable[..., "subprocess.CompletedProcess[str]"]


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"these tests need `{name}` on PATH: install a Rust toolchain and a C compiler")
    return path


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a user with empty caches, shared by this run's tests; plain output."""
    left_out = ("PYTEST_", "COV_", "LINKAGE_", "RUSTFLAGS", "RUSTC")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    folder = tmp_path_factory.mktemp("caches")
    path = str(ROOT / "harness")
    return kept | {"LINKAGE_CACHE": str(folder), "PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "100"}


@pytest.fixture(scope="session")
def linkage(caches: dict[str, str]) -> Linkage:
    """The command `linkage`, as a process of its own."""

    def run(*words: str | Path, cwd: Path | None = None, **env: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "linkage", *map(str, words)]
        return subprocess.run(
            command, cwd=cwd, env=caches | env, capture_output=True, text=True, check=False, timeout=120
        )

    return run


@pytest.fixture(scope="session")
def artifacts(rustc: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One crate without std as a static library, an rlib and an object file; a shared C library."""
    folder = tmp_path_factory.mktemp("artifacts")
    (folder / "lib.rs").write_text(NO_STD)
    flags = ["-O", "-Cpanic=abort", "-Awarnings", "--crate-name=tiny", "lib.rs"]
    subprocess.run(
        [rustc, "--crate-type=staticlib,rlib", "--emit=link,obj,llvm-bc", *flags], cwd=folder, check=True
    )
    (folder / "lib.c").write_text("extern int outside(int); int answer(void) { return outside(1); }")
    linked = ["-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libc-lib.so.1", "-Wl,-rpath,/some/where"]
    subprocess.run([_tool("cc"), *linked, "lib.c", "-o", "libc-lib.so"], cwd=folder, check=True)
    return {
        "staticlib": folder / "libtiny.a",
        "rlib": folder / "libtiny.rlib",
        "object": folder / "tiny.o",
        "bitcode": folder / "tiny.bc",
        "shared": folder / "libc-lib.so",
    }
