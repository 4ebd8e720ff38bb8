"""A real file of every kind that claims can be about, and what is no file.

Of each kind there are two, which differ in one function: `KIND` and `KIND.other`.
"""

import os
import struct
import subprocess
from pathlib import Path

from support.no_core_fixtures import NoCoreBuild

_CODE = """
extern int outside(void);
__attribute__((weak)) int soft(void) { return 1; }
static __attribute__((noinline, used)) int own(void) { return outside(); }
__attribute__((visibility("hidden"))) int mine(void) { return own(); }
int inside(void) { return mine() + soft(); }
__attribute__((constructor)) static void start(void) { soft(); }
__attribute__((destructor)) static void end(void) { soft(); }
_Thread_local int local = 1;
__asm__(".globl fixed\\n.set fixed, 7");
#ifdef OTHER
int additional(void) { return inside(); }
#endif
#ifdef PROGRAM
int main(void) { return inside(); }
#endif
"""
_CRATE = """
#![no_std]
#![crate_type = "lib"]
extern "C" { fn outside() -> i32; }
#[no_mangle] pub unsafe extern "C" fn inside() -> i32 { outside() }
#[cfg(other)] #[no_mangle] pub unsafe extern "C" fn additional() -> i32 { outside() }
"""
_FOREIGN_CRATE = """
#![feature(no_core, lang_items, linkage, thread_local)]
#![allow(internal_features)]
#![no_core]
@ITEMS@
#[lang = "copy"] pub trait Copy {}
impl Copy for i32 {}
#[cfg_attr(linked, link(name = "outside", kind = "raw-dylib"))]
extern "C" { fn outside(x: &mut i32) -> i32; }
#[cfg_attr(not(linked), thread_local)] static mut LOCAL: i32 = 3;
#[no_mangle] #[linkage = "weak"] pub unsafe extern "C" fn soft(x: &mut i32) -> i32 { outside(x) }
#[inline(never)] unsafe fn own(x: &mut i32) -> i32 { soft(x) }
#[no_mangle] pub unsafe extern "C" fn inside() -> i32 { own(&mut LOCAL) }
#[cfg(other)] #[no_mangle] pub unsafe extern "C" fn additional() -> i32 { inside() }
#[cfg(other)] #[no_mangle] pub static mut FILLING: [i32; 512] = [1; 512];
"""
_LLD = "-Clinker=rust-lld"
APPLE = (
    "-Zunstable-options", _LLD, "-Clinker-flavor=darwin-lld", "-Clink-arg=-undefined",
    "-Clink-arg=dynamic_lookup",
)  # fmt: skip
WINDOWS = (_LLD, "-Clink-arg=/nodefaultlib", "-Clink-arg=/noentry")
_FOREIGN = {
    "coff": ("x86_64-pc-windows-msvc", "lib.o", "--emit=obj"),
    "mach-o": ("aarch64-apple-darwin", "lib.o", "--emit=obj"),
    "wasm-object": ("wasm32-unknown-unknown", "lib.o", "--emit=obj"),
    "xcoff": ("powerpc64-ibm-aix", "lib.o", "--emit=obj"),
    "pe": ("x86_64-pc-windows-msvc", "lib.dll", "--crate-type=cdylib", "--cfg=linked", *WINDOWS),
    "dylib": ("aarch64-apple-darwin", "lib.dylib", "--crate-type=cdylib", *APPLE),
    "wasm": (
        "wasm32-unknown-unknown",
        "lib.wasm",
        "--crate-type=cdylib",
        "-Clink-arg=--allow-undefined",
    ),
    "aix-archive": ("powerpc64-ibm-aix", "lib.a", "--crate-type=staticlib"),
}
"""Files of other formats: the target, the output and rustc's flags."""
_LINKED = "-Wl,--build-id=sha1,-z,ibt,-z,relro,-rpath,/opt/lib"
_SYMBOL_TABLE_OF_BITCODE = b"\x12\x03\x94"  # the abbreviation of its first blob
_NO_LONG_NAMES = f"{'//':48}{'0':10}`\n"
_COMPONENT = bytes.fromhex("0061736d0d000100")
_SECTION_FIELDS = {1: (0x20, 4, 0x2E), 2: (0x28, 8, 0x3A)}
"""By ELF class: where the header names the place of the section headers, its bytes, and where their size."""


def build_every_kind(folder: Path, rustc: Path, no_core: NoCoreBuild) -> None:
    """Make every file of every kind in a folder; `no_core` compiles for another target."""
    (folder.parent / "elsewhere.o").write_bytes(b"")
    _write(folder, "code.c", _CODE)
    _write(folder, "outside.c", "int outside(void) { return 1; }")
    _write(folder, "crate.rs", _CRATE)
    _write(folder, "exports.map", "V1 { global: inside; additional; soft; };")
    _write(folder, "large", bytes(1 << 21))
    _write(folder, "smallest", "")
    _cc(folder, "outside.c", "-shared", "-fPIC", "-o", "liboutside.so")
    _cc(folder, "outside.c", "-c", "-o", "outside.o")
    _write(
        folder, "user.c", "int inside(void), nowhere(void); int user(void) { return inside() + nowhere(); }"
    )
    _cc(folder, "user.c", "-c", "-o", "user.o")
    for name, defined in (("", []), (".other", ["-DOTHER"])):
        _elf(folder, name, defined)
        _foreign(folder, name, no_core)
        _others(folder, name, rustc)
        _archives(folder, name)


