"""XCOFF files and big archives written here field by field: linked files, and what is wrong."""

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from linkage.artifact import read_bytes
from linkage.artifact.facts import Archive, ObjectFile, ObjectType, SymbolType
from linkage.artifact.tables import Binding
from support.readobj import readobj

WIDTHS = pytest.mark.parametrize("wide", [False, True])
EXEC, SHARED = 0x0002, 0x2000
TEXT, DATA, LOADER, OVERFLOW = 0x20, 0x40, 0x1000, 0x8000

Part = tuple[bytes, int, bytes]
"""A section: name, flags, content."""


def xcoff(
    *sections: Part,
    wide: bool,
    symbols: bytes = b"",
    count: int = 0,
    strings: bytes = b"",
    flags: int = 0,
    relocations: Sequence[bytes] = (),
) -> bytes:
    """A file. `relocations` are the first section's, `count` counts the symbols' entries."""
    header, entry = (24, 72) if wide else (20, 40)
    at = header + entry * len(sections)
    headers, body = b"", b""
    for index, (name, kind, content) in enumerate(sections):
        mine = b"".join(relocations) if index == 0 else b""
        place = at + len(body)
        where = (name, 0, 0, len(content), place, place + len(content) if mine else 0, 0)
        number = len(relocations) if index == 0 else 0
        headers += (
            struct.pack(">8s6QIIII", *where, number, 0, kind, 0)
            if wide
            else struct.pack(">8s6IHHI", *where, min(number, 0xFFFF), 0, kind)
        )
        body += content + mine
    table = at + len(body) if count else 0
    first = (
        struct.pack(">HHIQHHI", 0x1F7, len(sections), 0, table, 0, flags, count)
        if wide
        else struct.pack(">HHIIIHH", 0x1DF, len(sections), 0, table, count, 0, flags)
    )
    text = struct.pack(">I", len(strings) + 4) + strings if strings else b""
    return first + headers + body + symbols + text


def symbol(
    name: int | bytes,
    value: int,
    section: int,
    storage: int,
    auxiliary: int = 0,
    kind: int = 0,
    *,
    wide: bool,
) -> bytes:
    if wide:
        assert isinstance(name, int)
        return struct.pack(">QIhHBB", value, name, section, kind, storage, auxiliary)
    raw = struct.pack(">II", 0, name) if isinstance(name, int) else name
    return struct.pack(">8sIhHBB", raw, value, section, kind, storage, auxiliary)


def csect(size: int, kind: int, mapping: int, *, wide: bool) -> bytes:
    if wide:
        return struct.pack(">IIHBBIBB", size, 0, 0, kind, mapping, 0, 0, 251)
    return struct.pack(">IIHBBIH", size, 0, 0, kind, mapping, 0, 0)


def loader(
    symbols: Sequence[tuple[int | bytes, int, int, int, int, int]],
    files: Sequence[bytes],
    strings: bytes,
    *,
    wide: bool,
) -> bytes:
    """A loader section: symbols (name, value, section, type, class, file), import files, strings."""
    size = 56 if wide else 32
    table = b""
    for name, value, section, kind, mapping, file in symbols:
        raw = struct.pack(">II", 0, name) if isinstance(name, int) else name
        table += (
            struct.pack(">QIhBBII", value, name, section, kind, mapping, file, 0)
            if wide
            else struct.pack(">8sIhBBII", raw, value, section, kind, mapping, file, 0)
        )
    names = b"".join(files)
    place = size + len(table)
    header = (
        struct.pack(
            ">6I4Q",
            2,
            len(symbols),
            0,
            len(names),
            len(files),
            len(strings),
            place,
            place + len(names),
            size,
            0,
        )
        if wide
        else struct.pack(
            ">8I", 1, len(symbols), 0, len(names), len(files), place, len(strings), place + len(names)
        )
    )
    return header + table + names + strings


FILES = (b"/usr/lib:/lib\0\0\0", b"\0libc.a\0shr_64.o\0", b"\0libm.so\0\0")
STRINGS = b"\0\7printf\0\0\5main\0\0\4cos\0"
IMPORT, EXPORT, WEAK, ENTRY = 0x40, 0x10, 0x08, 0x20


