"""Mach-O files written byte by byte."""

import struct
from collections.abc import Sequence

import pytest

from linkage.artifact import read_bytes
from linkage.artifact.facts import Binding, ObjectFile, ObjectType, Symbol, SymbolType, Visibility
from support.macho_by_hand import (
    DYLDLINK,
    DYLIB,
    EXECUTE,
    TWOLEVEL,
    command,
    macho,
    named,
    nlist,
    section,
    segment,
)

EXT, PEXT, ABS, SECT, INDR, PBUD = 0x1, 0x10, 0x2, 0xE, 0xA, 0xC
TEXT = segment(
    b"__TEXT", section(b"__text", b"__TEXT", flags=0x80000400, size=16), section(b"__data", b"__DATA")
)
OTHER, MORE = named(0xC, b"/usr/lib/libother.dylib"), named(0x80000018, b"/usr/lib/libmore.dylib")


def _object(data: bytes, *, contents: Sequence[str] = ()) -> ObjectFile:
    facts = read_bytes(data, contents=contents)
    assert facts.error is None
    assert (facts.kind, facts.object is not None) == ("macho", True)
    return facts.object  # type: ignore[return-value]


def _error(data: bytes, *, contents: Sequence[str] = ()) -> str:
    facts = read_bytes(data, contents=contents)
    assert (facts.kind, facts.object) == ("macho", None)
    assert facts.error is not None
    return facts.error


def _symbols(*symbols: bytes, names: bytes = b"\0_foo\0foo\0_bar\0") -> list[Symbol]:
    return list(_object(macho(TEXT, symbols=symbols, names=names)).symbols or ())


def test_kinds_of_symbols() -> None:
    symbols = [
        nlist(1, SECT | EXT, 1, 0, 8), nlist(1, SECT | PEXT, 2), nlist(1, ABS | EXT, value=7),
        nlist(1, INDR | EXT, value=10), nlist(1, PBUD | EXT), nlist(1, EXT, 0, 0x0300, 24),
        nlist(1, EXT | PEXT, 0, 0, 24), nlist(0, SECT, 1), nlist(1, 0x24, 1), nlist(1, EXT, 0, 0x40),
        nlist(1, SECT | EXT, 1, 0x80), nlist(1, SECT | EXT, 1, 0x40),
    ]  # fmt: skip
    rows = [
        (
            one.name, one.binding.name, one.visibility.name, one.type.name, one.defined, one.absolute,
            one.section, one.value, one.size,
        )
        for one in _symbols(*symbols)
    ]  # fmt: skip
    text, data = "__TEXT,__text", "__DATA,__data"
    assert rows == [
        ("foo", "GLOBAL", "DEFAULT", "FUNC", True, False, text, 8, 0),
        ("foo", "LOCAL", "HIDDEN", "OBJECT", True, False, data, 0, 0),
        ("foo", "GLOBAL", "DEFAULT", "NOTYPE", True, True, None, 7, 0),
        ("foo", "GLOBAL", "DEFAULT", "NOTYPE", True, False, None, 10, 0),
        ("foo", "GLOBAL", "DEFAULT", "NOTYPE", False, False, None, 0, 0),
        ("foo", "GLOBAL", "DEFAULT", "COMMON", True, False, None, 8, 24),
        ("foo", "GLOBAL", "HIDDEN", "COMMON", True, False, None, 1, 24),
        ("", "LOCAL", "DEFAULT", "FUNC", True, False, text, 0, 0),
        ("foo", "WEAK", "DEFAULT", "NOTYPE", False, False, None, 0, 0),
        ("foo", "WEAK", "DEFAULT", "FUNC", True, False, text, 0, 0),
        ("foo", "GLOBAL", "DEFAULT", "FUNC", True, False, text, 0, 0),
    ]


