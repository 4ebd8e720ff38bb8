"""A survey of a case's cells: the steps that each has, and what they make."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from linkage.case import resolution as resolve
from linkage.case import steps
from linkage.case.base import suggest
from linkage.case.check.axes import check_built_in
from linkage.case.check.findings import Findings
from linkage.case.check.steps import flat
from linkage.case.condition import Row
from linkage.case.document import Document, Path, position_of
from linkage.case.matrix import AXIS_VALUES
from linkage.case.model import CaseModel
from linkage.errors import CaseError


@dataclass(frozen=True, slots=True)
class Place:
    """A step of a variant, and what was made before it and up to its end."""

    step: resolve.Resolved
    before: frozenset[str]
    """The roles that earlier steps make; of steps at the same time, none of each other's."""
    after: frozenset[str]
    """The roles that are there when its claims are judged."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A variant's steps in order; steps that run together stand before the step that holds them."""

    names: tuple[str, ...]
    """The variants that are so."""
    row: Row
    """The first one's values."""
    steps: tuple[resolve.Resolved, ...]
    places: tuple[Place, ...]

    @property
    def roles(self) -> frozenset[str]:
        """What has been made at the end."""
        return self.places[-1].after if self.places else frozenset()


@dataclass(slots=True)
class Cells:
    """What the cells of a case have shown."""

    model: CaseModel
    doc: Document
    cells: list[Cell] = field(default_factory=list)
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


def survey(model: CaseModel, doc: Document, built: Iterable[tuple[Row, tuple[str, ...]]]) -> Cells:
    """Go through every cell, with the names of all that are like it, once; values that do not fit
    are its findings.
    """
    found = Cells(model, doc)
    for row, names in built:
        problems: list[CaseError] = []
        resolved = resolve.resolve(doc, model.steps, resolve.Row(row, found.used), problems)
        for step in flat(resolved):
            problems += _values(step, doc)
        for problem in problems:
            found.findings.add(problem.what, position_of(problem), names, problem.help)
        found.cells.append(Cell(names, row, resolved, tuple(_places(resolved))))
    return found


def _values(step: resolve.Resolved, doc: Document) -> Iterator[CaseError]:
    if isinstance(step.step, steps.RustcStep):
        for axis in AXIS_VALUES:
            own = getattr(step.step, axis.replace("-", "_"), None)
            yield from check_built_in(axis, own, doc, (*step.path, axis))
        for index, axis in enumerate(step.step.axes or ()):
            if axis not in AXIS_VALUES:
                yield _no_axis(axis, doc, (*step.path, "axes", index))


def _no_axis(axis: str, doc: Document, path: Path) -> CaseError:
    help = suggest(axis, list(AXIS_VALUES), "these are: {}")
    return CaseError(f"`{axis}` is no axis that a step takes by itself", where=doc.value(path), help=help)


def _places(resolved: Sequence[resolve.Resolved]) -> Iterator[Place]:
    roles: frozenset[str] = frozenset()
    for step in resolved:
        parts = tuple(flat(step.together))
        after = roles.union(*(_made(part) for part in (*parts, step)))
        yield from (Place(part, roles, after) for part in parts)
        yield Place(step, roles, after)
        roles = after


def _made(step: resolve.Resolved) -> frozenset[str]:
    return frozenset(f"{step.id}.{kind}" for kind in step.roles)
