"""The claims that no fault, no compiler and no variation of the matrix turns red, each with why it stays."""

from collections.abc import Mapping

Unbroken = tuple[str, str, str]
"""A case below `cases/`, a step's id, and the claim as failures name it."""

_UNTIL_141706 = "rust-lang/rust#141706 ends every compiler before it: it is for the one that mends that"

UNBROKEN: Mapping[Unbroken, str] = {
    ("separate-link/rmeta-only.yaml", "run", "stdout"): _UNTIL_141706,
    ("separate-link/rmeta-only.yaml", "run-2", "stdout"): _UNTIL_141706,
}
