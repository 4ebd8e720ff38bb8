"""Steps that work on files: `remove`, `mkdir`, `write` and so on."""

from collections.abc import Iterator
from typing import Literal

from pydantic import StrictInt, StrictStr, model_validator
from pydantic_core import PydanticCustomError

from linkage.case.base import FileName, FileNames, Mode, Paths, RelativePath
from linkage.case.steps.step import FileChanges, RoleReference, Step, StepNames, ToolchainChoice, each


class RemoveStep(Step):
    action = "remove"
    remove: FileNames
    """Files, folders, roles or globs; each must select something."""

    def may_be_roles(self) -> Iterator[RoleReference]:
        return each(self.remove, "remove")

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges()


class MkdirStep(Step):
    action = "mkdir"
    mkdir: Paths

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges()


class WriteStep(Step):
    """Write a file; exactly one of `text` and `hex`."""

    action = "write"

    write: FileName
    text: StrictStr | None = None
    hex_: StrictStr | None = None
    offset: StrictInt | None = None
    """Overwrite the file from this byte on, which it must have; negative: from the end."""

    @property
    def length(self) -> int:
        """The bytes that it writes, but for those of variables."""
        return len((self.text or "").encode()) if self.hex_ is None else len(bytes.fromhex(self.hex_))

    @model_validator(mode="after")
    def _one_content(self) -> "WriteStep":
        if (self.text is None) == (self.hex_ is None):
            raise PydanticCustomError("content", "`write` needs exactly one of `text` and `hex`", {})
        try:
            bytes.fromhex(self.hex_ or "")
        except ValueError:
            raise PydanticCustomError("hex", "`hex` must be pairs of hexadecimal digits", {}) from None
        return self

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.write, ("write",))

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges(written=(self.write,))


class TruncateStep(Step):
    action = "truncate"
    truncate: FileName
    size: StrictInt
    """Bytes to keep; negative: bytes to cut off the end. The file must have as many."""

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.truncate, ("truncate",))

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges(written=(self.truncate,))


class RenameStep(Step):
    action = "rename"
    rename: FileName
    to: RelativePath

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.rename, ("rename",))

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges(written=(self.rename, self.to))


class SymlinkStep(Step):
    action = "symlink"
    symlink: RelativePath
    """The link to make."""
    to: FileName
    """What it points at: a role or a path inside the working folder."""

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.to, ("to",))

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges(written=(self.symlink,))


class CopyStep(Step):
    action = "copy"
    copy_: FileName
    to: RelativePath
    toolchain: ToolchainChoice = None
    """`other`: `${sysroot}` and `${libdir}` are those of another toolchain of the run."""

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.copy_, ("copy",))

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges(written=(self.to,))


class ChmodStep(Step):
    action = "chmod"
    chmod: FileName
    mode: Mode

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.chmod, ("chmod",))

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges()


class UmaskStep(Step):
    """The umask of the steps that follow."""

    action = "umask"

    umask: Mode

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges()


class CleanStep(Step):
    """An empty working folder from here on, with the case's sources only."""

    action = "clean"

    clean: Literal[True]
    keep: FileNames = ()
    """Files, globs or roles that stay."""

    def may_be_roles(self) -> Iterator[RoleReference]:
        return each(self.keep, "keep")

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges(kept=self.keep)
