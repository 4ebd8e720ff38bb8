"""`run`: run a built program."""

from collections.abc import Iterator

from pydantic import StrictBool

from linkage.case.base import Argument, Arguments, FileName
from linkage.case.steps.process import ProcessStep
from linkage.case.steps.step import FileChanges, RoleReference, StepNames, each


class RunStep(ProcessStep):
    """Run a built program, which the loader finds the variant's libraries for."""

    action = "run"

    run: FileName
    """A step's id (its bin or program), a role, or a file."""
    args: Arguments = ()
    runner: Arguments = ()
    """A program, with its arguments, that runs the built program (`[valgrind, -q]`)."""
    library_path: StrictBool = True
    """Whether the loader finds the working folder and the toolchain's libraries."""
    target: Argument | None = None
    """The target of a program that no step makes; by default the matrix's. `host`: the host."""

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.run, ("run",))
        yield from each(self.args, "args")

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges(any_file=True)
