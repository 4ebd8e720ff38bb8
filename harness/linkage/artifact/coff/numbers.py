"""The numbers of COFF and PE that are used here.

Format: Microsoft's "PE Format"; winnt.h; LLVM's `llvm/BinaryFormat/COFF.h`, which names them alike.
"""

MACHINES = {
    0x14C: "i386", 0x8664: "x86_64", 0xAA64: "aarch64", 0xA641: "arm64ec", 0xA64E: "arm64x",
    0x1C0: "arm", 0x1C2: "arm", 0x1C4: "arm", 0x200: "ia64", 0xEBC: "efi-bytecode",
    0x5032: "riscv32", 0x5064: "riscv64", 0x6232: "loongarch32", 0x6264: "loongarch64",
    0x166: "mips", 0x1F0: "powerpc",
}  # fmt: skip
"""A machine's name in the facts, by its number (IMAGE_FILE_MACHINE_*)."""
I386, AMD64, ARM64EC, ARM64X = 0x14C, 0x8664, 0xA641, 0xA64E

# Characteristics of a file.
FILE_EXECUTABLE, FILE_DLL = 0x0002, 0x2000

# Characteristics of sections.
SCN_CODE, SCN_INITIALIZED, SCN_UNINITIALIZED = 0x20, 0x40, 0x80
SCN_INFO, SCN_REMOVE, SCN_COMDAT = 0x200, 0x800, 0x1000
SCN_MORE_RELOCATIONS = 0x01000000
SCN_DISCARDABLE, SCN_EXECUTE, SCN_WRITE = 0x02000000, 0x20000000, 0x80000000

# Storage classes of symbols.
CLASS_EXTERNAL, CLASS_STATIC, CLASS_EXTERNAL_DEFINITION = 2, 3, 5
CLASS_FILE, CLASS_SECTION, CLASS_WEAK_EXTERNAL = 103, 104, 105

# What a linker does with copies of a COMDAT section.
SELECT_NO_DUPLICATES, SELECT_ASSOCIATIVE = 1, 5

WEAK_ANTI_DEPENDENCY = 4  # of a weak external: an alias that must not be followed to another weak external

# Types and name types of an import library's members.
IMPORT_DATA = 1
NAME_ORDINAL, NAME_NO_PREFIX, NAME_UNDECORATED, NAME_EXPORT_AS = 0, 2, 3, 4

# Directories of an image.
DIRECTORY_EXPORT, DIRECTORY_IMPORT, DIRECTORY_EXCEPTION, DIRECTORY_DEBUG = 0, 1, 3, 6
DIRECTORY_TLS, DIRECTORY_DELAY_IMPORT = 9, 13

# What an image allows the system (DllCharacteristics).
DLL_DYNAMIC_BASE, DLL_NX_COMPATIBLE = 0x40, 0x100

DEBUG_CODEVIEW = 2
