"""What claims mean in each object format: what has no counterpart, and the commands that show a table. Pure.

What a format lacks is an error that says so: `relro: none` of a PE file would be a pass of which nothing
was seen. A new format is a row in `NAMES` and, if its tools are not readelf, in `_TOOLS`.
"""

from collections.abc import Mapping

NAMES: Mapping[str, str] = {
    "elf": "an ELF file", "coff": "a COFF file", "pe": "a PE file", "macho": "a Mach-O file",
    "wasm": "a WebAssembly file", "xcoff": "an XCOFF file",
}  # fmt: skip
"""Each kind of object file, as messages call it."""

_ELF = frozenset({"elf"})
_ONLY: Mapping[str, frozenset[str]] = {
    "symbol-versions": _ELF, "gnu-properties": _ELF, "relro": _ELF, "bind-now": _ELF,
    "text-relocations": _ELF,
    "runpath": _ELF | {"macho", "xcoff"},
    "needed.optional": frozenset({"pe", "macho"}),
    "interpreter": _ELF | {"macho"},
    "soname": _ELF | {"pe", "macho"},
    "build-id": _ELF | {"pe", "macho"},
    "pie": _ELF | {"pe", "macho"},
    "executable-stack": _ELF | {"pe", "macho"},
    "init-array": _ELF | {"macho", "wasm"},
    "fini-array": _ELF | {"macho"},
}  # fmt: skip
"""Claims that only some formats have a counterpart of; all others are the same for each."""

_READOBJ: Mapping[str, str] = {
    "readelf -sW": "llvm-readobj --symbols", "readelf --dyn-syms -W": "llvm-readobj --dyn-symbols",
    "readelf -dW": "llvm-readobj --needed-libs", "readelf -SW": "llvm-readobj --sections",
    "readelf -hlW": "llvm-readobj --file-headers", "readelf -nW": "llvm-readobj --file-headers",
    "readelf -p": "llvm-readobj --string-dump", "objdump -dr": "llvm-objdump -dr", "nm -s": "llvm-nm -M",
    "ar t": "llvm-ar t", "ar p": "llvm-ar p", "ar xN": "llvm-ar xN",
}  # fmt: skip
_EXPORTS, _LOADER, _HEADERS, _NOTES = (
    "readelf --dyn-syms -W", "readelf -dW", "readelf -hlW", "readelf -nW",
)  # fmt: skip
_COFF_TABLES = "llvm-readobj --coff-exports --coff-imports"
_TOOLS: Mapping[str, Mapping[str, str]] = {
    "coff": {**_READOBJ, _EXPORTS: _COFF_TABLES},
    "pe": {
        **_READOBJ, _EXPORTS: _COFF_TABLES, _LOADER: _COFF_TABLES,
        _NOTES: "llvm-readobj --coff-debug-directory",
    },
    "macho": {
        **_READOBJ,
        _EXPORTS: "llvm-objdump --macho --exports-trie --bind --chained-fixups",
        _LOADER: "llvm-objdump --macho --dylibs-used --dylib-id --rpaths",
        **dict.fromkeys((_HEADERS, _NOTES), "llvm-objdump --macho --private-headers"),
    },
    "wasm": {**_READOBJ, **dict.fromkeys((_EXPORTS, _LOADER, _HEADERS), "wasm-objdump -x")},
    "xcoff": _READOBJ,
}  # fmt: skip
"""The commands that show the same of other formats, by those for ELF."""


_MISSING: Mapping[str, str] = {
    "no dynamic symbol table: the file is linked statically": "no exports and no imports",
    "no dynamic section": "nothing for the loader",
}
"""What is missing if there is nothing to judge, in the words of formats other than ELF."""


def missing_in(missing: str, kind: str) -> str:
    """What is missing, said of a file of this kind; `missing` is said of an ELF file."""
    return missing if kind == "elf" else _MISSING.get(missing, missing)


def no_counterpart(key: str, kind: str) -> str | None:
    """Why a claim cannot be judged of an object file of this kind; None if it can."""
    if kind not in NAMES or kind in _ONLY.get(key, NAMES):
        return None
    return f"{key} has no counterpart in {NAMES[kind]}"


def command_for(look: str, kind: str) -> str:
    """The command that shows a table of a file of this kind; `look` is the one for ELF files."""
    for ours, other in _TOOLS.get(kind, {}).items():
        look = look.replace(ours, other)
    return look
