"""A survey of a case's cells: the steps that each has, and what they make."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from linkage.case import resolution as resolve
from linkage.case import steps
from linkage.case.base import suggest
from linkage.case.case import Case
from linkage.case.check.axes import check_built_in
from linkage.case.check.findings import Findings
from linkage.case.condition import MatrixRow
from linkage.case.document import Document, KeyPath, position_of
from linkage.case.matrix import AXIS_VALUES
from linkage.case.model import CaseModel
from linkage.case.output_kinds import SIDE_KINDS
from linkage.errors import CaseError


@dataclass(frozen=True, slots=True)
class StepPlace:
    """A step of a variant, and what was made before it and up to its end."""

    step: resolve.ResolvedStep
    before: frozenset[str]
    """The roles that earlier steps make; parallel steps do not see each other's."""
    after: frozenset[str]
    """The roles that exist when its claims are judged."""


@dataclass(frozen=True, slots=True)
class VariantGroup:
    """Variants with the same steps, in order; parallel steps come before the step that holds them."""

    names: tuple[str, ...]
    """The variants."""
    row: MatrixRow
    """The first one's values."""
    steps: tuple[resolve.ResolvedStep, ...]
    places: tuple[StepPlace, ...]

    @property
    def roles(self) -> frozenset[str]:
        """The roles at the end."""
        return self.places[-1].after if self.places else frozenset()


@dataclass(slots=True)
class Survey:
    """All cells of a case, and the errors found in them."""

    model: CaseModel
    doc: Document
    cells: list[VariantGroup] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    """The axes that the steps take or refer to."""
    findings: Findings = field(default_factory=Findings)

    @property
    def ids(self) -> set[str]:
        """The ids of all steps, in any cell."""
        return {place.step.id for cell in self.cells for place in cell.places}

    @property
    def roles(self) -> set[str]:
        """All roles that are made in any cell."""
        return set().union(*(cell.roles for cell in self.cells))


def survey_cells(case: Case, built: Iterable[tuple[MatrixRow, tuple[str, ...]]]) -> Survey:
    """Survey the cells, each with the names of all equivalent ones; report values that do not fit."""
    model, doc = case.model, case.document
    found = Survey(model, doc)
    for row, names in built:
        problems: list[CaseError] = []
        resolved = resolve.resolve(case, resolve.TrackedRow(row, found.used), problems)
        for step in resolve.flat(resolved):
            problems += _values(step, doc)
        for problem in problems:
            found.findings.add(problem.what, position_of(problem), names, problem.help)
        found.cells.append(VariantGroup(names, row, resolved, tuple(_places(resolved))))
    return found


def _values(step: resolve.ResolvedStep, doc: Document) -> Iterator[CaseError]:
    if isinstance(step.step, steps.RustcStep):
        for axis in AXIS_VALUES:
            own = getattr(step.step, axis.replace("-", "_"), None)
            yield from check_built_in(axis, own, doc, (*step.path, axis))
        for index, axis in enumerate(step.step.axes or ()):
            if axis not in AXIS_VALUES:
                yield _no_axis(axis, doc, (*step.path, "axes", index))


def _no_axis(axis: str, doc: Document, path: KeyPath) -> CaseError:
    help = suggest(axis, list(AXIS_VALUES), "expected one of {}")
    return CaseError(f"`{axis}` is not a built-in axis", where=doc.value(path), help=help)


def _places(resolved: Sequence[resolve.ResolvedStep]) -> Iterator[StepPlace]:
    roles: frozenset[str] = frozenset()
    for step in resolved:
        parts = tuple(resolve.flat(step.parallel))
        after = roles.union(*(_made(part) for part in (*parts, step)))
        yield from (StepPlace(part, roles, after) for part in parts)
        yield StepPlace(step, roles, after)
        roles = after


def _made(step: resolve.ResolvedStep) -> frozenset[str]:
    sides = (side for kind in step.roles for side in SIDE_KINDS.get(kind, ()))
    of_rustc = isinstance(step.step, steps.RustcStep)
    return frozenset(f"{step.id}.{kind}" for kind in (*step.roles, *(sides if of_rustc else ())))
