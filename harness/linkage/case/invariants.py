"""Invariants: what holds of every file that a case's steps link or archive, without a claim. Pure data."""

from typing import Annotated, Literal

from pydantic import Field, StrictStr

InvariantName = Literal["executable-stack", "text-relocations", "undefined", "duplicates", "soname"]

INVARIANTS: dict[InvariantName, str] = {
    "executable-stack": "its stack is not executable",
    "text-relocations": "it has no text relocations",
    "undefined": "it has no undefined Rust symbol, unless it needs a library that may define it",
    "duplicates": "no two members define the same symbol strongly",
    "soname": "the SONAME of a dylib is the name of its file",
}
"""Each invariant, and what it says of a file."""

OF_LINKED_FILES: tuple[InvariantName, ...] = ("executable-stack", "text-relocations", "undefined")
OF_KIND: dict[str, tuple[InvariantName, ...]] = {
    "bin": OF_LINKED_FILES,
    "cdylib": OF_LINKED_FILES,
    "proc-macro": OF_LINKED_FILES,
    "shared": OF_LINKED_FILES,
    "dylib": (*OF_LINKED_FILES, "soname"),
    "staticlib": ("duplicates",),
    "rlib": ("duplicates",),
}
"""The invariants of an output, by the kind in its role."""

LiftedInvariants = dict[InvariantName, Annotated[StrictStr, Field(min_length=1)]]
"""Invariants that a case does not keep, each with the reason."""
