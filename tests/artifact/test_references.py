"""What functions refer to, in object files and in linked ones."""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from linkage.artifact import read, read_bytes
from linkage.artifact.disassembly import AddressOperand, code_for
from support.hand_made import verdicts

Compile = Callable[..., Path]
CALLS = """
extern int imported(int);
extern int variable;
static int __attribute__((noinline, noclone)) own(int x) { return x * 3 + variable; }
int __attribute__((noinline, noclone)) other(int x) { return x + 2; }
int caller(int x) { return imported(x) + own(x) + other(x); }
"""
DEFINITIONS = "int variable = 1; int imported(int x) { return x; }"


def _references(path: Path, *names: str) -> Mapping[str, tuple[str, ...]]:
    facts = read(path, references=names)
    assert facts.object is not None
    return facts.object.references


def test_in_an_object_file(compile_c: Compile) -> None:
    flags = ("-c", "-O1", "-fPIC", "-fno-inline")
    found = _references(compile_c(CALLS, *flags), "caller", "other", "absent", "imported")
    assert set(found) == {"caller", "other"}
    assert {"imported", "other", "own"} - {"own"} <= set(found["caller"])
    assert found["other"] == ()


def test_through_section_symbols(compile_c: Compile) -> None:
    """A local function in another section is reached through that section's symbol."""
    flags = ("-c", "-O1", "-fPIC", "-fno-inline", "-ffunction-sections")
    found = _references(compile_c(CALLS, *flags), "caller", "own")
    assert {"imported", "other", "own"} <= set(found["caller"])
    assert "variable" in found["own"]


def test_where_the_code_holds_the_addends(compile_c: Compile) -> None:
    """The relocations of 32-bit x86 have none of their own; two functions of one section differ by them."""
    source = """
    .text; .globl caller, reader
    caller: call first; call second; ret
    .size caller, . - caller
    reader: movl datum, %eax; ret
    .size reader, . - reader
    .section .text.far, "ax"
    first: nop; ret
    .size first, . - first
    second: ret
    .size second, . - second
    .data
    .long 0
    datum: .long 0
    .size datum, 4
    """
    found = _references(compile_c(source, "-c", "-m32", language="assembler"), "caller", "reader")
    assert found == {"caller": ("first", "second"), "reader": ("datum",)}


def test_a_relocation_without_a_symbol_refers_to_nothing(compile_c: Compile) -> None:
    source = """
    .globl caller
    caller: call out; ret
    .size caller, . - caller
    .reloc caller, R_X86_64_NONE
    """
    assert _references(compile_c(source, "-c", language="assembler"), "caller") == {"caller": ("out",)}


@pytest.mark.parametrize("flags", [(), ("-fno-plt",), ("-Wl,-z,now",), ("-fcf-protection=full",)])
def test_in_a_shared_library(compile_c: Compile, flags: tuple[str, ...]) -> None:
    path = compile_c(CALLS, "-shared", "-O1", "-fPIC", "-fno-inline", *flags)
    found = _references(path, "caller", "own", "absent")
    assert {"imported", "other", "own"} <= set(found["caller"])
    assert "variable" in found["own"]
    assert "absent" not in found


@pytest.mark.parametrize("flags", [("-no-pie",), ("-pie", "-fPIE"), ("-static",)])
def test_in_a_program(compile_c: Compile, flags: tuple[str, ...]) -> None:
    source = CALLS + DEFINITIONS + "int main(void) { return caller(1); }"
    found = _references(compile_c(source, "-O1", "-fno-inline", *flags), "main", "caller", "own")
    assert "caller" in found["main"]
    assert {"other", "own"} <= set(found["caller"])
    assert "variable" in found["own"]


@pytest.mark.parametrize("flags", [("-static", "-no-pie"), ("-static-pie", "-Wl,-z,pack-relative-relocs")])
def test_through_slots_without_a_relocation(compile_c: Compile, flags: tuple[str, ...]) -> None:
    """The linker has written the address into the global offset table, or packs its relocation."""
    source = CALLS + DEFINITIONS + "int main(void) { return caller(1); }"
    options = ("-O1", "-fno-inline", "-fPIC", "-fno-plt", "-fsemantic-interposition", "-Wl,--no-relax")
    found = _references(compile_c(source, *options, *flags), "caller", "own")
    assert {"imported", "other", "own"} <= set(found["caller"])
    assert "variable" in found["own"]


def test_stripped_of_its_symbol_table(compile_c: Compile) -> None:
    """Only the dynamic symbols are left: what they name is still found, to compare it."""
    found = read(compile_c(CALLS, "-shared", "-O1", "-fPIC", "-s"), for_comparison=True).object
    assert found is not None
    assert {"imported", "other"} <= set(found.references["caller"])


