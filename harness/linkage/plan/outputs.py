"""From roles to files: what a step's outputs are called on a target.

rustc answered for each crate type how the target names it (`--print file-names`).
"""

from pathlib import PurePosixPath

from linkage.case.roles import is_role
from linkage.errors import CaseError
from linkage.toolchain.model import Toolchain


class Outputs:
    """The files of a variant's steps by role, filled in the order of the steps."""

    def __init__(self, toolchain: Toolchain, target: str | None) -> None:
        self.toolchain = toolchain
        self.target = target
        self.roles: dict[str, str] = {}
        self.ids: set[str] = set()
        self.folders: list[str] = ["."]
        """Folders that later steps search for crates."""

    def search(self, folder: str) -> None:
        """Note a folder that later steps search for crates."""
        if folder not in self.folders:
            self.folders.append(folder)

    def linked(self, crate_type: str, name: str, triple: str | None) -> str:
        """What the target calls a linked output.

        Raises CaseError for a crate type that the target does not have.
        """
        target = self.toolchain.target(triple)
        output = target.output(crate_type) if target else None
        if output is None:
            raise CaseError(
                f"{self.toolchain.name} has no crate type {crate_type} for {triple or self.toolchain.host}"
            )
        return output.file(name)

    def path(self, name: str) -> str:
        """The file that a role or an id means; a text that is neither is a file or a glob itself.

        Raises CaseError for a role that no step of this variant makes.
        """
        if name in self.roles:
            return self.roles[name]
        if is_role(name, self.ids):
            raise CaseError(f"no step of this variant produces `{name}`")
        return name

    def subject(self, name: str) -> str | None:
        """Like path, but None for a role that this variant does not have."""
        try:
            return self.path(name)
        except CaseError:
            return None

    def program(self, name: str) -> str:
        """The file of a program: an id stands for the bin that the step makes."""
        return self.roles.get(f"{name}.bin") or self.path(name)


def join(folder: str, file: str) -> str:
    """A file's path in a folder; `.` is left out."""
    return str(PurePosixPath(folder, file))
