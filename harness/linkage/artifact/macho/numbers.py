"""Mach-O's numbers by their names: <mach-o/loader.h>, <mach-o/nlist.h>, <mach-o/fat.h>, <mach/machine.h>."""

MH_OBJECT, MH_EXECUTE, MH_CORE, MH_PRELOAD, MH_DYLIB, MH_BUNDLE, MH_DYLIB_STUB, MH_DSYM = (
    1, 2, 4, 5, 6, 8, 9, 10,
)  # fmt: skip
MH_DYLDLINK, MH_BINDATLOAD, MH_TWOLEVEL, MH_SUBSECTIONS_VIA_SYMBOLS = 0x4, 0x8, 0x80, 0x2000
MH_ALLOW_STACK_EXECUTION, MH_PIE, MH_HAS_TLV_DESCRIPTORS = 0x20000, 0x200000, 0x800000

LC_SEGMENT, LC_SYMTAB, LC_DYSYMTAB, LC_LOAD_DYLIB, LC_ID_DYLIB, LC_LOAD_DYLINKER = (
    0x1,
    0x2,
    0xB,
    0xC,
    0xD,
    0xE,
)
LC_ROUTINES, LC_SEGMENT_64, LC_ROUTINES_64, LC_UUID, LC_LAZY_LOAD_DYLIB = 0x11, 0x19, 0x1A, 0x1B, 0x20
LC_DYLD_INFO, LC_FUNCTION_STARTS, LC_LINKER_OPTION, LC_ENCRYPTION_INFO = 0x22, 0x26, 0x2D, 0x21
LC_ENCRYPTION_INFO_64 = 0x2C
LC_LOAD_WEAK_DYLIB, LC_RPATH, LC_REEXPORT_DYLIB, LC_DYLD_INFO_ONLY, LC_LOAD_UPWARD_DYLIB = (
    0x80000018, 0x8000001C, 0x8000001F, 0x80000022, 0x80000023,
)  # fmt: skip
DYLIB_USE_MARKER, DYLIB_USE_SIZE, DYLIB_USE_WEAK, DYLIB_USE_DELAYED = 0x1A741800, 28, 0x1, 0x8
LC_DYLD_EXPORTS_TRIE, LC_DYLD_CHAINED_FIXUPS = 0x80000033, 0x80000034

VM_PROT_WRITE = 0x2
SECTION_TYPE = 0xFF
S_ZEROFILL, S_CSTRING_LITERALS, S_4BYTE_LITERALS, S_8BYTE_LITERALS = 0x1, 0x2, 0x3, 0x4
S_NON_LAZY_SYMBOL_POINTERS, S_LAZY_SYMBOL_POINTERS, S_SYMBOL_STUBS = 0x6, 0x7, 0x8
S_MOD_INIT_FUNC_POINTERS, S_MOD_TERM_FUNC_POINTERS, S_GB_ZEROFILL, S_16BYTE_LITERALS = 0x9, 0xA, 0xC, 0xE
S_LAZY_DYLIB_SYMBOL_POINTERS = 0x10
S_THREAD_LOCAL_REGULAR, S_THREAD_LOCAL_ZEROFILL, S_THREAD_LOCAL_VARIABLES = 0x11, 0x12, 0x13
S_THREAD_LOCAL_VARIABLE_POINTERS = 0x14
S_INIT_FUNC_OFFSETS = 0x16
S_ATTR_PURE_INSTRUCTIONS, S_ATTR_DEBUG, S_ATTR_SOME_INSTRUCTIONS = 0x80000000, 0x02000000, 0x400
S_ATTR_EXT_RELOC, S_ATTR_LOC_RELOC = 0x200, 0x100

N_STAB, N_PEXT, N_TYPE, N_EXT = 0xE0, 0x10, 0x0E, 0x01
N_UNDF, N_ABS, N_INDR, N_PBUD, N_SECT = 0x0, 0x2, 0xA, 0xC, 0xE
N_WEAK_REF, N_WEAK_DEF, N_ALT_ENTRY = 0x40, 0x80, 0x200

INDIRECT_SYMBOL_LOCAL, INDIRECT_SYMBOL_ABS = 0x80000000, 0x40000000

CPU_TYPE_I386, CPU_TYPE_X86_64, CPU_TYPE_ARM, CPU_TYPE_ARM64, CPU_TYPE_ARM64_32 = (
    7, 0x01000007, 12, 0x0100000C, 0x0200000C,
)  # fmt: skip
CPU_SUBTYPE_MASK = 0xFF000000
"""The bits of a subtype that say what else the code needs, not which processor it is for."""

_MACHINES = {
    1: "vax", 6: "m68k", CPU_TYPE_I386: "i386", 10: "m98k", 11: "parisc", CPU_TYPE_ARM: "arm", 14: "sparc",
    18: "powerpc", CPU_TYPE_X86_64: "x86_64", CPU_TYPE_ARM64: "aarch64", CPU_TYPE_ARM64_32: "aarch64",
    0x01000012: "powerpc64",
}  # fmt: skip
_ARCHITECTURES = {
    CPU_TYPE_I386: "i386", CPU_TYPE_X86_64: "x86_64", CPU_TYPE_ARM: "arm", CPU_TYPE_ARM64: "arm64",
    CPU_TYPE_ARM64_32: "arm64_32", 6: "m68k", 10: "m98k", 11: "hppa", 14: "sparc", 18: "ppc",
    0x01000012: "ppc64",
}  # fmt: skip
_SUBTYPES = {
    (CPU_TYPE_X86_64, 8): "x86_64h", (CPU_TYPE_ARM64, 1): "arm64v8", (CPU_TYPE_ARM64, 2): "arm64e",
    (CPU_TYPE_ARM, 5): "armv4t", (CPU_TYPE_ARM, 6): "armv6", (CPU_TYPE_ARM, 7): "armv5e",
    (CPU_TYPE_ARM, 8): "xscale", (CPU_TYPE_ARM, 9): "armv7", (CPU_TYPE_ARM, 10): "armv7f",
    (CPU_TYPE_ARM, 11): "armv7s", (CPU_TYPE_ARM, 12): "armv7k", (CPU_TYPE_ARM, 13): "armv8",
    (CPU_TYPE_ARM, 14): "armv6m", (CPU_TYPE_ARM, 15): "armv7m", (CPU_TYPE_ARM, 16): "armv7em",
    (18, 9): "ppc750", (18, 10): "ppc7400", (18, 11): "ppc7450", (18, 100): "ppc970",
}  # fmt: skip
"""As arch(3) and `lipo -archs` name them."""


def machine_name(cpu_type: int) -> str:
    """A processor by its usual name, else its number."""
    return _MACHINES.get(cpu_type) or f"{cpu_type:#x}"


def architecture_name(cpu_type: int, subtype: int) -> str:
    """An architecture as Apple's tools name it: "arm64", "arm64e", "x86_64h"."""
    plain = subtype & ~CPU_SUBTYPE_MASK
    return _SUBTYPES.get((cpu_type, plain)) or _ARCHITECTURES.get(cpu_type) or f"{cpu_type:#x}.{plain}"
