"""What systems differ in that more than one module needs: signals, limits, users. Files' locks: `locks`.

Python lacks on Windows what Windows does not have: the modules `resource`, `fcntl` and `pwd`, most signals.
Whoever asks here gets an answer on every system.
"""

import os
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SIGNALS: Mapping[str, int] = {
    "SIGHUP": 1, "SIGBUS": 7, "SIGKILL": 9, "SIGXCPU": 24, "SIGXFSZ": 25
}  # fmt: skip
"""Their numbers on Linux: of use where the system has none, since no process ends by them there."""


def signal_number(name: str) -> int:
    """The number of a signal of POSIX."""
    return int(getattr(signal, name, _SIGNALS.get(name, 0)))


SIGHUP, SIGBUS, SIGKILL, SIGXCPU, SIGXFSZ = map(signal_number, _SIGNALS)


@dataclass(frozen=True, slots=True)
class FreeSpace:
    """What a file system has left: bytes, and files (-1 if it does not count them)."""

    size: int
    files: int


if sys.platform == "win32":

    def resource_limits() -> dict[str, tuple[int, int]]:
        """There are none."""
        return {}

    def memory_is_limited() -> bool:
        """Whether the memory of processes has a limit."""
        return False

    def is_root() -> bool:
        """Whether this process may read what others may not."""
        return False

    def owns(_: Path) -> bool:
        """Whether a file is this user's: each has a folder for temporary files here."""
        return True

    def free_space(folder: Path) -> FreeSpace:
        """What the file system of a folder has left. Raises OSError."""
        return FreeSpace(shutil.disk_usage(folder).free, -1)

    def disk_size(status: os.stat_result) -> int:
        """The bytes that a file takes on the disk."""
        return status.st_size

    def make_fifo(path: Path) -> None:
        """Raises OSError: there are none here."""
        raise OSError(None, "this system has no FIFOs", str(path))

else:
    import resource

    def resource_limits() -> dict[str, tuple[int, int]]:
        """The limits of setrlimit(2) by their names, soft and hard."""
        names = sorted(name for name in dir(resource) if name.startswith("RLIMIT_"))
        return {name: resource.getrlimit(getattr(resource, name)) for name in names}

    def memory_is_limited() -> bool:
        """Whether the memory of processes has a limit."""
        both = (resource.RLIMIT_AS, resource.RLIMIT_DATA)
        return any(resource.getrlimit(one)[0] != resource.RLIM_INFINITY for one in both)

    def is_root() -> bool:
        """Whether this process may read what others may not."""
        return os.geteuid() == 0

    def owns(path: Path) -> bool:
        """Whether a file is this user's. Raises OSError."""
        return path.stat().st_uid == os.getuid()

    def free_space(folder: Path) -> FreeSpace:
        """What the file system of a folder has left. Raises OSError."""
        disk = os.statvfs(folder)
        return FreeSpace(disk.f_bavail * disk.f_frsize, disk.f_favail if disk.f_files else -1)

    def disk_size(status: os.stat_result) -> int:
        """The bytes that a file takes on the disk."""
        return status.st_blocks * 512

    def make_fifo(path: Path) -> None:
        """Create a FIFO for this user alone. Raises OSError."""
        os.mkfifo(path, 0o600)