def _foreign(folder: Path, name: str, no_core: NoCoreBuild) -> None:
    cfg = ("--check-cfg=cfg(other, linked)", *(("--cfg=other",) if name else ()))
    for kind, (target, output, *flags) in _FOREIGN.items():
        made = no_core(target, *flags, *cfg, output=output, source=_FOREIGN_CRATE)
        _write(folder, f"{kind}{name}", made.read_bytes())
        if kind == "pe":
            _write(folder, f"import-library{name}", made.with_name("lib.dll.lib").read_bytes())
    content = (folder / f"mach-o{name}").read_bytes()
    header = struct.pack(">IIIIIII", 0xCAFEBABE, 1, 0x0100000C, 0, 32, len(content), 0)
    _write(folder, f"universal{name}", header.ljust(32, b"\0") + content)


def _elf(folder: Path, name: str, flags: list[str]) -> None:
    common = [*flags, "-O1", "-g", "-fPIC", "-fcf-protection=full", "code.c"]
    _cc(folder, *common, "-c", "-o", f"object{name}")
    _cc(folder, *common, "-c", "-flto", "-fno-fat-lto-objects", "-o", f"gcc-bytecode{name}")
    shared = [
        "-shared",
        _LINKED,
        "-Wl,-soname,libkind.so",
        "-Wl,--version-script=exports.map",
        "liboutside.so",
    ]
    _cc(folder, *common, *shared, "-o", f"shared{name}")
    program = [*common, "-DPROGRAM", _LINKED]
    _cc(folder, *program, "-rdynamic", "-pie", "liboutside.so", "-o", f"executable{name}")
    _cc(folder, *program, "-static", "outside.o", "-o", f"static{name}")
    for made, source, option in (
        ("stripped", "shared", "--strip-all"),
        ("stripped-object", "object", "--strip-all"),
        ("debug-only", "shared", "--only-keep-debug"),
    ):
        _run(folder, "objcopy", option, f"{source}{name}", f"{made}{name}")
    content = bytearray((folder / f"shared{name}").read_bytes())
    _write(folder, f"truncated{name}", bytes(content[: len(content) - 64]))
    at, width, size = _SECTION_FIELDS[content[4]]
    content[at : at + width] = bytes(width)
    content[size : size + 6] = bytes(6)
    _write(folder, f"section-less{name}", bytes(content))


def _others(folder: Path, name: str, rustc: Path) -> None:
    cfg = ["--check-cfg=cfg(other, linked)", *(["--cfg=other"] if name else [])]
    flags = ["-O", "-Cpanic=abort", "-Ccodegen-units=1", *cfg, "crate.rs"]
    _run(folder, rustc, *flags, "--emit=llvm-bc", "-o", f"bitcode{name}")
    _run(folder, rustc, *flags, "--emit=metadata", "-o", f"rmeta{name}")
    _run(folder, rustc, *flags, "--emit=link", "-o", f"rlib{name}")
    content = (folder / f"bitcode{name}").read_bytes()
    _write(folder, f"bare-bitcode{name}", content[: content.index(_SYMBOL_TABLE_OF_BITCODE) - 8])
    more = name.encode()
    _write(folder, f"component{name}", _COMPONENT + more)
    _write(folder, f"unknown{name}", b"\xff\xfe\xfd\0\1\2" + more)
    _write(folder, f"text{name}", f"a text{name}\n")
    _write(folder, f"empty{name}", name)


def _archives(folder: Path, name: str) -> None:
    members = {
        "archive": [f"object{name}"],
        "with-empty": [f"object{name}", "empty"],
        "with-bitcode": [f"object{name}", f"bitcode{name}"],
        "with-bare-bitcode": [f"object{name}", f"bare-bitcode{name}"],
        "with-foreign": [f"object{name}", "component"],
        "with-damaged": [f"object{name}", "truncated"],
        "with-archive": [f"object{name}", "archive"],
        "with-metadata": [f"object{name}", "rmeta"],
    }
    for archive, names in members.items():
        _archive(folder, f"{archive}{name}", "", names)
    _write(folder, f"no-members{name}", "!<arch>\n" + (_NO_LONG_NAMES if name else ""))
    content = (folder / f"archive{name}").read_bytes()
    _write(folder, f"cut-archive{name}", content[:-64])
    _archive(folder, f"thin{name}", "T", [f"object{name}", "twin.o"])
    _archive(folder, f"thin-outside{name}", "T", [f"object{name}", "../elsewhere.o"])
    _write(folder, "gone.o", (folder / "object").read_bytes())
    _archive(folder, f"thin-missing{name}", "T", [f"object{name}", "gone.o"])
    (folder / "gone.o").unlink()


def _archive(folder: Path, name: str, modifiers: str, members: list[str]) -> None:
    """An archive of these files, `twin.o` among them a copy of the object."""
    _write(folder, "twin.o", (folder / "object").read_bytes())
    _run(folder, "ar", f"qcs{modifiers}", "--plugin=/dev/null", name, *dict.fromkeys([*members, "twin.o"]))


def _cc(folder: Path, *words: str) -> None:
    _run(folder, "cc", *words)


def _run(folder: Path, *words: str | Path) -> None:
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    assert done.returncode == 0, done.stderr


def _write(folder: Path, name: str, content: str | bytes) -> None:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
