"""The claims that no fault, compiler or variant makes fail, each with the reason why it is kept."""

from collections.abc import Mapping

GreenClaim = tuple[str, str, str]
"""A case below `cases/`, the id of a step, and the claim as in failures."""

_UNTIL_141706 = "rust-lang/rust#141706 makes every compiler stop before it: it is for the one that fixes that"
_ONE_BASE = "for a compiler that imports what it should link statically (only likely faults were tried)"
_NOT_TAKEN_IN = "for LTO that includes code of another dylib (only likely faults were tried)"
_NO_METADATA = "for a compiler that treats a cdylib as a dylib (only likely faults were tried)"

ALWAYS_GREEN: Mapping[GreenClaim, str] = {
    ("separate-link/rmeta-only.yaml", "run", "stdout"): _UNTIL_141706,
    ("separate-link/rmeta-only.yaml", "run-2", "stdout"): _UNTIL_141706,
    ("dylib-lto/users.yaml", "shared", "shared.dylib.imports.none"): _ONE_BASE,
    ("dylib-lto/users.yaml", "shared", "shared.dylib.references"): _NOT_TAKEN_IN,
    ("dylib-lto/users.yaml", "over", "over.dylib.imports.all"): _NOT_TAKEN_IN,
    ("mixed-crate-types/plain.yaml", "mixed", "mixed.cdylib.metadata"): _NO_METADATA,
}
