"""ELF files written here field by field, of either width and byte order."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from linkage.artifact import read_bytes
from linkage.artifact.bounds import LONGEST_NAME, string
from linkage.artifact.elf.file import ElfFile
from linkage.artifact.elf.numbers import (
    PN_XNUM,
    SHT_DYNSYM,
    SHT_GROUP,
    SHT_NOBITS,
    SHT_SYMTAB,
    SHT_SYMTAB_SHNDX,
)
from linkage.artifact.tables import (
    SHF_COMPRESSED,
    SHN_LORESERVE,
    SHN_XINDEX,
    Binding,
    Section,
    SectionTable,
    Symbol,
    SymbolType,
    Visibility,
)
from linkage.errors import ArtifactError

FORMATS = pytest.mark.parametrize(
    ("order", "wide"), [(order, wide) for order in "<>" for wide in (True, False)]
)
PROGBITS, STRTAB = 1, 3


@dataclass(frozen=True)
class HandMadeSection:
    """A section of a file that is written here."""

    name: str
    type: int = PROGBITS
    content: bytes = b""
    link: int = 0
    info: int = 0
    flags: int = 0


def written(
    *sections: HandMadeSection, order: str = "<", wide: bool = True, machine: int = 62, **header: int
) -> bytes:
    """A relocatable file: the null section, these, and the names of all. `header` overrides its fields;
    `size0`, `link0` and `info0` are those of the null section.
    """
    names, places = bytearray(1), []
    for one in (*sections, HandMadeSection(".shstrtab")):
        places.append(len(names))
        names += one.name.encode() + b"\0"
    start = 64 if wide else 52
    every = [*sections, HandMadeSection(".shstrtab", STRTAB, bytes(names))]
    layout = order + ("IIQQQQIIQQ" if wide else "10I")
    null = (header.pop("size0", 0), header.pop("link0", 0), header.pop("info0", 0))
    body, table = bytearray(), bytearray(struct.pack(layout, 0, 0, 0, 0, 0, *null, 0, 0))
    for place, one in zip(places, every, strict=True):
        offset, size = start + len(body), len(one.content)
        table += struct.pack(layout, place, one.type, one.flags, 0, offset, size, one.link, one.info, 1, 0)
        body += one.content.ljust(-(-size // 8) * 8, b"\0")
    fields = {
        "type": 1, "machine": machine, "version": 1, "entry": 0, "phoff": 0, "shoff": start + len(body),
        "flags": 0, "ehsize": start, "phentsize": 0, "phnum": 0, "shentsize": 64 if wide else 40,
        "shnum": len(every) + 1, "shstrndx": len(every),
    } | header  # fmt: skip
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    rest = struct.pack(order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"), *fields.values())
    return ident + rest + body + table


def symbol_bytes(*symbols: tuple[int, int, int, int, int, int], order: str = "<", wide: bool = True) -> bytes:
    """The null symbol, and these: name, info, other, section, value, size."""
    found = bytes(24 if wide else 16)
    for name, info, other, section, value, size in symbols:
        found += (
            struct.pack(f"{order}IBBHQQ", name, info, other, section, value, size)
            if wide
            else struct.pack(f"{order}IIIBBH", name, value, size, info, other, section)
        )
    return found


def opened(*sections: HandMadeSection, order: str = "<", wide: bool = True, **header: int) -> ElfFile:
    return ElfFile(memoryview(written(*sections, order=order, wide=wide, **header)))


@FORMATS
def test_headers_of_a_file(order: str, wide: bool) -> None:  # noqa: FBT001 - one of two columns of a table
    symbols = symbol_bytes(
        (1, 0x12, 2, 1, 0x10, 8), (3, 0x20, 0, 0, 0, 0), (1, 0x01, 3, 0xFFF1, 7, 1), order=order, wide=wide
    )
    made = opened(
        HandMadeSection(".text", content=b"code", flags=6),
        HandMadeSection(".symtab", SHT_SYMTAB, symbols, link=3),
        HandMadeSection(".strtab", STRTAB, b"\0f\0outside\0"),
        order=order,
        wide=wide,
    )
    assert made.header.format == f"elf{64 if wide else 32}-{'little' if order == '<' else 'big'}"
    assert (made.machine, made.count, made.first(SHT_SYMTAB), made.first(SHT_DYNSYM)) == (
        "x86_64",
        5,
        2,
        None,
    )
    assert next(iter(made.sections)) == Section(".text", 4, "PROGBITS", "AX")
    assert list(made.symbols(2)) == [
        Symbol("f", Binding.GLOBAL, Visibility.HIDDEN, SymbolType.FUNC, True, False, ".text", 0x10, 8),  # noqa: FBT003
        Symbol("outside", Binding.WEAK, Visibility.DEFAULT, SymbolType.NOTYPE, False, False, None, 0, 0),  # noqa: FBT003
        Symbol("f", Binding.LOCAL, Visibility.PROTECTED, SymbolType.OBJECT, True, True, None, 7, 1),  # noqa: FBT003
    ]
    assert bytes(made.content(1)) == b"code"


def test_unknown_machine_is_shown_by_number() -> None:
    assert opened(machine=0x1234).machine == "4660"


def test_a_section_without_bytes_in_the_file() -> None:
    made = opened(HandMadeSection(".bss", SHT_NOBITS, b"12345678"))
    assert bytes(made.content(1)) == b""
    assert made.section(1).size == 8


def test_absent_section() -> None:
    made = opened()
    assert made.section(1).type == STRTAB
    for index in (-1, 2):
        with pytest.raises(ArtifactError, match=rf"^section {index} of 2 is referred to$"):
            made.section(index)


def test_the_first_section_of_a_type() -> None:
    """The type is looked for as bytes: 0x100 and 0 next to each other look like 1 in between."""
    kinds = (0x100, 0x200, 0x10000, 1, 1, 0x100)
    made = opened(*(HandMadeSection("x", kind) for kind in kinds))
    assert [made.first(kind) for kind in (0, 1, 2, 0x100, 0x200, 0x10000)] == [0, 4, None, 1, 2, 3]
    assert opened(HandMadeSection("x", 0x100), HandMadeSection("x", 0x200)).first(1) is None
    assert opened(HandMadeSection("x", 1)).first(0x01000000) is None


def test_strings_end_in_a_nul() -> None:
    made = opened(HandMadeSection("a", STRTAB, b"\0ab\0"), HandMadeSection("b", STRTAB, b"\0ab"))
    assert (made.strings(1), made.strings(2)) == (b"\0ab\0", b"\0ab\0")


def test_a_string_is_limited() -> None:
    longest = b"\0" + b"x" * (1 << 20) + b"\0"
    made = opened(HandMadeSection("a", STRTAB, longest), HandMadeSection("b", STRTAB, b"x" + longest[1:]))
    assert made.strings(1) == longest
    with pytest.raises(ArtifactError, match=r"^string table 2: a string of more than 1048576 bytes$"):
        made.strings(2)


# --- symbols

NAMES = HandMadeSection(".strtab", STRTAB, b"\0f\0")


def table(*symbols: tuple[int, int, int, int, int, int], kind: int = SHT_SYMTAB) -> ElfFile:
    return opened(
        HandMadeSection(".symtab", kind, symbol_bytes(*symbols), link=2),
        HandMadeSection(".strtab", STRTAB, b"\0f\0"),
    )


def test_symbol_in_an_absent_section() -> None:
    assert len(table((1, 0x12, 0, 3, 0, 0)).symbols(1)) == 1
    for section in (4, SHN_LORESERVE - 1):
        with pytest.raises(ArtifactError, match=rf"^a symbol is in section {section} of 4$"):
            table((1, 0x12, 0, section, 0, 0)).symbols(1)
    with pytest.raises(ArtifactError, match=r"^a symbol is in section 7 of 4$"):
        table((1, 0x12, 0, 9, 0, 0), (1, 0x12, 0, 7, 0, 0)).symbols(1)
    assert len(table((1, 0x12, 0, SHN_LORESERVE, 0, 0)).symbols(1)) == 1
    assert len(table((1, 0x12, 0, 4, 0, 0), kind=SHT_DYNSYM).symbols(1)) == 1


def test_a_symbols_name_beyond_the_strings() -> None:
    assert [one.name for one in table((2, 0x12, 0, 1, 0, 0)).symbols(1)] == [""]
    with pytest.raises(ArtifactError, match=r"^a symbol's name is at 0x3 of a string table of 3 bytes$"):
        table((3, 0x12, 0, 1, 0, 0)).symbols(1)


def test_a_table_that_is_cut_has_the_whole_symbols() -> None:
    cut = symbol_bytes((1, 0x12, 0, 1, 0, 0), (1, 0x12, 0, 1, 0, 0))[:-1]
    made = opened(HandMadeSection(".symtab", SHT_SYMTAB, cut, link=2), NAMES)
    assert [one.name for one in made.symbols(1)] == ["f"]
    empty = opened(
        HandMadeSection(".symtab", SHT_SYMTAB, b"", link=2), HandMadeSection("s", STRTAB, b"\0f\0")
    )
    assert list(empty.symbols(1)) == []


def test_a_table_may_share_the_names_of_sections() -> None:
    made = opened(HandMadeSection(".symtab", SHT_SYMTAB, symbol_bytes((2, 0x12, 0, 1, 0, 0)), link=2))
    (symbol,) = made.symbols(1)
    assert (symbol.name, symbol.section) == ("symtab", ".symtab")


# --- the header


@pytest.mark.parametrize(
    ("at", "value", "error"),
    [
        (4, 0, "ELF header: class 0, data encoding 1 at offset 0x4"),
        (4, 3, "ELF header: class 3, data encoding 1 at offset 0x4"),
        (5, 0, "ELF header: class 2, data encoding 0 at offset 0x4"),
        (5, 3, "ELF header: class 2, data encoding 3 at offset 0x4"),
        (58, 40, "ELF header: section headers of 40 bytes"),
    ],
)
def test_a_header_that_is_wrong(at: int, value: int, error: str) -> None:
    data = bytearray(written())
    data[at] = value
    with pytest.raises(ArtifactError, match=f"^{error}$"):
        ElfFile(memoryview(bytes(data)))


@pytest.mark.parametrize("wide", [True, False])
def test_a_header_that_is_cut(*, wide: bool) -> None:
    data = written(wide=wide)
    size = 64 if wide else 52
    for length, rest in ((10, 16), (size - 1, size - 16)):
        place = 0 if length == 10 else 16
        with pytest.raises(
            ArtifactError, match=rf"^ELF header at offset {place:#x}, {rest} bytes, reaches beyond"
        ):
            ElfFile(memoryview(data[:length]))
    with pytest.raises(ArtifactError, match=r"^section headers at offset 0x\w+, \d+ bytes, reaches beyond"):
        ElfFile(memoryview(data[:-1]))


def test_a_section_name_beyond_the_names() -> None:
    with pytest.raises(ArtifactError, match=r"^a section's name is at 0x7 of a string table of 1 bytes$"):
        opened(HandMadeSection(".text"), shstrndx=0)


def test_without_section_headers() -> None:
    made = opened(shoff=0, shnum=7, shentsize=0)
    assert (made.count, len(made.sections)) == (0, 0)
    with pytest.raises(ArtifactError, match=r"^section 0 of 0 is referred to$"):
        made.section(0)


@FORMATS
def test_numbers_too_large_for_the_header_are_in_section_0(order: str, wide: bool) -> None:  # noqa: FBT001 - likewise
    usual = opened(HandMadeSection(".text"), order=order, wide=wide)
    extended = opened(
        HandMadeSection(".text"),
        order=order,
        wide=wide,
        shnum=0,
        shstrndx=SHN_XINDEX,
        phnum=PN_XNUM,
        size0=3,
        link0=2,
        info0=70000,
    )
    assert extended.header == usual.header._replace(segment_count=70000)
    assert [one.name for one in extended.sections] == [".text", ".shstrtab"]


def test_only_what_the_header_leaves_out_is_in_section_0() -> None:
    text = HandMadeSection(".text")
    sections = written(text, shnum=0, size0=9, link0=8, info0=7) + bytes(6 * 64)
    segments = written(text, phnum=PN_XNUM, size0=9, link0=8, info0=7)
    for data, counts in ((sections, (9, 2, 0)), (segments, (3, 2, 7))):
        header = ElfFile(memoryview(data)).header
        assert (header.section_count, header.section_names, header.segment_count) == counts
    with pytest.raises(ArtifactError, match=r"^section 8 of 3 is referred to$"):
        opened(text, shstrndx=SHN_XINDEX, size0=9, link0=8, info0=7)


def test_section_0_that_is_cut() -> None:
    data = written(shnum=0)
    offset = struct.unpack_from("<Q", data, 40)[0]
    with pytest.raises(ArtifactError, match=r"^section header 0 at offset 0x\w+, 64 bytes, reaches beyond"):
        ElfFile(memoryview(data[: offset + 63]))


def extended_indexes(numbers: Sequence[int], *, order: str = "<", link: int = 1) -> ElfFile:
    """A file of more sections than a symbol can name."""
    symbols = symbol_bytes((1, 0x12, 0, SHN_XINDEX, 0, 0), order=order)
    return opened(
        HandMadeSection(".symtab", SHT_SYMTAB, symbols, link=2),
        NAMES,
        HandMadeSection("other", SHT_SYMTAB_SHNDX, bytes(8), link=9),
        HandMadeSection(
            "shndx", SHT_SYMTAB_SHNDX, struct.pack(f"{order}{len(numbers)}I", *numbers), link=link
        ),
        *[HandMadeSection("x")] * SHN_LORESERVE,
        HandMadeSection("last"),
        order=order,
        shnum=0,
        shstrndx=SHN_XINDEX,
        size0=SHN_LORESERVE + 7,
        link0=SHN_LORESERVE + 6,
    )


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_section_that_a_symbol_names_elsewhere(order: str) -> None:
    (symbol,) = extended_indexes([0, SHN_LORESERVE + 5], order=order).symbols(1)
    assert symbol.section == "last"
    with pytest.raises(
        ArtifactError, match=rf"^a symbol is in section {SHN_LORESERVE + 7} of {SHN_LORESERVE + 7}$"
    ):
        extended_indexes([0, SHN_LORESERVE + 7], order=order).symbols(1)


# --- sections


def test_a_table_of_sections_begins_with_the_null_section() -> None:
    assert SectionTable.of([]) == SectionTable(b"\0", bytes(4), bytes(4), bytes(8), bytes(8))


@FORMATS
def test_a_compressed_section(order: str, wide: bool) -> None:  # noqa: FBT001 - likewise
    text = b"words " * 50
    header = struct.pack(
        order + ("IIQQ" if wide else "III"), *((1, 0, len(text), 1) if wide else (1, len(text), 1))
    )
    data = written(
        HandMadeSection(".debug_x", content=header + zlib.compress(text), flags=SHF_COMPRESSED),
        order=order,
        wide=wide,
    )
    found = read_bytes(data, contents=[".debug_x"]).object
    assert found is not None
    assert found.contents[".debug_x"] == text


@pytest.mark.parametrize(
    ("name", "content", "flags", "error"),
    [
        (
            ".debug_x",
            bytes(23),
            SHF_COMPRESSED,
            ".debug_x's compression header at offset 0x0, 24 bytes,",
        ),
        (
            ".zdebug_x",
            b"ZLIB" + bytes(7),
            0,
            ".zdebug_x's compression header at offset 0x4, 8 bytes,",
        ),
        (
            ".zdebug_x",
            b"ZLIB" + (9).to_bytes(8, "big"),
            0,
            ".zdebug_x declares 9 bytes, but decompresses to 0",
        ),
    ],
)
def test_a_damaged_compressed_section(name: str, content: bytes, flags: int, error: str) -> None:
    data = written(HandMadeSection(name, content=content, flags=flags))
    assert str(read_bytes(data, contents=[name]).error).startswith(f"section {error}")


def test_a_name_is_limited() -> None:
    name = b"x" * (LONGEST_NAME - 1)
    assert string(b"\0" + name + b"\0", 1, "it") == name.decode()
    with pytest.raises(ArtifactError, match=r"^it: no string at offset 0x1 of its string table$"):
        string(b"\0" + name + b"x\0", 1, "it")


def test_section_groups_that_overlap() -> None:
    """Each takes most of the file: reading them all would have no bound."""
    group = HandMadeSection(".group", SHT_GROUP, bytes(400), link=2, info=1)
    symbols = HandMadeSection(".symtab", SHT_SYMTAB, symbol_bytes((1, 0x12, 0, 1, 0, 0)), link=3)
    data = bytearray(written(group, symbols, NAMES, group))
    (headers,) = struct.unpack_from("<Q", data, 40)
    for index in (1, 4):
        struct.pack_into("<QQ", data, headers + index * 64 + 24, 0, len(data) // 2)
    assert read_bytes(bytes(data)).error is None
    struct.pack_into("<Q", data, headers + 4 * 64 + 32, len(data) // 2 + 2)
    assert read_bytes(bytes(data)).error == "section group 4 overlaps another"
