"""Formats that are recognised and not read, so that a message can name them.

Magics as in LLVM's `llvm/lib/BinaryFormat/Magic.cpp`.
"""

_MAGICS = (
    (b"\xca\xfe\xba\xbe", "Java class"),  # a universal binary of Mach-O begins alike, but is read
    (b"\0asm", "WebAssembly component"),
    (b"<aiaff>\n", "AIX small archive"),
    (b"\x03\xf0\0", "GOFF"),
    (b"\x03\x02\x23\x07", "SPIR-V"), (b"\x07\x23\x02\x03", "SPIR-V"), (b"DXBC", "DirectX container"),
    (b"\x10\xff\x10\xad", "LLVM offloading"), (b"CPCH", "Clang AST"),
    (b"Microsoft C/C++ MSF 7.00\r\n", "PDB"),
    (b"PK\x03\x04", "ZIP"), (b"\x1f\x8b", "gzip"), (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"), (b"MZ", "MS-DOS"),
)  # fmt: skip
LINKABLE = {
    "WebAssembly component",
    "AIX small archive",
    "GOFF",
}
"""Formats of what rustc hands to linkers, and of what they write."""


def foreign_format(data: memoryview) -> str | None:
    """The name of the format of a file that no reader knows; None if it is not recognised."""
    beginning = bytes(data[:32])
    return next((name for magic, name in _MAGICS if beginning.startswith(magic)), None)
