"""Files for Windows that are written field by field."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from linkage.artifact.coff.file import BIG_CLASS

AMD64, I386, ARM64EC = 0x8664, 0x14C, 0xA641
TEXT, DATA, BSS, COMDAT = 0x60500020, 0xC0300040, 0xC0300080, 0x1000
EXTERNAL, STATIC, LABEL, FILE, SECTION, WEAK = 2, 3, 6, 103, 104, 105
FUNCTION = 0x20


@dataclass(frozen=True)
class HandMadeCoffSection:
    """A section of an object that is written here."""

    name: bytes
    content: bytes = b""
    flags: int = TEXT
    relocations: Sequence[tuple[int, int, int]] = ()  # place, symbol, type


@dataclass(frozen=True)
class HandMadeCoffSymbol:
    """A symbol of an object that is written here."""

    name: bytes | int  # an offset in the string table
    section: int = 0
    value: int = 0
    kind: int = EXTERNAL
    type: int = 0
    auxiliary: Sequence[bytes] = ()


def definition(selection: int = 0, number: int = 0) -> bytes:
    """A section's auxiliary record."""
    return struct.pack("<IHHIHBxH", 0, 0, 0, 0, number & 0xFFFF, selection, number >> 16)


def coff_object(
    sections: Sequence[HandMadeCoffSection],
    symbols: Sequence[HandMadeCoffSymbol],
    strings: bytes = b"",
    *,
    machine: int = AMD64,
    big: bool = False,
) -> bytes:
    """An object of these sections and symbols; `strings` begin at 4 in the string table."""
    size = 20 if big else 18
    start = (56 if big else 20) + 40 * len(sections)
    body, table = bytearray(), bytearray()
    for one in sections:
        at = start + len(body)
        body += one.content
        relocations = start + len(body)
        for relocation in one.relocations:
            body += struct.pack("<IIH", *relocation)
        flags = one.flags
        table += struct.pack(
            "<8sIIIIIIHHI",
            one.name,
            0,
            0,
            len(one.content),
            at,
            relocations,
            0,
            len(one.relocations),
            0,
            flags,
        )
    records = bytearray()
    for symbol in symbols:
        name = symbol.name if isinstance(symbol.name, bytes) else struct.pack("<4xI", symbol.name)
        layout = "<8sIiHBB" if big else "<8sIhHBB"
        count = len(symbol.auxiliary)
        records += struct.pack(layout, name, symbol.value, symbol.section, symbol.type, symbol.kind, count)
        for auxiliary in symbol.auxiliary:
            records += auxiliary.ljust(size, b"\0")
    count, place = len(records) // size, start + len(body)
    if big:
        header = struct.pack(
            "<HHHHI16s16xIII", 0, 0xFFFF, 2, machine, 0, BIG_CLASS, len(sections), place, count
        )
    else:
        header = struct.pack("<HHIIIHH", machine, len(sections), 0, place, count, 0, 0)
    return header + bytes(table + body + records) + struct.pack("<I", len(strings) + 4) + strings


def short_import(kind: int, name_type: int, names: bytes, *, machine: int = AMD64, ordinal: int = 7) -> bytes:
    header = struct.pack("<HHHHIIHH", 0, 0xFFFF, 0, machine, 0, len(names), ordinal, kind | name_type << 2)
    return header + names


BASE, RVA, OFFSET, SIZE = 0x10000, 0x1000, 0x400, 0x1000
DLL, DYNAMIC_BASE, NX = 0x2000, 0x40, 0x100
EXPORT, IMPORT, EXCEPTION, DEBUG, TLS, DELAY = 0, 1, 3, 6, 9, 13
CODE = 0x60000020


class ImageBody:
    """The one section of an image: parts are appended, and their addresses returned."""

    def __init__(self) -> None:
        self.data = bytearray(16)  # code that is exported

    def add(self, content: bytes) -> int:
        at = RVA + len(self.data)
        self.data += content
        return at

    def text(self, content: bytes) -> int:
        return self.add(content + b"\0")

    def numbers(self, code: str, *numbers: int) -> int:
        return self.add(struct.pack(f"<{len(numbers)}{code}", *numbers))