@pytest.mark.parametrize(
    ("symbol", "why"),
    [
        (nlist(1, SECT, 3), "a symbol is in section 3 of 2"),
        (nlist(1, SECT, 0), "a symbol is in section 0 of 2"),
        (nlist(1, 4), "a symbol of the unknown type 0x4"),
        (nlist(99, EXT), "a symbol's name is at 0x63 of a string table of 17 bytes"),
    ],
)
def test_wrong_symbols(symbol: bytes, why: str) -> None:
    assert _error(macho(TEXT, symbols=[symbol], names=b"\0_foo\0foo\0_bar\0\0")) == why


def test_names_with_and_without_the_prefix() -> None:
    """`foo` of the source is `_foo`; what is called `foo` in the file is another symbol."""
    both = macho(
        symbols=[nlist(1, EXT), nlist(6, EXT), nlist(10, EXT), nlist(2, EXT)], names=b"\0_foo\0foo\0plain\0"
    )
    found = _object(both)
    assert [one.name for one in found.symbols or ()] == ["foo", r"\01foo", "plain", r"\01foo"]
    assert found.raw_names == {r"\01foo": "foo", "plain": "plain"}
    assert found.name_prefix == "_"
    assert found.symbols is not None
    assert [one.name for one in found.symbols.named(r"\01foo")] == [r"\01foo"] * 2
    assert len(found.symbols.named("foo")) == 1
    one = _object(macho(symbols=[nlist(6, EXT)], names=b"\0_foo\0foo\0"))
    assert ([symbol.name for symbol in one.symbols or ()], one.raw_names) == (["foo"], {"foo": "foo"})


def test_names_that_are_clear_in_one_table_only() -> None:
    """A local `_foo` in the symbol table, a `foo` in the export trie: still two names."""
    trie = b"\0\1foo\0\7\2\0\0\0"
    found = _object(
        macho(
            TEXT, kind=DYLIB, flags=DYLDLINK, symbols=[nlist(1, SECT, 1)], names=b"\0_foo\0", tail=trie,
            tail_command=0x80000033,
        )
    )  # fmt: skip
    assert [one.name for one in found.symbols or ()] == ["foo"]
    assert [one.name for one in found.dynamic_symbols or ()] == [r"\01foo"]
    fixups = _chained(b"\0foo\0_foo\0", *(struct.pack("<I", 0xFE | at << 9) for at in (1, 5)))
    imports = _object(_linked(tail=fixups, tail_command=0x80000034)).dynamic
    assert imports is not None
    assert imports.imports == {"flat-namespace": (r"\01foo", "foo")}
    assert found.raw_names == {r"\01foo": "foo"}


def test_many_names_without_the_prefix() -> None:
    """More than are searched one by one."""
    plain = [f"local{index}" for index in range(3000)]
    names = b"\0" + b"".join(f"_local{index}\0".encode() for index in range(0, 3000, 2))
    starts = [at + 1 for at, byte in enumerate(names[:-1]) if not byte]
    symbols = [nlist(at, EXT) for at in starts]
    for name in plain:
        symbols.append(nlist(len(names), EXT))
        names += name.encode() + b"\0"
    found = _object(macho(symbols=symbols, names=names))
    assert [one.name for one in found.symbols or ()] == [
        *(f"local{index}" for index in range(0, 3000, 2)),
        *(name if index % 2 else rf"\01{name}" for index, name in enumerate(plain)),
    ]


def test_names_that_would_take_all_memory() -> None:
    names = b"\0" + b"n" * 400_000 + b"\0"
    data = macho(symbols=[nlist(at + 1, EXT) for at in range(40_000)], names=names)
    assert _error(data) == "a symbol's name overlaps others: they take more than 3200024 bytes"


def test_the_empty_name_of_linkers_tables() -> None:
    assert [one.name for one in _symbols(nlist(0, EXT), nlist(2, EXT), names=b" \0_foo\0")] == ["", "foo"]


def _linked(*commands: bytes, kind: int = DYLIB, flags: int = DYLDLINK | TWOLEVEL, **rest: object) -> bytes:
    return macho(TEXT, OTHER, MORE, *commands, kind=kind, flags=flags, **rest)  # type: ignore[arg-type]


