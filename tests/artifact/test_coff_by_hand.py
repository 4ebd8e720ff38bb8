"""COFF objects written here field by field: what compilers rarely write, and what is wrong."""

import struct
from collections.abc import Sequence

import pytest

from linkage.artifact import read_bytes
from linkage.artifact.coff.source_names import source_name
from linkage.artifact.facts import Dynamic, ObjectFile, Symbol
from linkage.artifact.tables import Binding, SymbolType
from support.windows_files import (
    AMD64,
    ARM64EC,
    BSS,
    COMDAT,
    DATA,
    FILE,
    FUNCTION,
    I386,
    LABEL,
    STATIC,
    TEXT,
    WEAK,
    HandMadeCoffSection,
    HandMadeCoffSymbol,
    coff_object,
    definition,
    short_import,
)


def opened(
    sections: Sequence[HandMadeCoffSection],
    symbols: Sequence[HandMadeCoffSymbol],
    strings: bytes = b"",
    *,
    references: Sequence[str] = (),
    contents: Sequence[str] = (),
    machine: int = AMD64,
    big: bool = False,
) -> ObjectFile:
    data = coff_object(sections, symbols, strings, machine=machine, big=big)
    facts = read_bytes(data, references=references, contents=contents)
    assert facts.error is None
    assert facts.object is not None
    return facts.object


def symbols_of(found: ObjectFile) -> dict[str, Symbol]:
    return {one.name: one for one in found.symbols or ()}


def error_of(data: bytes) -> str | None:
    facts = read_bytes(data)
    assert facts.object is None
    return facts.error


TWO = (HandMadeCoffSection(b".text", b"\x90" * 16), HandMadeCoffSection(b".data", b"12345678", DATA))


@pytest.mark.parametrize("big", [False, True])
def test_what_a_symbol_is(*, big: bool) -> None:
    found = opened(
        TWO,
        [
            HandMadeCoffSymbol(b".file", -2, kind=FILE, auxiliary=[b"a_long_source_n", b""]),
            HandMadeCoffSymbol(b".text", 1, kind=STATIC, auxiliary=[definition()]),
            HandMadeCoffSymbol(b"exactly8", 1, 4, type=FUNCTION),
            HandMadeCoffSymbol(4, 2, 8),
            HandMadeCoffSymbol(b"local", 1, 2, STATIC, FUNCTION),
            HandMadeCoffSymbol(b"label", 1, 3, LABEL),
            HandMadeCoffSymbol(b"outside"),
            HandMadeCoffSymbol(b"common", 0, 24),
            HandMadeCoffSymbol(b"@feat.00", -1, 0x80000010, STATIC),
            HandMadeCoffSymbol(b"absolute", -1, 7),
        ],
        b"a name that is longer\0",
        big=big,
    )
    rows = [
        (s.name, s.binding.name, s.type.name, s.section, s.value, s.size, s.defined, s.absolute)
        for s in found.symbols or ()
    ]
    assert rows == [
        ("a_long_source_n", "LOCAL", "FILE", None, 0, 0, True, True),
        (".text", "LOCAL", "SECTION", ".text", 0, 0, True, False),
        ("exactly8", "GLOBAL", "FUNC", ".text", 4, 0, True, False),
        ("a name that is longer", "GLOBAL", "OBJECT", ".data", 8, 0, True, False),
        ("local", "LOCAL", "FUNC", ".text", 2, 0, True, False),
        ("label", "LOCAL", "NOTYPE", ".text", 3, 0, True, False),
        ("outside", "GLOBAL", "NOTYPE", None, 0, 0, False, False),
        ("common", "GLOBAL", "COMMON", None, 0, 24, True, False),
        ("@feat.00", "LOCAL", "NOTYPE", None, 0x80000010, 0, True, True),
        ("absolute", "GLOBAL", "NOTYPE", None, 7, 0, True, True),
    ]
    assert (found.format, found.machine) == ("coff-x86_64", "x86_64")


