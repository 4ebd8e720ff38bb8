"""`cc` and `cxx`: the C and the C++ compiler."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Literal

from pydantic import StrictBool

from linkage.case.base import Arguments, Paths, RelativePath
from linkage.case.document import KeyPath
from linkage.case.steps.process import ProcessStep
from linkage.case.steps.step import FileChanges, RoleReference, StepNames, each


class CcStep(ProcessStep):
    """The C compiler; with `cxx` the C++ compiler."""

    action = "cc"

    cc: Paths
    link_with: Arguments = ()
    """Artifacts by role or file, or `-l` flags, in order, after the objects."""
    flags: Arguments = ()
    kind: Literal["bin", "obj", "shared"] = "bin"
    output: RelativePath | None = None
    system_libraries: StrictBool = True
    """Whether the libraries that std needs on this platform are linked too."""

    def default_id(self, crate: str | None) -> str:
        _ = crate
        return PurePosixPath(next(self.sources())[0]).stem

    def may_be_roles(self) -> Iterator[RoleReference]:
        return each(self.link_with, "link-with")

    def made_roles(self, crate_types: tuple[str, ...]) -> tuple[str, ...]:
        _ = crate_types
        return (self.kind,)

    def output_file(self, step_id: str) -> str:
        """The file that it asks the compiler for."""
        names = {"bin": step_id, "obj": f"{step_id}.o", "shared": f"lib{step_id}.so"}
        return self.output or names[self.kind]

    def file_changes(self, names: StepNames, /) -> FileChanges:
        return FileChanges(written=(self.output_file(names.id),), named_in=self.flags)

    def sources(self) -> Iterator[tuple[str, KeyPath]]:
        yield from ((name, ("cc", index)) for index, name in enumerate(self.cc))


class CxxStep(CcStep):
    action = "cxx"
    cc: Paths = ()
    cxx: Paths

    def sources(self) -> Iterator[tuple[str, KeyPath]]:
        yield from ((name, ("cxx", index)) for index, name in enumerate(self.cxx))
