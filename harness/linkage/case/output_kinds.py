"""What rustc writes: crate types and emitted files, and the kinds of roles that these have."""

from enum import StrEnum


class CrateType(StrEnum):
    """rustc's crate types, as `--crate-type` spells them."""

    BIN = "bin"
    LIB = "lib"
    RLIB = "rlib"
    DYLIB = "dylib"
    CDYLIB = "cdylib"
    STATICLIB = "staticlib"
    PROC_MACRO = "proc-macro"
    SDYLIB = "sdylib"


EMIT_KINDS = {
    "asm": "asm", "llvm-bc": "llvm-bc", "llvm-ir": "llvm-ir", "obj": "obj", "metadata": "rmeta", "mir": "mir",
    "dep-info": "dep-info", "thin-link-bitcode": "thin-link-bitcode",
}  # fmt: skip
"""rustc's emit kinds (except `link`) and the roles of their files."""


LINK_KINDS = frozenset(kind.value for kind in CrateType) - {"lib"}
SIDE_KINDS = {
    **{kind: (f"{kind}-import", f"{kind}-pdb") for kind in ("dylib", "cdylib", "proc-macro", "sdylib")},
    "bin": ("bin-pdb",),
}
"""What some linkers write beside an output: the import library and the debug database."""
SIDES = frozenset(side for sides in SIDE_KINDS.values() for side in sides)
ROLE_KINDS = LINK_KINDS | SIDES | set(EMIT_KINDS.values()) | {"rlink", "shared"}
