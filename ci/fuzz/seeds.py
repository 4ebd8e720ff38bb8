"""Real inputs to begin with: small outputs of the compilers here, the shipped cases, and files by hand."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from linkage.artifact.macho.file import MAGIC as MACHO_MAGICS
from linkage.bisect.journal import JournalEntry, create
from linkage.bisect.search import Mark

ROOT = Path(__file__).parents[2]
_LIBRARY = """\
#![no_std]
#![allow(internal_features)]
#[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
pub fn twice(x: i32) -> i32 { x * 2 }
#[no_mangle] pub extern "C" fn answer(x: i32) -> i32 { twice(x) + core::hint::black_box(1) }
#[no_mangle] pub static mut COUNTER: [i32; 4] = [7; 4];
"""
_NO_CORE = """\
#![feature(no_core, lang_items)]
#![no_core]
#[lang = "pointee_sized"] pub trait PointeeSized {}
#[lang = "meta_sized"] pub trait MetaSized: PointeeSized {}
#[lang = "sized"] pub trait Sized: MetaSized {}
#[lang = "copy"] pub trait Copy {}
impl Copy for i32 {}
#[no_mangle] pub unsafe extern "C" fn inside(x: i32) -> i32 { x }
"""
_SMALL = 1500
"""Bytes of a case: reading a large one takes too long."""
_C = "extern int f(int); __thread int t; int caller(int x) { return f(x) + t; }\n"
_MAGICS = (
    (b"\x7fELF", "elf"), (MACHO_MAGICS, "macho"), (b"\0asm", "wasm"), ((b"\x01\xf7", b"<bigaf>\n"), "xcoff"),
)  # fmt: skip
_APPLE_LINKER = (
    "--crate-type=cdylib", "-Zunstable-options", "-Clinker=rust-lld", "-Clinker-flavor=darwin-lld",
    "-Cpanic=abort",
)  # fmt: skip
_APPLE: dict[str, list[str]] = {"info": [], "chained": ["-Clink-arg=-fixup_chains"]}
"""Where a linked file has its exports and imports."""
_TRIPLES = (
    "x86_64-pc-windows-msvc", "i686-pc-windows-gnu", "arm64ec-pc-windows-msvc", "aarch64-apple-darwin",
    "wasm32-unknown-unknown", "powerpc-unknown-linux-gnu", "i686-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu", "powerpc64-ibm-aix",
)  # fmt: skip
_LINKED = ("x86_64-pc-windows-msvc", "i686-pc-windows-msvc")
"""What rustup's linker links: an image and its import library."""


_LINES = {
    "manifest": (
        "[profiles]", 'minimal = ["rustc", "rust-std"]', "[renames.a]", 'to = "rustc"',
        "[pkg.rustc.target.x]", 'xz_url = "https://x"', 'xz_hash = "00"',
    ),
    "recipes": (
        "[[linkers]]", 'name = "a"', 'targets = ["s390x-*"]', 'program = "my-ld"', 'flavor = "ld.lld"',
        "[[runners]]", 'name = "board"', 'targets = ["thumbv7em-none-eabi*"]', 'program = "run-on-board"',
        'probe = ["--version"]', "[loader-variables]", 'haiku = "LIBRARY_PATH"',
    ),
    "linker-calls": (
        '{ global: a; "b"; local: *; };', "EXPORTS", ' "c" @1', "# x", "_d weak", '--export=e "-o" lib.so',
    ),
    "cargo-output": (
        '{"reason":"compiler-artifact","target":{"name":"a","kind":["lib"]},"filenames":["a"]}',
        '{"reason":"compiler-message","message":{"level":"error"}}',
    ),
    "apt": (
        "deb [signed-by=/k.gpg] http://deb.debian.org/debian bookworm main", "", "Package: rustc",
        "Version: 1.63", "Depends: libc6 (>= 2), a | b", "", "URIs: http://x", "Suites: sid",
        "rustc | 1.63 | http://x sid/main amd64 Packages",
    ),
}  # fmt: skip
"""What is read line by line, or is nearly so."""


def write_seeds(folder: Path) -> None:
    """Write the seeds of each target into a folder of its name."""
    with tempfile.TemporaryDirectory(prefix="linkage-seeds-") as scratch:
        for target, name, data in (*_compiled(Path(scratch)), *_texts(Path(scratch))):
            place = folder / target / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)


def _run(command: list[str], folder: Path) -> None:
    """A seed that cannot be made here is left out."""
    environment = os.environ | {"RUSTC_BOOTSTRAP": "1"}
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)


