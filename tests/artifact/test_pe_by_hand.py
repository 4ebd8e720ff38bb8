"""PE images written here field by field: what linkers rarely write, and what is wrong."""

import struct

import pytest

from linkage.artifact import read_bytes
from linkage.artifact.facts import ObjectFile, ObjectType
from support.hand_made import verdicts
from support.windows_files import (
    AMD64,
    BASE,
    DEBUG,
    DELAY,
    EXCEPTION,
    EXPORT,
    I386,
    IMPORT,
    OFFSET,
    RVA,
    SIZE,
    TLS,
    ImageBody,
    add_exports,
    pe_image,
)


def opened(data: bytes) -> ObjectFile:
    facts = read_bytes(data)
    assert facts.error is None
    assert facts.object is not None
    return facts.object


def error_of(data: bytes) -> str | None:
    facts = read_bytes(data)
    assert (facts.kind, facts.object) == ("pe", None)
    return facts.error


def test_exports() -> None:
    """Named, by ordinal only, forwarded, and a number that is not used."""
    body = ImageBody()
    place = add_exports(body, [RVA, 0, RVA + 4, b"b.#3", b"b.g"], {b"f": 0, b"g": 4, b"also_f": 0})
    found = opened(pe_image(body, {EXPORT: place}))
    assert found.dynamic is not None
    rows = [(one.name, one.value, one.type.name, one.defined) for one in found.dynamic_symbols or ()]
    assert rows == [
        ("f", RVA, "FUNC", True),
        ("g", 0, "NOTYPE", True),
        ("also_f", RVA, "FUNC", True),
        ("#7", RVA + 4, "FUNC", True),
        ("#8", 0, "NOTYPE", True),
    ]
    assert found.dynamic.forwarders == {"g": "b.g", "#8": "b.#3"}
    assert found.dynamic.soname == "a.dll"
    assert (found.format, found.type, found.pie, found.executable_stack) == (
        "pe-x86_64", ObjectType.SHARED, True, False,
    )  # fmt: skip
    assert found.symbols is None


def test_an_image_without_directories() -> None:
    """Its tables are empty, which is known: not that there are none."""
    for count in (0, 16):
        found = opened(pe_image(ImageBody(), {}, flags=2, characteristics=0, count=count))
        assert (found.type, found.pie, found.executable_stack, found.tls) == (
            ObjectType.EXECUTABLE, False, True, False,
        )  # fmt: skip
        assert found.dynamic_symbols is not None
        assert list(found.dynamic_symbols) == []
        assert found.dynamic is not None
        assert (found.dynamic.needed, found.dynamic.soname) == ((), None)


@pytest.mark.parametrize("machine", [AMD64, I386])
def test_imports(machine: int) -> None:
    """By name and by ordinal; the table of addresses if there is no other; a library twice."""
    body, code = ImageBody(), "Q" if machine == AMD64 else "I"
    ordinal = 1 << (63 if machine == AMD64 else 31)
    names = [body.add(b"\1\0" + name + b"\0") for name in (b"f", b"_g@8", b"h")]
    first = body.numbers(code, names[0], ordinal | 7, names[1], 0)
    second = body.numbers(code, names[2], 0)
    library, other = body.text(b"a.dll"), body.text(b"b.dll")
    table = struct.pack("<15I", first, 0, 0, library, first, 0, 0, 0, other, second, 0, 0, 0, library, second)
    found = opened(pe_image(body, {IMPORT: (body.add(table + bytes(20)), 80)}, machine=machine))
    assert found.dynamic is not None
    g = "_g@8" if machine == AMD64 else "g"
    assert found.dynamic.imports == {"a.dll": ("f", "#7", g, "h"), "b.dll": ("h",)}
    assert (found.dynamic.needed, found.dynamic.optional) == (("a.dll", "b.dll"), ())
    assert [one.name for one in found.dynamic_symbols or ()] == ["f", "#7", g, "h", "h"]
    assert found.raw_names == ({} if machine == AMD64 else {"g": "_g@8"})


@pytest.mark.parametrize("attributes", [0, 1])
def test_delayed_imports(attributes: int) -> None:
    """Also of old linkers, whose addresses include the image's base."""
    body = ImageBody()
    delta = 0 if attributes else BASE
    names = body.numbers("Q", body.add(b"\0\0f\0") + delta, 1 << 63 | 9, 0)
    library = body.text(b"late.dll")
    table = body.numbers("I", attributes, library + delta, 0, 0, names + delta, 0, 0, 0, *[0] * 8)
    found = opened(pe_image(body, {DELAY: (table, 64)}))
    assert found.dynamic is not None
    assert (found.dynamic.needed, found.dynamic.optional) == (("late.dll",), ("late.dll",))
    assert found.dynamic.imports == {"late.dll": ("f", "#9")}


