"""`cc` and `cxx`: the C and the C++ compiler."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Literal

from pydantic import StrictBool

from linkage.case.base import Argument, Arguments, Paths, RelativePath
from linkage.case.document import KeyPath
from linkage.case.steps.process import ProcessStep
from linkage.case.steps.step import FileChanges, RoleReference, StepNames, each

_NAMES = {
    "windows": {"bin": "{}.exe", "shared": "{}.dll"}, "macos": {"shared": "lib{}.dylib"},
    "ios": {"shared": "lib{}.dylib"}, "wasi": {"bin": "{}.wasm", "shared": "lib{}.wasm"},
    "unknown": {"bin": "{}.wasm", "shared": "lib{}.wasm"},
}  # fmt: skip
"""Names of outputs that differ from those of GNU/Linux, by operating system."""


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
    target: Argument | None = None
    """By default the matrix's. `host`: the host."""

    def default_id(self, crate: str | None) -> str:
        _ = crate
        return PurePosixPath(next(self.sources())[0]).stem

    def may_be_roles(self) -> Iterator[RoleReference]:
        return each(self.link_with, "link-with")

    def made_roles(self, crate_types: tuple[str, ...]) -> tuple[str, ...]:
        _ = crate_types
        return (self.kind,)

    def output_file(self, step_id: str, os: str = "linux") -> str:
        """The file that it asks the compiler for; `os` is the target's."""
        names = {"bin": "{}", "obj": "{}.o", "shared": "lib{}.so", **_NAMES.get(os, {})}
        return self.output or names[self.kind].format(step_id)

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
