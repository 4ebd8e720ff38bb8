"""Facts, outcomes and toolchains made by hand: what a reader or a compiler would have given."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from linkage.artifact.facts import (
    Archive,
    ArchiveMember,
    Binding,
    Dynamic,
    Facts,
    Members,
    ObjectFile,
    ObjectType,
    Relro,
    Section,
    SectionTable,
    Symbol,
    SymbolTable,
    SymbolType,
    UnknownFile,
    Visibility,
)
from linkage.case.claims import ArtifactClaims
from linkage.case.document import parse
from linkage.case.reader import parse_case
from linkage.judge.artifact import check_artifact
from linkage.judge.comparison import OtherArtifact
from linkage.judge.judge import judge
from linkage.judge.verdict import OtherVariant, Verdict
from linkage.judge.view import View
from linkage.plan.observation import Observation, Outcome, StepObservation
from linkage.plan.plan import Plan, PlannedStep, Variant, plan
from linkage.toolchain.model import Capabilities, OutputName, Target, Toolchain
from linkage.toolchain.release import RustcVersion

STABLE = RustcVersion.parse("1.95.0")
OLD = RustcVersion.parse("1.80.0")

Miss = tuple[str, str, str, tuple[str, ...]]
"""A claim that does not hold: its keys, what it says, what there is, what is nearest."""


_numbers = itertools.count()


def new_digest() -> str:
    """The digest of a content that no other artifact has."""
    return f"{next(_numbers):032x}"


def symbol(name: str, state: str = "") -> Symbol:
    """A global function, or what `state` says: `undefined weak hidden local absolute common object …`,
    `@V1` or `@@V1` for its version, `comdat=GROUP`.
    """
    words = set(state.split())
    defined = not words & {"undefined"}
    section = next((word for word in words if word.startswith(".")), ".text")
    outside = not defined or words & {"absolute", "common"}
    return Symbol(
        name,
        next((one for one in Binding if one.name.lower() in words), Binding.GLOBAL),
        next((one for one in Visibility if one.name.lower() in words), Visibility.DEFAULT),
        next((one for one in SymbolType if one.name.lower() in words), SymbolType.FUNC),
        defined,
        "absolute" in words,
        None if outside else section,
        16,
        8,
        next((word.lstrip("@") for word in words if word.startswith("@")), None),
        any(word.startswith("@@") for word in words),
        next((word.removeprefix("comdat=") for word in words if word.startswith("comdat=")), None),
    )


def table(symbols: Mapping[str, str] | Iterable[str] | None) -> SymbolTable | None:
    """A symbol table: names, or names with their states; None for a file that has no such table."""
    if symbols is None:
        return None
    if not isinstance(symbols, Mapping):
        symbols = dict.fromkeys(symbols, "")
    return SymbolTable.of(symbol(name, state) for name, state in symbols.items())


def object_file(
    symbols: Mapping[str, str] | Iterable[str] | None = None,
    exports: Mapping[str, str] | Iterable[str] | None = None,
    sections: Iterable[Section] = (),
    **given: Any,
) -> ObjectFile:
    """An object file with these symbols and dynamic symbols."""
    fields: dict[str, Any] = {
        "format": "elf64-little",
        "machine": "x86_64",
        "type": ObjectType.SHARED,
        "dynamic": None,
        "interpreter": None,
        "pie": False,
        "relro": Relro.NONE,
        "bitcode": None,
        "metadata": None,
        "executable_stack": False,
    }
    return ObjectFile(
        sections=SectionTable.of(sections),
        symbols=table(symbols),
        dynamic_symbols=table(exports),
        **(fields | given),
    )


def elf(
    symbols: Mapping[str, str] | Iterable[str] | None = None,
    exports: Mapping[str, str] | Iterable[str] | None = None,
    sections: Iterable[Section] = (),
    *,
    size: int = 4096,
    digest: str | None = None,
    **given: Any,
) -> Facts:
    """An ELF file's facts."""
    return Facts("elf", size, digest or new_digest(), object=object_file(symbols, exports, sections, **given))


def member(name: str, symbols: Mapping[str, str] | Iterable[str] | None = (), **given: Any) -> ArchiveMember:
    """An archive's member that is an object with these symbols; with None no object."""
    made = None if symbols is None else object_file(symbols, type=ObjectType.RELOCATABLE)
    return ArchiveMember(name, 512, object=made, **given)


def archive(
    *members: ArchiveMember, index: tuple[str, ...] | None = ("foo",), thin: bool = False, size: int = 8192
) -> Facts:
    """An ar archive's facts."""
    return Facts("archive", size, new_digest(), archive=Archive("gnu", thin, Members.of(members), index))


def text_file(text: str | None, digest: str = "7e47") -> Facts:
    """A text file's facts; None: a file that is no text."""
    return Facts("other", len(text or "x"), digest, other=UnknownFile(text))


