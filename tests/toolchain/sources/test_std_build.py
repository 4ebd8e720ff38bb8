"""Compiling the std of a target with the real cargo and rustc, from a library in miniature."""

import os
import shutil
from pathlib import Path

import pytest

from linkage.errors import ToolchainError
from linkage.toolchain import Located
from linkage.toolchain.sources import rust_src, std_build
from linkage.toolchain.sources.rust_src import RustSource, StdCompiler
from linkage.toolchain.sources.std_build import find_cargo
from support.std_compiling import BARE, put_cargo

CORE = (Path(std_build.__file__).parents[2] / "case/mini-core/core.rs").read_text()
NAMES = ("core", "alloc", "compiler_builtins", "std", "proc_macro", "test", "panic_unwind", "panic_abort")
PLAIN = "#![feature(no_core)]\n#![allow(internal_features)]\n#![no_core]\n"
SOURCES = {
    "core": CORE.replace('#![crate_name = "mini_core"]\n', "") + "pub mod prelude { pub mod rust_2021 {} }\n",
    "compiler_builtins": f"#![feature(compiler_builtins)]\n#![compiler_builtins]\n{PLAIN}",
}


@pytest.fixture
def library(tmp_path: Path) -> RustSource:
    """Its crates are empty but for core, and have the names and features that cargo asks for."""
    folder = tmp_path / "rust/library"
    lock = "version = 4\n"
    for name in (*NAMES, "sysroot"):
        (folder / name / "src").mkdir(parents=True)
        (folder / name / "src/lib.rs").write_text(SOURCES.get(name, PLAIN))
        manifest = f'[package]\nname = "{name}"\nversion = "0.0.0"\nedition = "2021"\n'
        needs = NAMES if name == "sysroot" else ()
        if needs:
            manifest += "[dependencies]\n" + "".join(f'{one} = {{ path = "../{one}" }}\n' for one in needs)
        features = "compiler-builtins-mem = []\n" if name == "sysroot" else ""
        (folder / name / "Cargo.toml").write_text(manifest + "[features]\n" + features)
        lock += f'\n[[package]]\nname = "{name}"\nversion = "0.0.0"\n'
        lock += (
            "dependencies = [\n" + "".join(f' "{one}",\n' for one in sorted(needs)) + "]\n" if needs else ""
        )
    members = ", ".join(f'"{name}"' for name in (*NAMES, "sysroot"))
    (folder / "Cargo.toml").write_text(f'[workspace]\nresolver = "1"\nmembers = [{members}]\n')
    (folder / "Cargo.lock").write_text(lock)
    (folder / "vendor").mkdir()
    (folder.parent / "src").mkdir()
    return RustSource(folder, "a library in miniature")


@pytest.fixture
def compiler(some_rustc: Located, tmp_path: Path) -> StdCompiler:
    """A rustc of this machine, with a folder in place of its sysroot for what is compiled."""
    env = dict(os.environ) | {"LINKAGE_CACHE": str(tmp_path / "cache")}
    real = rust_src.compiler_of(some_rustc.rustc, env, "here")
    if not (some_rustc.rustc.with_name("cargo").exists() or shutil.which("cargo")):
        pytest.skip("there is no cargo here")
    sysroot = tmp_path / "sysroot"
    (sysroot / "lib/rustlib").mkdir(parents=True)
    return StdCompiler(real.rustc, sysroot, real.host, real.release, real.identity)


def test_core_and_alloc_of_a_bare_target(compiler: StdCompiler, library: RustSource, tmp_path: Path) -> None:
    (library.library.parent / "src/version").write_text(compiler.release.partition("-")[0] + "\n")
    said: list[str] = []
    (tmp_path / "staged").mkdir()
    std_build.install(compiler, library, BARE, tmp_path / "staged", os.environ, said.append, who="here")
    assert said == [
        f"here: compiling core and alloc for {BARE} from a library in miniature",
        f"here: installed std for {BARE}, compiled here: alloc, compiler_builtins, core",
    ]
    names = sorted(path.name.partition("-")[0] for path in compiler.libraries(BARE).iterdir())
    assert names == ["liballoc", "libcompiler_builtins", "libcore"]
    rlibs = compiler.libraries(BARE).glob("libcore-*.rlib")
    assert all(b".llvmbc" in path.read_bytes() for path in rlibs)
    assert std_build.usable(compiler, BARE)
    assert not std_build.usable(
        StdCompiler(compiler.rustc, compiler.sysroot, compiler.host, compiler.release, "another"), BARE
    )


@pytest.mark.parametrize(
    ("target", "change", "expected"),
    [
        ("no-such-target", "", r"rustc \S+ has no target no-such-target: error"),
        (BARE, "core/src/lib.rs", r"cannot be compiled: error"),
        (BARE, "alloc/Cargo.toml", r"cannot be compiled: error: no matching package named `libc` found"),
    ],
)
def test_what_cannot_be_compiled(
    target: str, change: str, expected: str, compiler: StdCompiler, library: RustSource, tmp_path: Path
) -> None:
    if change.endswith(".toml"):
        with (library.library / change).open("a") as manifest:
            manifest.write('[dependencies]\nlibc = "0.2"\n')
    elif change:
        (library.library / change).write_text("fn (\n")
    (tmp_path / "staged").mkdir()
    with pytest.raises(ToolchainError, match=expected) as raised:
        std_build.install(compiler, library, target, tmp_path / "staged", os.environ, print, who="here")
    assert "\n" not in str(raised.value)
    assert list((compiler.sysroot / "lib/rustlib").iterdir()) == []


def test_sources_of_another_version(compiler: StdCompiler, library: RustSource, tmp_path: Path) -> None:
    (library.library.parent / "src/version").write_text("1.2.3\n")
    with pytest.raises(ToolchainError, match=r"is of rustc '1\.2\.3', not 1"):
        std_build.install(compiler, library, BARE, tmp_path, os.environ, print, who="here")


def test_the_cargo_beside_the_compiler_comes_first(tmp_path: Path) -> None:
    compiler = StdCompiler(tmp_path / "bin/rustc", tmp_path, "h", "1.95.0", "")
    on_path = {"PATH": str(put_cargo(tmp_path / "path"))}
    assert find_cargo(compiler, on_path, "here") == tmp_path / "path/cargo"
    put_cargo(tmp_path / "bin")
    assert find_cargo(compiler, on_path, "here") == tmp_path / "bin/cargo"


def test_a_damaged_record_is_of_no_compiler(tmp_path: Path) -> None:
    compiler = StdCompiler(tmp_path / "rustc", tmp_path, "h", "1.95.0", "me")
    libraries = compiler.libraries(BARE)
    libraries.mkdir(parents=True)
    (libraries / "libcore-1.rlib").touch()
    assert std_build.usable(compiler, BARE)  # one that was unpacked
    (libraries.parent / std_build.RECORD).write_bytes(b"\xff{")
    assert not std_build.usable(compiler, BARE)
