"""The ELF reader on objects of many architectures, of both widths and byte orders."""

import re
import subprocess
from pathlib import Path

import pytest

from linkage.artifact import read
from linkage.artifact.elf.addends import implicit_addend, mips_halves
from linkage.artifact.elf.relocations import Relocation
from linkage.artifact.facts import ObjectFile, ObjectType
from support import oracles
from support.no_core_fixtures import SOURCE, NoCoreBuild
from support.readobj import llvm_tool

TARGETS = {
    "aarch64-unknown-linux-gnu": ("elf64-little", "aarch64"),
    "aarch64_be-unknown-linux-gnu": ("elf64-big", "aarch64"),
    "arm-unknown-linux-gnueabihf": ("elf32-little", "arm"),
    "armeb-unknown-linux-gnueabi": ("elf32-big", "arm"),
    "armv7-unknown-linux-gnueabihf": ("elf32-little", "arm"),
    "csky-unknown-linux-gnuabiv2": ("elf32-little", "csky"),
    "hexagon-unknown-linux-musl": ("elf32-little", "hexagon"),
    "i686-unknown-linux-gnu": ("elf32-little", "i386"),
    "loongarch64-unknown-linux-gnu": ("elf64-little", "loongarch"),
    "m68k-unknown-linux-gnu": ("elf32-big", "m68k"),
    "mips-unknown-linux-gnu": ("elf32-big", "mips"),
    "mipsel-unknown-linux-gnu": ("elf32-little", "mips"),
    "mips64-unknown-linux-gnuabi64": ("elf64-big", "mips"),
    "mips64el-unknown-linux-gnuabi64": ("elf64-little", "mips"),
    "powerpc-unknown-linux-gnu": ("elf32-big", "powerpc"),
    "powerpc64-unknown-linux-gnu": ("elf64-big", "powerpc64"),
    "powerpc64le-unknown-linux-gnu": ("elf64-little", "powerpc64"),
    "riscv32imac-unknown-none-elf": ("elf32-little", "riscv"),
    "riscv64gc-unknown-linux-gnu": ("elf64-little", "riscv"),
    "s390x-unknown-linux-gnu": ("elf64-big", "s390x"),
    "sparc-unknown-none-elf": ("elf32-big", "sparc"),
    "sparc64-unknown-linux-gnu": ("elf64-big", "sparcv9"),
    "thumbv6m-none-eabi": ("elf32-little", "arm"),
    "thumbv7em-none-eabi": ("elf32-little", "arm"),
    "x86_64-unknown-linux-gnux32": ("elf32-little", "x86_64"),
}
LINKED = (
    "aarch64-unknown-linux-gnu", "armv7-unknown-linux-gnueabihf", "i686-unknown-linux-gnu",
    "loongarch64-unknown-linux-gnu", "mips-unknown-linux-gnu", "mips64el-unknown-linux-gnuabi64",
    "powerpc-unknown-linux-gnu", "powerpc64le-unknown-linux-gnu", "riscv64gc-unknown-linux-gnu",
    "s390x-unknown-linux-gnu",
)  # fmt: skip
BIG = [target for target, (format_, _) in TARGETS.items() if format_.endswith("big")]
OF_THE_ABI = re.compile(r"_GLOBAL_OFFSET_TABLE_|_+tls_get_(addr|offset)|__aeabi_read_tp|_gp_disp|\.TOC\.")
"""What only the calls and the thread-local storage of an architecture refer to."""
PRIVATE = """
#[link_section = ".mine"] static mut FIRST: i32 = 1;
#[link_section = ".mine"] static mut SECOND: i32 = 2;
#[no_mangle] pub unsafe extern "C" fn uses_second() -> *mut i32 { &mut SECOND }
#[no_mangle] pub unsafe extern "C" fn uses_first() -> *mut i32 { &mut FIRST }
"""


def _object(path: Path, *names: str) -> ObjectFile:
    facts = read(path, references=names)
    assert facts.error is None
    assert facts.object is not None
    return facts.object


