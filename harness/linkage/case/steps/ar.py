"""`ar`: the archiver."""

from collections.abc import Iterator

from pydantic import StrictBool, model_validator
from pydantic_core import PydanticCustomError

from linkage.case.base import Arguments, FileName
from linkage.case.steps.process import ProcessStep
from linkage.case.steps.step import FileChanges, RoleReference, StepNames, each


class ArStep(ProcessStep):
    """The archiver."""

    action = "ar"

    ar: FileName
    """The archive: a file to make, or a role to change."""
    members: Arguments = ()
    """Files or roles to add or replace, in order."""
    delete: Arguments = ()
    """Member names or globs over them to delete."""
    extract: Arguments = ()
    """Members to extract into the working folder; `*` for all."""
    thin: StrictBool = False
    index: StrictBool = True

    @model_validator(mode="after")
    def _one_operation(self) -> "ArStep":
        if sum(map(bool, (self.members, self.delete, self.extract))) > 1:
            raise PydanticCustomError(
                "operation",
                "`members`, `delete` and `extract` cannot be combined",
                {"help": "split the step"},
            )
        return self

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.ar, ("ar",))
        yield from each(self.members, "members")

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges(written=(self.ar,), any_file=bool(self.extract))
