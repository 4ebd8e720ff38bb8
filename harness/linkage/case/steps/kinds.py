"""Every kind of step, in one table, and `parallel`, which has steps of any kind."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Discriminator, Field, Tag, model_validator

from linkage.case.document import KeyPath
from linkage.case.steps.ar import ArStep
from linkage.case.steps.cc import CcStep, CxxStep
from linkage.case.steps.files import (
    ChmodStep,
    CleanStep,
    CopyStep,
    MkdirStep,
    RemoveStep,
    RenameStep,
    SymlinkStep,
    TruncateStep,
    UmaskStep,
    WriteStep,
)
from linkage.case.steps.link_only import LinkOnlyStep
from linkage.case.steps.run import RunStep
from linkage.case.steps.rustc import RustcStep
from linkage.case.steps.step import FileChanges, Step, StepNames
from linkage.case.steps.tool import ToolStep


class ParallelStep(Step):
    """Steps that run at the same time."""

    action = "parallel"

    parallel: tuple["AnyStep", ...] = Field(min_length=2)

    @model_validator(mode="before")
    @classmethod
    def _tuple(cls, data: Any) -> Any:  # noqa: ANN401
        if isinstance(data, dict) and isinstance(data.get("parallel"), list):
            return {**data, "parallel": tuple(data["parallel"])}
        return data

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges()


_KINDS = (
    RustcStep, LinkOnlyStep, RunStep, CcStep, CxxStep, ArStep, ToolStep, RemoveStep, MkdirStep, WriteStep,
    TruncateStep, RenameStep, SymlinkStep, CopyStep, ChmodStep, UmaskStep, CleanStep, ParallelStep,
)  # fmt: skip
ACTIONS: dict[str, type[Step]] = {kind.action: kind for kind in _KINDS}
"""Every kind of step, by the key that names it in a case."""


def action_of(data: Any) -> str | None:  # noqa: ANN401 - whatever stands in the file
    """The step's action, as a tag that differs from every key."""
    if isinstance(data, Step):
        return f"a {data.action} step"
    if not isinstance(data, dict):
        return None
    found = [name for name in ACTIONS if name in data]
    return f"a {found[0]} step" if len(found) == 1 else None


if TYPE_CHECKING:
    AnyStep = Step
else:
    AnyStep = Annotated[
        Union[tuple(Annotated[model, Tag(f"a {name} step")] for name, model in ACTIONS.items())],  # noqa: UP007 - of a tuple
        Discriminator(
            action_of,
            custom_error_type="action",
            custom_error_message="a step needs exactly one of: " + ", ".join(ACTIONS),
        ),
    ]

ParallelStep.model_rebuild()


def every_step(steps: Iterable[Step], base: KeyPath) -> Iterator[tuple[Step, KeyPath]]:
    """Every step at any depth, with its path."""
    for index, step in enumerate(steps):
        path = (*base, index)
        yield step, path
        if isinstance(step, ParallelStep):
            yield from every_step(step.parallel, (*path, "parallel"))