def found(data: bytes, *names: str) -> ObjectFile:
    facts = read_bytes(data, references=names)
    assert facts.error is None
    assert facts.object is not None
    return facts.object


def linked(*, wide: bool, flags: int = SHARED) -> bytes:
    symbols = [
        (2, 0, 0, IMPORT, 10, 1), (11, 64, 1, EXPORT | ENTRY, 10, 0), (18, 0, 0, IMPORT | WEAK, 10, 2),
        (2, 0, 2, 0, 5, 0),
    ]  # fmt: skip
    content = loader(symbols, FILES, STRINGS, wide=wide)
    return xcoff((b".text", TEXT, bytes(128)), (b".data", DATA, bytes(8)), (b".loader", LOADER, content),
                 wide=wide, flags=flags)  # fmt: skip


@WIDTHS
def test_a_linked_file(wide: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a column of a table
    library = found(linked(wide=wide))
    assert library.type is ObjectType.SHARED
    assert found(linked(wide=wide, flags=EXEC)).type is ObjectType.EXECUTABLE
    assert found(linked(wide=wide, flags=EXEC | SHARED)).type is ObjectType.SHARED
    assert library.symbols is None
    dynamic = library.dynamic
    assert dynamic is not None
    assert dynamic.needed == ("libc.a(shr_64.o)", "libm.so")
    assert dynamic.runpath == ("/usr/lib", "/lib")
    assert dynamic.imports == {"libc.a(shr_64.o)": ("printf",), "libm.so": ("cos",)}
    listed = [
        (one.name, one.binding, one.defined, one.section, one.value, one.type)
        for one in library.dynamic_symbols or ()
    ]
    assert listed == [
        ("printf", Binding.GLOBAL, False, None, 0, SymbolType.FUNC),
        ("main", Binding.GLOBAL, True, ".text", 64, SymbolType.FUNC),
        ("cos", Binding.WEAK, False, None, 0, SymbolType.FUNC),
    ]
    path = tmp_path / "shr.o"
    path.write_bytes(linked(wide=wide))
    printed = list(readobj(path, "--loader-section-symbols").all("Symbol"))
    assert [one.values["Name"] for one in printed if "Export" in str(one.lines) or "Import" in str(one.lines)]
    assert [one.values["Name"] for one in printed][:3] == [name for name, *_ in listed]


def test_short_names_of_a_32_bit_loader_section() -> None:
    symbols = [
        (b"exit\0\0\0\0", 0, 0, IMPORT, 10, 1),
        (b"eightchr", 8, 1, EXPORT, 5, 0),
        (b"later\0\0\0", 0, 0, IMPORT, 5, 0),
    ]
    content = loader(symbols, FILES[:2], b"", wide=False)
    held = found(xcoff((b".text", TEXT, bytes(16)), (b".loader", LOADER, content), wide=False))
    assert [one.name for one in held.dynamic_symbols or ()] == ["exit", "eightchr", "later"]
    assert held.dynamic is not None
    assert held.dynamic.imports == {"libc.a(shr_64.o)": ("exit",), "": ("later",)}  # found when it is loaded


@WIDTHS
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"symbols": [(2, 0, 0, IMPORT, 10, 9)]}, "loader section: a symbol is imported from file 9 of 3"),
        ({"symbols": [(2, 0, 9, EXPORT, 10, 0)]}, "loader section: a symbol is in section 9 of 1"),
        (
            {"symbols": [(99, 0, 0, IMPORT, 10, 1)]},
            "loader section: no string at offset 0x63 of its string table",
        ),
        ({"files": [b"a\0", b"b"]}, "loader section: it declares 2 import files, but names fewer"),
    ],
)
def test_what_is_wrong_in_a_loader_section(change: dict[str, list[bytes]], message: str, wide: bool) -> None:  # noqa: FBT001 - a column of a table
    parts = {"symbols": [], "files": FILES, "strings": STRINGS} | change
    content = loader(**parts, wide=wide)  # type: ignore[arg-type]
    assert read_bytes(xcoff((b".loader", LOADER, content), wide=wide)).error == message
    short = read_bytes(xcoff((b".loader", LOADER, content[:20]), wide=wide)).error
    assert short is not None
    assert short.startswith("loader section's header at offset 0x0")


