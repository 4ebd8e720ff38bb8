"""Coming variants carried out before pytest asks for them, where it runs one after the other.

Nothing but the store is filled: each variant is still carried out and judged when its turn comes,
and then finds its steps done. What a thread here could not do, or did not finish, is done then.
So no verdict depends on it. Processes are held back by the run's job server, and by memory.
"""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness import process
from harness.build.plan import Variant
from harness.session import Session

ROOM = 2 << 30  # bytes for each variant that is carried out: what a fat-LTO link of std may take
_MEMORY = Path("/proc/meminfo")
_LOOK = 0.2  # seconds between looks at memory, and at whether threads have ended


class _StoppedError(Exception):
    """Ends what a thread does before its next step."""


class Ahead:
    """Threads that carry out the variants of a list, from where pytest is onwards."""

    def __init__(self, session: Session, variants: Sequence[Variant], threads: int) -> None:
        self._session = replace(session, progress=self._before_step)
        session.progress = self._begun
        self._needed = threading.Event()
        """Set by every step that is carried out; cleared by a variant that the store had whole. Where
        there is nothing to do, doing it twice would only take time.
        """
        self._ran = threading.local()
        self._variants = variants
        self._next = 1  # pytest itself begins with the first
        self._busy = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]

    def start(self) -> None:
        """Begin. What all variants share is found out before, once."""
        _ = self._session.machine, self._session.machine_key
        for thread in self._threads:
            thread.start()

    def reached(self, index: int) -> None:
        """Say where pytest is: what it does itself is not begun here any more."""
        with self._lock:
            self._next = max(self._next, index + 1)

    def stop(self) -> None:
        """End at once what is still being done; nothing of ours runs any more afterwards."""
        self._stopped.set()
        self._needed.set()
        for thread in self._threads:
            while thread.is_alive():
                process.end_all()  # again: one that waited for its turn may have begun just now
                thread.join(_LOOK)

    def _begun(self, _step: str) -> None:
        self._needed.set()

    def _work(self) -> None:
        while (variant := self._take()) is not None:
            self._ran.any = False
            try:
                self._session.carry_out(variant)
            except Exception:  # noqa: BLE001, S110 - whatever it is, it shows when its turn comes
                pass
            finally:
                if not self._ran.any:
                    self._needed.clear()
                with self._lock:
                    self._busy -= 1

    def _take(self) -> Variant | None:
        while not self._stopped.is_set():
            if not self._needed.wait(_LOOK):
                continue
            with self._lock:
                if self._next >= len(self._variants):
                    return None
                if self._busy < 1 + available() // ROOM:
                    self._busy += 1
                    self._next += 1
                    return self._variants[self._next - 1]
            self._stopped.wait(_LOOK)
        return None

    def _before_step(self, _step: str) -> None:
        if self._stopped.is_set():
            raise _StoppedError
        self._ran.any = True
        self._needed.set()


def available(meminfo: Path = _MEMORY) -> int:
    """Bytes of memory that can be had without swapping; none where the system does not say."""
    try:
        lines = meminfo.read_text().splitlines()
        found = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(found.split()[1]) * 1024
    except (OSError, StopIteration, ValueError, IndexError):
        return 0
