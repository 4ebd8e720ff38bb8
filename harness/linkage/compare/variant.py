"""A variant's build, from its observation, and what differs between two. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from linkage.artifact.facts import Facts
from linkage.compare.artifacts import Differ
from linkage.compare.model import Change, ComparedArtifact, ComparedStep, LocatedChange, VariantBuild
from linkage.compare.noise_filters import FILE, MEMBER, SESSION, TEXT, NoiseFilters, without_noise
from linkage.compare.normalization import Normalizer
from linkage.compare.tables import lists
from linkage.plan.expectation import how
from linkage.plan.observation import Diagnostic, Observation, Outcome, StepObservation, native_static_libs
from linkage.plan.plan import Plan, PlannedStep

_CRASH = "rustc-ice.txt"
_LONG = 200
_NO_FILE = "no regular file"
_UP = re.compile(r"\$ORIGIN/(\.\./)+")


def built(
    plan: Plan, observation: Observation, normalizer: Normalizer, places: Mapping[str, str]
) -> VariantBuild:
    """A variant's observation without noise; `places`: the toolchain's folders and their placeholders."""
    steps = zip(plan.steps, observation.steps, strict=False)
    return VariantBuild(
        tuple(_step(planned, seen, normalizer, places) for planned, seen in steps),
        any(one.command is not None and "RUSTC_BOOTSTRAP" in one.command.env for one in plan.flat()),
        tuple(" ".join(step.argv) for step in observation.steps if step.argv),
    )


def _step(
    planned: PlannedStep, seen: StepObservation, normalizer: Normalizer, places: Mapping[str, str]
) -> ComparedStep:
    outcome = seen.outcome
    names = _OutputNames(planned, normalizer.filters)
    is_rustc = planned.command is not None and planned.command.program == "rustc"

    def plain(text: str) -> str:
        return placeless(text, places if normalizer.filters.on("place") else {}, normalizer.filters)

    ways = places if normalizer.filters.on("place") else {}
    libraries = native_static_libs(outcome.stderr) if is_rustc else None
    return ComparedStep(
        seen.id,
        planned.command.program if planned.command is not None else planned.action,
        _ended(outcome),
        tuple(sorted(diagnostic(one, plain) for one in outcome.diagnostics)),
        plain(outcome.stdout),
        "" if is_rustc else plain(outcome.stderr),
        None if libraries is None else tuple(libraries),
        tuple(sorted(names(path) for path in outcome.produced)),
        {
            names(path): _artifact(normalizer, outcome.facts[path], plain, ways, crash=names(path) == _CRASH)
            for path in outcome.produced
            # File operations make files of the case, not of the compiler. The content of an incremental
            # session is also in the outputs.
            if path in outcome.facts
            and (planned.command or planned.parallel)
            and f"{SESSION}/" not in names(path)
        },
        None if outcome.lasting else how(outcome),
    )


def _artifact(
    normalizer: Normalizer,
    facts: Facts,
    plain: Callable[[str], str],
    places: Mapping[str, str],
    *,
    crash: bool = False,
) -> ComparedArtifact:
    """An output; `crash`: it is rustc's crash report, whose text is a backtrace."""
    text = facts.other.text if facts.other is not None and not crash else None
    found = normalizer.artifact(facts, None if text is None else plain(text))
    runpath = found.lists.get("runpath", ()) + found.lists.get("rpath", ())
    if not runpath:
        return found
    properties: dict[str, tuple[str, ...]] = {
        key: tuple(plain(wayless(one, places)) for one in found.lists.get(key, ()))
        for key in ("runpath", "rpath")
    }
    return replace(found, lists={**found.lists, **properties})


def wayless(entry: str, places: Mapping[str, str]) -> str:
    """An entry of a runpath without the path from the output to the toolchain's folder.

    With -Crpath rustc writes the path of libstd-*.so relative to the output: some `../`, then what is not
    common to both, which depends on where the output was built.
    """
    up = _UP.match(entry)
    if up is None:
        return entry
    down = entry[up.end() :]
    for place, token in places.items():
        parts = Path(place).parts[1:]
        for at in range(len(parts)):
            rest = "/".join(parts[at:])
            if down == rest or down.startswith(f"{rest}/"):
                return f"$ORIGIN/…/{token}{down.removeprefix(rest)}"
    return entry


class _OutputNames:
    """An output's name: its role, or the file's name without noise."""

    def __init__(self, planned: PlannedStep, filters: NoiseFilters) -> None:
        self.roles = {path: role for role, path in planned.roles.items()}
        self.filters = filters

    def __call__(self, path: str) -> str:
        role = self.roles.get(path)
        return role or without_noise(
            without_noise(without_noise(path, FILE, self.filters), MEMBER, self.filters), TEXT, self.filters
        )


