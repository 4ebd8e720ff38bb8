"""A GNU make job server for all processes of a run: as many at once as the machine has processors.

A step's process is started with a token in hand, and rustc takes further ones for its threads of
code generation (`MAKEFLAGS=--jobserver-auth=fifo:…`, GNU make's manual, "POSIX Jobserver"). The
tokens lie in a fifo that the controlling process makes and xdist's workers open by its path.

Whoever is killed takes tokens along. So each holder also shares a lock, which the system takes
from the dead: where a token is waited for in vain and nobody holds the lock, all tokens are put
back. Somebody who waits therefore waits for a step that runs, never for one that is gone. After a
compiler that died with we do not know how many, nobody starts until the others have ended. Nor does
anybody beside others while memory is short.
"""

import contextlib
import fcntl
import os
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 0.5  # seconds between looks at whether anybody is left who will give a token back
_TOKEN = b"+"
ROOM = 1 << 30
"""Bytes of memory that must be available before one more process starts beside others: what a fat-LTO
link of std takes. The first one always starts."""
_MEMORY = Path("/proc/meminfo")


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(slots=True)
class JobServer:
    """A run's tokens, in a fifo of a folder that lives as long as the run."""

    folder: Path
    width: int
    kept: int | None = None
    """The fifo, held open by the process that made it: without anybody, what is in it is lost."""

    @property
    def fifo(self) -> Path:
        return self.folder / "jobs"

    @classmethod
    def make(cls, folder: Path, width: int) -> "JobServer | None":
        """Make one in a folder; None where that has no fifos, or a name that MAKEFLAGS cannot hold."""
        made = cls(folder, width)
        if len(str(folder).split()) > 1 or "$" in str(folder):
            return None
        try:
            os.mkfifo(made.fifo, 0o600)
            (folder / "holders").touch()
            made.kept = os.open(made.fifo, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            os.write(made.kept, _TOKEN * width)
        except OSError:
            return None
        return made

    def close(self) -> None:
        """Let go of the fifo; its folder is the caller's."""
        if self.kept is not None:
            os.close(self.kept)
            self.kept = None

    @property
    def makeflags(self) -> str:
        """What tells a compiler of it."""
        return f"-j{self.width} --jobserver-auth=fifo:{self.fifo}"

    @property
    def _lost(self) -> Path:
        return self.folder / "lost"

    def lose(self) -> None:
        """Say that a compiler has died, which may have held tokens."""
        with contextlib.suppress(OSError):
            self._lost.touch()

    @contextmanager
    def token(self) -> Iterator[None]:
        """Hold a token; waits for one. Without one where the folder has been taken from under us."""
        with contextlib.ExitStack() as held:
            pipe = holders = None
            try:
                pipe = _opened(self.fifo, os.O_RDWR | os.O_NONBLOCK, held)
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
            fcntl.flock(holders, fcntl.LOCK_SH)
            if not self._lost.exists() and (available() > ROOM or _alone(holders)):
                with contextlib.suppress(BlockingIOError):
                    if os.read(pipe, 1):
                        return
            # Waiting without the lock: nobody who waits is taken for one who will give back.
            fcntl.flock(holders, fcntl.LOCK_UN)
            self._restore(pipe, holders)
            if self._lost.exists() or available() <= ROOM:
                time.sleep(_PATIENCE / 10)  # the fifo may hold some
            else:
                select.select([pipe], [], [], _PATIENCE)

    def _restore(self, pipe: int, holders: int) -> None:
        """Where nobody holds a token, all of them belong in the fifo."""
        try:
            fcntl.flock(holders, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        try:
            with contextlib.suppress(BlockingIOError):
                while os.read(pipe, 4096):
                    pass
            self._lost.unlink(missing_ok=True)
            os.write(pipe, _TOKEN * self.width)
        finally:
            fcntl.flock(holders, fcntl.LOCK_UN)


def _alone(holders: int) -> bool:
    """Whether nobody else holds a token; the shared lock is held again afterwards."""
    try:
        fcntl.flock(holders, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        fcntl.flock(holders, fcntl.LOCK_SH)
    return True


def available(meminfo: Path = _MEMORY) -> int:
    """Bytes of memory that can be had without swapping; very many where the system does not say."""
    try:
        lines = meminfo.read_text().splitlines()
        found = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(found.split()[1]) * 1024
    except (OSError, StopIteration, ValueError, IndexError):
        return sys.maxsize


def _opened(place: Path, flags: int, held: contextlib.ExitStack) -> int:
    handle = os.open(place, flags | os.O_CLOEXEC)
    held.callback(os.close, handle)
    return handle
