"""`tool`: any other program."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from linkage.case.base import Arguments, FileName
from linkage.case.steps.process import ProcessStep
from linkage.case.steps.step import FileChanges, RoleReference, StepNames, each


class ToolStep(ProcessStep):
    """Any other program by its name on PATH or in the toolchain."""

    action = "tool"

    tool: Annotated[FileName, Field(min_length=1)]
    args: Arguments = ()

    def may_be_roles(self) -> Iterator[RoleReference]:
        return each(self.args, "args")

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges(any_file=True)
