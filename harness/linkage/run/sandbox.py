"""The sandbox of a run: whether there can be one here, and what the steps of a variant need in it."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from linkage.errors import LinkageError
from linkage.host import process
from linkage.host.sandbox import Sandbox
from linkage.toolchain.model import Toolchain

_PROGRAM = "bwrap"
_INSTALL = "install bubblewrap (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap)"
_ALLOW = (
    "allow user namespaces; Ubuntu: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0; "
    "docker: --security-opt seccomp=unconfined"
)


def find_sandbox(env: Mapping[str, str]) -> str:
    """Bwrap's path, if it works here. Raises LinkageError, which says what to install or to allow."""
    program = shutil.which(_PROGRAM, path=env.get("PATH"))
    if program is None:
        raise LinkageError(f"`{_PROGRAM}` is not on PATH", where="--sandbox", help=_INSTALL)
    try:
        ended = process.run(
            ["true"],
            env={"PATH": env.get("PATH", os.defpath)},
            cwd=Path("/"),
            time_limit=60,
            sandbox=Sandbox(program, (), home=env.get("HOME", "")),
        )
        why = None if ended.status == 0 else f"exit status {ended.status}"
    except OSError as error:
        why = error.strerror or str(error)
    if why is not None:
        raise LinkageError(f"`{_PROGRAM}` does not work here: {why}", where="--sandbox", help=_ALLOW)
    return program


def sandbox_for(
    program: str, folder: Path, fifo: Path | None, toolchains: Sequence[Toolchain], env: Mapping[str, str]
) -> Sandbox:
    """The sandbox of the steps in a working folder; `fifo` is the job server's."""
    programs = filter(None, env.get("PATH", "").split(os.pathsep))
    compilers = (
        place for one in toolchains for place in (one.sysroot, one.rustc.parent, one.rustc.resolve().parent)
    )
    writable = (folder,) if fifo is None else (folder, fifo)
    return Sandbox(program, writable, (*compilers, *map(Path, programs)), env.get("HOME", ""))
