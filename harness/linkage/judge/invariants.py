"""Invariants: what holds of every step, of every linked file, and of rustc's archives. Pure.

An invariant is judged if the file's format has what it is about: of a PE file, nothing says whether its
stack is executable. If a file of the right format cannot be read, that is an error.
"""

from collections.abc import Callable, Collection, Iterable, Iterator

from linkage.case.invariants import InvariantName
from linkage.judge import linked_invariants as linked
from linkage.judge.failed_claim import DYNAMIC, DYNAMIC_SYMBOLS, HEADERS, SECTIONS, SYMBOLS, FailedClaim
from linkage.judge.name_set import Mismatch, listing, unjudged
from linkage.judge.view import Table, View, described
from linkage.plan.observation import Outcome
from linkage.plan.state import fits
from linkage.toolchain.version import RustcVersion


def check_invariants(
    names: Iterable[InvariantName], file: str, view: View, version: RustcVersion
) -> Iterator[FailedClaim]:
    """The invariants of one file that do not hold, or that could not be judged."""
    if view.facts.error is not None:
        why = f"{described(view.facts)} that cannot be read: {view.facts.error}"
        yield FailedClaim("invariants", unjudged(why), "file {file}")
        return
    for name in names:
        check, look = _OF_FILES.get(name, (None, ""))
        if check is not None:
            for found in check(file, view, version):
                yield FailedClaim(f"invariants.{name}", found, look)


def check_age(file: str, outcome: Outcome) -> Iterator[FailedClaim]:
    """Whether a file that a step wrote has a time before the step."""
    if file in outcome.older:
        miss = Mismatch(
            "", "not older than the step that makes it", "older: it has the time of something else"
        )
        yield FailedClaim("invariants.age", miss, "ls -l --time-style=full-iso {file}")


def check_files(writes: Collection[str], outcome: Outcome, known: Collection[str]) -> Iterator[FailedClaim]:
    """What a step wrote besides its outputs. `known`: the files that were there before."""
    others = [name for name in outcome.produced if not any(fits(name, pattern) for pattern in writes)]
    for what, names in (
        ("changed", [name for name in others if name in known]),
        ("created", [name for name in others if name not in known]),
    ):
        if names:
            miss = Mismatch("", "writes its outputs and no other file", f"{what} {listing(names)}")
            yield FailedClaim("invariants.files", miss, "ls -l")


def _duplicates(_file: str, view: View, _version: RustcVersion) -> Iterator[Mismatch]:
    if view.facts.archive is None or any(
        part.unread and "not read:" not in part.unread for part in view.parts
    ):
        return  # not an archive, or with members of a format whose symbols are not read
    why = view.unseen(Table.SYMBOLS)
    if why is not None:
        yield unjudged(why)
    elif view.duplicates:
        yield Mismatch("", "no duplicate strong definitions", listing(view.duplicates))


def _executable_stack(file: str, view: View, version: RustcVersion) -> Iterator[Mismatch]:
    if view.facts.archive is None:
        yield from linked.executable_stack(file, view, version)
        return
    found = [
        member.name
        for member in view.facts.archive.members
        if member.object is not None
        and member.object.kind == "elf"
        and member.object.symbols  # metadata has none, and is not linked
        and member.object.executable_stack is not False
    ]
    if found:
        claimed = "its objects say that the stack need not be executable"
        yield Mismatch("", claimed, f"not said by {listing(found)}")


_OF_FILES: dict[InvariantName, tuple[Callable[[str, View, RustcVersion], Iterator[Mismatch]], str]] = {
    "executable-stack": (_executable_stack, HEADERS),
    "text-relocations": (linked.text_relocations, DYNAMIC),
    "undefined": (linked.undefined, SYMBOLS),
    "symbol-versions": (linked.symbol_versions, DYNAMIC_SYMBOLS),
    "rpath": (linked.rpath, DYNAMIC),
    "called-functions": (linked.called_functions, SECTIONS),
    "relro": (linked.relro, HEADERS),
    "program-exports": (linked.program_exports, DYNAMIC_SYMBOLS),
    "duplicates": (_duplicates, SYMBOLS),
    "soname": (linked.soname, DYNAMIC),
}
"""The invariants that the facts of a file decide, each with the command that shows it."""