def test_of_a_rust_library(built: dict[str, Path]) -> None:
    (names,) = _references(built["cdylib"], "count_shapes").values()
    assert any("_print" in name for name in names)
    archive = read(built["staticlib"], references=["count_shapes"]).archive
    assert archive is not None
    (found,) = [m.object.references for m in archive.members if m.object and m.object.references]
    assert any("_print" in name for name in found["count_shapes"])


@pytest.mark.parametrize("flags", [("-c",), ("-shared",)])
def test_for_a_comparison_of_what_other_languages_can_call(
    compile_c: Compile, flags: tuple[str, ...]
) -> None:
    source = f"""{CALLS}
__attribute__((weak)) int soft(void) {{ return caller(1); }}
__attribute__((visibility("hidden"))) int hidden(void) {{ return caller(2); }}
__attribute__((visibility("protected"))) int guarded(void) {{ return caller(3); }}
int _ZN7mangled(void) {{ return caller(4); }}
int _RNvMangled(void) {{ return caller(5); }}
int _Rational(void) {{ return own(6) + hidden(); }}
int data = 7;
"""
    made = read(compile_c(source, *flags, "-O1", "-fPIC", "-fno-inline"), for_comparison=True).object
    assert made is not None
    found = set(made.references) - {"_init", "_fini"}
    assert found == {"other", "caller", "soft", "guarded", "_Rational"}


def test_the_code_of_aarch64() -> None:
    words = (
        0x94000004,  # bl   .+16
        0xB0000000,  # adrp x0, the next page
        0xF9400401,  # ldr  x1, [x0, #8]
        0x91004000,  # add  x0, x0, #16
        0xF9400401,  # ldr  x1, [x0, #8]
        0xF9400000,  # ldr  x0, [x0]
        0xF9400401,  # ldr  x1, [x0, #8]: x0 is not known any more
        0x14000001,  # b    .+4
        0xB0000002,  # adrp x2, the next page
        0xF9401041,  # ldr  x1, [x2, #32]
        0x10000083,  # adr  x3, .+16
        0xF9400064,  # ldr  x4, [x3]
        0xF9000062,  # str  x2, [x3]: x2 is still known
        0xF9400045,  # ldr  x5, [x2]
    )
    code = code_for("aarch64")
    assert code is not None
    assert list(code.targets(struct.pack(f"<{len(words)}I", *words), 0x1000)) == [
        AddressOperand(0x1010, branch=True),
        AddressOperand(0x2008, slot=True),
        AddressOperand(0x2010),
        AddressOperand(0x2018, slot=True),
        AddressOperand(0x2010, slot=True),
        AddressOperand(0x1020, branch=True),
        AddressOperand(0x2020, slot=True),
        AddressOperand(0x1038),
        AddressOperand(0x1038, slot=True),
        AddressOperand(0x2000, slot=True),
    ]


def test_the_code_of_x86() -> None:
    text = "e8 10000000 ff15 20000000 488d05 f0ffffff 0f84 01000000 488b0d 00000000 488b0d 08000000"
    code = code_for("x86_64")
    assert code is not None
    assert list(code.targets(bytes.fromhex(text), 0x1000)) == [
        AddressOperand(0x1015, branch=True),
        AddressOperand(0x102B, slot=True),
        AddressOperand(0x1002),
        AddressOperand(0x1019, branch=True),
        AddressOperand(0x101F, slot=True),
        AddressOperand(0x102E, slot=True),
    ]
    assert code_for("") is None


def test_a_function_whose_code_is_not_known_to_the_end_is_left_out(compile_c: Callable[..., Path]) -> None:
    """That it refers to nothing would be said of what nobody read."""
    source = ".globl unsized, sized\nunsized: call out\nsized: call out\n.size sized, . - sized\n"
    path = compile_c(source, "-c", language="assembler")
    found = read(path, references=["unsized", "sized"]).object
    assert found is not None
    assert found.references == {"sized": ("out",)}
    linked = compile_c(source + ".globl out\nout: ret", "-shared", "-nostdlib", language="assembler")
    found = read(linked, references=["unsized", "sized"]).object
    assert found is not None
    assert found.references == {"sized": ("out",)}
    data = bytearray(linked.read_bytes())
    data[18:20] = (243).to_bytes(2, "little")  # a machine whose code is not disassembled
    foreign = read_bytes(bytes(data), references=["sized"]).object
    assert foreign is not None
    assert foreign.references == {}


def test_in_a_stripped_library(compile_c: Compile) -> None:
    """A hidden function has lost its name: that it is called cannot be seen, and no claim can be judged."""
    path = compile_c(CALLS, "-shared", "-O1", "-fPIC", "-fno-inline", "-s")
    assert set(_references(path, "caller", "other", "own")) == {"other"}
    facts = read(path, references=["caller"])
    ((_, verdict),) = verdicts("references: {caller: {none: [own]}}", facts)
    assert verdict == (
        "error: an ELF file without a symbol table: not everything that caller refers to has a name"
    )
    compared = read(path, for_comparison=True).object
    assert compared is not None
    assert "imported" in compared.references["caller"]
