"""Modules written here byte by byte: what compilers write seldom, and what is wrong."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from linkage.artifact import read_bytes
from linkage.artifact.facts import ObjectFile, ObjectType, Symbol, SymbolType
from linkage.artifact.tables import Binding, Visibility
from linkage.artifact.wasm.code import code_targets
from linkage.artifact.wasm.leb128 import VECTOR_LIMIT, Cursor, long_number
from linkage.errors import ArtifactError

HEADER = b"\0asm\1\0\0\0"
FUNCTIONS, IMPORTS, MEMORIES, GLOBALS, EXPORTS, START, CODE, DATA, TAGS = 3, 2, 5, 6, 7, 8, 10, 11, 13


def leb(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def name(text: bytes | str) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return leb(len(raw)) + raw


def vector(*entries: bytes) -> bytes:
    return leb(len(entries)) + b"".join(entries)


def section(number: int, content: bytes) -> bytes:
    return bytes([number]) + name(content)


def custom(title: str, content: bytes) -> bytes:
    return section(0, name(title) + content)


def part(number: int, content: bytes) -> bytes:
    return bytes([number]) + name(content)


def linking(*parts: bytes, version: int = 2) -> bytes:
    return custom("linking", leb(version) + b"".join(parts))


def symbols(*entries: bytes) -> bytes:
    return part(8, vector(*entries))


def module(*sections: bytes) -> bytes:
    return HEADER + b"".join(sections)


def found(*sections: bytes, **request: Any) -> ObjectFile:
    facts = read_bytes(module(*sections), **request)
    assert facts.error is None
    assert facts.object is not None
    assert facts.kind == "wasm"
    return facts.object


def error(*sections: bytes) -> str:
    told = read_bytes(module(*sections)).error
    assert told is not None
    return told


OBJECT = SymbolType.OBJECT
HIDDEN = Visibility.HIDDEN
TABLE = "symbol table of section linking"
BODIES = section(FUNCTIONS, vector(b"\0", b"\0")) + section(
    CODE, vector(name(b"\0\x0b"), name(b"\0\x10\0\x0b"))
)
SEGMENTS = section(DATA, vector(b"\1" + name(b"first"), b"\0\x41\x80\x08\x0b" + name(b"second")))


def test_numbers() -> None:
    assert long_number(b"\xe5\x8e\x26", 0) == (624485, 3)
    assert long_number(b"\x80\x80\x00", 0) == (0, 3)
    assert long_number(leb(2**64 - 1), 0) == (2**64 - 1, 10)
    for raw, message in ((leb(2**64), "of more than 64 bits"), (b"\x80" * 20, "has no end")):
        with pytest.raises(ArtifactError, match=message):
            long_number(raw, 0)
    cursor = Cursor(b"\xff\xff", "part")
    for read in (cursor.number, cursor.skip_number, cursor.name):
        with pytest.raises(ArtifactError, match=r"^part: a number at offset 0x0 of it, which has 2 bytes$"):
            read()
    with pytest.raises(ArtifactError, match=r"^part: it declares 5 entries, but has 1 bytes$"):
        Cursor(b"\5\0", "part").vector()


def test_more_entries_than_a_host_takes() -> None:
    count = leb(VECTOR_LIMIT + 1)
    told = "section EXPORT: it declares 1048577 entries; at most 1048576 are read"
    assert error(section(EXPORTS, count + b"\0\3\0" * (VECTOR_LIMIT + 1))) == told


def test_a_module_with_nothing() -> None:
    empty = found()
    assert (empty.format, empty.type, len(empty.sections)) == ("wasm32", ObjectType.SHARED, 0)
    assert (empty.symbols, list(empty.dynamic_symbols or ())) == (None, [])
    assert empty.dynamic is not None
    assert empty.dynamic.needed == ()


def test_a_component_is_named() -> None:
    facts = read_bytes(b"\0asm\x0d\0\1\0")
    assert facts.other is not None
    assert (facts.kind, facts.other.format) == ("other", "WebAssembly component")
    assert read_bytes(b"\0asm\2\0\0\0").error == "WebAssembly version 2; only 1 is read"
    assert (read_bytes(b"\0asm\1").error or "").startswith(
        "WebAssembly header at offset 0x0, 8 bytes, reaches"
    )


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ([b"\1\5"], "section 1 at offset 0xa, 5 bytes, reaches beyond the end of the file (10 bytes)"),
        ([b"\1\x80"], "a section's size at offset 0x9 reaches beyond the end"),
        ([section(1, b"\0") * 2], "a second section of id 1 at offset 0xb"),
        ([section(99, b"")], "an unknown section of id 99 at offset 0x8"),
        ([section(0, b"\5a")], "a custom section's name at offset 0xb is longer than the section"),
([linking(version=1)], "linking section of version 1; only 2 is read"),
        ([linking(symbols(b"\7\0\0"))], f"{TABLE}: a symbol of kind 7, which is not known"),
        ([linking(part(8, b"\1\0"))], f"{TABLE}: it reaches beyond its end"),
        ([linking(symbols(b"\1\x10\5ab"))], f"{TABLE}: it reaches beyond its end"),
        ([linking(symbols(b"\0\x10\3"))], f"{TABLE}: import 3 of 0 is referred to"),
        (
            [linking(symbols(b"\0\0\3" + name("f")))],
            f"{TABLE}: a symbol is defined as what is not there: FUNC 3",
        ),
        (
            [linking(symbols(b"\1\0" + name("d") + b"\2\0\0"))],
            f"{TABLE}: data segment 2 of 0 is referred to",
        ),
        ([linking(symbols(b"\3\0\5"))], f"{TABLE}: section 5 of 1 is referred to"),
        ([linking(part(5, vector(name("x") + b"\0\0")))], "1 names for 0 data segments"),
        (
            [linking(part(7, vector(name("c") + b"\0" + vector(b"\x02\0"))))],
            "a COMDAT group has a member of kind 2, which is not known",
        ),
        ([section(IMPORTS, vector(name("m") + name("f") + b"\x09"))],
         "section IMPORT: an import of kind 9, which is not known"),
        ([section(EXPORTS, vector(name("f") + b"\x09\0"))],
         "section EXPORT: an export of kind 9, which is not known"),
        ([section(EXPORTS, vector(name("f") + b"\0\7"))], "function 7 of 0 is referred to"),
        ([section(FUNCTIONS, vector(b"\0")), section(EXPORTS, vector(name("f") + b"\0\0"))],
         "function 0 of 0 is referred to"),
        ([section(EXPORTS, vector(name("f") + b"\0\0")), section(CODE, b"\1\5")],
         "section CODE: its 1 functions reach beyond its end"),
        ([linking(), section(DATA, vector(b"\x09"))], None),
        ([linking(part(5, vector(name("x") + b"\0\0"))), section(DATA, vector(b"\x09"))],
         "section DATA: a segment's flags are 0x9, which is not known"),
        ([linking(part(5, vector(name("x") + b"\0\0"))), section(DATA, vector(b"\0\x99"))],
         "section DATA: instruction 0x99 in a segment's address is not known"),
        ([custom("name", part(1, b"\3\0\5ab"))],
         "a subsection of section name: its 3 names reach beyond its end"),
    ],
)  # fmt: skip
def test_what_is_wrong(sections: list[bytes], message: str | None) -> None:
    assert read_bytes(module(*sections)).error == message


def test_too_many_sections() -> None:
    assert error(custom("", b"") * 65_537) == "more than 65536 sections"


def test_comdats_init_functions_and_segments() -> None:
    comdats = part(
        7, vector(name("first") + b"\0" + vector(b"\1\0", b"\0\1"), name("second") + b"\0" + vector(b"\5\0"))
    )
    table = symbols(
        b"\0\1\0" + name("grouped"), b"\0\2\1" + name("alone"), b"\1\4" + name("plain") + b"\0\1\2",
        b"\1\xa0\2" + name("kept") + b"\1\0\6", b"\3\2\0", b"\1\x80\4" + name("absolute") + b"\0\7\1",
        b"\1\x10" + name("outside"),
    )  # fmt: skip
    info = part(5, vector(name(".data.plain") + b"\0\0", name(".tdata.kept") + b"\2\3"))
    held = found(BODIES, SEGMENTS, linking(table, info, part(6, vector(b"\1\0", b"\1\1")), comdats))
    assert held.type is ObjectType.RELOCATABLE
    assert list(held.symbols or ()) == [
        _symbol("grouped", Binding.WEAK, section="CODE", value=2, size=2, comdat="first"),
        _symbol("alone", Binding.LOCAL, section="CODE", value=5, size=4),
        _symbol(
            "plain",
            visibility=Visibility.HIDDEN,
            kind=SymbolType.OBJECT,
            section=".data.plain",
            value=1,
            size=2,
        ),
        _symbol("kept", kind=SymbolType.TLS, section=".tdata.kept", size=6, comdat="first"),
        _symbol("", Binding.LOCAL, kind=SymbolType.SECTION, section="FUNCTION", comdat="second"),
        _symbol("absolute", kind=SymbolType.OBJECT, section=None, value=7, size=1, absolute=True),
        _symbol("outside", kind=SymbolType.OBJECT, section=None, defined=False),
    ]
    assert [(one.name, one.size, one.flags) for one in held.sections][-2:] == [
        (".data.plain", 5, "WA"), (".tdata.kept", 6, "WAST"),
    ]  # fmt: skip
    assert (held.init_array, held.tls, held.linker_options) == (2, True, ("--export=kept",))


def _symbol(
    title: str,
    binding: Binding = Binding.GLOBAL,
    *,
    visibility: Visibility = Visibility.DEFAULT,
    kind: SymbolType = SymbolType.FUNC,
    section: str | None,
    value: int = 0,
    size: int = 0,
    comdat: str | None = None,
    absolute: bool = False,
    defined: bool = True,
) -> Symbol:
    return Symbol(title, binding, visibility, kind, defined, absolute, section, value, size, comdat=comdat)


def test_more_segments_than_a_symbol_s_section_field_counts() -> None:
    count = 70_000
    data = section(DATA, vector(*[b"\1\1x"] * count))
    info = part(5, vector(*(name(f".data.{index}") + b"\0\0" for index in range(count))))
    table = symbols(b"\1\0" + name("last") + leb(count - 1) + b"\0\1",
                    b"\1\x80\4" + name("absolute") + b"\0\7\1",
                    b"\1\x10" + name("outside"), b"\1\0" + name("zero") + b"\0\0\1")  # fmt: skip
    held = found(data, linking(table, info))
    assert [(one.name, one.section, one.absolute, one.defined) for one in held.symbols or ()] == [
        ("last", ".data.69999", False, True), ("absolute", None, True, True), ("outside", None, False, False),
        ("zero", ".data.0", False, True),
    ]  # fmt: skip


def test_data_without_segment_names_is_in_the_data_section() -> None:
    held = found(SEGMENTS, linking(symbols(b"\1\0" + name("x") + b"\1\2\3")))
    assert [(one.name, one.section, one.value) for one in held.symbols or ()] == [("x", "DATA", 2)]


def test_names_with_a_nul_or_of_no_text() -> None:
    held = found(linking(symbols(b"\1\x10" + name(b"a\0b"), b"\1\x10" + name(b"\xff"))), custom("a\0b", b""))
    assert [one.name for one in held.symbols or ()] == ["a\\x00b", "\\xff"]
    assert held.sections.listed() == ["linking", "a\\x00b"]


def test_an_import_s_name_may_not_take_all_memory() -> None:
    imports = section(IMPORTS, vector(name("m") + name(b"n" * 900_000) + b"\0\0"))
    table = symbols(*[b"\0\x10\0"] * 40_000)
    assert error(imports, linking(table)) == "40000 symbols with names of more than 429496 bytes"


def test_imports_of_every_kind() -> None:
    imports = section(IMPORTS, vector(
        name("a") + name("f") + b"\0\0", name("b") + name("t") + b"\1\x70\1\0\x10",
        name("b") + name("m") + b"\2\5\0\x10", name("a") + name("g") + b"\3\x7f\1",
        name("a") + name("tag") + b"\4\0\0", name("a") + name("typed") + b"\3\x64\x70\0",
    ))  # fmt: skip
    exports = section(EXPORTS, vector(name("again") + b"\0\0", name("_start") + b"\0\1"))
    held = found(imports, section(FUNCTIONS, vector(b"\0")), exports, section(CODE, vector(name(b"\0\x0b"))))
    assert (held.format, held.type) == ("wasm64", ObjectType.EXECUTABLE)
    assert held.dynamic is not None
    assert held.dynamic.imports == {"a": ("f", "g", "tag", "typed"), "b": ("t", "m")}
    assert held.dynamic.needed == ("a", "b")
    dynamic = {one.name: (one.type.name, one.section) for one in held.dynamic_symbols or ()}
    assert dynamic == {
        "f": ("FUNC", None), "t": ("OTHER", None), "m": ("OTHER", None), "g": ("OBJECT", None),
        "tag": ("OTHER", None), "typed": ("OBJECT", None), "again": ("FUNC", "EXPORT"),
        "_start": ("FUNC", "CODE"),
    }  # fmt: skip


def test_types_of_linked_modules() -> None:
    code = section(FUNCTIONS, vector(b"\0")) + section(START, b"\0") + section(CODE, vector(name(b"\0\x0b")))
    program = found(code)
    assert (program.type, program.init_array) == (ObjectType.EXECUTABLE, 1)
    assert found(custom("dylink.0", b""), code).type is ObjectType.SHARED
    main = section(FUNCTIONS, vector(b"\0")) + section(EXPORTS, vector(name("main") + b"\0\0"))
    assert found(main + section(CODE, vector(name(b"\0\x0b")))).type is ObjectType.EXECUTABLE


def test_dylink() -> None:
    new = custom("dylink.0", part(1, b"\0\0\0\0") + part(2, vector(name("libc.so"), name("libm.so")))
                 + part(3, vector(name("t") + b"\x80\2")) + part(5, vector(name("/lib"))))  # fmt: skip
    held = found(new)
    assert held.dynamic is not None
    assert (held.dynamic.needed, held.dynamic.runpath) == (("libc.so", "libm.so"), ("/lib",))
    assert held.tls
    old = found(custom("dylink", b"\0\0\0\0" + vector(name("libc.so")))).dynamic
    assert old is not None
    assert old.needed == ("libc.so",)


def test_imports_of_a_shared_library_that_may_be_missing() -> None:
    imports = vector(*(name("env") + name(one) + b"\0\0" for one in ("must", "may")))
    flagged = vector(name("env") + name("may") + b"\1", name("other") + name("must") + b"\1")
    held = found(
        custom("dylink.0", part(4, flagged)), section(1, vector(b"\x60\0\0")), section(IMPORTS, imports)
    )
    assert {one.name: one.binding for one in held.dynamic_symbols or ()} == {
        "must": Binding.GLOBAL, "may": Binding.WEAK,
    }  # fmt: skip


def test_custom_sections_of_tools() -> None:
    held = found(
        custom("target_features", vector(b"+" + name("simd128"), b"-" + name("atomics"))),
        custom("build_id", name(b"\1\2\xff")),
        custom("producers", vector(name("language") + vector(name("Rust") + name("")))),
        for_comparison=True,
    )
    assert (held.properties, held.build_id) == (("+simd128", "-atomics"), "0102ff")
    assert held.contents == {".comment": b"language Rust"}


def test_a_content_that_is_too_large() -> None:
    large = read_bytes(module(custom("x", bytes(600_000)), custom("x", bytes(600_000))), contents=["x"])
    assert large.error == "section x has 1200000 bytes of content; at most 1048576 are read"


def test_segments_of_a_linked_module_with_names() -> None:
    both = custom("name", part(9, vector(b"\0" + name(".rodata"), b"\1" + name(".tdata"))))
    assert found(SEGMENTS, both).sections.listed() == ["DATA", "name", ".rodata", ".tdata"]
    assert found(SEGMENTS, both).tls
    one = custom("name", part(9, vector(b"\1" + name(".data"))))
    assert found(SEGMENTS, one).sections.listed() == ["DATA", "name"]


def test_tags_tables_and_globals_have_names() -> None:
    held = found(
        section(GLOBALS, vector(b"\x7f\0\x41\0\x0b")), section(TAGS, vector(b"\0\0")),
        custom("name", part(7, vector(b"\0" + name("counter"))) + part(11, vector(b"\0" + name("thrown")))),
    )  # fmt: skip
    named = [(one.name, one.type.name, one.section, one.binding.name) for one in held.symbols or ()]
    assert named == [("counter", "OBJECT", "GLOBAL", "LOCAL"), ("thrown", "OTHER", "TAG", "LOCAL")]


# --- code

EVERYTHING = """(module
  (memory 1) (table 4 funcref) (tag $e) (global $g (mut i32) (i32.const 0)) (type $t (func))
  (elem declare func $f)
  (data $d "x")
  (func $f)
  (func $all (local i64 v128)
    (block (result i32) (br_table 0 0 0 (i32.const 0) (i32.const 1))) drop
    (call_indirect (type $t) (i32.const 0))
    (drop (select (result i32) (i32.const -70000) (i32.const 1) (i32.const 1)))
    (drop (f64.const 1.5)) (drop (f32.const 1.5)) (drop (i64.const -9000000000))
    (drop (v128.const i32x4 1 2 3 4))
    (drop (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
      (local.get 1) (local.get 1)))
    (drop (i32x4.extract_lane 2 (local.get 1)))
    (drop (v128.load32_lane offset=300 1 (i32.const 0) (local.get 1)))
    (drop (v128.load32_zero (i32.const 0))) (drop (i32x4.add (local.get 1) (local.get 1)))
    (v128.store (i32.const 0) (local.get 1)) (drop (i32.load offset=99999 (i32.const 0)))
    (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1))) (atomic.fence)
    (memory.copy (i32.const 0) (i32.const 0) (i32.const 0))
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))
    (memory.init $d (i32.const 0) (i32.const 0) (i32.const 0))
    (data.drop $d) (drop (memory.grow (i32.const 0)))
    (drop (i32.trunc_sat_f32_s (f32.const 0))) (drop (table.size 0))
    (table.set 0 (i32.const 0) (ref.null func)) (drop (ref.func $f))
    (drop (ref.is_null (ref.null func)))
    (try (do (throw $e)) (catch $e) (catch_all (rethrow 0)))
    (global.set $g (i32.const 5)) (call $f) (return_call $f)))
