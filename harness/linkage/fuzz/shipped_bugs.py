"""Matches a finding with the known bugs of the shipped cases, so that only news is news. Pure.

A known bug is described for its own case: its step, its claims, its conditions on the axes, texts with the
names of its crates. What of this carries over is compared: the kind of step, the claim and the kind of
output, the compiler, the conditions on axes that rustc has too, and the texts with any name in the place of
the case's own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from linkage.case.case import Case
from linkage.case.condition import COMPILER, Condition, matches
from linkage.case.model import KnownBug
from linkage.case.regular_expression import RegularExpression
from linkage.case.steps import AnyStep
from linkage.errors import PatternError
from linkage.fuzz.graph import Graph
from linkage.fuzz.graph_case import GraphCheck, graph_sources
from linkage.judge.verdict import Failure
from linkage.toolchain.version import RustcVersion, VersionRange

_ROLE = re.compile(r"^[^.]*\.(staticlib|cdylib|dylib|rlib|bin|obj|proc-macro)\.(.*)$")
_SAME_CLAIMS = {"unresolved": "undefined", "global": "defines", "produces": "exists"}
_ATTRIBUTE = re.compile(r"#!?\[(?:unsafe\()?(\w+)")
_COMMON = frozenset(
    {"no_mangle", "no_std", "no_main", "panic_handler", "link", "inline", "cfg_attr", "cfg", "allow"}
    | {"export_name", "cold", "derive", "feature"}
)
_NAMES = re.compile(r"\b(?:fn|crate|mod|static)\s+(\w{3,})")
_WORD = re.compile(r"[A-Za-z_]\w{2,}")
_ENOUGH = 2
"""Conditions and words that a match needs: one alone is chance."""
_CRASHES = ("internal compiler error", "panicked at", "signal")


@dataclass(frozen=True, slots=True)
class ShippedBug:
    """A known bug, and what of its case is needed to recognize it elsewhere."""

    case: str
    bug: KnownBug
    actions: tuple[str, ...]
    """The kinds of step that its signature names."""
    names: frozenset[str]
    """The case's own names: of crates and functions."""
    attributes: frozenset[str]
    """Attributes in the case's sources that not every source has."""
    toolchains: str | None = None
    """The range of the whole case."""

    @property
    def label(self) -> str:
        """The bug in words."""
        return self.bug.issue or f"unreported: {self.bug.unreported}"


def shipped_bugs(cases: Iterable[tuple[Case, Sequence[str]]]) -> tuple[ShippedBug, ...]:
    """The known bugs of cases, each given with the texts of its sources."""
    return tuple(found for case, texts in cases for found in _of_case(case, texts))


def _of_case(case: Case, texts: Sequence[str]) -> Iterator[ShippedBug]:
    text = "\n".join((*case.model.sources.values(), *texts))
    crates = {name.rpartition("/")[2].removesuffix(".rs") for name in _source_names(case)}
    names = frozenset({*_NAMES.findall(text), *(one for one in crates if one)} - {"main"})
    attributes = frozenset(_ATTRIBUTE.findall(text)) - _COMMON
    for bug in case.model.known_bugs:
        step = bug.signature.step
        actions = {one.action for one in case.model.steps if step in (one.action, _named(one))}
        yield ShippedBug(
            case.name, bug, tuple(sorted(actions or {step})), names, attributes, case.model.toolchains
        )


def _source_names(case: Case) -> Iterator[str]:
    for step in case.model.steps:
        name = getattr(step, "rustc", None)
        if isinstance(name, str):
            yield name
    yield from (name for name in case.model.sources if name.endswith(".rs"))


def _named(step: AnyStep) -> str:
    """The id of a step that has none of its own."""
    return step.id_ or step.default_id(None)


def matching(
    bugs: Iterable[ShippedBug],
    graph: Graph,
    check: GraphCheck,
    failures: Sequence[Failure],
    version: RustcVersion,
) -> tuple[ShippedBug, ...]:
    """The known bugs that a finding may be, by its first failure and those beside it."""
    if not failures:
        return ()
    text = "\n".join(graph_sources(graph, check.crate).values())
    attributes = frozenset(_ATTRIBUTE.findall(text)) - _COMMON
    cell = cell_of(graph, _crate_of(failures[0].step, check), version)
    found = [
        (_evidence(bug, cell), bug)
        for bug in bugs
        if _about(bug, cell, version)
        and any(_explains(bug, one, attributes, _used(one.step, graph, check, cell)) for one in failures)
    ]
    best = max((weight for weight, _ in found), default=0)
    return tuple(bug for weight, bug in found if weight == best and weight >= _ENOUGH)


def _crate_of(step: str, check: GraphCheck) -> int:
    found = re.fullmatch(r"(?:link-)?k(\d+)", step)
    return int(found[1]) if found else check.crate