@WIDTHS
def test_symbols(wide: bool) -> None:  # noqa: FBT001 - a column of a table
    strings = b".code\0label\0common\0TOC\0far\0"
    names = {"code": 4, "label": 10, "common": 16, "TOC": 23, "far": 27}
    entries = (
        symbol(names["code"], 0, 1, 2, 1, wide=wide) + csect(16, 1, 0, wide=wide)
        + symbol(names["label"], 8, 1, 107, 2, wide=wide)
        + (struct.pack(">QIIBB", 0, 4, 0, 0, 254) if wide else struct.pack(">IIIIH", 0, 4, 0, 0, 0))
        + csect(0, 2, 0, wide=wide)
        + symbol(names["common"], 0, 2, 2, 1, wide=wide) + csect(4, 3, 5, wide=wide)
        + symbol(names["far"], 24, 2, 107, 1, wide=wide) + csect(8, 1, 3, wide=wide)
        + symbol(names["TOC"], 0, -1, 111, wide=wide)
        + symbol(names["far"], 0, 1, 0x80, wide=wide)
        + symbol(0, 0, 1, 107, 1, wide=wide) + csect(4, 1, 5, wide=wide)
    )  # fmt: skip
    layout = struct.Struct(">QIBB" if wide else ">IIBB")
    relocations = [layout.pack(at, index, 0, 0) for at, index in ((4, 7), (12, 2), (40, 5))]
    data = xcoff((b".text", TEXT, bytes(16)), (b".data", DATA, bytes(32)), wide=wide, symbols=entries,
                 count=13, strings=strings, relocations=relocations)  # fmt: skip
    held = found(data, "code", "label", "absent")
    listed = [
        (one.name, one.binding.name, one.type.name, one.section, one.size) for one in held.symbols or ()
    ]
    assert listed == [
        (".code", "GLOBAL", "FUNC", ".text", 16), ("label", "LOCAL", "FUNC", ".text", 4),
        ("common", "GLOBAL", "COMMON", None, 4), ("", "LOCAL", "SECTION", ".data", 8),
        ("TOC", "WEAK", "NOTYPE", None, 0), ("", "LOCAL", "SECTION", ".text", 4),
    ]  # fmt: skip
    assert held.references == {"code": ("far", "label"), "label": ()}


@WIDTHS
def test_sections_and_relocations_that_are_not_there(wide: bool) -> None:  # noqa: FBT001 - a column of a table
    text = (b".text", TEXT, bytes(16))
    for entries, message in (
        (symbol(4, 0, 9, 2, wide=wide), "a symbol is in section 9 of 1"),
        (symbol(99, 0, 1, 2, wide=wide), "a symbol's name is at 0x63 of a string table of 6 bytes"),
        (symbol(4, 0, 1, 2, 3, wide=wide), "symbol 0 of 1 has 3 auxiliary entries"),
    ):
        assert read_bytes(xcoff(text, wide=wide, symbols=entries, count=1, strings=b"a\0")).error == message
    data = bytearray(xcoff(text, wide=wide))
    data[2:4] = b"\0\2"
    assert (read_bytes(bytes(data)).error or "").startswith("section headers at offset")
    data = bytearray(xcoff(text, wide=wide))
    data[20 if wide else 12 : 24 if wide else 16] = b"\xff\xff\xff\xff"
    assert (read_bytes(bytes(data)).error or "").startswith("XCOFF header: 4294967295 symbols in a file of")


def test_more_relocations_than_a_32_bit_section_counts() -> None:
    strings = b".f\0g\0"
    entries = (symbol(4, 0, 1, 2, 1, wide=False) + csect(16, 1, 0, wide=False)
               + symbol(7, 0, 0, 2, 1, wide=False) + csect(0, 0, 10, wide=False))  # fmt: skip
    count = 70_000
    relocations = [struct.pack(">IIBB", 0, 0, 0, 0)] * (count - 1) + [struct.pack(">IIBB", 4, 2, 0, 0)]
    data = bytearray(
        xcoff((b".text", TEXT, bytes(16)), (b".ovrflo", OVERFLOW, b""), wide=False, symbols=entries, count=4,
              strings=strings, relocations=relocations)
    )  # fmt: skip
    struct.pack_into(">I", data, 60 + 8, count)  # of the second section: the number of relocations
    struct.pack_into(">H", data, 60 + 32, 1)  # and the section that it is about
    assert found(bytes(data), "f").references == {"f": (".f", "g")}