def _chained(
    names: bytes, *imports: bytes, format_: int = 1, version: int = 0, compression: int = 0
) -> bytes:
    packed = b"".join(imports)
    fields = (version, 0, 28, 28 + len(packed), len(imports), format_, compression)
    return struct.pack("<7I", *fields) + packed + names


NAMES = b"\0_foo\0_bar\0_it\0_baz\0"


def test_chained_imports_of_every_format() -> None:
    rows = ((1, 0, 1), (2, 1, 6), (-1, 0, 11), (-2, 0, 15), (0, 0, 11))
    found = {}
    for format_, layout, bits in ((1, "<I", 8), (2, "<Ii", 8), (3, "<QQ", 16)):
        shift = 32 if format_ == 3 else 9
        words = [ordinal & ((1 << bits) - 1) | weak << bits | name << shift for ordinal, weak, name in rows]
        packed = [
            struct.pack(layout, word, *([-1] if format_ == 2 else [1] if format_ == 3 else []))
            for word in words
        ]
        one = _object(_linked(tail=_chained(NAMES, *packed, format_=format_), tail_command=0x80000034))
        assert one.dynamic is not None
        found[format_] = (
            one.dynamic.imports,
            [(s.name, s.binding, s.defined) for s in one.dynamic_symbols or ()],
        )
        assert one.dynamic.bind_now
    assert found[1] == found[2] == found[3]
    assert found[1] == (
        {
            "/usr/lib/libother.dylib": ("foo",), "/usr/lib/libmore.dylib": ("bar",),
            "main-executable": ("it",), "flat-namespace": ("baz",), "this-image": ("it",),
        },
        [
            ("foo", Binding.GLOBAL, False), ("bar", Binding.WEAK, False), ("it", Binding.GLOBAL, False),
            ("baz", Binding.GLOBAL, False),
        ],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fixups", "why"),
    [
        (
            _chained(NAMES, compression=1),
            "chained fixups: the names of the imports are compressed, which is not supported",
        ),
        (_chained(NAMES, version=1), "chained fixups of version 1, which is not known"),
        (_chained(NAMES, format_=4), "chained fixups: imports of format 4, which is not known"),
        (
            _chained(NAMES, struct.pack("<I", 1 | 99 << 9)),
            "an import's name is at 0x63 of a string table of 21 bytes",
        ),
        (_chained(NAMES, struct.pack("<I", 3 | 1 << 9)), "library 3 of 2 is referred to"),
        (b"\0" * 8, "chained fixups at offset 0x0, 28 bytes, reaches beyond the end of the file (8 bytes)"),
        (struct.pack("<7I", 0, 0, 28, 99, 0, 1, 0), "chained fixups: the names are at 0x63 of 28 bytes"),
        (
            struct.pack("<7I", 0, 0, 28, 28, 1 << 31, 1, 0),
            "chained imports at offset 0x1c, 8589934592 bytes, reaches beyond the end of the file (28 bytes)",
        ),
    ],
)  # fmt: skip
def test_wrong_chained_fixups(fixups: bytes, why: str) -> None:
    assert _error(_linked(tail=fixups, tail_command=0x80000034)) == why


def test_imports_by_the_symbol_table() -> None:
    """Without fixups or opcodes, two levels of names and one."""
    symbols = [
        nlist(1, EXT, 0, 0x0100), nlist(6, EXT, 0, 0x0240), nlist(11, EXT, 0, 0xFE00),
        nlist(15, EXT, 0, 0xFF00),
        nlist(1, SECT | EXT, 1), nlist(6, SECT | EXT | PEXT, 1), nlist(6, SECT, 1),
    ]  # fmt: skip
    found = _object(_linked(symbols=symbols, names=NAMES))
    assert found.dynamic is not None
    assert found.dynamic.imports == {
        "/usr/lib/libother.dylib": ("foo",), "/usr/lib/libmore.dylib": ("bar",), "flat-namespace": ("it",),
        "main-executable": ("baz",),
    }  # fmt: skip
    assert [(s.name, s.binding.name, s.defined) for s in found.dynamic_symbols or ()] == [
        ("foo", "GLOBAL", True), ("foo", "GLOBAL", False), ("bar", "WEAK", False), ("it", "GLOBAL", False),
        ("baz", "GLOBAL", False),
    ]  # fmt: skip
    flat = _object(_linked(symbols=symbols, names=NAMES, flags=DYLDLINK))
    assert flat.dynamic is not None
    assert flat.dynamic.imports == {"flat-namespace": ("foo", "bar", "it", "baz")}