"""


def test_every_kind_of_instruction(tmp_path: Path) -> None:
    assembler = shutil.which("wat2wasm")
    if assembler is None:
        pytest.skip("needs wat2wasm: install the package wabt")
    (tmp_path / "all.wat").write_text(EVERYTHING)
    command = [assembler, "--enable-all", "--debug-names", "all.wat", "-o", "all.wasm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    facts = read_bytes((tmp_path / "all.wasm").read_bytes(), references=["all", "f"]).object
    assert facts is not None
    assert facts.references == {"all": ("f", "g"), "f": ()}


def test_code_that_is_not_known_to_the_end() -> None:
    assert list(code_targets(b"\0\x10\5\xd2\6\x23\7\x0b")) == [(0, 5), (0, 6), (3, 7)]
    for body in (b"\0\xff\x0b",
                 b"\0\xfb\0\x0b", b"\0\xfd\xff\x0f\x0b", b"\0\xfe\x7f\x0b", b"\0\xfc\x7f\x0b", b"\0\1",
                 b"\0\x41", b"\0"):  # fmt: skip
        with pytest.raises(ArtifactError):
            list(code_targets(body))
    code = section(CODE, vector(name(b"\0\xfb\0\x0b"), name(b"\0\x0b")))
    names = custom("name", part(1, vector(b"\0" + name("managed"), b"\1" + name("plain"))))
    held = found(section(FUNCTIONS, vector(b"\0", b"\0")), code, names, references=["managed", "plain"])
    assert held.references == {"plain": ()}


def test_relocations_that_refer_to_nothing() -> None:
    table = symbols(b"\0\0\0" + name("f"))
    for reloc, message in (
        (b"\0\1\7", "section reloc.CODE: symbol 7 of 1 is referred to"),
        (b"\x63\1\0", "section reloc.CODE: a relocation of type 99, which is not known"),
    ):
        data = module(BODIES, linking(table), custom("reloc.CODE", b"\1" + vector(reloc)))
        assert read_bytes(data).error is None
        assert read_bytes(data, references=["f"]).error == message