def _names(found: ObjectFile, function: str) -> set[str]:
    """What a function refers to, without hashes and what the ABI adds."""
    names = found.references[function]
    return {
        re.sub(r"^_RN?v.*?\d*(local|FIRST|SECOND)$", r"\1", one)
        for one in names
        if not OF_THE_ABI.fullmatch(one)
    }


@pytest.mark.parametrize("target", TARGETS)
def test_symbols_and_sections(no_core: NoCoreBuild, target: str) -> None:
    path = no_core(target, "-g")
    data = path.read_bytes()
    found = _object(path)
    rows = [
        (s.name, s.binding.name, s.visibility.name, s.type.name, s.section, s.value, s.size, s.defined)
        for s in found.symbols or ()
    ]
    assert rows == oracles.pyelftools_symbols(data, ".symtab")
    assert [(one.name, one.size) for one in found.sections] == oracles.pyelftools_sections(data)
    assert (found.format, found.machine) == TARGETS[target]
    assert (found.type, found.tls) == (ObjectType.RELOCATABLE, True)
    assert {"inside", "caller", "COUNTER", "OWN"} <= {row[0] for row in rows if row[-1]}
    assert {"outside", "host_call", "REMOTE"} <= {row[0] for row in rows if not row[-1]}


@pytest.mark.parametrize("target", TARGETS)
def test_types_and_flags_of_sections(no_core: NoCoreBuild, target: str) -> None:
    path = no_core(target, "-g")
    command: list[str | Path] = [llvm_tool("llvm-readelf"), "-SW", path]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    numbers = r"\s+[0-9a-f]+" * 4
    lines = re.findall(
        rf"^ +\[ *[1-9]\d*\] (\S+)\s+(\S+){numbers} +([A-Za-z]*) +\d+ +\d+ +\d+$", text, re.MULTILINE
    )
    found = [(one.name, one.type, one.flags) for one in _object(path).sections]
    assert found == [
        (name, kind.replace("LOPROC+0x1", "CSKY_ATTRIBUTES"), flags) for name, kind, flags in lines
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_references(no_core: NoCoreBuild, target: str) -> None:
    """A function refers to the same on every architecture, whatever its relocations look like."""
    found = _object(no_core(target), "inside", "caller", "weakling")
    if target == "powerpc-unknown-linux-gnu":
        assert set(found.references) == {"weakling"}  # a register points to the table that the others read
        return
    assert _names(found, "inside") == {"local", "outside", "host_call", "OWN"}
    assert _names(found, "caller") == {"local", "outside", "host_call", "OWN", "COUNTER"}
    assert found.references["weakling"] == ()


@pytest.mark.parametrize("target", TARGETS)
def test_references_to_parts_of_a_section(no_core: NoCoreBuild, target: str) -> None:
    """What has no global name may be meant by its section and an offset, in the code or beside it."""
    found = _object(no_core(target, source=SOURCE + PRIVATE), "uses_first", "uses_second")
    for function, name in (("uses_first", "FIRST"), ("uses_second", "SECOND")):
        if function in found.references:
            assert _names(found, function) == {name}
    assert bool(found.references) == (target != "powerpc-unknown-linux-gnu")


@pytest.mark.parametrize("target", BIG)
def test_archives(no_core: NoCoreBuild, target: str) -> None:
    archive = read(no_core(target, "--crate-type=rlib", output="liblib.rlib")).archive
    assert archive is not None
    assert not [one.error for one in archive.members if one.error]
    assert [one.metadata.rustc[:8] for one in archive.members if one.metadata and one.metadata.rustc] == [
        "rustc 1."
    ]
    assert {"inside", "weakling"} <= set(archive.index or ())
    code = [one for one in archive.members if one.crate == "lib"]
    assert [one.bitcode is not None for one in code] == [True]


@pytest.mark.parametrize("target", LINKED)
def test_shared_libraries(no_core: NoCoreBuild, target: str) -> None:
    linker = ("-Zunstable-options", "-Clinker=rust-lld", "-Clinker-flavor=gnu-lld")
    arguments = ("-Clink-arg=-soname=libx.so.1", "-Clink-arg=-znow", "-Clink-arg=--build-id=sha1")
    path = no_core(target, "--crate-type=cdylib", *linker, *arguments, output="lib.so")
    found = _object(path)
    data = path.read_bytes()
    for table, name in ((found.symbols, ".symtab"), (found.dynamic_symbols, ".dynsym")):
        rows = [
            (s.name, s.binding.name, s.visibility.name, s.type.name, s.section, s.value, s.size, s.defined)
            for s in table or ()
        ]
        assert rows == oracles.pyelftools_symbols(data, name)
        assert len(rows) > 10
    assert [(one.name, one.size) for one in found.sections] == oracles.pyelftools_sections(data)
    assert found.dynamic is not None
    assert (found.dynamic.soname, found.dynamic.bind_now) == ("libx.so.1", True)
    assert (found.type, found.tls, found.format) == (ObjectType.SHARED, True, TARGETS[target][0])
    assert len(found.build_id or "") == 40
    dynamic = {one.name: one.defined for one in found.dynamic_symbols or ()}
    assert (dynamic["inside"], dynamic["outside"]) == (True, False)


@pytest.mark.parametrize("target", ["aarch64-unknown-linux-gnu", "aarch64_be-unknown-linux-gnu"])
def test_slots_that_hold_addresses(no_core: NoCoreBuild, target: str) -> None:
    """A packed relocation names no symbol: the slot has the address, in the file's byte order."""
    linker = ("-Zunstable-options", "-Clinker=rust-lld", "-Clinker-flavor=gnu-lld")
    arguments = ("-Clink-arg=-Bsymbolic", "-Clink-arg=-zpack-relative-relocs", "-Clink-arg=--no-relax")
    path = no_core(target, "--crate-type=cdylib", *linker, *arguments, output="lib.so")
    found = _object(path, "caller")
    assert _names(found, "caller") - {"OWN"} == {"local", "outside", "host_call", "COUNTER"}


@pytest.mark.parametrize(
    ("machine", "kind", "code", "addend"),
    [
        (40, 2, "fcffffff", -4),  # R_ARM_ABS32
        (40, 28, "feffffeb", 0),  # bl: 8 bytes before the program counter
        (40, 28, "000000eb", 8), (40, 29, "feffff0a", 0),
        (40, 43, "340201e3", 0x1234), (40, 44, "ff0f4fe3", -1),
        (40, 10, "fff7feff", 0),  # a Thumb bl
        (40, 10, "00f001f8", 6), (40, 47, "41f23420", 0x1234), (40, 48, "cff6ff70", -1),
        (8, 2, "f8ffffff", -8), (8, 4, "0400000c", 16), (8, 6, "fcff4224", -4), (3, 1, "05000000", 5),
        (3, 1, "0500", 0),
    ],
)  # fmt: skip
def test_an_addend_in_the_bytes_that_are_patched(machine: int, kind: int, code: str, addend: int) -> None:
    data = memoryview(bytes.fromhex(code))
    assert implicit_addend(machine, Relocation(0, 1, kind, None), data, "<") == addend
    swapped = data.tobytes()[::-1] if kind not in (10, 47, 48) else bytes(data[at ^ 1] for at in range(4))
    if len(data) == 4:
        assert implicit_addend(machine, Relocation(0, 1, kind, None), memoryview(swapped), ">") == addend


def test_halves_of_an_address() -> None:
    """Several lower halves may complete one upper half, which says nothing alone unless there is no other."""
    code = memoryview(bytes.fromhex("0100023c f8ff4224 08004224 0200033c 00000000"))
    found = [
        Relocation(at, symbol, kind, None)
        for at, symbol, kind in ((0, 7, 5), (4, 7, 6), (8, 7, 6), (12, 9, 9), (16, 8, 2))
    ]
    assert [(one.offset, one.addend) for one in mips_halves(found, code, "<")] == [
        (4, 0xFFF8), (8, 0x10008), (16, 0), (12, None),
    ]  # fmt: skip
