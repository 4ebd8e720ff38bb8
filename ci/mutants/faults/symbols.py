"""Faults in the symbol tables of the outputs."""

import contextlib
import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from mutants.faults import ar, elf
from mutants.faults.call import Call
from mutants.faults.elf import FUNCTION, WEAK, EditableElf, SymbolEntry
from mutants.faults.fault import CompilerOutputs, Fault

Edit = Callable[[EditableElf, SymbolEntry], None]
_NOT_OF_THE_CRATE = re.compile(r"^(_|rust_)|^main$")
_OWN_MEMBER = "{crate}.*.rcgu.o"


def _dynamic(
    wanted: Callable[[str], object], edit: Edit, *, all_: bool = False, table: str = ".dynsym"
) -> Callable[[CompilerOutputs], None]:
    """Change the exported symbols with such names, or the first of them."""

    def change(content: EditableElf) -> None:
        found = [
            one
            for one in content.symbols(table)
            if (one.is_exported or table != ".dynsym") and one.section and wanted(one.name)
        ]
        for symbol in found if all_ else found[:1]:
            edit(content, symbol)

    def outputs(made: CompilerOutputs) -> None:
        for file in made.elf():
            elf.change(file, change)

    return outputs


def _of_the_crate(name: str) -> bool:
    return bool(name) and not _NOT_OF_THE_CRATE.match(name)


def _static(suffix: str, edit: Edit, member: str = _OWN_MEMBER) -> Callable[[CompilerOutputs], None]:
    """Change the functions with unmangled names in some members of an archive, by default the crate's own."""

    def changed(one: ar.ArchiveEntry, crate: str) -> ar.ArchiveEntry:
        if not fnmatchcase(one.name, member.format(crate=crate)):
            return one
        try:
            content = EditableElf(one.content)
        except ValueError:
            return one  # bitcode
        for symbol in content.symbols(".symtab"):
            plain = symbol.section and symbol.binding != elf.LOCAL and symbol.info & 15 == FUNCTION
            if plain and _of_the_crate(symbol.name):
                edit(content, symbol)
        return one.holding(bytes(content.bytes))

    def outputs(made: CompilerOutputs) -> None:
        for file in made.named(suffix):
            ar.change_of_crate(file, lambda held, crate: [changed(one, crate) for one in held])

    return outputs


def _in_objects(edit: Edit) -> Callable[[CompilerOutputs], None]:
    """Change the functions with plain names of object files."""

    def change(content: EditableElf) -> None:
        for symbol in content.symbols(".symtab"):
            if symbol.section and symbol.binding != elf.LOCAL and _of_the_crate(symbol.name):
                edit(content, symbol)

    def outputs(made: CompilerOutputs) -> None:
        for file in made.named(".o"):
            with contextlib.suppress(ValueError):  # bitcode
                elf.change(file, change)

    return outputs


def _weak(content: EditableElf, symbol: SymbolEntry) -> None:
    content.bind(symbol, WEAK)


def _renamed(*patterns: str) -> Callable[[CompilerOutputs], None]:
    """Give the symbols that fit another name, wherever an archive's members define or use them."""

    def outputs(made: CompilerOutputs) -> None:
        for file in made.named(".a", ".rlib"):
            ar.change(file, lambda held: [_renamed_in(one, patterns) for one in held])

    return outputs


def _renamed_in(
    member: ar.ArchiveEntry, patterns: Sequence[str], names: Callable[[bytes], list[str]] = elf.defined
) -> ar.ArchiveEntry:
    fitting = [name for name in names(member.content) if any(re.search(one, name) for one in patterns)]
    if not fitting:
        return member
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "member.o"
        place.write_bytes(member.content)
        words = [word for name in fitting for word in ("--redefine-sym", f"{name}={name}_lost")]
        subprocess.run(["objcopy", *words, str(place)], check=True)
        return member.holding(place.read_bytes())


def _internalised(made: CompilerOutputs) -> None:
    def change(member: ar.ArchiveEntry) -> ar.ArchiveEntry:
        if not elf.defined(member.content):
            return member
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "member.o"
            place.write_bytes(member.content)
            subprocess.run(["objcopy", "-w", "-L", "_R*", "-L", "_ZN*", str(place)], check=True)
            return member.holding(place.read_bytes())

    for file in made.named(".a"):
        ar.change(file, lambda held: [change(one) for one in held])


_MARKER = r"__rust_no_alloc_shim_is_unstable(_v2)?$"


def _marker_lost(made: CompilerOutputs) -> None:
    """Renamed in archives, undefined in what is linked."""
    _renamed(_MARKER)(made)
    for file in made.named(".rlib"):
        ar.change(file, lambda held: [_renamed_in(one, [_MARKER], elf.undefined) for one in held])
    _dynamic(lambda name: re.search(_MARKER, name), EditableElf.undefine, all_=True, table=".symtab")(made)


_LIBRARY = ("staticlib",)
_SHARED = ("cdylib", "dylib")


def _shared(call: Call) -> bool:
    return call.makes(*_SHARED)


def _dylib(call: Call) -> bool:
    return call.makes("dylib", "proc-macro") and "cdylib" not in call.crate_types


def _archive(call: Call) -> bool:
    return call.makes(*_LIBRARY)