def test_identity_and_thread_local_storage() -> None:
    body = ImageBody()
    record = b"RSDS" + bytes(range(16)) + struct.pack("<I", 0x1A) + b"c:\\x.pdb\0"
    at = body.add(record)
    entry = struct.pack("<IIHHIIII", 0, 0, 0, 0, 2, len(record), at, at - RVA + OFFSET)
    other = struct.pack("<IIHHIIII", 0, 0, 0, 0, 13, 4, at, 1 << 30)
    place = body.add(other + entry)
    found = opened(pe_image(body, {DEBUG: (place, 56), TLS: (RVA, 40)}))
    assert (found.build_id, found.debug_file) == ("030201000504070608090a0b0c0d0e0f1a", "c:\\x.pdb")
    assert found.tls


@pytest.mark.parametrize(
    ("directory", "place", "error"),
    [
        (EXPORT, (0x9000, 40), "export table at address 0x9000 is in no section"),
        (IMPORT, (RVA + SIZE - 8, 8), "import table at address 0x1ff8 has no end"),
        (DELAY, (0x9000, 40), "import table at address 0x9000 is in no section"),
        (DEBUG, (RVA + SIZE - 4, 28), "debug directory at address 0x1ffc, 28 bytes, reaches beyond"),
    ],
)  # fmt: skip
def test_directories_that_are_wrong(directory: int, place: tuple[int, int], error: str) -> None:
    found = error_of(pe_image(ImageBody(), {directory: place}))
    assert found is not None
    assert found.startswith(error)


def test_exports_that_are_wrong() -> None:
    body = ImageBody()
    place = add_exports(body, [RVA], {b"f": 1})
    assert error_of(pe_image(body, {EXPORT: place})) == "export table: function 1 of 1 has a name"
    body = ImageBody()
    start, size = add_exports(body, [RVA], {b"f": 0})
    struct.pack_into("<I", body.data, start - RVA + 20, 1 << 17)
    assert error_of(pe_image(body, {EXPORT: (start, size)})) == "export table: 131072 entries"


def test_imports_that_are_wrong() -> None:
    body = ImageBody()
    body.data += b"\xff" * (SIZE - len(body.data))
    struct.pack_into("<5I", body.data, 16, RVA + 64, 0, 0, RVA, RVA)
    struct.pack_into("<4s", body.data, 0, b"a\0\0\0")
    found = error_of(pe_image(body, {IMPORT: (RVA + 16, 40)}))
    assert found == "import lookup table at address 0x1040 has no end"


def test_import_tables_that_overlap() -> None:
    body = ImageBody()
    library = body.text(b"a.dll")
    thunks = body.numbers("Q", *[1 << 63 | 1] * 300, 0)
    table = body.numbers("I", *[thunks, 0, 0, library, thunks] * 40, 0, 0, 0, 0, 0)
    assert error_of(pe_image(body, {IMPORT: (table, 820)})) == "import tables overlap"


def test_what_the_code_of_an_image_refers_to() -> None:
    """Another function, an import, an import by way of a jump: as far as the end of the function is known."""
    body = ImageBody()
    body.data += bytes(80)
    names = [body.add(b"\0\0" + name + b"\0") for name in (b"direct", b"by_stub")]
    library, slots = body.text(b"b.dll"), body.numbers("Q", *names, 0)
    imports = body.numbers("I", slots, 0, 0, library, slots, 0, 0, 0, 0, 0)
    place = add_exports(body, [RVA, RVA + 48, RVA + 64], {b"f": 0, b"g": 1, b"leaf": 2})
    pdata = body.numbers("I", RVA, RVA + 18, 0)
    code = (
        b"\xe8" + struct.pack("<i", 48 - 5)  # call g
        + b"\xff\x15" + struct.pack("<i", slots - RVA - 11)  # call [direct]
        + b"\xe8" + struct.pack("<i", 32 - 16)  # call of the jump
        + b"\x74\xfe\xe8\x00\x00\x00\x00"  # a jump to itself, then what is not of the function
    )  # fmt: skip
    body.data[: len(code)] = code
    body.data[32:38] = b"\xff\x25" + struct.pack("<i", slots + 8 - RVA - 38)
    directories = {EXPORT: place, IMPORT: (imports, 40), EXCEPTION: (pdata, 12)}
    for comparison in (False, True):
        facts = read_bytes(
            pe_image(body, directories), references=["f", "leaf", "direct", "x"], for_comparison=comparison
        )
        assert facts.object is not None
        assert facts.object.references == {"f": ("by_stub", "direct", "g")}
    other = read_bytes(pe_image(body, directories | {EXCEPTION: (pdata, 0)}), references=["f"]).object
    assert other is not None
    assert other.references == {}


