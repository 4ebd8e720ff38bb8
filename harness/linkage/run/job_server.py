"""A GNU make job server for all processes of a run: as many at once as the machine has processors.

A step's process needs a token to start, and rustc takes further ones for its threads of code
generation (`MAKEFLAGS=--jobserver-auth=fifo:…`, GNU make's manual, "POSIX Jobserver"). The tokens are
in a fifo that the controlling process creates and xdist's workers open by its path.

A process that is killed does not return its tokens. So each holder also shares a lock, which the
system releases when the holder dies: if a process waits for a token and nobody holds the lock, all
tokens are put back. A process therefore waits for a step that runs, never for one that is gone. After
a compiler has died with an unknown number of tokens, no step starts until the others have ended. While
memory is low, no step starts next to others.
"""

import contextlib
import os
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from linkage.host.locks import lock, unlock
from linkage.host.system import make_fifo

_PATIENCE = 0.5  # seconds between checks whether any holder is left that will return a token
_TOKEN = b"+"
_NONBLOCK, _CLOEXEC = (getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC"))  # Windows has no FIFOs
ROOM = 1 << 30
"""Bytes of memory that must be available before another process starts next to others: what a fat-LTO
link of std needs. The first one always starts."""
_MEMORY = Path("/proc/meminfo")


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(slots=True)
class JobServer:
    """A run's tokens, in a fifo in a folder that exists as long as the run."""

    folder: Path
    width: int
    kept: int | None = None
    """The fifo, kept open by the process that created it: otherwise its content would be lost."""

    @property
    def fifo(self) -> Path:
        return self.folder / "jobs"

    @classmethod
    def make(cls, folder: Path, width: int) -> "JobServer | None":
        """Create one in a folder; None if that does not support fifos, or MAKEFLAGS cannot hold its name."""
        server = cls(folder, width)
        if len(str(folder).split()) > 1 or "$" in str(folder):
            return None
        try:
            make_fifo(server.fifo)
            (folder / "holders").touch()
            server.kept = os.open(server.fifo, os.O_RDWR | _NONBLOCK | _CLOEXEC)
            os.write(server.kept, _TOKEN * width)
        except OSError:
            return None
        return server

    def close(self) -> None:
        """Close the fifo; the caller removes its folder."""
        if self.kept is not None:
            os.close(self.kept)
            self.kept = None

    @property
    def makeflags(self) -> str:
        """The value of MAKEFLAGS that passes it to a compiler."""
        return f"-j{self.width} --jobserver-auth=fifo:{self.fifo}"

    @property
    def _lost(self) -> Path:
        return self.folder / "lost"

    def lose(self) -> None:
        """Note that a compiler has died, which may have held tokens."""
        with contextlib.suppress(OSError):
            self._lost.touch()

    @contextmanager
    def token(self) -> Iterator[None]:
        """Hold a token; wait for one. If the folder has been removed, continue without one."""
        with contextlib.ExitStack() as held:
            pipe = holders = None
            try:
                pipe = _opened(self.fifo, os.O_RDWR | _NONBLOCK, held)
                holders = _opened(self.folder / "holders", os.O_RDWR, held)
                self._take(pipe, holders)
            except OSError:
                yield
                return
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    os.write(pipe, _TOKEN)  # before the lock goes with its file

    def _take(self, pipe: int, holders: int) -> None:
        while True:
            lock(holders, shared=True)
            if not self._lost.exists() and (available() > ROOM or _alone(holders)):
                with contextlib.suppress(BlockingIOError):
                    if os.read(pipe, 1):
                        return
            # Wait without the lock: a process that waits is not a holder that will return a token.
            unlock(holders)
            self._restore(pipe, holders)
            if self._lost.exists() or available() <= ROOM:
                time.sleep(_PATIENCE / 10)  # the fifo may hold some
            else:
                select.select([pipe], [], [], _PATIENCE)

    def _restore(self, pipe: int, holders: int) -> None:
        """Put all tokens into the fifo if nobody holds one."""
        try:
            lock(holders, wait=False)
        except BlockingIOError:
            return
        try:
            with contextlib.suppress(BlockingIOError):
                while os.read(pipe, 4096):
                    pass
            self._lost.unlink(missing_ok=True)
            os.write(pipe, _TOKEN * self.width)
        finally:
            unlock(holders)


def _alone(holders: int) -> bool:
    """Whether nobody else holds a token; the shared lock is held again afterwards."""
    try:
        lock(holders, wait=False)
    except BlockingIOError:
        return False
    finally:
        lock(holders, shared=True)
    return True


def available(meminfo: Path = _MEMORY) -> int:
    """Bytes of memory that are available without swapping; a huge number if the system does not tell."""
    try:
        lines = meminfo.read_text().splitlines()
        found = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(found.split()[1]) * 1024
    except (OSError, StopIteration, ValueError, IndexError):
        return sys.maxsize


def _opened(place: Path, flags: int, held: contextlib.ExitStack) -> int:
    handle = os.open(place, flags | _CLOEXEC)
    held.callback(os.close, handle)
    return handle