def cell_of(graph: Graph, crate: int, version: RustcVersion) -> Mapping[str, Any]:
    """A crate's build as a cell of the axes that rustc has."""
    one = graph.crates[crate]
    cell: dict[str, Any] = {"crate-type": one.types, COMPILER: version}
    cell["lto"] = one.flag("lto") or "off"
    cell["panic"] = graph.panic if graph.std else "abort"
    for name in ("prefer-dynamic", "dylib-lto"):
        cell[name] = one.flag(name) is not None
    cell |= {"opt-level": 0, "debuginfo": 0, "strip": "none", "linker": "default"}  # rustc's defaults
    for name in ("codegen-units", "opt-level", "debuginfo", "strip", "linker"):
        value = one.flag(name)
        if value is not None:
            cell[name] = int(value) if value.isdecimal() else value
    return cell


def _evidence(bug: ShippedBug, cell: Mapping[str, Any]) -> int:
    """How much of a bug carries over: the conditions that certainly hold, and words that are not its own."""
    when, signature = bug.bug.when, bug.bug.signature
    texts = filter(None, (signature.stderr, signature.matches, signature.found, signature.code))
    words = {one for text in texts for one in _WORD.findall(text) if one not in bug.names}
    held = 0 if when is None else sum(axis in cell for axis in when.names())
    rare = bug.actions == ("link-only",)
    return held + min(2, len(words)) + bool(bug.attributes) + bool(signature.claim) + rare


def _about(bug: ShippedBug, cell: Mapping[str, Any], version: RustcVersion) -> bool:
    ranges = [one for one in (bug.bug.toolchains, bug.toolchains) if one is not None]
    if not all(VersionRange.parse(one).contains(version) for one in ranges):
        return False
    return bug.bug.when is None or possible(bug.bug.when, cell) is not False


def possible(condition: Condition, cell: Mapping[str, Any]) -> bool | None:
    """Whether a condition holds; None if that hangs on an axis that only its case has."""
    parts: list[bool | None] = [
        matches(expected, cell[axis]) if axis in cell else None for axis, expected in condition.axes.items()
    ]
    if condition.toolchain is not None:
        parts.append(VersionRange.parse(condition.toolchain).contains(cell[COMPILER]))
    if condition.not_ is not None:
        inner = possible(condition.not_, cell)
        parts.append(None if inner is None else not inner)
    if condition.any:
        found = [possible(one, cell) for one in condition.any]
        parts.append(True if True in found else None if None in found else False)
    return False if False in parts else None if None in parts else True


def _used(step: str, graph: Graph, check: GraphCheck, cell: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cell, with only the crate type of the output that a C program uses."""
    one = graph.crates[check.crate]
    kind = "staticlib" if "c-static" in step or "c-both" in step else one.shared
    return {**cell, "crate-type": (kind,)} if action_of(step) in ("cc", "run") and kind else cell


def action_of(step: str) -> str:
    """The kind of a step of a generated case, by its id."""
    for prefix, action in (("run-", "run"), ("c-", "cc"), ("link-", "link-only")):
        if step.startswith(prefix):
            return action
    return "cc" if step.endswith(("_native", "_data")) else "rustc"


def _explains(bug: ShippedBug, failure: Failure, attributes: frozenset[str], used: Mapping[str, Any]) -> bool:
    mine = action_of(failure.step)
    if mine == "run" and "undefined symbol" in failure.found:
        mine = "cc"  # the loader links, too
    if mine not in bug.actions and not (mine == "link-only" and "rustc" in bug.actions):
        return False  # what one step does wrong, two halves may, too; not the other way round
    signature = bug.bug.signature
    texts = [one for one in (signature.stderr, signature.found) if one is not None]
    if signature.claim and not _claimed(signature.claim, failure.claim):
        return False
    if not signature.claim and mine != "run" and not failure.claim.startswith("exit") and failure.claim:
        return False
    crash = any(word in failure.found for word in _CRASHES)
    if (signature.exit == "ice") != (crash and failure.error) and signature.exit is not None:
        return False
    if signature.code is not None and signature.code not in failure.found:
        return False
    patterns = [re.escape(one) for one in texts] + ([signature.matches] if signature.matches else [])
    told = bool(signature.code or patterns)
    if not (told or signature.claim) or mine == "run":
        # Nothing but where it is seen: the sources must have something in common.
        when = bug.bug.when
        return bool(bug.attributes & attributes) and (when is None or possible(when, used) is not False)
    return all(_seen(pattern, bug.names, failure.found_there) for pattern in patterns)


def _claimed(claims: Sequence[str], mine: str) -> bool:
    return any(_claim(mine)[:2] == _claim(one)[:2] for one in claims)


def _claim(text: str) -> tuple[str, str]:
    """The kind of output that a claim is about, and its first key."""
    found = _ROLE.match(text)
    kind, rest = (found[1], found[2]) if found else ("", text)
    key = rest.removeprefix("invariants.").partition(".")[0]
    key = _SAME_CLAIMS.get(key, key)
    return ("" if key in ("exists", "stdout") else kind), key


def _seen(pattern: str, names: frozenset[str], text: str) -> bool:
    general = _WORD.sub(lambda found: r"\w+" if found[0] in names else found[0], pattern)
    try:
        return RegularExpression(general).search(text) is not None
    except PatternError:
        return False