def test_exports_of_every_kind() -> None:
    """A re-export, with another name and with its own, an absolute value, a thread-local, a resolver."""
    nodes = {
        b"_absolute": b"\2\7", b"_renamed": b"\x08\2_real\0", b"_same": b"\x08\1\0", b"_thread": b"\1\4",
        b"_resolved": b"\x10\2\1", b"_weak": b"\4\3", b"_header": b"\0\x80\x20",
    }  # fmt: skip
    edges, children, at = b"", b"", 2 + sum(len(name) + 2 for name in nodes)
    for name, terminal in nodes.items():
        edges += name + b"\0" + bytes([at + len(children)])
        children += bytes([len(terminal)]) + terminal + b"\0"
    found = _object(_linked(tail=b"\0" + bytes([len(nodes)]) + edges + children, tail_command=0x80000033))
    assert found.dynamic is not None
    assert found.dynamic.forwarders == {
        "renamed": "/usr/lib/libmore.dylib:_real", "same": "/usr/lib/libother.dylib:_same",
    }  # fmt: skip
    rows = {one.name: one for one in found.dynamic_symbols or ()}
    assert {name: (one.type, one.section, one.value) for name, one in rows.items()} == {
        "absolute": (SymbolType.NOTYPE, None, 7),
        "renamed": (SymbolType.NOTYPE, None, 0),
        "same": (SymbolType.NOTYPE, None, 0),
        "thread": (SymbolType.TLS, "__TEXT,__text", 4),
        "resolved": (SymbolType.IFUNC, "__TEXT,__text", 2),
        "weak": (SymbolType.FUNC, "__TEXT,__text", 3),
        "header": (SymbolType.NOTYPE, None, 0x1000),
    }
    assert {name for name, one in rows.items() if one.binding is Binding.WEAK} == {"weak"}
    assert {name for name, one in rows.items() if one.absolute} == {"absolute"}
    assert all(one.defined and one.visibility is Visibility.DEFAULT for one in rows.values())


def test_libraries_of_every_kind() -> None:
    found = _object(
        macho(
            named(0xD, b"@rpath/libme.dylib"), OTHER, MORE, named(0x8000001F, b"re"), named(0x20, b"lazy"),
            named(0x80000023, b"up"), named(0x8000001C, b"@loader_path", 12), kind=DYLIB, flags=DYLDLINK,
        )
    )  # fmt: skip
    assert found.dynamic is not None
    assert found.dynamic.needed == ("/usr/lib/libother.dylib", "/usr/lib/libmore.dylib", "re", "lazy", "up")
    assert found.dynamic.optional == ("/usr/lib/libmore.dylib", "lazy")
    assert (found.dynamic.soname, found.dynamic.runpath) == ("@rpath/libme.dylib", ("@loader_path",))


@pytest.mark.parametrize(("flags", "optional"), [(0, False), (1, True), (4, False), (8, True), (0xA, True)])
def test_the_flags_of_a_library(flags: int, *, optional: bool) -> None:
    use = command(0xC, struct.pack("<IIIII", 28, 0x1A741800, 0, 0, flags) + b"flagged\0")
    found = _object(macho(use, OTHER, kind=DYLIB, flags=DYLDLINK))
    assert found.dynamic is not None
    assert found.dynamic.needed == ("flagged", "/usr/lib/libother.dylib")
    assert found.dynamic.optional == ("flagged",) * optional


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        (1, ObjectType.RELOCATABLE), (2, ObjectType.EXECUTABLE), (3, ObjectType.OTHER), (4, ObjectType.CORE),
        (5, ObjectType.EXECUTABLE), (6, ObjectType.SHARED), (8, ObjectType.SHARED), (9, ObjectType.SHARED),
        (10, ObjectType.DEBUG), (11, ObjectType.OTHER),
    ],
)  # fmt: skip
def test_types(kind: int, type_: ObjectType) -> None:
    assert _object(macho(kind=kind)).type is type_


