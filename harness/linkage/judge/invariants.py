"""Invariants: what holds of every file that rustc or the C compiler links, and of rustc's archives. Pure.

An invariant is judged if the file's format has what it is about: of a PE file, nothing says whether its
stack is executable. If a file of the right format cannot be read, that is an error.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from linkage.artifact.facts import Binding, ObjectFile, ObjectType
from linkage.case.invariants import InvariantName
from linkage.judge.failed_claim import DYNAMIC, HEADERS, SYMBOLS, FailedClaim
from linkage.judge.name_set import Mismatch, listing, readable, unjudged
from linkage.judge.pattern import compile_patterns
from linkage.judge.view import Table, View, described
from linkage.toolchain.version import RustcVersion

_RUST = ("${rust-symbols}",)
_LEFT_TO_USERS = ("${personality}",)
"""The prebuilt core refers to it, and a crate without std may have none if nothing unwinds."""
_OF_THE_SYSTEM = re.compile(
    r"(lib(c|m|dl|rt|util|pthread|gcc_s|stdc\+\+|unwind|asan|atomic)|ld-linux.*|ld64)\.so(\.\d+)*"
)
"""Libraries of C and of the system, which define no Rust symbol."""


def check_invariants(
    names: Iterable[InvariantName], file: str, view: View, version: RustcVersion
) -> Iterator[FailedClaim]:
    """The invariants of one file that do not hold, or that could not be judged."""
    if view.facts.error is not None:
        why = f"{described(view.facts)} that cannot be read: {view.facts.error}"
        yield FailedClaim("invariants", unjudged(why), "file {file}")
        return
    for name in names:
        check = _duplicates(view) if name == "duplicates" else _LINKED[name](file, view, version)
        for found in check:
            yield FailedClaim(f"invariants.{name}", found, _LOOK[name])


def _elf(view: View) -> ObjectFile | None:
    """The linked ELF file; None for a file of another format, or that is not linked."""
    found = view.facts.object
    if view.facts.kind != "elf" or found is None:
        return None
    return found if found.type in (ObjectType.SHARED, ObjectType.EXECUTABLE) else None


def _executable_stack(_file: str, view: View, _version: RustcVersion) -> Iterator[Mismatch]:
    found = _elf(view)
    if found is None or found.executable_stack is False:
        return
    seen = (
        "executable"
        if found.executable_stack
        else "the file does not say, so the system may make it executable"
    )
    yield Mismatch("", "the stack is not executable", seen)


def _text_relocations(_file: str, view: View, _version: RustcVersion) -> Iterator[Mismatch]:
    found = _elf(view)
    if found is not None and found.dynamic is not None and found.dynamic.text_relocations:
        yield Mismatch("", "no text relocations", "has text relocations")


def _undefined(_file: str, view: View, version: RustcVersion) -> Iterator[Mismatch]:
    found = _elf(view)
    needed = found.dynamic.needed if found is not None and found.dynamic is not None else ()
    if found is None or not all(_OF_THE_SYSTEM.fullmatch(name) for name in needed):
        return
    patterns, left = compile_patterns(_RUST, version), compile_patterns(_LEFT_TO_USERS, version)
    undefined = sorted(
        {
            symbol.plain
            for table in (view.symbols, view.dynamic)
            for symbol in table or ()
            if not symbol.defined
            and symbol.binding is not Binding.WEAK
            and any(one.matches(symbol.plain) for one in patterns)
            and not any(one.matches(symbol.plain) for one in left)
        }
    )
    if undefined:
        yield Mismatch("", "no undefined Rust symbols", listing(readable(_RUST, undefined)))


def _soname(file: str, view: View, _version: RustcVersion) -> Iterator[Mismatch]:
    found = _elf(view)
    if found is None:
        return
    wanted, soname = PurePosixPath(file).name, found.dynamic.soname if found.dynamic is not None else None
    if soname != wanted:
        yield Mismatch("", f"SONAME {wanted}", soname or "no SONAME")


def _duplicates(view: View) -> Iterator[Mismatch]:
    if view.facts.archive is None or any(
        part.unread and "not read:" not in part.unread for part in view.parts
    ):
        return  # not an archive, or with members of a format whose symbols are not read
    why = view.unseen(Table.SYMBOLS)
    if why is not None:
        yield unjudged(why)
    elif view.duplicates:
        yield Mismatch("", "no duplicate strong definitions", listing(view.duplicates))


_LINKED: dict[str, Callable[[str, View, RustcVersion], Iterator[Mismatch]]] = {
    "executable-stack": _executable_stack,
    "text-relocations": _text_relocations,
    "undefined": _undefined,
    "soname": _soname,
}
_LOOK: dict[str, str] = {
    "executable-stack": HEADERS,
    "text-relocations": DYNAMIC,
    "undefined": SYMBOLS,
    "soname": DYNAMIC,
    "duplicates": SYMBOLS,
}
