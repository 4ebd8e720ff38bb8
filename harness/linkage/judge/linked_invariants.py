"""Invariants of linked ELF files: what rustc and the linkers always ask of the loader. Pure."""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from linkage.artifact.facts import Binding, Dynamic, ObjectFile, ObjectType, Relro
from linkage.judge.name_set import Mismatch, listing, readable
from linkage.judge.pattern import compile_patterns
from linkage.judge.view import View
from linkage.toolchain.version import RustcVersion

_RUST = ("${rust-symbols}",)
_LEFT_TO_USERS = ("${personality}",)
"""The prebuilt core refers to it, and a crate without std may have none if nothing unwinds."""
_OF_THE_SYSTEM = re.compile(
    r"(lib(c|m|dl|rt|util|pthread|gcc_s|stdc\+\+|unwind|asan|atomic)|ld-linux.*|ld64)\.so(\.\d+)*"
)
"""Libraries of C and of the system, which define no Rust symbol."""
_GLIBC = re.compile(r"libc\.so\.6(\.\d+)?")
_OF_GLIBC = frozenset({"__libc_start_main", "__cxa_finalize", "malloc", "free", "memcpy", "write", "abort"})
"""What only the C library defines, and what hardly any file does without."""
_FULL_RELRO = frozenset({"x86_64", "aarch64"})
"""Machines on whose Linux targets rustc asks for full RELRO."""


def linked_elf(view: View) -> ObjectFile | None:
    """The linked ELF file; None for a file of another format, or that is not linked."""
    found = view.facts.object
    if view.facts.kind != "elf" or found is None:
        return None
    return found if found.type in (ObjectType.SHARED, ObjectType.EXECUTABLE) else None


def _dynamic(view: View) -> Dynamic:
    found = linked_elf(view)
    return (found.dynamic if found is not None else None) or Dynamic()


def executable_stack(_file: str, view: View, _version: RustcVersion) -> Iterator[Mismatch]:
    """What allows an executable stack: of an archive, its objects, metadata left out."""
    found = linked_elf(view)
    if found is not None and found.executable_stack is not False:
        seen = (
            "executable"
            if found.executable_stack
            else "the file does not say, so the system may make it executable"
        )
        yield Mismatch("", "the stack is not executable", seen)


def text_relocations(_file: str, view: View, _version: RustcVersion) -> Iterator[Mismatch]:
    """Relocations of code, which the loader has to make writable."""
    if _dynamic(view).text_relocations:
        yield Mismatch("", "no text relocations", "has text relocations")


def undefined(_file: str, view: View, version: RustcVersion) -> Iterator[Mismatch]:
    """Rust symbols that nothing defines at run time."""
    if linked_elf(view) is None or not _needs_only_the_system(view):
        return
    left = compile_patterns(_LEFT_TO_USERS, version)
    names = {
        symbol.plain
        for table in (view.symbols, view.dynamic)
        for symbol in table or ()
        if not symbol.defined and symbol.binding is not Binding.WEAK
    }
    found = [one for one in _rust(names, version) if not any(pattern.matches(one) for pattern in left)]
    if found:
        yield Mismatch("", "no undefined Rust symbols", listing(readable(_RUST, found)))


def _needs_only_the_system(view: View) -> bool:
    return all(_OF_THE_SYSTEM.fullmatch(one) for one in _dynamic(view).needed)


def _rust(names: Iterable[str], version: RustcVersion) -> list[str]:
    patterns = compile_patterns(_RUST, version)
    return sorted(name for name in names if any(pattern.matches(name) for pattern in patterns))


def soname(file: str, view: View, _version: RustcVersion) -> Iterator[Mismatch]:
    """Another SONAME than the name of the file."""
    if linked_elf(view) is None:
        return
    wanted, found = PurePosixPath(file).name, _dynamic(view).soname
    if found != wanted:
        yield Mismatch("", f"SONAME {wanted}", found or "no SONAME")


def rpath(_file: str, view: View, _version: RustcVersion) -> Iterator[Mismatch]:
    """The older DT_RPATH, which comes before LD_LIBRARY_PATH."""
    found = _dynamic(view).rpath
    if found:
        yield Mismatch("", "a run path only as DT_RUNPATH", f"DT_RPATH {listing(found)}")


def symbol_versions(_file: str, view: View, _version: RustcVersion) -> Iterator[Mismatch]:
    """Symbols of glibc without a version: the loader takes the oldest one."""
    if not any(_GLIBC.fullmatch(name) for name in _dynamic(view).needed):
        return
    found = sorted(
        symbol.plain
        for symbol in view.dynamic or ()
        if not symbol.defined and symbol.plain in _OF_GLIBC and symbol.version is None
    )
    if found:
        yield Mismatch("", "versions of what is imported from libc.so.6", f"no version of {listing(found)}")


def called_functions(_file: str, view: View, _version: RustcVersion) -> Iterator[Mismatch]:
    """Functions in .init_array or .fini_array that the loader is not told to call, or the reverse."""
    found = linked_elf(view)
    if found is None or found.dynamic is None or not len(found.sections):
        return
    size = 8 if found.format.startswith("elf64") else 4
    for name, count in ((".init_array", found.init_array), (".fini_array", found.fini_array)):
        held = sum(section.size for section in found.sections if section.name == name) // size
        if held != count:
            yield Mismatch(
                "",
                f"the loader calls the functions in {name}",
                f"{held} in it, {count} that the loader calls",
            )


def relro(_file: str, view: View, _version: RustcVersion) -> Iterator[Mismatch]:
    """Relocations that stay writable."""
    found = linked_elf(view)
    if found is None or found.dynamic is None or found.machine not in _FULL_RELRO:
        return
    if found.relro is not Relro.FULL:
        yield Mismatch("", "full RELRO", found.relro.value)


def program_exports(_file: str, view: View, version: RustcVersion) -> Iterator[Mismatch]:
    """Rust symbols that a program exports.

    Not of a program that needs other libraries than those of C and the system: linkers export what these
    refer to, such as the allocator of a program over libstd-*.so (gABI, "Dynamic Linking").
    """
    if linked_elf(view) is None or not _needs_only_the_system(view):
        return
    names = {symbol.plain for symbol in view.dynamic or () if symbol.defined}
    found = _rust(names, version)
    if found:
        yield Mismatch("", "exports no Rust symbol", listing(readable(_RUST, found)))
