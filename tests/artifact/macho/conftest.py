"""Real Mach-O files: by rustc without core, assembled and linked by LLVM, and from wheels on PyPI."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from support.foreign_fixtures import ITEMS, NO_CORE
from support.macho_oracles import llvm_tool

TARGETS = {
    "aarch64-apple-darwin": "macho-arm64", "x86_64-apple-darwin": "macho-x86_64",
    "x86_64h-apple-darwin": "macho-x86_64h", "arm64e-apple-darwin": "macho-arm64e",
    "i686-apple-darwin": "macho-i386", "aarch64-apple-ios": "macho-arm64", "armv7s-apple-ios": "macho-armv7s",
    "armv7k-apple-watchos": "macho-armv7k", "arm64_32-apple-watchos": "macho-arm64_32",
    "aarch64-apple-tvos": "macho-arm64", "aarch64-apple-ios-macabi": "macho-arm64",
    "aarch64-apple-visionos": "macho-arm64",
}  # fmt: skip
LINKED = ("aarch64-apple-darwin", "x86_64-apple-darwin")
CRATE_TYPES = {
    "rlib": "libapple.rlib", "staticlib": "libapple.a", "dylib": "libapple.dylib", "cdylib": "libapple.dylib",
}  # fmt: skip
PROGRAM = '#![no_main]\n#[no_mangle] pub unsafe extern "C" fn main() -> i32 { inside(7) }\n'

ASSEMBLY = """\
\t.section __TEXT,__text,regular,pure_instructions
\t.globl _caller
\t.p2align 2
_caller:
{body}
\t.alt_entry _second
\t.globl _second
_second:
{jump} _later
\t.private_extern _helper
\t.globl _helper
_helper:
\tret
\t.weak_definition _weakly
\t.globl _weakly
_weakly:
\tret
\t.globl _hideable
\t.weak_def_can_be_hidden _hideable
_hideable:
\tret
\t.weak_reference _maybe
\t.globl _initialise
_initialise:
{call} _maybe
{jump} _later
\t.globl _kept
\t.no_dead_strip _kept
_kept:
\tret
caller:
\tret
unprefixed:
\tret
\t.comm _tentative,24,3
\t.zerofill __DATA,__bss,_zeros,32,4
\t.globl _constant
\t.set _constant, 0x1234
\t.section __DATA,__mod_init_func,mod_init_funcs
\t.p2align 3
\t.quad _initialise
\t.section __DATA,__mod_term_func,mod_term_funcs
\t.p2align 3
\t.quad _initialise
\t.section __TEXT,__cstring,cstring_literals
L_.str:
\t.asciz "hello"
\t.section __DATA,__data
\t.p2align 3
\t.globl _table
_table:
\t.quad _caller
\t.quad L_.str
\t.quad _imported
\t.tbss _thread$tlv$init, 4, 2
\t.section __DATA,__thread_vars,thread_local_variables
\t.globl _thread
_thread:
\t.quad __tlv_bootstrap
\t.quad 0
\t.quad _thread$tlv$init
\t.linker_option "-lz"
\t.linker_option "-framework", "Foundation"
\t.subsections_via_symbols
"""
CODE = {
    "arm64": {
        "body": "\tbl _outside\n\tbl _helper\n\tadrp x8, _table@PAGE\n\tadd x8, x8, _table@PAGEOFF\n"
        "\tadrp x9, _imported@GOTPAGE\n\tldr x9, [x9, _imported@GOTPAGEOFF]\n\tret",
        "jump": "\tb",
        "call": "\tbl",
    },
    "x86_64": {
        "body": "\tcallq _outside\n\tcallq _helper\n\tleaq _table(%rip), %rax\n"
        "\tmovq _imported@GOTPCREL(%rip), %rcx\n\tmovb L_.str(%rip), %cl\n\tretq",
        "jump": "\tjmp",
        "call": "\tcallq",
    },
}
LIBRARY = """\
--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos, x86_64-macos ]
install-name: '/usr/lib/{name}.dylib'
exports:
  - targets: [ arm64-macos, x86_64-macos ]
    symbols: [ {symbols} ]
    weak-symbols: [ _maybe ]
...
"""


@pytest.fixture(scope="session")
def apple(rustc: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """What rustc writes for an Apple target, from a crate without core; its own LLD links it."""
    folder = tmp_path_factory.mktemp("apple")
    environment = os.environ | {"RUSTC_BOOTSTRAP": "1"}

    def build(target: str, crate_type: str, *flags: str) -> Path:
        out = folder / f"{target}-{crate_type}{''.join(flags)}"
        program = crate_type == "bin"
        name = "apple" if program else CRATE_TYPES.get(crate_type, "apple.o")
        if (out / name).exists():
            return out / name
        if program or crate_type in ("dylib", "cdylib"):
            _lld(rustc)
        command: list[str | Path] = [
            rustc, "-O", "-Awarnings", f"--target={target}", "apple.rs", "-Cpanic=abort", f"-o{out / name}",
            "-Zunstable-options", "-Clinker=rust-lld", "-Clinker-flavor=darwin-lld", "-Clink-arg=-undefined",
            "-Clink-arg=dynamic_lookup",
            "--emit=obj" if crate_type == "obj" else f"--crate-type={crate_type}", *flags,
        ]  # fmt: skip
        for items in ITEMS:
            source = NO_CORE.replace("@ITEMS@", items)
            if program:
                source = source.replace('#![crate_type = "lib"]', "#![no_main]") + PROGRAM.partition("\n")[2]
            elif crate_type != "obj":
                source = source.replace('#![crate_type = "lib"]', "")
            (folder / "apple.rs").write_text(source)
            out.mkdir(exist_ok=True)
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, check=False, text=True
            )
            if done.returncode == 0:
                return out / name
        pytest.fail(f"no spelling of the language items compiles: {done.stderr}")

    return build


def _lld(rustc: Path) -> Path:
    """The LLD that a toolchain ships; the test is skipped if it ships none."""
    printed = subprocess.run([rustc, "--print=sysroot"], check=True, capture_output=True, text=True).stdout
    found = sorted(Path(printed.strip()).glob("lib/rustlib/*/bin/rust-lld"))
    if not found:
        pytest.skip("this toolchain has no rust-lld: use one that rustup installs")
    return found[0]


@pytest.fixture(scope="session")
def lld(rustc: Path) -> Callable[..., None]:
    """The LLD that the toolchain ships, as Apple's linker."""
    program = str(_lld(rustc))

    def link(*arguments: str | Path) -> None:
        command = [
            program,
            "-flavor",
            "darwin",
            "-platform_version",
            "macos",
            "11",
            "11",
            *map(str, arguments),
        ]
        subprocess.run(command, check=True, capture_output=True)

    return link


