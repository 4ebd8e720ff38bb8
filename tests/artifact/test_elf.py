"""Properties of ELF files besides their symbols, each set by a compiler flag."""

import re
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from linkage.artifact import read, read_bytes
from linkage.artifact.facts import ObjectFile, ObjectType, Relro

Compile = Callable[..., Path]
LIBRARY = "int f(void) { return 1; }"
PROGRAM = "int main(void) { return 0; }"


def _object(path: Path) -> ObjectFile:
    found = read(path).object
    assert found is not None
    return found


def test_rust_outputs(built: dict[str, Path]) -> None:
    types = {kind: _object(built[kind]).type for kind in ("bin", "cdylib", "dylib", "object")}
    assert types == {
        "bin": ObjectType.EXECUTABLE,
        "cdylib": ObjectType.SHARED,
        "dylib": ObjectType.SHARED,
        "object": ObjectType.RELOCATABLE,
    }
    assert _object(built["bin"]).pie
    assert not _object(built["cdylib"]).pie
    assert _object(built["object"]).dynamic is None


def test_relro_and_immediate_binding(compile_c: Compile) -> None:
    full = _object(compile_c(LIBRARY, "-shared", "-fPIC", "-Wl,-z,relro,-z,now"))
    partial = _object(compile_c(LIBRARY, "-shared", "-fPIC", "-Wl,-z,relro,-z,lazy"))
    none = _object(compile_c(LIBRARY, "-shared", "-fPIC", "-Wl,-z,norelro,-z,lazy"))
    assert [one.relro for one in (full, partial, none)] == [Relro.FULL, Relro.PARTIAL, Relro.NONE]
    assert [one.dynamic.bind_now for one in (full, partial, none) if one.dynamic] == [True, False, False]


def test_names_and_paths_for_the_loader(compile_c: Compile) -> None:
    flags = ("-shared", "-fPIC", "-Wl,-soname,libf.so.1", "-Wl,--enable-new-dtags,-rpath,/one:/two")
    new = _object(compile_c(LIBRARY, *flags)).dynamic
    assert new is not None
    assert (new.soname, new.runpath, new.rpath) == ("libf.so.1", ("/one", "/two"), ())
    old = _object(compile_c(LIBRARY, "-shared", "-fPIC", "-Wl,--disable-new-dtags,-rpath,/one")).dynamic
    assert old is not None
    assert (old.soname, old.runpath, old.rpath) == (None, (), ("/one",))


def test_position_dependence(compile_c: Compile) -> None:
    fixed, pie = _object(compile_c(PROGRAM, "-no-pie")), _object(compile_c(PROGRAM, "-pie", "-fPIE"))
    static = _object(compile_c(PROGRAM, "-static-pie", "-fPIE", "-nostdlib", "-Wl,-e,main"))
    assert [one.type for one in (fixed, pie, static)] == [ObjectType.EXECUTABLE] * 3
    assert [one.pie for one in (fixed, pie, static)] == [False, True, True]
    assert static.interpreter is None


def test_library_with_an_interpreter_is_not_a_program(compile_c: Compile) -> None:
    source = f'const char p[] __attribute__((section(".interp"))) = "/lib/ld.so"; {LIBRARY}'
    found = _object(compile_c(source, "-shared", "-fPIC", "-Wl,-soname,libf.so"))
    assert (found.type, found.interpreter) == (ObjectType.SHARED, "/lib/ld.so")


def test_defined_versions(compile_c: Compile, tmp_path: Path) -> None:
    script = tmp_path / "map"
    script.write_text("V1 { global: f; local: *; }; V2 { global: g; } V1;")
    source = f"{LIBRARY} int g(void) {{ return 2; }}"
    found = _object(compile_c(source, "-shared", "-fPIC", f"-Wl,--version-script={script}"))
    assert found.dynamic is not None
    assert found.dynamic.versions_defined == ("V1", "V2")
    assert found.dynamic_symbols is not None
    assert [symbol.version for symbol in found.dynamic_symbols.named("g")] == ["V2"]
    assert [symbol.version for symbol in found.dynamic_symbols.named("f")] == ["V1"]


