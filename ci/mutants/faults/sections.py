"""Faults in the sections of the outputs."""

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from mutants.faults import ar, elf
from mutants.faults.call import Call
from mutants.faults.elf import FLAGS, FLAGS_1, NEEDED, NOTHING, RPATH, RUNPATH, SONAME, EditableElf
from mutants.faults.fault import CompilerOutputs, Fault

_LINKED = ("bin", "cdylib", "dylib", "proc-macro")
_BIND_NOW, _NOW = 8, 1


def _without_tag(
    *tags: int, text: str = "", unless: tuple[str, ...] = ()
) -> Callable[[CompilerOutputs], None]:
    def change(content: EditableElf) -> None:
        for at, tag, value in list(content.dynamic()):
            name = content.dynamic_text(value) if tag in tags else ""
            if tag in tags and name.startswith(text) and not (unless and name.startswith(unless)):
                content.set_dynamic(at, NOTHING, 0)

    return _each_linked(lambda file: elf.change(file, change))


def _needed_reversed(content: EditableElf) -> None:
    found = [(at, value) for at, tag, value in content.dynamic() if tag == NEEDED]
    for (at, _), (_, value) in zip(found, reversed(found), strict=True):
        content.set_dynamic(at, NEEDED, value)


def _lazy(content: EditableElf) -> None:
    for at, tag, value in list(content.dynamic()):
        if tag in (FLAGS, FLAGS_1):
            content.set_dynamic(at, tag, value & ~(_BIND_NOW if tag == FLAGS else _NOW))


def _each_linked(change: Callable[[Path], object]) -> Callable[[CompilerOutputs], None]:
    def outputs(made: CompilerOutputs) -> None:
        for file in made.elf():
            change(file)

    return outputs


def _objcopy(*words: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        mode = file.stat().st_mode
        subprocess.run(["objcopy", *words, str(file)], check=True)
        file.chmod(mode)

    return change


def _in_members(
    suffixes: tuple[str, ...], *words: str, unless: str = ""
) -> Callable[[CompilerOutputs], None]:
    """Run objcopy on each member that is an object file, except those with the section `unless`."""
    change = _objcopy(*words)

    def changed(member: ar.ArchiveEntry) -> ar.ArchiveEntry:
        if not member.content.startswith(elf.MAGIC) or member.name == "lib.rmeta":
            return member
        if EditableElf(member.content).section(unless) is not None and unless:
            return member
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "member.o"
            place.write_bytes(member.content)
            change(place)
            return member.holding(place.read_bytes())

    def outputs(made: CompilerOutputs) -> None:
        for file in made.named(*suffixes):
            ar.change(file, lambda held: [changed(one) for one in held])

    return outputs


def _bitcode_added(made: CompilerOutputs) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"BC\xc0\xde" + bytes(12))
        file.flush()
        _in_members((".a",), "--add-section", f".llvmbc={file.name}", unless=".llvmbc")(made)


def _bitcode_linked(made: CompilerOutputs) -> None:
    with tempfile.NamedTemporaryFile() as content:
        content.write(b"BC\xc0\xde" + bytes(12))
        content.flush()
        for section in (".llvmbc", ".llvmcmd"):
            _each_linked(_objcopy("--add-section", f"{section}={content.name}"))(made)


def _metadata_added(file: Path) -> None:
    with tempfile.NamedTemporaryFile() as content:
        content.write(b"rust\0\0\0\x09" + bytes(64))
        content.flush()
        _objcopy("--add-section", f".rustc={content.name}")(file)


def _links(call: Call) -> bool:
    return call.makes(*_LINKED)


def _dylib(call: Call) -> bool:
    return call.makes("dylib", "proc-macro") and "cdylib" not in call.crate_types


