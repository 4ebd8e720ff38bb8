"""A folder of installed toolchains: one installation at a time, and each appears when it is complete."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from linkage.errors import ToolchainError

Say = Callable[[str], None]
_STAGED = "new-"
_REMOVED = "old-"


@contextlib.contextmanager
def staging(home: Path, who: str, say: Say | None = None, *, help: str | None = None) -> Iterator[Path]:
    """Lock the folder, and yield a new folder in it, out of which an installation is renamed.

    The rest of it is removed in any case, and what a killed installation has left behind is removed
    first. Raises ToolchainError if the folder cannot be written or the disk is full.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - most runs install nothing

    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home / "install.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if say:
                say(f"waiting for another installation into {home}")
            lock.acquire()
        try:
            # No other installation has the lock, so none is using these.
            for left in [*home.glob(f"{_STAGED}*"), *home.glob(f"{_REMOVED}*")]:
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=home, prefix=_STAGED, ignore_cleanup_errors=True) as folder:
                yield Path(folder)
        finally:
            lock.release()
    except OSError as error:
        raise ToolchainError(
            f"{home} cannot be written: {error.strerror or error}", where=f"toolchain {who}", help=help
        ) from error


def take_away(folder: Path) -> None:
    """Remove a toolchain's folder: it is renamed, which takes no time, and then deleted."""
    home = folder.parent
    out_of_sight = Path(tempfile.mkdtemp(dir=home, prefix=_REMOVED))
    folder.rename(out_of_sight / folder.name)
    shutil.rmtree(out_of_sight)
