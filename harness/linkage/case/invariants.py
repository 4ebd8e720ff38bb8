"""Invariants: what holds of every step and of what it links or archives, without a claim. Pure data."""

from typing import Annotated, Literal

from pydantic import Field, StrictStr

InvariantName = Literal[
    "executable-stack",
    "text-relocations",
    "undefined",
    "symbol-versions",
    "rpath",
    "called-functions",
    "relro",
    "program-exports",
    "duplicates",
    "soname",
    "age",
    "files",
]

INVARIANTS: dict[InvariantName, str] = {
    "executable-stack": "its stack is not executable, nor does any of its objects ask for that",
    "text-relocations": "it has no text relocations",
    "undefined": "it has no undefined Rust symbol, unless it needs a library that may define it",
    "symbol-versions": "what it imports from glibc has a version",
    "rpath": "its run path is not DT_RPATH, which LD_LIBRARY_PATH cannot override",
    "called-functions": "the loader calls the functions in .init_array and .fini_array",
    "relro": "no relocation stays writable after it is loaded",
    "program-exports": "a program exports no Rust symbol",
    "duplicates": "no two members define the same symbol strongly",
    "soname": "the SONAME of a dylib is the name of its file",
    "age": "it is not older than the step that makes it",
    "files": "rustc writes its outputs, and no other file",
}
"""Each invariant, and what it says of a file; `files` is about a step."""

OF_LINKED_FILES: tuple[InvariantName, ...] = (
    "executable-stack",
    "text-relocations",
    "undefined",
    "symbol-versions",
    "rpath",
    "called-functions",
    "age",
)
OF_RUSTC: tuple[InvariantName, ...] = (*OF_LINKED_FILES, "relro")
OF_ARCHIVES: tuple[InvariantName, ...] = ("duplicates", "executable-stack", "age")
OF_KIND: dict[str, tuple[InvariantName, ...]] = {
    "bin": (*OF_RUSTC, "program-exports"),
    "cdylib": OF_RUSTC,
    "proc-macro": OF_RUSTC,
    "shared": OF_LINKED_FILES,
    "dylib": (*OF_RUSTC, "soname"),
    "staticlib": OF_ARCHIVES,
    "rlib": OF_ARCHIVES,
}
"""The invariants of an output, by the kind in its role; the C compiler's have those of `shared`."""

OF_STEP: tuple[InvariantName, ...] = ("files",)
"""The invariants of a rustc or `link-only` step itself."""

LiftedInvariants = dict[InvariantName, Annotated[StrictStr, Field(min_length=1)]]
"""Invariants that a case does not keep, each with the reason."""