FAULTS = (
    Fault(
        "export-lost",
        "a `#[no_mangle]` function of a shared library is not exported",
        _shared,
        ("exports.all", "exports.only", "exit"),
        outputs=_dynamic(_of_the_crate, EditableElf.undefine),
    ),
    Fault(
        "export-hidden",
        "a `#[no_mangle]` function of a shared library is hidden",
        _shared,
        ("exports.all", "exports.only", "exit"),
        outputs=_dynamic(_of_the_crate, EditableElf.hide),
    ),
    Fault(
        "generic-export-lost",
        "rust-lang/rust#145055: a Rust symbol of a dylib is not exported",
        _dylib,
        ("exports", "exit"),
        outputs=_dynamic(lambda name: re.match("_R|_ZN", name), EditableElf.undefine, all_=True),
    ),
    Fault(
        "metadata-symbol-lost",
        "rust-lang/rust#141769: the metadata symbol of a dylib is dropped",
        _dylib,
        ("exports.all", "exports.only", "symbols"),
        outputs=_dynamic(lambda name: name.startswith("rust_metadata_"), EditableElf.undefine),
    ),
    Fault(
        "shim-export-lost",
        "a dylib does not export its allocator shim",
        _dylib,
        ("exports",),
        outputs=_dynamic(
            lambda name: re.search(r"__rust_(alloc|dealloc|realloc|alloc_zeroed)$", name),
            EditableElf.undefine,
            all_=True,
        ),
    ),
    Fault(
        "personality-lost",
        "a dylib with std does not export the personality function",
        _dylib,
        ("exports",),
        outputs=_dynamic(lambda name: name == "rust_eh_personality", EditableElf.undefine),
    ),
    Fault(
        "proc-macro-decls-lost",
        "rust-lang/rust#145055: a proc macro does not export its declarations",
        lambda call: call.makes("proc-macro"),
        ("exports", "exit"),
        outputs=_dynamic(lambda name: name.startswith("__rustc_proc_macro_decls"), EditableElf.undefine),
    ),
    Fault(
        "static-symbol-lost",
        "a function of a staticlib is undefined in it",
        _archive,
        ("defines", "exit"),
        outputs=_static(".a", EditableElf.undefine),
    ),
    Fault(
        "static-symbol-hidden",
        "a function of a staticlib is hidden",
        _archive,
        ("hidden", "global", "symbols"),
        outputs=_static(".a", EditableElf.hide),
    ),
    Fault(
        "static-symbol-weak",
        "a function of a staticlib is weak",
        _archive,
        ("weak", "global", "symbols"),
        outputs=_static(".a", _weak),
    ),
    Fault(
        "shim-symbol-lost",
        "rust-lang/rust#145962: a linked file does not define the functions of its allocator shim",
        lambda call: call.makes("bin", *_SHARED),
        ("symbols", "defines", "global", "local"),
        outputs=_dynamic(
            lambda name: re.search(r"__rust_(alloc|dealloc|realloc|alloc_zeroed)$", name),
            EditableElf.undefine,
            all_=True,
            table=".symtab",
        ),
    ),
    Fault(
        "symbols-internalised",
        "Rust's symbols in a staticlib are local, as after LTO",
        _archive,
        ("global", "unresolved", "symbols"),
        outputs=_internalised,
    ),
    Fault(
        "rlib-symbol-lost",
        "a `#[no_mangle]` function of an rlib is undefined in it",
        lambda call: call.makes("rlib"),
        ("defines", "exit"),
        outputs=_static(".rlib", EditableElf.undefine),
    ),
    Fault(
        "object-symbol-lost",
        "an emitted object file does not define a function that it should",
        lambda call: call.compiles and call.emits("obj"),
        ("defines", "exit"),
        outputs=_in_objects(EditableElf.undefine),
    ),
    Fault(
        "object-symbol-hidden",
        "a `#[no_mangle]` function of an object file is hidden",
        lambda call: call.compiles and call.emits("obj"),
        ("symbols", "hidden"),
        outputs=_in_objects(EditableElf.hide),
    ),
    Fault(
        "dependency-symbol-hidden",
        "a dependency's function is hidden in a staticlib",
        _archive,
        ("symbols", "hidden", "global"),
        outputs=_static(".a", EditableElf.hide, member="*.rcgu.o"),
    ),
    Fault(
        "shim-renamed",
        "rust-lang/rust#127173: the shim's symbols are not mangled as std expects",
        _archive,
        ("unresolved", "defines"),
        outputs=_renamed(r"__rust_(alloc|dealloc|realloc|alloc_zeroed)$"),
    ),
    Fault(
        "shim-marker-lost",
        "rust-lang/rust#86844: the allocator shim has no marker symbol",
        lambda call: call.makes("staticlib", "bin", "cdylib", "rlib"),
        ("defines", "unresolved", "symbols", "undefined"),
        outputs=_marker_lost,
    ),
    Fault(
        "alloc-error-handler-lost",
        "rust-lang/rust#145962: the allocation error handler is missing",
        _archive,
        ("unresolved", "defines", "exit"),
        outputs=_renamed(r"__rust_alloc_error_handler"),
    ),
    Fault(
        "panic-entry-lost",
        "the panic entry point is missing",
        _archive,
        ("unresolved", "defines", "exit"),
        outputs=_renamed(r"rust_begin_unwind$|rust_eh_personality$"),
    ),
    Fault(
        "profiler-symbols-lost",
        "rust-lang/rust#145965: the profiler's symbols are not kept",
        lambda call: _shared(call) and call.has("-Cprofile-generate*", "-Cinstrument-coverage*"),
        ("defines", "global", "exports", "link"),
        outputs=_dynamic(
            lambda name: re.match("__llvm_profile|lprof", name),
            EditableElf.undefine,
            all_=True,
            table=".symtab",
        ),
    ),
)