def _ended(outcome: Outcome) -> str:
    return "; ".join([how(outcome), *(how(part) for part in outcome.parts)])


def placeless(text: str, places: Mapping[str, str], filters: NoiseFilters) -> str:
    """A text without noise, with placeholders for folders."""
    for place, token in places.items():
        text = text.replace(place, token)
    return without_noise(text, TEXT, filters)


def diagnostic(found: Diagnostic, plain: Callable[[str], str]) -> str:
    """A diagnostic in one line."""
    code = f"[{found.code}]" if found.code else ""
    first = plain(found.message).partition("\n")[0]
    return f"{found.level}{code}: {first[:_LONG]}"


def unjudged(one: VariantBuild) -> str | None:
    """Why a variant's build cannot be compared: a step that hung, a file that cannot be read."""
    for step in one.steps:
        if step.problem is not None:
            return f"{step.id}: {step.problem}"
        for name, artifact in step.artifacts.items():
            if artifact.error is not None:
                return f"{name}: {artifact.error}"
    return None


def differences(
    variant: str, base: VariantBuild, head: VariantBuild, differ: Differ
) -> Iterator[LocatedChange]:
    """Every difference of a variant, in the order of its steps."""
    for old, new in zip(base.steps, head.steps, strict=False):
        for subject, change in _between(old, new, differ):
            yield LocatedChange(variant, old.id, subject, change)
    # If one side has fewer steps, the step that failed has been reported.


def _between(old: ComparedStep, new: ComparedStep, differ: Differ) -> Iterator[tuple[str, Change]]:
    if old.exit != new.exit:
        yield "", Change("exit", f"{old.id}: {old.exit} → {new.exit}", "", _said(old), _said(new))
    yield from (("", change) for change in _diagnostics(old, new))
    for stream in ("stdout", "stderr"):
        olds, news = getattr(old, stream), getattr(new, stream)
        if olds != news:
            yield "", Change(stream, old.id, "", _excerpt(olds, news), _excerpt(news, olds))
    if (old.native_static_libs or ()) != (new.native_static_libs or ()):
        shown = [" ".join(one.native_static_libs or ()) or "none" for one in (old, new)]
        yield "", Change("native-static-libs", f"{shown[0]} → {shown[1]}", "", shown[0], shown[1])
    yield from _outputs(old, new)
    for name in sorted(old.artifacts.keys() ^ new.artifacts.keys()):
        if name in old.outputs and name in new.outputs:  # or it is gone, or new
            base, head = (
                one.artifacts[name].kind if name in one.artifacts else _NO_FILE for one in (old, new)
            )
            yield name, Change("format", "", f"{base} → {head}", base, head)
    for name in sorted(old.artifacts.keys() & new.artifacts.keys()):
        for change in differ.changes(old.artifacts[name], new.artifacts[name]):
            yield name, change


def _said(step: ComparedStep) -> str:
    return "; ".join([step.exit, *step.diagnostics[:3]])


def _diagnostics(old: ComparedStep, new: ComparedStep) -> Iterator[Change]:
    gone = Counter(old.diagnostics) - Counter(new.diagnostics)
    more = Counter(new.diagnostics) - Counter(old.diagnostics)
    for name in sorted(gone):
        yield Change("diagnostic gone", name)
    for name in sorted(more):
        yield Change("diagnostic new", name)


def _outputs(old: ComparedStep, new: ComparedStep) -> Iterator[tuple[str, Change]]:
    for change in lists("output", old.outputs, new.outputs):
        if not change.kind.endswith("order"):
            yield change.name, replace(change, base="", head="")


def _excerpt(text: str, other: str) -> str:
    """The first line that differs."""
    lines, others = text.splitlines(), other.splitlines()
    at = next((i for i, pair in enumerate(zip(lines, others, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(lines), len(others)) if at is None else at
    return f"line {at + 1}: {lines[at][:_LONG]}" if at < len(lines) else "(end of output)"


def linkers(one: VariantBuild) -> list[str]:
    """What linked each output that rustc linked, according to the output."""
    return [
        linker_of(artifact.comment)
        for step in one.steps
        if step.program == "rustc"
        for artifact in step.artifacts.values()
        if artifact.plain.get("type") in ("shared", "executable")
    ]


def linker_of(comment: str) -> str:
    """The linker that is named in `.comment`; bfd and gold leave no name."""
    for line in comment.splitlines():
        words = line.removeprefix("Linker: ").split()
        if line.startswith(("Linker: ", "mold ", "Wild ")):
            return " ".join(words[:2])
    return "unnamed (bfd, gold)"