def _compiled(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    rustc = shutil.which("rustc") or str(Path.home() / ".cargo/bin/rustc")
    (folder / "lib.rs").write_text(_LIBRARY)
    (folder / "core.rs").write_text(_NO_CORE)
    (folder / "c.c").write_text(_C)
    flags = [rustc, "-Cpanic=abort", "-Copt-level=1", "lib.rs"]
    foreign = [rustc, "--crate-type=rlib", "--emit=obj", "core.rs"]
    dll = [rustc, "--crate-type=cdylib", "-Cpanic=abort", "-Clinker=rust-lld", "core.rs"]
    if shutil.which(rustc):
        _run([*flags, "--crate-type=rlib", "--emit=obj,metadata,llvm-bc,link"], folder)
        _run([*flags, "--crate-type=rlib", "-Clinker-plugin-lto", "-o", "liblto.rlib"], folder)
        _run([*flags, "--crate-type=cdylib", "-Clink-arg=-nostdlib", "-o", "libc.so"], folder)
        for triple in _TRIPLES:
            _run(
                [*foreign, f"--target={triple}", "-o", f"{triple}.obj"],
                folder,
            )
        module = [rustc, "--crate-type=cdylib", "core.rs", "--target=wasm32-unknown-unknown", "-Cpanic=abort"]
        _run([*module, "-o", "module.obj"], folder)
        _run([rustc, "--crate-type=rlib", "core.rs", "--target=powerpc64-ibm-aix", "-o", "big.obj"], folder)
        for name, options in _APPLE.items():
            command = [rustc, "core.rs", "--target=aarch64-apple-darwin", *_APPLE_LINKER, *options]
            _run([*command, "-o", f"{name}.dylib"], folder)
        for triple in _LINKED:
            flags = ["-Clink-arg=/nodefaultlib", "-Clink-arg=/noentry"]
            _run([*dll, f"--target={triple}", *flags, "-o", f"{triple}.dll"], folder)
    for command in (
        ["cc", "-c", "-O1", "-g", "-ffunction-sections", "c.c", "-o", "c.o"],
        ["cc", "-shared", "-fPIC", "-nostdlib", "c.c", "-o", "shared.so"],
        ["cc", "-c", "-gz=zlib", "-g", "c.c", "-o", "compressed.o"],
        ["ar", "rcs", "libplain.a", "c.o", "lib.o"],
        ["ar", "rcs", "--thin", "libthin.a", "c.o", "lib.o"],
        ["ar", "rcs", "libempty.a"],
    ):
        _run(command, folder)
    suffixes = {
        ".o": "elf", ".so": "elf", ".a": "archive", ".rlib": "archive", ".rmeta": "metadata",
        ".bc": "bitcode", ".obj": "foreign", ".dylib": "macho", ".dll": "pe", ".lib": "archive",
    }  # fmt: skip
    for file in sorted(folder.iterdir()):
        target = suffixes.get(file.suffix)
        if target is not None:
            data = file.read_bytes()
            kind = next((kind for magics, kind in _MAGICS if data.startswith(magics)), target)
            yield ("coff" if "windows" in file.stem and kind == "foreign" else kind), file.name, data
    yield "bitcode", "comdat.bc", (ROOT / "tests/artifact/comdat.bc").read_bytes()


def _texts(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    for file in sorted((ROOT / "tests/case").glob("*/*.txt")):
        if file.stat().st_size <= _SMALL and "cells" not in file.stem:
            yield "case", f"{file.parent.name}-{file.name}", file.read_bytes()
    mangled = (
        "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE.llvm.12", "_RNvC6_123foo3bar", "_ZN3foo3barIiEEvT_",
        "_RINvNtC3std3mem8align_ofjdE", "_RNvXs_C4core3FooNtB4_3Bar3baz",
        "__ZN3std2io5stdio6_print17h0123456789abcdefE",
    )  # fmt: skip
    yield "names", "mangled", "\n".join(mangled).encode()
    with create(folder / "session.log") as session:
        session.begin({"cases": ["x.yaml"], "good": "2026-01-01", "bad": "2026-05-19", "folder": "/"})
        session.note("nightly-2026-05-19", 'x.yaml[a="b"]', JournalEntry(Mark.BAD), "fails")
        session.note_missing("nightly-2026-03-01", "not on the server")
    yield "session", "session.log", (folder / "session.log").read_bytes()
    yield (
        "signature",
        "signature",
        b'{"case": "case.yaml", "toolchain": "stable", "variants": {"": {"outcome": "fail"}}}',
    )
    yield (
        "snapshot",
        "lines",
        (
            b'{"linkage_snapshot":4,"disabled_filters":[],"linker":"","toolchain":{}}\n{"build":"why","variant":"a"}'
        ),
    )
    yield "expectations", "expected.yaml", b"- change: symbol-added\n  names: [foo]\n  reason: it is new\n"
    yield "store", "bytes", b"r" + msgspec.msgpack.encode(b"part")
    yield "store", "facts", b"r" + msgspec.msgpack.encode([["elf", 3, "00"], []])
    for target, lines in _LINES.items():
        yield target, "lines", "\n".join(lines).encode()
    yield "remembered", "record", b'{"package":"rustc","version":"1.63","release":"1.63.0","unpacked":{}}'
    message = {
        "message": "cannot find `x`",
        "code": {"code": "E0425"},
        "level": "error",
        "rendered": "error: …\n",
    }
    yield "compiler-output", "message", msgspec.json.encode(message) + b"\nplain\n"
    yield (
        "compiler-output",
        "source",
        b'#!/x\n// c\n#![crate_type = "lib"]\n#![no_std] /* a */ #![crate_name = r#"b"#]\n',
    )
    yield (
        "versions",
        "verbose",
        (
            b"rustc 1.95.0-nightly (0123456789 2026-01-02)\nhost: x86_64-unknown-linux-gnu\n"
            b"release: 1.95.0-nightly\n"
            b"commit-hash: 0123456789012345678901234567890123456789\nLLVM version: 22.1.0\n"
        ),
    )
    yield "versions", "range", b">=1.87, <1.91 || nightly || >=nightly-2026-01-10"
    yield "builds", "table", b"|#12345|`" + b"0" * 40 + b"` ([link](https://x))|Title|\n"