@pytest.mark.parametrize("style", ["gnu", "sysv"])
def test_without_section_headers(compile_c: Compile, style: str) -> None:
    """The dynamic symbols are found as the loader finds them, through either hash table."""
    path = compile_c(
        f"int h(void); {LIBRARY} int k(void) {{ return h(); }}",
        "-shared",
        "-fPIC",
        f"-Wl,--hash-style={style}",
    )
    data = bytearray(path.read_bytes())
    struct.pack_into("<Q", data, 40, 0)  # e_shoff
    struct.pack_into("<HH", data, 60, 0, 0)  # e_shnum, e_shstrndx
    whole, stripped = _object(path), read_bytes(bytes(data)).object
    assert stripped is not None
    assert whole.dynamic_symbols is not None
    assert stripped.dynamic_symbols is not None
    assert list(stripped.dynamic_symbols) == [replace(s, section=None) for s in whole.dynamic_symbols]
    assert stripped.dynamic == whole.dynamic
    assert (stripped.symbols, len(stripped.sections)) == (None, 0)


def test_more_dynamic_symbols_than_the_file_has_room_for(compile_c: Compile) -> None:
    path = compile_c(LIBRARY, "-shared", "-fPIC", "-nostdlib", "-Wl,--hash-style=sysv")
    data = bytearray(path.read_bytes())
    table = ELFFile(BytesIO(bytes(data))).get_section_by_name(".hash")
    assert table is not None
    struct.pack_into("<I", data, table["sh_offset"] + 4, 0x10000)  # nchain
    struct.pack_into("<Q", data, 40, 0)  # e_shoff
    struct.pack_into("<HH", data, 60, 0, 0)  # e_shnum, e_shstrndx
    error = read_bytes(bytes(data)).error
    assert error is not None
    assert re.match(r"DT_SYMTAB at offset 0x\w+, 1572864 bytes, reaches beyond the end of the file", error)


def test_dynamic_symbols_whose_section_strip_has_taken_out(compile_c: Compile) -> None:
    image = bytearray(compile_c(LIBRARY, "-shared", "-fPIC").read_bytes())
    table = ELFFile(BytesIO(bytes(image))).get_section_by_name(".dynsym")
    assert isinstance(table, SymbolTableSection)
    (number,) = (index for index, one in enumerate(table.iter_symbols()) if one.name == "f")
    struct.pack_into("<H", image, table["sh_offset"] + number * 24 + 6, 0x700)
    found = read_bytes(bytes(image)).object
    assert found is not None
    assert found.dynamic_symbols is not None
    (symbol,) = found.dynamic_symbols.named("f")
    assert symbol.defined
    assert symbol.section is None
    assert not symbol.absolute


def test_compressed_sections(compile_c: Compile) -> None:
    found = _object(compile_c(LIBRARY, "-c", "-g", "-gz=zlib"))
    (section,) = found.sections.named(".debug_info")
    assert section.compressed
    assert "C" in section.flags
    assert not any(one.compressed for one in found.sections.named(".text"))


def test_more_sections_than_the_header_can_count(compile_c: Compile) -> None:
    source = "\n".join(f'.section .s{i},"a"\n.globl n{i}\nn{i}: .byte 0' for i in range(65500))
    found = _object(compile_c(source, "-c", language="assembler"))
    assert len(found.sections) > 65500
    assert found.symbols is not None
    assert [symbol.section for symbol in found.symbols.named("n65499")] == [".s65499"]
    assert [symbol.section for symbol in found.symbols.named("n1")] == [".s1"]


def test_sections_as_readelf_prints_them(compile_c: Compile) -> None:
    found = _object(compile_c(LIBRARY, "-c", "-g"))
    (text,), (strings,) = found.sections.named(".text"), found.sections.named(".debug_str")
    assert (text.type, text.flags) == ("PROGBITS", "AX")
    assert (strings.type, strings.flags) == ("PROGBITS", "MS")


def test_errors_say_what_and_where(built: dict[str, Path]) -> None:
    data = built["cdylib"].read_bytes()
    facts = read_bytes(data[:-64])
    assert (facts.kind, facts.object) == ("elf", None)
    assert facts.error is not None
    assert facts.error.startswith("section headers at offset 0x")
    assert "reaches beyond the end of the file" in facts.error
    assert read_bytes(data[:10]).error == (
        "ELF header at offset 0x0, 16 bytes, reaches beyond the end of the file (10 bytes)"
    )
    assert (
        read_bytes(data[:4] + b"\x07" + data[5:]).error
        == "ELF header: class 7, data encoding 1 at offset 0x4"
    )


def _comdats(path: Path) -> dict[str, str | None]:
    table = _object(path).symbols
    assert table is not None
    return {one.name: one.comdat for one in table if one.name and one.defined}


COMDAT = """
.section .text.f,"axG",@progbits,f,comdat
.globl f, inside
f: ret
inside: ret
.section .text.g,"axG",@progbits,group
.globl g
g: ret
.section .gnu.linkonce.t.old,"ax",@progbits
.globl old
old: ret
.text
.globl plain
plain: ret
"""


