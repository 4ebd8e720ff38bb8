"""The claims that no fault, no compiler and no variation of the matrix turns red, each with why it stays."""

from collections.abc import Mapping

GreenClaim = tuple[str, str, str]
"""A case below `cases/`, a step's id, and the claim as failures name it."""

_UNTIL_141706 = "rust-lang/rust#141706 ends every compiler before it: it is for the one that mends that"
_ONE_BASE = "for a compiler that imports what it should have linked in (only the likely faults were tried)"
_NOT_TAKEN_IN = "for LTO that takes in what another dylib defines (only the likely faults were tried)"
_NO_METADATA = "for a compiler that takes a cdylib for a dylib (only the likely faults were tried)"

ALWAYS_GREEN: Mapping[GreenClaim, str] = {
    ("separate-link/rmeta-only.yaml", "run", "stdout"): _UNTIL_141706,
    ("separate-link/rmeta-only.yaml", "run-2", "stdout"): _UNTIL_141706,
    ("dylib-lto/users.yaml", "shared", "shared.dylib.imports.none"): _ONE_BASE,
    ("dylib-lto/users.yaml", "shared", "shared.dylib.references"): _NOT_TAKEN_IN,
    ("dylib-lto/users.yaml", "over", "over.dylib.imports.all"): _NOT_TAKEN_IN,
    ("mixed-crate-types/plain.yaml", "mixed", "mixed.cdylib.metadata"): _NO_METADATA,
}
