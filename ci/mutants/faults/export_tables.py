"""The places of exported names in PE, Mach-O and ELF files and in WebAssembly modules.

Formats: Microsoft's "PE Format", "The .edata Section"; mach-o/loader.h of Apple's cctools, `LC_DYLD_INFO` and
`LC_DYLD_EXPORTS_TRIE`; https://webassembly.github.io/spec/core/binary/modules.html, "Export Section";
https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html.
"""

import struct
from collections.abc import Iterator

_PE32_PLUS = 0x20B
_WIDE = 2  # ELFCLASS64
_MACHO_64 = b"\xcf\xfa\xed\xfe"
_DYLD_INFO, _DYLD_INFO_ONLY, _EXPORTS_TRIE = 0x22, 0x80000022, 0x80000033
_DYNSYM = 11
_EXPORTS = 7  # the section of a WebAssembly module


def exported(content: bytes) -> Iterator[tuple[str, int]]:
    """Each exported name, as in the source, and the position of its last byte."""
    if content.startswith(b"MZ"):
        yield from _of_pe(content)
    elif content.startswith(_MACHO_64):
        yield from _of_macho(content)
    elif content.startswith(b"\x7fELF"):
        yield from _of_elf(content)
    elif content.startswith(b"\0asm"):
        yield from _of_wasm(content)


def _of_pe(content: bytes) -> Iterator[tuple[str, int]]:
    at = struct.unpack_from("<I", content, 0x3C)[0]
    count, size = struct.unpack_from("<H", content, at + 6)[0], struct.unpack_from("<H", content, at + 20)[0]
    optional = at + 24
    directories = optional + (112 if struct.unpack_from("<H", content, optional)[0] == _PE32_PLUS else 96)
    sections: list[tuple[int, ...]] = [
        struct.unpack_from("<IIII", content, optional + size + 40 * one + 8) for one in range(count)
    ]

    def place(address: int) -> int:
        return next(
            raw + address - start
            for virtual, start, length, raw in sections
            if start <= address < start + max(virtual, length)
        )

    table = struct.unpack_from("<I", content, directories)[0]
    if table:
        names, first = struct.unpack_from("<I4xI", content, place(table) + 24)
        for address in struct.unpack_from(f"<{names}I", content, place(first)):
            start = place(address)
            end = content.index(0, start)
            yield content[start:end].decode(), end - 1


def _of_macho(content: bytes) -> Iterator[tuple[str, int]]:
    at = 32
    for _ in range(struct.unpack_from("<I", content, 16)[0]):
        command, size = struct.unpack_from("<II", content, at)
        if command in (_DYLD_INFO, _DYLD_INFO_ONLY):
            start, length = struct.unpack_from("<II", content, at + 40)
        elif command == _EXPORTS_TRIE:
            start, length = struct.unpack_from("<II", content, at + 8)
        else:
            length = start = 0
        if length:
            yield from _of_trie(content, start, 0, b"", 0)
        at += size


def _of_trie(content: bytes, trie: int, node: int, name: bytes, last: int) -> Iterator[tuple[str, int]]:
    terminal, at = _number(content, trie + node)
    if terminal:
        yield name.decode().removeprefix("_"), last
    at += terminal
    children, at = content[at], at + 1
    for _ in range(children):
        end = content.index(0, at)
        child, after = _number(content, end + 1)
        yield from _of_trie(content, trie, child, name + content[at:end], end - 1)
        at = after


def _of_elf(content: bytes) -> Iterator[tuple[str, int]]:
    order, wide = {1: "<", 2: ">"}[content[5]], content[4] == _WIDE
    offset, count = struct.unpack_from(order + ("Q12xH" if wide else "I12xH"), content, 40 if wide else 32)
    table = struct.Struct(order + ("IIQQQQIIQQ" if wide else "10I"))
    sections = [table.unpack_from(content, offset + one * table.size) for one in range(count)]
    # Positions in a symbol: of its info, of its section; and its size.
    info_at, section_at, symbol = (4, 6, 24) if wide else (12, 14, 16)
    for _, kind, _, _, start, length, link, *_ in sections:
        if kind != _DYNSYM:
            continue
        for at in range(start, start + length, symbol):
            name = struct.unpack_from(order + "I", content, at)[0]
            section = struct.unpack_from(order + "H", content, at + section_at)[0]
            if section and content[at + info_at] >> 4:  # not local
                begin = sections[link][4] + name
                end = content.index(0, begin)
                yield content[begin:end].decode(), end - 1


def _of_wasm(content: bytes) -> Iterator[tuple[str, int]]:
    at = 8
    while at < len(content):
        section, (size, start) = content[at], _number(content, at + 1)
        if section == _EXPORTS:
            count, inside = _number(content, start)
            for _ in range(count):
                length, inside = _number(content, inside)
                end = inside + length
                yield content[inside:end].decode(), end - 1
                _, inside = _number(content, end + 1)
        at = start + size


def _number(content: bytes, at: int) -> tuple[int, int]:
    """A number in LEB128, and the position after it."""
    value = shift = 0
    while content[at] & 0x80:
        value |= (content[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | content[at] << shift, at + 1