def test_more_sections_than_16_bits_count() -> None:
    sections = [HandMadeCoffSection(b".text")] * 70_000 + [HandMadeCoffSection(b"last", b"1", DATA)]
    found = opened(sections, [HandMadeCoffSymbol(b"f", 70_001), HandMadeCoffSymbol(b"g", 1)], big=True)
    assert [(s.name, s.section, s.type.name) for s in found.symbols or ()] == [
        ("f", "last", "OBJECT"),
        ("g", ".text", "NOTYPE"),
    ]


def test_names_and_flags_of_sections() -> None:
    found = opened(
        [
            HandMadeCoffSection(b"/4"),
            HandMadeCoffSection(b"//AAAAAM", flags=DATA),
            HandMadeCoffSection(b"exactly8", flags=BSS),
            HandMadeCoffSection(b"/x", flags=DATA | 0x02000000),
            HandMadeCoffSection(b".tls$", flags=DATA),
            HandMadeCoffSection(b".tlsx", flags=0x40000040 | COMDAT),
            HandMadeCoffSection(b".llvmb", flags=DATA | 0x800),
        ],
        [HandMadeCoffSymbol(b"v", 5), HandMadeCoffSymbol(b"v", 6)],
        b".longer\0.longest\0",
    )
    assert [(one.name, one.type, one.flags) for one in found.sections] == [
        (".longer", "PROGBITS", "AX"),
        (".longest", "PROGBITS", "WA"),
        ("exactly8", "NOBITS", "WA"),
        ("/x", "PROGBITS", "W"),
        (".tls$", "PROGBITS", "WAT"),
        (".tlsx", "PROGBITS", "AG"),
        (".llvmb", "PROGBITS", "W"),
    ]
    assert found.tls
    assert [one.type for one in found.symbols or ()] == [SymbolType.TLS, SymbolType.OBJECT]


def test_comdat_sections() -> None:
    """ANY is kept once, NODUPLICATES is not a COMDAT for others, ASSOCIATIVE follows another section."""
    sections = [HandMadeCoffSection(b".text$x", b"1", TEXT | COMDAT)] * 4 + [
        HandMadeCoffSection(b".xdata", b"1")
    ]
    selections = ((2, 0), (1, 0), (5, 1), (5, 2))
    symbols = []
    for number, selection in enumerate(selections, 1):
        symbols.append(
            HandMadeCoffSymbol(b".text$x", number, kind=STATIC, auxiliary=[definition(*selection)])
        )
        symbols.append(HandMadeCoffSymbol(f"f{number}".encode(), number, type=FUNCTION))
    symbols.append(HandMadeCoffSymbol(b"plain", 5))
    for big in (False, True):
        found = symbols_of(opened(sections, symbols, big=big))
        comdats = {name: one.comdat for name, one in found.items() if name[0] in "fp"}
        assert comdats == {"f1": "f1", "f2": None, "f3": "f1", "f4": None, "plain": None}


def test_the_name_of_a_comdat_section_is_the_sources() -> None:
    symbols = [
        HandMadeCoffSymbol(b".text", 1, kind=STATIC, auxiliary=[definition(2)]),
        HandMadeCoffSymbol(b"_f@4", 1),
    ]
    found = opened([HandMadeCoffSection(b".text", b"1", TEXT | COMDAT)], symbols, machine=I386)
    assert symbols_of(found)["f"].comdat == "f"


def test_sections_associated_in_a_circle() -> None:
    section = HandMadeCoffSection(b".text", b"1", TEXT | COMDAT)
    symbols = [
        HandMadeCoffSymbol(b".text", 1, kind=STATIC, auxiliary=[definition(5, 2)]),
        HandMadeCoffSymbol(b".text", 2, kind=STATIC, auxiliary=[definition(5, 1)]),
        HandMadeCoffSymbol(b"f", 1),
    ]
    assert symbols_of(opened([section, section], symbols))["f"].comdat is None