def pe_image(
    body: ImageBody,
    directories: Mapping[int, tuple[int, int]],
    *,
    machine: int = AMD64,
    flags: int = DLL | 2,
    characteristics: int = DYNAMIC_BASE | NX,
    count: int = 16,
    symbols: bytes = b"",
) -> bytes:
    wide = machine == AMD64
    optional = bytearray(112 if wide else 96)
    struct.pack_into("<H", optional, 0, 0x20B if wide else 0x10B)
    struct.pack_into("<Q" if wide else "<I", optional, 24 if wide else 28, BASE)
    struct.pack_into("<I", optional, 60, OFFSET)
    struct.pack_into("<H", optional, 70, characteristics)
    struct.pack_into("<I", optional, len(optional) - 4, count)
    for index in range(16):
        optional += struct.pack("<II", *directories.get(index, (0, 0)))
    place = (OFFSET + SIZE, len(symbols) // 18) if symbols else (0, 0)
    header = struct.pack("<HHIIIHH", machine, 1, 0, *place, len(optional), flags)
    section = struct.pack("<8sIIIIIIHHI", b".text", SIZE, RVA, SIZE, OFFSET, 0, 0, 0, 0, CODE)
    start = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0"
    return (
        (start + header + optional + section).ljust(OFFSET, b"\0")
        + bytes(body.data).ljust(SIZE, b"\0")
        + symbols
    )


def add_exports(
    body: ImageBody, functions: Sequence[int | bytes], names: Mapping[bytes, int], *, base: int = 5
) -> tuple[int, int]:
    """An export table: addresses or forwarders, and names with the indexes of their functions."""
    start = body.add(bytes(40))
    library = body.text(b"a.dll")
    addresses = [one if isinstance(one, int) else body.text(one) for one in functions]
    table = body.numbers("I", *addresses)
    texts = body.numbers("I", *[body.text(name) for name in names])
    ordinals = body.numbers("H", *names.values())
    fields = (0, 0, 0, 0, library, base, len(functions), len(names), table, texts, ordinals)
    struct.pack_into("<IIHHIIIIIII", body.data, start - RVA, *fields)
    return start, RVA + len(body.data) - start


def small_object(*, big: bool = False) -> bytes:
    """An object with a bit of everything."""
    weak = HandMadeCoffSymbol(b"weak", kind=WEAK, auxiliary=[struct.pack("<II", 2, 3)])
    return coff_object(
        [
            HandMadeCoffSection(b".text", b"\x90" * 16, TEXT | COMDAT, [(4, 5, 4)]),
            HandMadeCoffSection(b"/4", b" -export:f", 0xA00),
            HandMadeCoffSection(b".bss", b"1234", BSS),
        ],
        [
            HandMadeCoffSymbol(b".text", 1, kind=STATIC, auxiliary=[definition(2)]),
            HandMadeCoffSymbol(b"caller", 1, type=FUNCTION),
            weak,
            HandMadeCoffSymbol(12),
            HandMadeCoffSymbol(b"common", 0, 8),
            HandMadeCoffSymbol(b".file", -2, kind=FILE, auxiliary=[b"a.c"]),
        ],
        b".drectve\0_outside@4\0",
        machine=AMD64 if big else I386,
        big=big,
    )


def small_image() -> bytes:
    """A dll with a bit of everything."""
    body = ImageBody()
    place = add_exports(body, [RVA, b"b.g", RVA + 4], {b"inside": 0, b"g": 1})
    thunks = body.numbers("Q", body.add(b"\0\0outside\0"), 1 << 63 | 9, 0)
    library = body.text(b"b.dll")
    imports = body.numbers("I", thunks, 0, 0, library, thunks, 0, 0, 0, 0, 0)
    delayed = body.numbers("I", 1, library, 0, 0, thunks, 0, 0, 0, *[0] * 8)
    record = b"RSDS" + bytes(range(16)) + struct.pack("<I", 1) + b"a.pdb\0"
    at = body.add(record)
    debug = body.numbers("I", 0, 0, 0, 2, len(record), at, at - RVA + OFFSET)
    directories = {
        EXPORT: place,
        IMPORT: (imports, 40),
        DELAY: (delayed, 64),
        DEBUG: (debug, 28),
        TLS: (RVA, 40),
    }
    return pe_image(body, directories)