def test_comdat_groups(compile_c: Compile) -> None:
    """A group that is not COMDAT is kept together, and every copy of it is kept."""
    path = compile_c(COMDAT, "-c", language="assembler")
    named = {"f", "inside", "g", "old", "plain"}
    found = {name: comdat for name, comdat in _comdats(path).items() if name in named}
    assert found == {"f": "f", "inside": "f", "g": None, "old": "old", "plain": None}
    narrow = _comdats(compile_c("extern int g; int a(void) { return g; }", "-c", "-m32", "-fPIC", "-O1"))
    thunk = next(name for name in narrow if name.startswith("__x86.get_pc_thunk"))
    assert narrow[thunk] == thunk
    assert narrow["a"] is None


def test_a_damaged_group(compile_c: Compile) -> None:
    path = compile_c(COMDAT, "-c", language="assembler")
    data = bytearray(path.read_bytes())
    sections = ELFFile(BytesIO(data))
    index = next(i for i, one in enumerate(sections.iter_sections()) if one["sh_type"] == "SHT_GROUP")
    struct.pack_into("<I", data, sections["e_shoff"] + index * 64 + 44, 9999)
    assert (read_bytes(bytes(data)).error or "").startswith(
        f"section group {index}: it is named by symbol 9999 of "
    )


VERSIONS = """
.globl one, two, three
.type one,@function
.type two,@function
one: two: three: ret
.symver one, foo@@V2
.symver two, foo@V1
"""


def test_default_versions_and_others(compile_c: Compile, tmp_path: Path) -> None:
    script = tmp_path / "versions"
    script.write_text("V1 { global: three; }; V2 { global: foo; local: *; } V1;")
    flags = ("-shared", "-nostdlib", f"-Wl,--version-script={script}")
    found = _object(compile_c(VERSIONS, *flags, language="assembler"))
    assert found.dynamic_symbols is not None
    names = sorted(one.versioned for one in found.dynamic_symbols if one.defined)
    assert names == ["V1", "V2", "foo@@V2", "foo@V1", "three@@V1"]
    assert found.dynamic_symbols.versions[2:] == (
        "V1",
        "V2",
    )  # the first two are of local and unversioned ones
    needed = _object(compile_c(PROGRAM)).dynamic_symbols
    assert needed is not None
    main = [one.versioned for one in needed if one.name == "__libc_start_main"]
    assert main == ["__libc_start_main@GLIBC_2.34"]


def test_the_stack(compile_c: Compile) -> None:
    flags = ("-shared", "-nostdlib")
    plain = compile_c(LIBRARY, *flags, "-Wl,-z,noexecstack")
    executable = compile_c(LIBRARY, *flags, "-Wl,-z,execstack")
    assert [_object(one).executable_stack for one in (plain, executable)] == [False, True]
    silent, said, asked = (
        compile_c(f".text\n{section}", "-c", language="assembler")
        for section in ("", '.section .note.GNU-stack,"",@progbits', '.section .note.GNU-stack,"x",@progbits')
    )
    assert [_object(one).executable_stack for one in (silent, said, asked)] == [None, False, True]


def test_gnu_properties_and_the_build_id(compile_c: Compile) -> None:
    protected = compile_c(LIBRARY, "-c", "-fcf-protection=full")
    assert _object(protected).properties == ("IBT", "SHSTK")
    assert _object(compile_c(LIBRARY, "-c", "-fcf-protection=none")).properties == ()
    flags = ("-shared", "-nostdlib", "-fcf-protection=full", "-Wl,-z,ibt,-z,shstk")
    linked = _object(compile_c(LIBRARY, *flags, "-Wl,--build-id=0xc0ffee"))
    assert {"IBT", "SHSTK"} <= set(linked.properties)
    assert linked.build_id == "c0ffee"
    assert _object(compile_c(LIBRARY, *flags, "-Wl,--build-id=none")).build_id is None
    level = _object(compile_c(LIBRARY, "-shared", "-nostdlib", "-Wl,-z,x86-64-v3"))
    assert "x86-64-v3" in level.properties
    narrow = compile_c(LIBRARY, "-c", "-m32", "-fcf-protection=branch")
    assert _object(narrow).properties == ("IBT",)