def alias(symbol: int) -> HandMadeCoffSymbol:
    """Another weak external, which leads to a symbol of this index, or to itself."""
    return HandMadeCoffSymbol(b"alias", kind=WEAK, auxiliary=[struct.pack("<II", symbol, 3)])


@pytest.mark.parametrize(
    ("search", "default", "expected"),
    [
        (3, HandMadeCoffSymbol(b".weak.f", 1, 4, type=FUNCTION), (True, ".text", 4, "FUNC")),
        (1, HandMadeCoffSymbol(b"other", 2, 2), (True, ".data", 2, "OBJECT")),
        (2, HandMadeCoffSymbol(b"other", -1), (False, None, 0, "NOTYPE")),
        (2, HandMadeCoffSymbol(b"other", -1, 5), (True, None, 5, "NOTYPE")),
        (3, HandMadeCoffSymbol(b"other"), (False, None, 0, "NOTYPE")),
        (4, HandMadeCoffSymbol(b"#f", 1, 4, type=FUNCTION), (True, ".text", 4, "FUNC")),
        (4, HandMadeCoffSymbol(4, 1, 4, type=FUNCTION), (False, None, 0, "NOTYPE")),
        (3, alias(2), (False, None, 0, "NOTYPE")),
        (4, alias(4), (False, None, 0, "NOTYPE")),
        (3, alias(4), (True, ".text", 9, "NOTYPE")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("big", [False, True])
def test_weak_externals(
    search: int, default: HandMadeCoffSymbol, expected: tuple[object, ...], *, big: bool
) -> None:
    symbols = [
        HandMadeCoffSymbol(b"f", kind=WEAK, auxiliary=[struct.pack("<II", 2, search)]),
        default,
        *([] if default.auxiliary else [HandMadeCoffSymbol(b"unused")]),
        HandMadeCoffSymbol(b"there", 1, 9),
    ]
    one = symbols_of(opened(TWO, symbols, b"#f$exit_thunk\0", machine=ARM64EC, big=big))["f"]
    assert one.binding is Binding.WEAK
    assert (one.defined, one.section, one.value, one.type.name) == expected


def test_a_weak_external_that_leads_outside() -> None:
    symbol = HandMadeCoffSymbol(b"f", kind=WEAK, auxiliary=[struct.pack("<II", 2, 3)])
    assert error_of(coff_object(TWO, [symbol])) == "symbol 2 of 2 is referred to"
    cut = coff_object(TWO, [HandMadeCoffSymbol(b"f", kind=WEAK)])
    assert read_bytes(cut).object is not None


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("_foo", "foo"), ("__foo", "_foo"), ("_foo@8", "foo"), ("@foo@8", "foo"), ("foo@@16", "foo"),
        ("__imp__foo", "__imp_foo"), ("__imp__foo@4", "__imp_foo"), ("__imp_@foo@4", "__imp_foo"),
        ("?foo@@YAXXZ", "?foo@@YAXXZ"), ("__imp_?foo@@YAXXZ", "__imp_?foo@@YAXXZ"), ("@feat.00", "@feat.00"),
        ("__ZN3foo3bar17hE", "_ZN3foo3bar17hE"), ("foo", "foo"), ("_foo@x", "foo@x"), ("", ""),
        ("__imp_", "__imp_"),
    ],
)  # fmt: skip
def test_names_of_32_bit_windows(raw: str, name: str) -> None:
    assert source_name(raw) == name


def test_names_in_an_object_of_32_bit_windows() -> None:
    found = opened(
        TWO,
        [
            HandMadeCoffSymbol(b".text", 1, kind=STATIC, auxiliary=[definition()]),
            HandMadeCoffSymbol(b"_f", 1),
            HandMadeCoffSymbol(b"_g@8", 1),
            HandMadeCoffSymbol(4),
            HandMadeCoffSymbol(b"_f"),
        ],
        b"__imp__outside@4\0",
        machine=I386,
    )
    assert [one.name for one in found.symbols or ()] == [".text", "f", "g", "__imp_outside", "f"]
    assert (found.name_prefix, found.raw_names) == ("_", {"g": "_g@8", "__imp_outside": "__imp__outside@4"})
    assert found.symbols is not None
    assert len(found.symbols.named("f")) == 2
    assert found.symbols.named("_f") == ()


def test_options_for_the_linker() -> None:
    text = b'\xef\xbb\xbf /DEFAULTLIB:"my lib"  -export:_f,data "-exclude-symbols:a b"\0 '
    found = opened([HandMadeCoffSection(b".drectve", text, 0x100A00)], [])
    assert found.linker_options == ("/DEFAULTLIB:my lib", "-export:_f,data", "-exclude-symbols:a b")


def test_contents_of_sections() -> None:
    sections = [HandMadeCoffSection(b".data", b"ab", DATA), HandMadeCoffSection(b".data", b"cd", DATA)]
    assert opened(sections, [], contents=[".data", ".x"]).contents == {".data": b"abcd"}


def test_what_functions_refer_to() -> None:
    """A function ends at the next one; what is added to a section's symbol is in the code."""
    code = b"\x90" * 8 + struct.pack("<I", 4) + b"\x90" * 4
    relocations = [(0, 6, 4), (8, 1, 4), (12, 4, 4)]
    found = opened(
        [
            HandMadeCoffSection(b".text", code, TEXT, relocations),
            HandMadeCoffSection(b".data", bytes(8), DATA),
        ],
        [
            HandMadeCoffSymbol(b"first", 1, 0, type=FUNCTION),
            HandMadeCoffSymbol(b".data", 2, kind=STATIC, auxiliary=[definition()]),
            HandMadeCoffSymbol(b"before", 2, 0, STATIC),
            HandMadeCoffSymbol(b"there", 2, 4, STATIC),
            HandMadeCoffSymbol(b"second", 1, 8, type=FUNCTION),
            HandMadeCoffSymbol(b"outside"),
        ],
        references=["first", "second", "outside", "there"],
    )
    assert found.references == {
        "first": ("outside",),
        "second": ("there",),
        "there": (),
    }


def test_more_relocations_than_16_bits_count() -> None:
    """Their number is in the first one, which is none."""
    section = HandMadeCoffSection(b".text", bytes(8), TEXT | 0x01000000, [(3, 0, 0), (0, 1, 4), (4, 2, 4)])
    symbols = [HandMadeCoffSymbol(b"f", 1, type=FUNCTION), HandMadeCoffSymbol(b"g"), HandMadeCoffSymbol(b"h")]
    data = bytearray(coff_object([section], symbols))
    struct.pack_into("<H", data, 20 + 32, 0xFFFF)
    found = read_bytes(bytes(data), for_comparison=True).object
    assert found is not None
    assert found.references == {"f": ("g", "h")}
    struct.pack_into("<I", data, 60 + 8, 1 << 30)
    error = read_bytes(bytes(data), references=["f"]).error
    assert error is not None
    assert error.startswith("relocations at offset")


def test_relocations_that_overlap() -> None:
    sections = [HandMadeCoffSection(b".text", b"1", TEXT, [(0, 0, 4)] * 300)]
    sections += [HandMadeCoffSection(b".text", b"1", TEXT)] * 9
    symbols = [HandMadeCoffSymbol(f"f{at}".encode(), at, type=FUNCTION) for at in range(1, 11)]
    data = bytearray(coff_object(sections, symbols))
    for at in range(1, 10):
        data[20 + 40 * at + 24 : 20 + 40 * at + 36] = data[20 + 24 : 20 + 36]
    error = read_bytes(bytes(data), references=[f"f{at}" for at in range(1, 11)]).error
    assert error == "the relocations of section 2 overlap others"


# --- short imports


@pytest.mark.parametrize(
    ("kind", "name_type", "names", "machine", "symbols", "imported"),
    [
        (0, 1, b"f\0a.dll\0", AMD64, ["__imp_f", "f"], "f"),
        (1, 1, b"f\0a.dll\0", AMD64, ["__imp_f"], "f"),
        (2, 0, b"f\0a.dll\0", AMD64, ["__imp_f", "f"], "#7"),
        (0, 0, b"_f@8\0a.dll\0", I386, ["__imp_f", "f"], "#7"),
        (0, 0, b"#f\0a.dll\0", ARM64EC, ["__imp_f", "f", "__imp_aux_f", "#f"], "#7"),
        (0, 2, b"_f@8\0a.dll\0", I386, ["__imp_f", "f"], "f@8"),
        (0, 3, b"_f@8\0a.dll\0", I386, ["__imp_f", "f"], "f"),
        (0, 4, b"f\0a.dll\0g\0", AMD64, ["__imp_f", "f"], "g"),
        (0, 1, b"#f\0a.dll\0", ARM64EC, ["__imp_f", "f", "__imp_aux_f", "#f"], "#f"),
        (1, 1, b"f\0a.dll\0", ARM64EC, ["__imp_f"], "f"),
    ],
)
def test_a_member_of_an_import_library(
    kind: int, name_type: int, names: bytes, machine: int, symbols: list[str], imported: str
) -> None:
    facts = read_bytes(short_import(kind, name_type, names, machine=machine))
    found = facts.object
    assert found is not None
    assert [one.name for one in found.symbols or ()] == symbols
    assert all(one.defined for one in found.symbols or ())
    ordinals = {"f": 7} if imported == "#7" else {}
    assert found.dynamic == Dynamic(needed=("a.dll",), imports={"a.dll": (imported,)}, ordinals=ordinals)
    assert (facts.kind, found.format.rpartition("-")[0]) == ("coff", "coff-import")


@pytest.mark.parametrize("length", [19, 20, 22, 26])
def test_an_import_that_is_cut(length: int) -> None:
    data = short_import(0, 1, b"f\0a.dll\0")[:length]
    facts = read_bytes(data)
    assert facts.object is None
    assert facts.error is not None or facts.kind == "other"
    assert error_of(short_import(0, 1, b"f\0a.dll")) == "an import whose names do not end"


# --- what is wrong


@pytest.mark.parametrize(
    ("symbols", "strings", "error"),
    [
        ([HandMadeCoffSymbol(b"f", 3)], b"", "a symbol is in section 3 of 2"),
        ([HandMadeCoffSymbol(9)], b"ab", "a symbol's name is at 0x9 of a string table of 7 bytes"),
    ],
)
def test_symbols_that_are_wrong(symbols: list[HandMadeCoffSymbol], strings: bytes, error: str) -> None:
    assert error_of(coff_object(TWO, symbols, strings)) == error


def test_a_section_name_beyond_the_strings() -> None:
    data = coff_object([HandMadeCoffSection(b"/40")], [], b"abc\0")
    assert error_of(data) == "a section's name is at 0x28 of a string table of 8 bytes"


def test_an_object_that_is_cut() -> None:
    data = coff_object(TWO, [HandMadeCoffSymbol(b"f", 1)], b"name\0")
    for length in range(20, len(data)):
        facts = read_bytes(data[:length])
        assert facts.kind == "coff"
        # The string table, of which nothing is used here, may be missing.
        assert (facts.error is None) == (length == len(data) - 9)


def test_an_object_for_another_linker() -> None:
    data = struct.pack("<HHHHI16s16xIII", 0, 0xFFFF, 1, AMD64, 0, b"x" * 16, 0, 0, 0)
    assert (
        error_of(data)
        == f"an anonymous object of the class {b'x'.hex() * 16}, as compilers write for their own linker"
    )


def test_names_that_would_take_all_memory() -> None:
    symbols = [HandMadeCoffSymbol(4)] * 40_000
    data = coff_object([], symbols, b"n" * 900_000 + b"\0")
    assert error_of(data) == "40000 symbols with names of more than 429496 bytes"
    tails = [HandMadeCoffSymbol(4 + index) for index in range(9)]
    data = coff_object([], tails, b"n" * 900_000 + b"\0", machine=I386)
    assert error_of(data) == "the names of symbols overlap"
