"""ELF's numbers by their names: gABI, chapter "Object Files", and its registry of machines."""

ET_REL, ET_EXEC, ET_DYN, ET_CORE = 1, 2, 3, 4

SHT_SYMTAB, SHT_RELA, SHT_NOBITS, SHT_REL, SHT_DYNSYM, SHT_GROUP, SHT_SYMTAB_SHNDX = 2, 4, 8, 9, 11, 17, 18
GRP_COMDAT = 0x1

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_GNU_RELRO = 1, 2, 3, 0x6474E552
PN_XNUM = 0xFFFF

DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ = 1, 4, 5, 6, 7, 8
DT_STRSZ, DT_SONAME, DT_RPATH, DT_TEXTREL, DT_BIND_NOW, DT_RUNPATH, DT_FLAGS = 10, 14, 15, 22, 24, 29, 30
DT_GNU_HASH, DT_VERSYM, DT_FLAGS_1 = 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFFB
DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
DF_TEXTREL, DF_BIND_NOW = 0x4, 0x8
DF_1_NOW, DF_1_PIE = 0x1, 0x08000000

EM_386, EM_X86_64, EM_AARCH64 = 3, 62, 183

MACHINES = {
    2: "sparc", EM_386: "i386", 4: "m68k", 8: "mips", 15: "parisc", 18: "sparc32plus", 20: "powerpc",
    21: "powerpc64", 22: "s390x", 40: "arm", 42: "superh", 43: "sparcv9", 50: "ia64", EM_X86_64: "x86_64",
    83: "avr", 94: "xtensa", 105: "msp430", 164: "hexagon", EM_AARCH64: "aarch64", 190: "cuda",
    224: "amdgpu", 243: "riscv", 247: "bpf", 252: "csky", 258: "loongarch",
}  # fmt: skip
