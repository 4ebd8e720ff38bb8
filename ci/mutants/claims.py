"""The claims of a case, and those that have never failed. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from linkage.case.case import Case
from linkage.case.claims import Names
from linkage.case.document import KeyPath
from linkage.case.steps import EXPECTATIONS, ProcessStep
from linkage.judge.results import KeptResult
from linkage.plan.plan import ClaimGroup, PlannedStep
from mutants.variants import PlannedVariant, group_keys


@dataclass(frozen=True, order=True)
class Claim:
    """One claim of a case."""

    line: int
    column: int
    step: str
    name: str
    """As in failures: `lib.dylib.exports.all`."""
    places: frozenset[str] = field(default=frozenset(), compare=False)
    """The positions of the claim, of its parent and of its parts: a failure may be at any of them."""
    whole: str = ""
    """Its parent, if that can fail as a whole: `lib.dylib.exports`."""

    @property
    def where(self) -> str:
        return f"{self.line}:{self.column}"

    def is_broken_by(self, step: str, name: str) -> bool:
        of_all = bool(self.whole) and name in (self.whole, f"{self.whole}.within")
        below = name.startswith((f"{self.name}.", f"{self.name}["))
        return self.step == step and (name == self.name or below or of_all)


def claims_of(cells: Iterable[PlannedVariant]) -> set[Claim]:
    """All claims of the variants of a case, without the implicit one that a step succeeds."""
    found: set[Claim] = set()
    for cell in cells:
        for step in cell.plan.flat():
            found.update(_of_step(cell.case, step))
            found.update(one for group in step.claims for one in _of_group(cell.case, group, step.id))
        found.update(one for group in cell.plan.end for one in _of_group(cell.case, group, "end"))
    return found


def _of_step(case: Case, step: PlannedStep) -> Iterator[Claim]:
    if not isinstance(step.model, ProcessStep):
        return
    said = [key for key in EXPECTATIONS if getattr(step.model, key, None)]
    for key in said:
        name = key.replace("_", "-")
        yield _claim(case, (*step.path, name), step.id, name)


def _of_group(case: Case, group: ClaimGroup, step: str) -> Iterator[Claim]:
    for key in (one for one in group_keys(group.claims) if "." not in one):
        value = getattr(group.claims, key.replace("-", "_"), None)
        base = f"{group.subject}.{key}"
        parts = sorted(value.model_fields_set) if isinstance(value, Names) else ()
        said = [part.rstrip("_") for part in parts if part not in ("within", "except_")]
        for part in said or [""]:
            path = (*group.path, key, part) if part else (*group.path, key)
            yield _claim(case, path, step, f"{base}.{part}" if part else base, base if part else "")


def _claim(case: Case, path: KeyPath, step: str, name: str, whole: str = "") -> Claim:
    position, document = case.position(path), case.document
    of_group = path[-1:] == ("exists",) and len(path) > 1
    real = document.real(path[:-1] if whole or of_group else path)
    places = {
        f"{one.line}:{one.column}"
        for known in (document.keys, document.values)
        for place, one in known.items()
        if place[: len(real)] == real
    }
    return Claim(position.line, position.column, step, name, frozenset(places), whole)


def never_red(case: Case, claims: Iterable[Claim], results: Iterable[KeptResult]) -> list[Claim]:
    """The claims that are not among the failures of any result of the case."""
    exact: set[tuple[str, str]] = set()
    loose: set[tuple[str, str]] = set()
    for result in results:
        for failure in result.failures:
            if result.sources == case.digest and failure.where:
                exact.add((_line(failure.where), failure.claim))
            else:
                loose.add((failure.step, failure.claim))
    return sorted(
        claim
        for claim in claims
        if not any(where in claim.places and claim.is_broken_by(claim.step, name) for where, name in exact)
        and not any(claim.is_broken_by(step, name) for step, name in loose)
    )


def _line(where: str) -> str:
    return ":".join(where.split(":")[-2:])
