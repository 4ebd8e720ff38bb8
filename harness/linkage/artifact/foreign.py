"""Formats that are recognised and not read, so that a message can name them.

Magics as in LLVM's `llvm/lib/BinaryFormat/Magic.cpp`; COFF objects have none: their header begins with the
machine (Microsoft's "PE Format", section "COFF File Header").
"""

import struct

_MAGICS = (
    (b"\xca\xfe\xba\xbe", "Java class"),  # a universal binary of Mach-O begins alike, but is read
    (b"\0asm", "WebAssembly component"),
    (b"\x01\xdf\0", "XCOFF"), (b"\x01\xf7\0", "XCOFF"), (b"<bigaf>\n", "AIX archive"),
    (b"\x03\xf0\0", "GOFF"),
    (b"\x03\x02\x23\x07", "SPIR-V"), (b"\x07\x23\x02\x03", "SPIR-V"), (b"DXBC", "DirectX container"),
    (b"\x10\xff\x10\xad", "LLVM offloading"), (b"CPCH", "Clang AST"),
    (b"Microsoft C/C++ MSF 7.00\r\n", "PDB"),
    (b"PK\x03\x04", "ZIP"), (b"\x1f\x8b", "gzip"), (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)  # fmt: skip
LINKABLE = {
    "WebAssembly component",
    "PE/COFF",
    "COFF",
    "XCOFF",
    "AIX archive",
    "GOFF",
}
"""Formats of what rustc hands to linkers, and of what they write."""
_COFF_MACHINES = {
    0x14C, 0x8664, 0x1C0, 0x1C4, 0xAA64, 0xA641, 0xA64E, 0x5032, 0x5064, 0x200,
}  # fmt: skip
_COFF_HEADER = struct.Struct("<HHIIIHH")  # machine, sections, time, symbols, their number, options, flags
_ANONYMOUS = b"\0\0\xff\xff"  # an import library's member, or an object with more sections than 16 bits count
_PE_OFFSET = 0x3C


def foreign_format(data: memoryview) -> str | None:
    """The name of the format of a file that no reader knows; None if it is not recognised."""
    beginning = bytes(data[:32])
    found = next((name for magic, name in _MAGICS if beginning.startswith(magic)), None)
    if found is not None:
        return found
    if beginning.startswith(b"MZ"):
        return "PE/COFF" if _is_pe(data) else "MS-DOS"
    return "COFF" if _is_coff(data) else None


def _is_pe(data: memoryview) -> bool:
    at = int.from_bytes(data[_PE_OFFSET : _PE_OFFSET + 4], "little")
    return bytes(data[at : at + 4]) == b"PE\0\0"


def _is_coff(data: memoryview) -> bool:
    if len(data) < _COFF_HEADER.size:
        return False
    if bytes(data[:4]) == _ANONYMOUS:
        return int.from_bytes(data[6:8], "little") in _COFF_MACHINES
    machine, _, _, symbols, count, options, _ = _COFF_HEADER.unpack(data[: _COFF_HEADER.size])
    return machine in _COFF_MACHINES and not options and symbols + 18 * count <= len(data)
