"""From roles to files: the names of a step's outputs on a target.

rustc was asked how the target names each crate type (`--print file-names`).
"""

import posixpath
from pathlib import PurePosixPath

from linkage.case import steps as model
from linkage.case.resolution import ResolvedStep
from linkage.case.roles import is_role
from linkage.errors import AbsentCrateTypeError, CaseError
from linkage.plan.state import fits
from linkage.toolchain.model import Toolchain

_SORTED = ("bin", "dylib", "cdylib", "proc-macro", "sdylib")
"""The crate types for which rustc calls a linker, in its own order."""


class Outputs:
    """The files of a variant's steps by role, filled in the order of the steps."""

    def __init__(self, toolchain: Toolchain, target: str | None) -> None:
        self.toolchain = toolchain
        self.target = target
        self.roles: dict[str, str] = {}
        self.ids: set[str] = set()
        self.folders: list[str] = ["."]
        """Folders that later steps search for crates."""
        self._linked: dict[str, tuple[str, ...]] = {}

    def search(self, folder: str) -> None:
        """Note a folder that later steps search for crates."""
        if folder not in self.folders:
            self.folders.append(folder)

    def rename(self, old: str, new: str) -> None:
        """Let roles and search folders follow a file or a folder that is renamed."""
        self.roles = {role: _renamed(path, old, new) for role, path in self.roles.items()}
        self.folders = list(dict.fromkeys(_renamed(folder, old, new) for folder in self.folders))

    def linked_by(self, step: model.Step, step_id: str) -> tuple[str, ...]:
        """The roles of the outputs that a rustc step links, in rustc's order."""
        if isinstance(step, model.RustcStep) and step.no_link:
            return ()
        return self._linked.get(step.link_only if isinstance(step, model.LinkOnlyStep) else step_id, ())

    def note_linked(self, resolved: ResolvedStep) -> None:
        """Note the outputs that a rustc step, or the `link-only` step that finishes it, links."""
        kinds = resolved.crate_types
        if not resolved.axes.get("crate-type"):
            kinds = tuple(kind for kind in _SORTED if kind in kinds)  # rustc sorts those in a source
        roles = tuple(f"{resolved.id}.{kind}" for kind in kinds if kind in _SORTED)
        self._linked[resolved.id] = tuple(role for role in roles if role in self.roles)

    def linked(
        self, crate_type: str, name: str, triple: str | None, toolchain: Toolchain | None = None
    ) -> str:
        """The target's file name of an output that a toolchain links, by default the variant's.

        Raises AbsentCrateTypeError if the target does not have the crate type.
        """
        toolchain = toolchain or self.toolchain
        target = toolchain.target(triple)
        output = target.output(crate_type) if target else None
        if output is None:
            raise AbsentCrateTypeError(
                f"{toolchain.name} has no crate type {crate_type} for {triple or toolchain.host}"
            )
        return output.file(name)

    def path(self, name: str) -> str:
        """The file that a role or an id means; any other text is itself a file or a glob.

        Raises CaseError for a role that no step of this variant produces.
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
        """The file of a program: an id stands for the bin that the step produces."""
        return self.roles.get(f"{name}.bin") or self.path(name)


def _renamed(path: str, old: str, new: str) -> str:
    if fits(path, old):
        return posixpath.normpath(new)
    folder = f"{posixpath.normpath(old)}/"
    return posixpath.join(new, path.removeprefix(folder)) if path.startswith(folder) else path


def join(folder: str, file: str) -> str:
    """A file's path in a folder; `.` is left out."""
    return str(PurePosixPath(folder, file))