@pytest.mark.parametrize("kind", [EXECUTE, DYLIB])
def test_flags_of_the_header(kind: int) -> None:
    plain, flagged = (
        _object(macho(kind=kind)),
        _object(macho(kind=kind, flags=0x20000 | 0x200000 | 0x8 | 0x4)),
    )
    assert (plain.pie, flagged.pie) == (False, kind == EXECUTE)
    assert (plain.executable_stack, flagged.executable_stack) == (
        (False, True) if kind == EXECUTE else (None, None)
    )
    assert plain.dynamic is None
    assert flagged.dynamic is not None
    assert flagged.dynamic.bind_now


def test_functions_that_run_at_the_start() -> None:
    lists = segment(
        b"__DATA",
        section(b"__mod_init_func", b"__DATA", flags=0x9, size=24),
        section(b"__init_offsets", b"__TEXT", flags=0x16, size=8),
        section(b"__mod_term_func", b"__DATA", flags=0xA, size=8),
        protection=3,
    )
    found = _object(macho(lists, command(0x1A, bytes(64)), kind=DYLIB))
    assert (found.init_array, found.fini_array) == (3 + 2 + 1, 1)
    assert [(one.type, one.flags) for one in found.sections] == [
        ("INIT_ARRAY", "WA"), ("INIT_ARRAY", "WA"), ("FINI_ARRAY", "WA"),
    ]  # fmt: skip


def test_sections() -> None:
    data = macho(
        segment(
            b"",
            section(b"0123456789abcdef", b"__DATA", flags=0x1, size=9),
            section(b"__debug_str", b"__DWARF", flags=0x02000000),
            section(b"__cstring", b"__TEXT", flags=0x2),
            section(b"__literal8", b"__TEXT", flags=0x4),
            section(b"__thread_vars", b"__DATA", flags=0x13),
            section(b"__bitcode", b"__LLVM"),
        )
    )
    assert [(one.name, one.size, one.type, one.flags) for one in _object(data).sections] == [
        ("__DATA,0123456789abcdef", 9, "NOBITS", "WA"),
        ("__DWARF,__debug_str", 0, "PROGBITS", ""),
        ("__TEXT,__cstring", 0, "PROGBITS", "AMS"),
        ("__TEXT,__literal8", 0, "PROGBITS", "AM"),
        ("__DATA,__thread_vars", 0, "PROGBITS", "WAT"),
        ("__LLVM,__bitcode", 0, "PROGBITS", ""),
    ]
    assert _object(data).tls


def _with_content(name: bytes, owner: bytes, content: bytes, *commands: bytes, twice: bool = False) -> bytes:
    empty = [section(name, owner, size=len(content))] * (1 + twice)
    at = len(macho(segment(b"", *empty), *commands))
    full = [section(name, owner, size=len(content), offset=at)] * (1 + twice)
    return macho(segment(b"", *full), *commands, tail=content)


def test_contents() -> None:
    data = _with_content(b"__const", b"__TEXT", b"hello", twice=True)
    found = _object(data, contents=["__TEXT,__const", "__const", "missing"])
    assert found.contents == {"__TEXT,__const": b"hellohello"}
    large = _with_content(b"__const", b"__TEXT", bytes((1 << 20) + 1))
    why = "section __TEXT,__const has 1048577 bytes of content; at most 1048576 are read"
    assert _error(large, contents=["__TEXT,__const"]) == why


@pytest.mark.parametrize("system", [0, 1])
def test_encrypted_contents(system: int) -> None:
    encryption = command(0x2C, struct.pack("<IIII", 0, 1 << 20, system, 0))
    data = _with_content(b"__const", b"__TEXT", b"hello", encryption)
    if system:
        assert _error(data, contents=["__TEXT,__const"]) == "section __TEXT,__const is encrypted"
    else:
        assert _object(data, contents=["__TEXT,__const"]).contents == {"__TEXT,__const": b"hello"}
    assert _object(data).contents == {}