@pytest.mark.parametrize("code", [b"\xe8\x10\0\0\0", b"\x48\x8d\x05\x10\0\0\0", b"\x8b\x05\x10\0\0\0"])
def test_what_has_no_name(code: bytes) -> None:
    """A function that calls, takes the address of, or reads what only a symbol table could name."""
    body = ImageBody()
    body.data += bytes(80)
    body.data[: len(code)] = code
    place = add_exports(body, [RVA, RVA + 48], {b"f": 0, b"leaf": 1})
    directories = {EXPORT: place, EXCEPTION: (body.numbers("I", RVA, RVA + 8, 0), 12)}
    for comparison in (False, True):
        facts = read_bytes(pe_image(body, directories), references=["f"], for_comparison=comparison)
        assert facts.object is not None
        assert facts.object.references == {}
        ((_, verdict),) = verdicts("references: {f: {none: [inside]}}", facts)
        assert verdict == (
            "error: a PE file without a symbol table: not everything that f refers to has a name"
        )
    compared = read_bytes(pe_image(body, directories), for_comparison=True).object
    assert compared is not None
    assert compared.references == {"f": ()}
    table = struct.pack("<8sIhHBB", b"inside", 0x10 + len(code), 1, 0x20, 2, 0)
    named = read_bytes(pe_image(body, directories, symbols=table), references=["f"])
    assert named.object is not None
    assert named.object.references == {"f": ("inside",)}
    assert verdicts("references: {f: {none: [inside]}}", named) == [("references.f", "fail")]


def test_functions_that_overlap() -> None:
    body = ImageBody()
    place = add_exports(body, [RVA + at for at in range(16)], {b"f%d" % at: at for at in range(16)})
    pdata = body.numbers("I", *[one for at in range(16) for one in (RVA + at, RVA + SIZE, 0)])
    data = pe_image(body, {EXPORT: place, EXCEPTION: (pdata, 192)})
    facts = read_bytes(data, references=[f"f{at}" for at in range(16)])
    assert facts.error == "the functions of the exception table overlap"


def test_the_symbol_table_of_an_image() -> None:
    """Its values become addresses; names have the prefix of 32-bit Windows, those of exports do not."""
    body = ImageBody()
    place = add_exports(body, [RVA], {b"_f": 0})
    table = struct.pack("<8sIhHBB", b"_f", 4, 1, 0x20, 2, 0) + struct.pack(
        "<8sIhHBB", b"_g@4", 7, -1, 0, 2, 0
    )
    found = opened(pe_image(body, {EXPORT: place}, machine=I386, symbols=table))
    rows = [(one.name, one.value, one.section, one.absolute) for one in found.symbols or ()]
    assert rows == [("f", RVA + 4, ".text", False), ("g", 7, None, True)]
    assert [one.name for one in found.dynamic_symbols or ()] == ["_f"]
    assert (found.name_prefix, found.raw_names) == ("_", {"g": "_g@4"})
    wide = pe_image(body, {EXPORT: place}, symbols=table)
    assert [one.name for one in opened(wide).symbols or ()] == ["_f", "_g@4"]
    code = read_bytes(wide, references=["_f"]).object  # ends with the section
    assert code is not None
    assert code.references == {"_f": ()}


@pytest.mark.parametrize(
    ("address", "error"),
    [
        (RVA + SIZE - 4, "an export's name: no string at address 0x1ffc"),
        (RVA + SIZE, "an export's name at address 0x2000 is in no section"),
        (0x300, None),
        (OFFSET + 1, "an export's name: no string at address 0x401"),
    ],
)
def test_names_that_are_nowhere(address: int, error: str | None) -> None:
    body = ImageBody()
    start, size = add_exports(body, [RVA], {b"f": 0})
    body.data = body.data.ljust(SIZE, b"x")
    struct.pack_into("<I", body.data, struct.unpack_from("<I", body.data, start - RVA + 32)[0] - RVA, address)
    assert read_bytes(pe_image(body, {EXPORT: (start, size)})).error == error


def test_an_optional_header_that_is_wrong() -> None:
    data = bytearray(pe_image(ImageBody(), {}))
    struct.pack_into("<H", data, 64 + 24, 0x107)
    assert error_of(bytes(data)) == "optional header: its magic number is 0x107"
    for length in range(68, OFFSET, 7):
        facts = read_bytes(bytes(pe_image(ImageBody(), {})[:length]))
        assert facts.kind == "pe"


def test_a_program_for_ms_dos() -> None:
    facts = read_bytes(b"MZ\xff" + bytes(90))
    assert facts.other is not None
    assert (facts.kind, facts.other.format) == ("other", "MS-DOS")