FAULTS = (
    Fault(
        "needed-lost",
        "a library that is linked is not needed",
        _links,
        ("needed.all", "needed.only", "exit"),
        outputs=_without_tag(NEEDED, text="libstd-"),
    ),
    Fault(
        "needed-crate-lost",
        "a dylib crate that is linked is not needed",
        _links,
        ("needed.all", "needed.only", "exit"),
        outputs=_without_tag(NEEDED, text="lib"),
    ),
    Fault(
        "needed-by-name-lost",
        "a library whose name is not lib*.so is not needed",
        _links,
        ("needed.all", "needed", "exit"),
        outputs=_without_tag(NEEDED, unless=("lib", "ld-linux")),
    ),
    Fault(
        "needed-reversed",
        "the needed libraries are in another order",
        _links,
        ("needed.order", "needed"),
        outputs=_each_linked(lambda file: elf.change(file, _needed_reversed)),
    ),
    Fault(
        "soname-lost",
        "a shared library without its soname",
        lambda call: call.makes("dylib", "cdylib"),
        ("soname",),
        outputs=_without_tag(SONAME),
    ),
    Fault(
        "runpath-lost",
        "the run path is missing",
        lambda call: call.makes(*_LINKED) and call.has("-Crpath*"),
        ("runpath", "exit"),
        outputs=_without_tag(RPATH, RUNPATH),
    ),
    Fault(
        "bind-now-lost",
        "symbols are bound lazily",
        _links,
        ("relro", "bind-now"),
        outputs=_each_linked(lambda file: elf.change(file, _lazy)),
    ),
    Fault(
        "metadata-section-lost",
        "rust-lang/rust#141769: a dylib without its metadata",
        _dylib,
        ("metadata", "sections", "exit"),
        outputs=_each_linked(_objcopy("-R", ".rustc")),
    ),
    Fault(
        "metadata-in-cdylib",
        "a cdylib or a program with a crate's metadata",
        lambda call: call.makes("cdylib", "bin") and "dylib" not in call.crate_types,
        ("metadata", "sections"),
        outputs=_each_linked(_metadata_added),
    ),
    Fault(
        "bitcode-lost",
        "an rlib whose objects have no bitcode left",
        lambda call: call.makes("rlib"),
        ("bitcode", "sections", "exit"),
        outputs=_in_members((".rlib",), "-R", ".llvmbc", "-R", ".llvmcmd"),
    ),
    Fault(
        "bitcode-left",
        "rust-lang/rust#71528: bitcode in a staticlib after LTO",
        lambda call: call.makes("staticlib"),
        ("bitcode", "sections"),
        outputs=_bitcode_added,
    ),
    Fault(
        "bitcode-linked",
        "linked files contain the bitcode of objects",
        _links,
        ("bitcode", "sections.none", "sections"),
        outputs=_bitcode_linked,
    ),
    Fault(
        "debug-sections-lost",
        "debug information is missing",
        lambda call: call.compiles and call.has("-Cdebuginfo=[!0n]*", "-g"),
        ("sections",),
        outputs=_each_linked(_objcopy("--strip-debug")),
    ),
    Fault(
        "symbol-table-lost",
        "the symbol table is stripped",
        _links,
        ("defines",),
        outputs=_each_linked(_objcopy("--strip-all")),
    ),
    Fault(
        "staticlib-stripped",
        "the objects of a staticlib have no symbols",
        lambda call: call.makes("staticlib"),
        ("defines", "exit"),
        outputs=_in_members((".a",), "--strip-unneeded", "-w", "-G", "nothing_*"),
    ),
    Fault(
        "profile-sections-lost",
        "rust-lang/rust#145965: the profiler's sections are discarded",
        lambda call: call.makes(*_LINKED) and call.has("-Cprofile-generate*", "-Cinstrument-coverage*"),
        ("sections", "stdout", "exists"),
        outputs=_each_linked(
            _objcopy("-R", "__llvm_prf_names", "-R", "__llvm_covfun", "-R", "__llvm_covmap")
        ),
    ),
)
