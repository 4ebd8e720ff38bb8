"""A process in a sandbox: bubblewrap (bwrap(1)), which any user can call where user namespaces are allowed.

Inside, all files are read-only but for the folders that are given, and temporary folders, sockets and the
user's home folder are not there, so that no token is in reach. There is no network and no other process.
"""

import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

_SEPARATE = (
    "--unshare-user-try", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
    "--unshare-cgroup-try", "--cap-drop", "ALL",
)  # fmt: skip
_TEMPORARY = ("/tmp", "/var/tmp", "/run")  # noqa: S108 - they are hidden, not used


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What a process in a sandbox can do to the file system."""

    program: str
    """bwrap."""
    writable: tuple[Path, ...]
    readable: tuple[Path, ...] = ()
    """What it needs of folders that are hidden."""
    home: str = ""

    def command(self, argv: Sequence[str], cwd: Path, report: int, resources: Mapping[int, int]) -> list[str]:
        """The command line that runs a command inside, with these limits (setrlimit(2)).

        How it ended is written to the open file `report`: bwrap's own status does not tell a signal from an
        exit status.
        """
        hidden = _hidden(self.home)
        words = [self.program, *_SEPARATE, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
        for place in hidden:
            words += ["--tmpfs", place]
        interpreter = os.path.realpath(sys.executable)
        needed = (*self.readable, Path(sys.base_prefix), Path(interpreter).parent)
        binds = [("--bind", str(place)) for place in self.writable]
        binds += [("--ro-bind", place) for place in _shown(needed, hidden)]
        for how, place in sorted(set(binds), key=lambda bind: (bind[1], bind[0])):
            words += [how, place, place]
        for place in hidden:
            words += ["--remount-ro", place]
        limits = ",".join(f"{what}={value}" for what, value in resources.items())
        inside = [interpreter, "-I", "-S", "-c", _launcher(), str(report), limits, *argv]
        return [*words, "--chdir", str(cwd), "--", *inside]


def _hidden(home: str) -> list[str]:
    places = [*_TEMPORARY, tempfile.gettempdir(), home]
    found = sorted({str(Path(place).resolve()) for place in places if place and Path(place).is_dir()})
    return [place for place in found if place != "/"]


def _shown(places: Iterable[Path], hidden: Sequence[str]) -> set[str]:
    """Those places, and what they lead to, that are in a hidden folder."""
    found = {name for place in places for name in (os.path.normpath(place), os.path.realpath(place))}
    return {
        name
        for name in found
        if any(name.startswith(f"{one}/") for one in hidden) and os.path.exists(name)  # noqa: PTH110
    }


@cache
def _launcher() -> str:
    return files(__package__).joinpath("sandbox_launcher.py").read_text(encoding="utf-8")
