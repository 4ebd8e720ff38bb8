"""Claims about a table that a role's format does not have: they could only be errors when they are judged."""

from collections.abc import Iterator

from linkage.case.claims import ArtifactClaims
from linkage.case.document import KeyPath

_LINKED = {
    "exports": "dynamic symbols", "imports": "dynamic symbols", "needed": "dynamic section",
    "soname": "dynamic section", "runpath": "dynamic section", "symbol-versions": "dynamic section",
    "bind-now": "dynamic section", "text-relocations": "dynamic section", "interpreter": "program headers",
    "build-id": "program headers", "pie": "program headers", "relro": "program headers",
    "exports-differ": "dynamic symbols",
}  # fmt: skip
"""What only linked files have, by claim."""
_OBJECTS = dict.fromkeys(
    ("gnu-properties", "executable-stack", "tls", "init-array", "fini-array"), "headers of an object file"
)
_ARCHIVES = dict.fromkeys(
    ("duplicates", "members", "crates", "index", "thin", "each-member"), "members"
)  # fmt: skip
_SECTIONS = {"sections": "sections", "section": "sections", "references": "code"}
_SYMBOLS = dict.fromkeys(
    (
        "defines", "undefined", "unresolved", "weak", "local", "global", "hidden", "absolute", "symbols",
        "resolved",
    ),
    "symbol table",
)  # fmt: skip
_TEXTS = {"text": "text"}

_LACKING = {
    "an archive": {**_LINKED, **_OBJECTS, **_TEXTS},
    "a linked file": {**_ARCHIVES, **_TEXTS},
    "an object file": {**_LINKED, **_ARCHIVES, **_TEXTS},
    "rustc metadata": {**_LINKED, **_ARCHIVES, **_TEXTS},  # it may be in an object file
    "LLVM bitcode": {**_LINKED, **_OBJECTS, **_ARCHIVES, **_SECTIONS, **_TEXTS},
    "a text file": {**_LINKED, **_OBJECTS, **_ARCHIVES, **_SECTIONS, **_SYMBOLS},
}
"""What a format does not have, by claim."""
_FORMATS = {
    **dict.fromkeys(("rlib", "staticlib"), "an archive"),
    **dict.fromkeys(("dylib-import", "cdylib-import", "proc-macro-import", "sdylib-import"), "an archive"),
    **dict.fromkeys(("dylib", "cdylib", "proc-macro", "bin", "shared", "sdylib"), "a linked file"),
    **dict.fromkeys(("asm", "llvm-ir", "mir", "dep-info"), "a text file"),
    **dict.fromkeys(("llvm-bc", "thin-link-bitcode"), "LLVM bitcode"),
    "obj": "an object file", "rmeta": "rustc metadata",
}  # fmt: skip
"""What is at a role, by the role's kind, on every target."""
_INSTEAD = {"exports": "global", "imports": "undefined"}


def unjudgeable(role: str, claims: ArtifactClaims) -> Iterator[tuple[str, KeyPath, str]]:
    """Claims about a role that its format does not allow: what is wrong, where in the claims, and why.

    None if they say that the file has another format.
    """
    format_ = _FORMATS.get(role.rpartition(".")[2])
    if format_ is None or claims.format is not None:
        return
    lacking = _LACKING[format_]
    for key, path in _claimed(claims):
        if key in lacking:
            instead = _INSTEAD.get(key) if path == (key,) and "defines" not in lacking else None
            help = f"; `{instead}` is about the symbol table" if instead else ""
            what = f"`{path[0]}` does not apply to `{role}`, which is {format_}"
            yield what, path, f"it has no {lacking[key]}{help}"


def _claimed(claims: ArtifactClaims) -> Iterator[tuple[str, KeyPath]]:
    """Keys of claims with their places; a claim that names a table, as the key that is about this table."""
    for name in sorted(claims.model_fields_set - {"symbols"}):
        key = type(claims).model_fields[name].alias or name
        yield key, (key,)
    for index, one in enumerate(claims.symbols):
        yield (
            ("exports", ("symbols", index, "table")) if one.table == "dynamic" else ("symbols", ("symbols",))
        )
    for key, listed in (("same-as", claims.same_as), ("differs-from", claims.differs_from)):
        for index, reference in enumerate(listed):
            yield reference.compare, (key, index, "compare")