@pytest.fixture(scope="session")
def assembled(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """An object with all that is rare, by architecture; `libother.tbd` and `libmore.tbd` stand beside it."""
    folder = tmp_path_factory.mktemp("assembled")
    rest = "_later, _imported, __tlv_bootstrap, dyld_stub_binder"
    (folder / "libother.tbd").write_text(LIBRARY.format(name="libother", symbols="_outside, _elsewhere"))
    (folder / "libmore.tbd").write_text(LIBRARY.format(name="libmore", symbols=rest))
    outputs = {}
    for architecture, code in CODE.items():
        source, output = folder / f"{architecture}.s", folder / f"{architecture}.o"
        source.write_text(ASSEMBLY.format(**code))
        triple = f"-triple={architecture}-apple-macos11"
        subprocess.run([llvm_tool("llvm-mc"), triple, "-filetype=obj", source, "-o", output], check=True)
        outputs[architecture] = output
    return outputs


LINKS = {
    "info": ("-dylib", "-install_name", "@rpath/libinfo.dylib", "-rpath", "@loader_path/x", "-rpath", "/y"),
    "chained": ("-dylib", "-fixup_chains"),
    "offsets": ("-dylib", "-fixup_chains", "-init_offsets"),
    "flat": ("-dylib", "-flat_namespace"),
    "bundle": ("-bundle",),
    "executable": ("-e", "_caller"),
    "chained-executable": ("-e", "_caller", "-fixup_chains"),
}
"""Ways of linking: what `linked` makes of each object, by the name that it has there."""


@pytest.fixture(scope="session")
def linked(assembled: Mapping[str, Path], lld: Callable[..., None]) -> Mapping[str, Path]:
    """The objects of `assembled` linked in many ways, by architecture and way: `arm64-chained`."""
    outputs = {}
    for architecture, source in assembled.items():
        libraries = (source.parent / "libother.tbd", "-weak_library", source.parent / "libmore.tbd")
        for way, flags in LINKS.items():
            output = source.parent / f"{architecture}-{way}"
            lld("-arch", architecture, source, *libraries, *flags, "-o", output)
            outputs[output.name] = output
    return outputs


WHEELS = {
    "markupsafe==3.0.2": ("macosx_11_0_arm64", "macosx_10_9_universal2"),
    "msgspec==0.19.0": ("macosx_11_0_arm64", "macosx_10_9_x86_64"),
    "rpds-py==0.22.3": ("macosx_11_0_arm64", "macosx_10_12_x86_64"),
    "regex==2024.11.6": ("macosx_11_0_arm64", "macosx_10_9_universal2"),
    "ujson==5.10.0": ("macosx_11_0_arm64", "macosx_10_9_x86_64"),
    "frozenlist==1.5.0": ("macosx_11_0_arm64", "macosx_10_9_universal2"),
    "greenlet==3.1.1": ("macosx_11_0_universal2",),
    "zstandard==0.23.0": ("macosx_11_0_arm64", "macosx_10_9_x86_64"),
    "blake3==1.0.0": ("macosx_11_0_arm64", "macosx_10_12_x86_64"),
    "capstone==5.0.3": ("macosx_10_9_universal2", "macosx_11_0_arm64", "macosx_10_9_x86_64"),
}
"""Small packages with compiled modules: C, C++, Rust; linked by Apple's linkers, old and new."""


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The compiled modules in these wheels, downloaded once a machine. Without PyPI, the test is skipped."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "linkage-tests" / "wheels"
    cache.mkdir(parents=True, exist_ok=True)
    folder = tmp_path_factory.mktemp("wheels")
    found = []
    for package, platforms in WHEELS.items():
        for platform in platforms:
            place = cache / f"{package}-{platform}"
            _download(package, platform, place)
            for wheel in place.glob("*.whl"):
                target = folder / place.name
                with zipfile.ZipFile(wheel) as archive:
                    modules = [name for name in archive.namelist() if name.endswith((".so", ".dylib"))]
                    archive.extractall(target, modules)
                found += [target / name for name in modules]
    return found


def _download(package: str, platform: str, place: Path) -> None:
    if place.is_dir():
        return
    command = [
        sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:",
        "--python-version=3.11",
        f"--platform={platform}", f"--dest={place}.new", package,
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the wheel {package} for {platform} cannot be downloaded: {done.stderr.strip()[-200:]}")
    Path(f"{place}.new").rename(place)
