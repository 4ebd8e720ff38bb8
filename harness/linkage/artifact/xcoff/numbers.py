"""XCOFF's numbers by their names: "XCOFF Object File Format", and LLVM's `llvm/BinaryFormat/XCOFF.h`."""

F_EXEC, F_SHROBJ = 0x0002, 0x2000

STYP_TEXT, STYP_DATA, STYP_BSS, STYP_INFO, STYP_TDATA, STYP_TBSS, STYP_LOADER, STYP_OVRFLO = (
    0x20, 0x40, 0x80, 0x200, 0x400, 0x800, 0x1000, 0x8000,
)  # fmt: skip

N_ABS, N_DEBUG = -1, -2  # of a symbol's section number

C_EXT, C_STAT, C_FILE, C_HIDEXT, C_INFO, C_WEAKEXT, C_DWARF = 2, 3, 103, 107, 110, 111, 112

XTY_ER, XTY_SD, XTY_LD, XTY_CM = range(4)
XMC_PR, XMC_TC, XMC_GL, XMC_XO, XMC_SV, XMC_DS = 0, 3, 6, 7, 8, 10
XMC_TC0, XMC_SV64, XMC_SV3264, XMC_TL, XMC_UL, XMC_TE = 15, 17, 18, 20, 21, 22

AUX_FCN = 254

L_WEAK, L_EXPORT, L_IMPORT = 0x08, 0x10, 0x40  # of a loader symbol's type