EMPTY = Facts("empty", 0, "0")
DYNAMIC = Dynamic(needed=("libstd-1f2e.so", "libc.so.6"), soname="libfoo.so", runpath=("$ORIGIN",))

_CLAIMS: TypeAdapter[ArtifactClaims] = TypeAdapter(ArtifactClaims)


def claims(text: str) -> ArtifactClaims:
    """The claims about an artifact as a case writes them."""
    return _CLAIMS.validate_python(parse(text, "claims").data)


def misses(
    text: str, facts: Facts, version: RustcVersion = STABLE, files: Mapping[str, str] | None = None
) -> list[Miss]:
    """What does not hold of the claims in `text`."""
    found = check_artifact(claims(text), View(facts), version, files or {})
    return [
        (
            f"{one.key}.{one.mismatch.part}" if one.mismatch.part else one.key,
            one.mismatch.claimed,
            f"{one.member}: {one.mismatch.found}" if one.member else one.mismatch.found,
            one.mismatch.nearest,
        )
        for one in found
    ]


def keys(text: str, facts: Facts, version: RustcVersion = STABLE) -> list[str]:
    """The keys of the claims in `text` that do not hold."""
    return [key for key, *_ in misses(text, facts, version)]


def verdicts(text: str, facts: Facts, version: RustcVersion = STABLE) -> list[tuple[str, str]]:
    """The keys of the claims in `text` that do not hold, each with `fail`, or with `error: why`."""
    found = check_artifact(claims(text), View(facts), version, {})
    return [(one.key, f"error: {one.mismatch.found}" if one.mismatch.error else "fail") for one in found]


HOST = "x86_64-unknown-linux-gnu"
_OUTPUTS = tuple(
    OutputName(*names)
    for names in (
        ("bin", "", ""), ("rlib", "lib", ".rlib"), ("dylib", "lib", ".so"), ("cdylib", "lib", ".so"),
        ("staticlib", "lib", ".a"), ("proc-macro", "lib", ".so"),
    )
)  # fmt: skip


def toolchain(version: str = "1.97.0-nightly") -> Toolchain:
    """A nightly toolchain that is nowhere."""
    target = Target(
        HOST,
        Path("/rust/lib/rustlib/libs"),
        has_core=True,
        has_std=True,
        dynamic_std=True,
        std_bitcode=True,
        profiler=True,
        sanitizers=frozenset(),
        outputs=_OUTPUTS,
    )
    parsed = RustcVersion.parse(version)
    dated = RustcVersion(parsed.release, parsed.channel, parsed.beta, "0" * 40, date(2026, 5, 18))
    rustc = Path("/rust/bin/rustc")
    known = Capabilities(
        rustc, Path("/rust"), dated, HOST, "22.1.2", frozenset({"no-link", "link-only", "dylib-lto"}),
        frozenset({"lto"}), needs_bootstrap=False, targets=(target,), backends=frozenset({"llvm"}),
        rust_lld=None,
    )  # fmt: skip
    return Toolchain("nightly", "nightly", rustc, "f1", known)


CASE = """\
summary: A case
sources: {lib.rs: '', main.c: ''}
steps:
"""


def planned(text: str, cell: int = 0, version: str = "1.97.0-nightly") -> Plan:
    """The plan of one cell of a case; `text` is all that follows `steps:`, or a whole case."""
    whole = text if text.startswith("summary:") else CASE + text
    case = parse_case(whole, Path("/nowhere/case.yaml"), "case.yaml")
    return plan(Variant(case, case.rows[cell], toolchain(version)))


_USUAL = ("liblib.so", "liblib.a", "liblib.rlib", "main")


def done(**given: Any) -> Outcome:
    """What a step did; by default it succeeded, and produced what it should of `_USUAL`."""
    return Outcome(**{"status": 0, "produced": _USUAL, **given})


def _own(step: PlannedStep, outcome: Outcome) -> Outcome:
    """The outcome with the usual files that the step may write, instead of all."""
    writes = [one for group in step.invariants for one in group.writes]
    if outcome.produced is not _USUAL or not writes:
        return outcome
    return replace(outcome, produced=tuple(name for name in _USUAL if name in writes))


OTHER = OtherVariant("case.yaml::nightly[lto=off]", "OTHER_lto_off", ("rustc lib.rs",))


def judged(
    made_plan: Plan,
    *outcomes: Outcome,
    files: Mapping[str, str] | None = None,
    sibling: Facts | str = "there is none",
) -> Verdict:
    """The verdict where the steps did this, in their order."""
    steps = tuple(
        StepObservation(step.id, (), _own(step, outcome))
        for step, outcome in zip(made_plan.steps, outcomes, strict=False)
    )
    other = sibling if isinstance(sibling, str) else OtherArtifact(sibling, "liblib.so", OTHER)
    return judge(made_plan, Observation(steps), files or {}, lambda *_: other)