def test_properties_that_have_no_name_are_numbers(compile_c: Compile) -> None:
    """A number that a newer linker writes must not vanish: two compilers may differ by it alone."""
    source = """
    .section .note.gnu.property, "a", @note
    .p2align 3
    .long 4, 2f - 1f, 5
    .asciz "GNU"
    1:
    .long 1, 8; .quad 0x10000
    .long 2, 0
    .long 0xc0008002, 4, 0x80000001, 0
    .long 0xc0012345, 4, 1, 0
    2:
    .long 4, 4, 0x99
    .asciz "GNU"
    .long 1
    .p2align 3
    """
    assert _object(compile_c(source, "-c", language="assembler")).properties == (
        "0xc0008002:0x80000000",
        "0xc0012345",
        "NO_COPY_ON_PROTECTED",
        "STACK_SIZE",
        "x86-64-baseline",
    )


def test_notes_that_are_cut_off_end_the_list(compile_c: Compile) -> None:
    data = bytearray(compile_c(LIBRARY, "-c", "-fcf-protection=full").read_bytes())
    at = data.index(b"GNU\0") - 12
    struct.pack_into("<I", data, at + 4, 0xFFFF)
    found = read_bytes(bytes(data)).object
    assert found is not None
    assert found.properties == ()


def test_notes_that_are_cut_off_hide_no_others(compile_c: Compile) -> None:
    cut = '.section .note.cut, "", @note\n.long 4, 0xffff, 5\n.asciz "GNU"\n'
    build_id = '.section .note.gnu.build-id, "a", @note\n.long 4, 2, 3\n.asciz "GNU"\n.short 0x2211\n'
    assert _object(compile_c(cut + build_id, "-c", language="assembler")).build_id == "1122"


def test_functions_that_are_called_at_the_start_and_the_end(compile_c: Compile) -> None:
    source = """
    __attribute__((constructor)) static void one(void) {}
    __attribute__((constructor)) static void two(void) {}
    __attribute__((destructor)) static void three(void) {}
    """
    for flags in (("-c",), ("-shared", "-nostdlib", "-fPIC")):
        found = _object(compile_c(source, *flags))
        assert (found.init_array, found.fini_array) == (2, 1)
    path = compile_c(source, "-shared", "-nostdlib", "-fPIC")
    data = bytearray(path.read_bytes())
    data[40:48] = bytes(8)  # e_shoff
    data[60:64] = bytes(4)  # e_shnum, e_shstrndx
    sectionless = read_bytes(bytes(data)).object
    assert sectionless is not None
    assert (sectionless.init_array, sectionless.fini_array) == (2, 1)
    whole = path.read_bytes()
    untold = read_bytes(whole.replace(struct.pack("<QQ", 28, 8), struct.pack("<QQ", 0x6FFFFEF0, 8), 1)).object
    assert untold is not None
    assert (untold.init_array, untold.fini_array) == (
        2,
        0,
    )  # the section is there; the loader is not told of it
    nothing = _object(compile_c(LIBRARY, "-c"))
    assert (nothing.init_array, nothing.fini_array) == (0, 0)


def test_thread_local_storage(compile_c: Compile) -> None:
    source = "_Thread_local int counter = 3; int f(void) { return counter; }"
    for flags in (("-c",), ("-shared", "-nostdlib", "-fPIC")):
        assert _object(compile_c(source, *flags)).tls
        assert not _object(compile_c(LIBRARY, *flags)).tls


def test_section_types_by_machine(compile_c: Compile) -> None:
    unwind = '.section .eh_frame,"a",@unwind'
    path = compile_c(unwind, "-c", language="assembler")
    (section,) = _object(path).sections.named(".eh_frame")
    assert section.type == "X86_64_UNWIND"
    data = bytearray(path.read_bytes())
    for machine, name in ((40, "ARM_EXIDX"), (8, "MIPS_MSYM"), (252, "CSKY_ATTRIBUTES"), (2, "0x70000001")):
        struct.pack_into("<H", data, 18, machine)
        found = read_bytes(bytes(data)).object
        assert found is not None
        assert found.sections.named(".eh_frame")[0].type == name


def test_a_debug_only_file_is_called_that(compile_c: Compile, tmp_path: Path) -> None:
    whole = compile_c(PROGRAM, "-g")
    split = tmp_path / "main.debug"
    subprocess.run(["objcopy", "--only-keep-debug", whole, split], check=True)
    found = read(split, references=["main"]).object
    assert found is not None
    assert (found.type, found.dynamic, found.dynamic_symbols) == (ObjectType.DEBUG, None, None)
    assert found.symbols is not None
    assert found.symbols.named("main")
    assert found.references == {}
    stripped = tmp_path / "main.stripped"
    subprocess.run(["objcopy", "--strip-all", whole, stripped], check=True)
    assert _object(stripped).type is ObjectType.EXECUTABLE
