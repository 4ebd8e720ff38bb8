"""Faults for targets other than the host, a set for each object format; files keep their lengths."""

import re
from collections.abc import Callable, Mapping

from mutants.faults.call import Call
from mutants.faults.export_tables import exported
from mutants.faults.fault import CompilerOutputs, Fault
from mutants.faults.sources import changed_source, has_source

_FORMATS: Mapping[str, tuple[str, str]] = {
    "pe": ("PE", r"-windows-"),
    "macho": ("Mach-O", r"-apple-"),
    "wasm": ("WebAssembly", r"^wasm"),
    "elf": ("ELF of another architecture", r"^(s390x|i686|aarch64|riscv64\w*)-unknown-linux"),
}
_LIBRARIES = (".dll", ".dylib", ".wasm", ".so")
_SHIM = re.compile(rb"(?<=__)rust_(?=(alloc|dealloc|realloc|alloc_zeroed)\b)")
_FUNCTION = re.compile(r'#\[no_mangle\]\s*pub extern "C" fn \w+\([^)]*\)[^{]*\{')
_LINKS = {
    "pe": '#[link(name = "more", kind = "raw-dylib")] ',
    "wasm": '#[link(wasm_import_module = "more")] ',
}
"""What makes an import of it on the formats whose linkers refuse undefined symbols."""


def _for(pattern: str, *kinds: str) -> Callable[[Call], bool]:
    return lambda call: call.makes(*kinds) and bool(re.search(pattern, call.value("--target") or ""))


def _is_loaded(call: Call) -> bool:
    """Whether other crates of the case load it: they would not compile."""
    return (call.source or "").startswith("mini-core/") or call.crate == "dep"


def _export_lost(made: CompilerOutputs) -> None:
    """Another last letter for the first exported name that is not Rust's."""
    for file in made.named(*_LIBRARIES):
        content = bytearray(file.read_bytes())
        found = [at for name, at in exported(bytes(content)) if re.match(r"(?!_|memory$|rust_)\w+$", name)]
        for at in found[:1]:
            content[at] = ord("~")
        file.write_bytes(content)


def _shim_lost(made: CompilerOutputs) -> None:
    """What defines the shim has other names: its member of an archive, and the whole of a linked file."""
    for file in made.named(".a", ".lib", *_LIBRARIES):
        content = file.read_bytes()
        file.write_bytes(_without_shim(content))


def _without_shim(content: bytes) -> bytes:
    if not content.startswith(b"!<arch>\n"):
        return _SHIM.sub(b"lost_", content)
    changed, at = bytearray(content), 8
    while at + 60 <= len(content):
        end = at + 60 + int(content[at + 48 : at + 58])
        member = content[at + 60 : end]
        # The shim alone refers to both what it defines and the default allocator's functions.
        if b"___rust_alloc_zeroed" in member and b"___rdl_alloc_zeroed" in member:
            changed[at + 60 : end] = _SHIM.sub(b"lost_", member)
        at = end + end % 2
    return bytes(changed)


def _metadata_lost(made: CompilerOutputs) -> None:
    """Another name for the section of the metadata: that of a dylib, and that of an rlib's first member."""
    for file in made.named(".rlib", *_LIBRARIES):
        content = file.read_bytes()
        # Not that of the member, which is `lib.rmeta`.
        content = re.sub(rb"(?<!lib)\.rmeta", b".lmeta", content)
        file.write_bytes(re.sub(rb"\.rustc(?=\0)", b".lustc", content))


def _import_more(link: str) -> Callable[[str], str]:
    """The first C function calls one of another library."""

    def change(text: str) -> str:
        changed = _FUNCTION.sub(lambda found: f"{found[0]} unsafe {{ linkage_more() }};", text, count=1)
        return text if changed == text else f'{changed}\n{link}extern "C" {{ fn linkage_more(); }}\n'

    return change


def _faults(name: str, format_: str, pattern: str) -> list[Fault]:
    links = _for(pattern, "cdylib")
    keeps = _for(pattern, "rlib", "dylib")
    return [
        Fault(
            f"{name}-export-lost",
            f"{format_}: a `#[no_mangle]` function of a shared library is exported under another name",
            _for(pattern, "cdylib", "dylib"),
            ("exports", "exports.all", "exports.only"),
            outputs=_export_lost,
        ),
        Fault(
            f"{name}-shim-lost",
            f"{format_}: rust-lang/rust#145962: a staticlib or a dylib lacks the allocator shim",
            _for(pattern, "staticlib", "dylib"),
            ("global", "unresolved", "exports", "exports.all"),
            outputs=_shim_lost,
        ),
        Fault(
            f"{name}-import-more",
            f"{format_}: a cdylib imports a function that its crate does not declare",
            lambda call: links(call) and has_source(call),
            ("imports", "needed", "imports.only"),
            argv=changed_source(_import_more(_LINKS.get(name, ""))),
        ),
        Fault(
            f"{name}-metadata-lost",
            f"{format_}: rust-lang/rust#141769: an rlib or a dylib without its metadata",
            lambda call: keeps(call) and not _is_loaded(call),
            ("metadata",),
            outputs=_metadata_lost,
        ),
    ]


FAULTS = tuple(
    one for name, (format_, pattern) in _FORMATS.items() for one in _faults(name, format_, pattern)
)
