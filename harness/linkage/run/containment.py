"""What keeps the steps of a run within their limits on this machine, and whether there is a sandbox."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from linkage.errors import LinkageError
from linkage.host import process
from linkage.host.control_group import make_group
from linkage.host.limits import StepLimits
from linkage.run.sandbox import find_sandbox


@dataclass(frozen=True, slots=True)
class Containment:
    """What was found by making a control group and by starting a process in a sandbox."""

    groups: str | None
    """The kind of control groups that can be made: "cgroup v1" or "cgroup v2"."""
    folders: tuple[str, ...]
    """Where they are made."""
    sandbox: str | None
    """The path of bubblewrap."""
    sandbox_version: str | None
    no_sandbox: str | None
    """Why there is no sandbox."""

    @property
    def limits(self) -> str:
        """What keeps the limits, in words."""
        if self.groups is None:
            shared = "memory and processes are counted ten times a second (no control group can be made)"
        else:
            shared = f"{self.groups} for memory and processes ({', '.join(self.folders)})"
        return f"{shared}; setrlimit for the size and the number of files"


def examine_containment(env: Mapping[str, str]) -> Containment:
    """Ask this machine."""
    limits = StepLimits()
    group = make_group(limits.memory, limits.processes)
    groups: str | None = None
    folders: tuple[str, ...] = ()
    if group is not None:
        group.remove()
        groups = f"cgroup v{2 if group.is_unified else 1}"
        folders = tuple(shlex.quote(str(folder.parent)) for folder in group.folders)
    try:
        program = find_sandbox(env)
    except LinkageError as error:
        return Containment(groups, folders, None, None, error.what)
    return Containment(groups, folders, program, _version(program, env), None)


def _version(program: str, env: Mapping[str, str]) -> str | None:
    ended = process.run(
        [program, "--version"], env={"PATH": env.get("PATH", os.defpath)}, cwd=Path("/"), time_limit=60
    )
    return ended.stdout.decode(errors="replace").strip() if ended.status == 0 else None