def test_a_trace_of_bitcode_is_none() -> None:
    assert _object(_with_content(b"__bitcode", b"__LLVM", b"\0")).bitcode is None
    found = _object(_with_content(b"__bitcode", b"__LLVM", b"BC\xc0\xde")).bitcode
    assert found is not None
    assert (found.form, found.size) == ("section", 4)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            b"\xcf\xfa\xed\xfe",
            "Mach header at offset 0x4, 24 bytes, reaches beyond the end of the file (4 bytes)",
        ),
        (macho(struct.pack("<II", 0x19, 4)), "load command 0 at offset 0x20 has a size of 4"),
        (
            macho(struct.pack("<II", 0x19, 64)),
            "load command 0 at offset 0x0, 64 bytes, reaches beyond the end of the file (8 bytes)",
        ),
        (macho(command(0x1B, bytes(8))), "LC_UUID has 8 bytes; a UUID has 16"),
        (
            macho(command(0x2D, struct.pack("<I", 3) + b"-lz\0")),
            "LC_LINKER_OPTION declares 3 strings, but has 1",
        ),
        (
            macho(command(0xC, struct.pack("<I", 99)), kind=DYLIB),
            "load command 0xc: no string at offset 0x63 of a command of 16 bytes",
        ),
        (
            macho(command(0x19, struct.pack("<16sQQQQIIII", b"", 0, 0, 0, 0, 0, 0, 9, 0))),
            "section headers at offset 0x48, 720 bytes, reaches beyond the end of the file (72 bytes)",
        ),
    ],
)
def test_wrong_commands(data: bytes, why: str) -> None:
    assert _error(data) == why


def _universal(*slices: tuple[int, int, int, int], magic: int = 0xCAFEBABE, tail: bytes = b"") -> bytes:
    layout = ">IIIII" if magic == 0xCAFEBABE else ">IIQQII"
    rest = (0,) if magic == 0xCAFEBABE else (0, 0)
    return (
        struct.pack(">II", magic, len(slices))
        + b"".join(struct.pack(layout, *one, *rest) for one in slices)
        + tail
    )


def test_universal_files() -> None:
    inner = macho()
    data = _universal((7, 3, 48, len(inner)), (0x99, 0x80000002, 48 + len(inner), 4), tail=inner + b"text")
    archive = read_bytes(data).archive
    assert archive is not None
    assert [(one.name, one.size, one.kind, one.unread) for one in archive.members] == [
        ("i386", len(inner), "macho", None), ("0x99.2", 4, "other", "text"),
    ]  # fmt: skip
    nested = read_bytes(_universal((7, 3, 28, 8), tail=b"\xca\xfe\xba\xbe" + bytes(4))).archive
    assert nested is not None
    assert [one.unread for one in nested.members] == ["archive"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            _universal((7, 3, 48, 8), (7, 3, 50, 8), tail=bytes(99)),
            "a slice at offset 0x32 overlaps what is before 0x38",
        ),
        (_universal((7, 3, 8, 8), tail=bytes(99)), "a slice at offset 0x8 overlaps what is before 0x1c"),
        (
            _universal((7, 3, 28, 9)),
            "slice for i386 at offset 0x1c, 9 bytes, reaches beyond the end of the file (28 bytes)",
        ),
        (
            struct.pack(">II", 0xCAFEBABF, 1 << 31),
            "universal header at offset 0x8, 68719476736 bytes, reaches beyond the end of the file (8 bytes)",
        ),
    ],
)  # fmt: skip
def test_wrong_universal_files(data: bytes, why: str) -> None:
    facts = read_bytes(data)
    assert (facts.kind, facts.error) == ("archive", why)


def test_a_java_class_is_no_universal_file() -> None:
    other = read_bytes(b"\xca\xfe\xba\xbe\0\0\0\x41\xff").other
    assert other is not None
    assert other.format == "Java class"
