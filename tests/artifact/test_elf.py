"""What ELF files say beside their symbols, each made by a compiler flag that changes it."""

import struct
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


def test_a_library_with_an_interpreter_is_no_program(compile_c: Compile) -> None:
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
    needed = _object(compile_c(PROGRAM)).dynamic_symbols
    assert needed is not None
    main = [one.versioned for one in needed if one.name == "__libc_start_main"]
    assert main == ["__libc_start_main@GLIBC_2.34"]
