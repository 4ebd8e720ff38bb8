"""Mach-O files written byte by byte: what no tool here writes, or nobody should."""

import struct
from collections.abc import Sequence

X86_64, ARM64 = 0x01000007, 0x0100000C
OBJECT, EXECUTE, DYLIB = 1, 2, 6
DYLDLINK, TWOLEVEL = 0x4, 0x80
_ALIGNMENT = 8


def command(number: int, content: bytes = b"") -> bytes:
    """A load command, padded."""
    size = 8 + len(content) + -len(content) % _ALIGNMENT
    return struct.pack("<II", number, size) + content.ljust(size - 8, b"\0")


def named(number: int, name: bytes, at: int = 24) -> bytes:
    """A load command with a name at an offset."""
    return command(number, struct.pack("<I", at) + bytes(at - 12) + name + b"\0")


def section(
    name: bytes, segment: bytes, *, flags: int = 0, size: int = 0, offset: int = 0, address: int = 0
) -> bytes:
    return struct.pack("<16s16sQQ8I", name, segment, address, size, offset, 0, 0, 0, flags, 0, 0, 0)


def segment(
    name: bytes, *sections: bytes, address: int = 0, size: int = 0x1000, protection: int = 5
) -> bytes:
    fields = struct.pack("<16sQQQQIIII", name, address, size, 0, size, 7, protection, len(sections), 0)
    return command(0x19, fields + b"".join(sections))


def nlist(name: int, kind: int, number: int = 0, description: int = 0, value: int = 0) -> bytes:
    return struct.pack("<IBBHQ", name, kind, number, description, value)


def macho(
    *commands: bytes,
    kind: int = OBJECT,
    flags: int = 0,
    cpu: int = X86_64,
    symbols: Sequence[bytes] = (),
    names: bytes = b"\0",
    tail: bytes = b"",
    tail_command: int = 0,
) -> bytes:
    """A 64-bit file: its load commands, LC_SYMTAB if there are `symbols`, and `tail`.

    `tail_command` is a command that refers to `tail` (`linkedit_data_command`).
    """
    listed = list(commands)
    start = 32 + sum(map(len, listed)) + (24 if symbols else 0) + (16 if tail_command else 0)
    table = b"".join(symbols)
    if symbols:
        listed.append(command(2, struct.pack("<IIII", start, len(symbols), start + len(table), len(names))))
    content = table + names if symbols else b""
    if tail_command:
        listed.append(command(tail_command, struct.pack("<II", start + len(content), len(tail))))
    header = struct.pack("<8I", 0xFEEDFACF, cpu, 3, kind, len(listed), sum(map(len, listed)), flags, 0)
    return header + b"".join(listed) + content + tail