def test_metadata_and_other_info() -> None:
    rust = b"rust\0\0\0\x0a" + bytes(8) + b"\x0brustc 1.2.3"
    for content, version in ((struct.pack(">I", len(rust)) + rust + b"pad", 10), (b"\0\0\xff\xff", None),
                             (b"\0\0\0\2hi", None), (b"\0", None)):  # fmt: skip
        held = found(xcoff((b".info", 0x200, content), wide=True))
        assert (held.metadata and held.metadata.version) == version
    held = found(xcoff((b".info", 0x200, struct.pack(">I", len(rust)) + rust), wide=False))
    assert held.metadata is not None
    assert (held.metadata.rustc, held.metadata.size) == ("rustc 1.2.3", len(rust))


# --- archives


def big_archive(*members: tuple[bytes, bytes], indexes: Sequence[bytes] = (), circle: bool = False) -> bytes:
    """A big archive: members (name, content), and the contents of the two symbol tables."""
    body, places = b"", []
    total = (*members, *((b"", index) for index in indexes))
    for number, (name, content) in enumerate(total):
        places.append(128 + len(body))
        padding = b"\0" * (len(name) % 2)
        size = 114 + len(name) + len(padding) + len(content) + len(content) % 2
        following = 128 if circle else 0 if number == len(members) - 1 else places[-1] + size
        fields = (f"{len(content):<20}", f"{following:<20}", f"{0:<20}", " " * 48, f"{len(name):<4}")
        body += "".join(fields).encode() + name + padding + b"`\n" + content + b"\0" * (len(content) % 2)
    tables = [*places[len(members) :], 0, 0][:2]
    first, last = (places[0], places[len(members) - 1]) if members else (0, 0)
    offsets = (0, *tables, first, 0 if circle else last, 0)
    return b"<bigaf>\n" + "".join(f"{one:<20}" for one in offsets).encode() + body


def archive(data: bytes) -> Archive:
    facts = read_bytes(data)
    assert facts.error is None
    assert facts.archive is not None
    return facts.archive


def test_big_archives() -> None:
    assert archive(big_archive()).members == ()
    assert archive(big_archive()).index is None
    index = struct.pack(">Q", 2) + bytes(16) + b"f\0g\0"
    held = archive(
        big_archive((b"a.o", b"text\n"), (b"bb.o", b""), (b"c.a", b"<bigaf>\n"), indexes=[index, index])
    )
    assert [(one.name, one.size, one.kind, one.unread) for one in held.members] == [
        ("a.o", 5, "other", "text"), ("bb.o", 0, "empty", None), ("c.a", 8, "archive", "archive"),
    ]  # fmt: skip
    assert (held.flavour, held.index) == ("aixbig", ("f", "g", "f", "g"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"<bigaf>\n",
            "archive's header at offset 0x0, 128 bytes, reaches beyond the end of the file (8 bytes)",
        ),
        (big_archive((b"a", b"x" * 300), circle=True), "archive member at offset 0x80: members overlap"),
        (big_archive((b"a", b"x"))[:-2], "archive member at offset 0xf4, 1 bytes, reaches beyond the end"),
        (
            big_archive((b"a", b"x")).replace(b"`\n", b"``"),
            "archive member's header at offset 0x80 does not end in",
        ),
        (
            b"<bigaf>\n" + b"x" * 120,
            "archive member's header at offset 0x1c: its symbol table's offset is b'xx",
        ),
        (
            big_archive((b"a", b"x"), indexes=[struct.pack(">Q", 9)]),
            "archive index at offset 0x8, 72 bytes, reaches",
        ),
    ],
)
def test_what_is_wrong_in_a_big_archive(data: bytes, message: str) -> None:
    assert (read_bytes(data).error or "").startswith(message)
