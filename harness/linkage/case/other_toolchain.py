"""Cells in which steps are run by another toolchain of the run than the variant's: `toolchain: other`."""

from collections.abc import Iterator

from linkage.case.condition import MatrixRow
from linkage.case.model import CaseModel
from linkage.case.steps import Step, every_step
from linkage.case.steps.step import OTHER
from linkage.case.variables import REFERENCE, UnknownVariableError, substitute
from linkage.toolchain.platform import PLATFORM


def uses_other(model: CaseModel, row: MatrixRow) -> bool:
    """Whether a cell may have a step with `toolchain: other`.

    If the compiler or its target's platform decides whether the cell has the step, it counts.
    """
    return any(_toolchain(step, row) == OTHER and _may_have(step, row) for step in choosing_steps(model))


def choosing_steps(model: CaseModel) -> Iterator[Step]:
    """The steps that say which toolchain they are for."""
    found = (step for step, _ in every_step(model.steps, ()))
    return (step for step in found if getattr(step, "toolchain", None) is not None)


def _toolchain(step: Step, row: MatrixRow) -> object:
    written: str = getattr(step, "toolchain", "")
    if REFERENCE.search(written) is None:
        return written
    try:
        return substitute(written, row, frozenset())
    except UnknownVariableError:  # reported where it stands
        return None


def _may_have(step: Step, row: MatrixRow) -> bool:
    when = step.when
    if when is None or any(when.ranges()) or any(when.other_ranges()) or when.names() & set(PLATFORM):
        return True
    return when.holds(row)
