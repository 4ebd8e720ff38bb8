"""Cells that are equivalent for the checks: they differ only in axes that no step and no claim uses.

A source's text may use any axis, but the checks read only its crate's attributes. So only a few of a case's
thousands of cells are checked.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from linkage.case.check.claims import compared_with
from linkage.case.check.conditions import every_condition
from linkage.case.condition import COMPILER, OTHER_COMPILER
from linkage.case.document import Document
from linkage.case.matrix import AXIS_VALUES
from linkage.case.model import CaseModel
from linkage.case.steps import every_step
from linkage.case.variables import REFERRING, references


class EquivalentCells(NamedTuple):
    """Cells that are equivalent for the checks."""

    row: Mapping[str, Any]
    """The first one's values."""
    names: tuple[str, ...]


def equivalent_cells(
    built: Sequence[tuple[Mapping[str, Any], str]], model: CaseModel, doc: Document
) -> Iterator[EquivalentCells]:
    """The cells, each given with its name, grouped by equivalence."""
    if _looks_at_others(model):
        yield from (EquivalentCells(row, (name,)) for row, name in built)
        return
    axes = sorted(_looked_at(model, doc))
    found: dict[tuple[str, ...], tuple[Mapping[str, Any], list[str]]] = {}
    for row, name in built:
        # repr: true is not 1 here. An axis that a cell lacks is not one that is null in it.
        key = tuple([repr(row[axis]) if axis in row else "" for axis in axes])
        found.setdefault(key, (row, []))[1].append(name)
    yield from (EquivalentCells(row, tuple(names)) for row, names in found.values())


def _looks_at_others(model: CaseModel) -> bool:
    """Whether a claim compares with another cell: then every cell matters."""
    listed = [model.claims, *(step.claims for step, _ in every_step(model.steps, ("steps",)))]
    return any(
        reference.variant
        for claims in listed
        for sets in claims.values()
        for one in sets
        for reference, _ in compared_with(one)
    )


def _looked_at(model: CaseModel, doc: Document) -> set[str]:
    """The axes on which steps and claims can depend."""
    assert isinstance(doc.data, dict)  # noqa: S101 - the case has been validated
    texts = [doc.data.get(part) for part in REFERRING]
    # The crate's name and types may stand in its source.
    texts += [source for source in model.sources.values() if "#![crate_" in source.replace(" ", "")]
    conditions = (placed.condition.names() for placed in every_condition(model))
    referred = {name.partition(".")[0] for name, _ in references(texts)}
    return {COMPILER, OTHER_COMPILER, *AXIS_VALUES, *referred}.union(*conditions)
