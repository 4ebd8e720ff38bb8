"""Runs coming variants before pytest asks for them, if pytest runs without xdist.

Threads run and judge the next variants, as many at once as the job server allows, and pytest takes
their verdicts in its own order. A variant that no thread has begun when pytest asks for it is run by
pytest itself. The variants that took longest in an earlier run are begun first, so that none of them
runs alone at the end.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from linkage.host import process
from linkage.judge.verdict import Verdict
from linkage.plan.plan import Variant
from linkage.run.session import Session

_WINDOW = 16
"""How many verdicts per thread may wait for their turn: they take memory."""
_LOOK = 0.2  # seconds between checks whether threads have ended


class _StoppedError(Exception):
    """Ends the work of a thread before its next step."""


class Prefetcher:
    """Threads that run the variants of a list, from the one that pytest is at."""

    def __init__(
        self,
        session: Session,
        variants: Sequence[Variant],
        threads: int,
        seconds: Callable[[Variant], float] = lambda _: 0.0,
    ) -> None:
        """`seconds`: how long a variant took in an earlier run."""
        self._session = session
        self._before = session.progress
        session.progress = self._step
        self._begun = threading.Event()
        """Set by every step that runs; cleared by a variant that was cached. If all are cached, threads
        would only be in each other's way.
        """
        self._ran = threading.local()
        self._places = {variant.id: place for place, variant in enumerate(variants)}
        self._variants = variants
        self._seconds = seconds
        self._window = _WINDOW * threads
        self._lock = threading.Lock()
        self._taken: dict[int, Future[Verdict]] = {}
        self._at = 0
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]

    def start(self) -> None:
        """Start the threads, after finding out once what all variants share."""
        _ = self._session.machine, self._session.machine_key
        for thread in self._threads:
            thread.start()

    def verdict(self, variant: Variant) -> Verdict:
        """The verdict of the variant whose turn it is, from a thread or judged here."""
        place = self._places[variant.id]
        with self._lock:
            self._at = place + 1
            found = self._taken.pop(place, None)
        if found is None:
            return self._session.verdict(variant)
        return found.result()

    def stop(self) -> None:
        """Stop all work at once; afterwards no thread or process of ours runs."""
        self._stopped.set()
        self._begun.set()
        for thread in self._threads:
            while thread.is_alive():
                process.end_all()  # again: one that waited for its turn may have started just now
                thread.join(_LOOK)
        self._session.progress = self._before

    def _step(self, step: str) -> None:
        if self._stopped.is_set() and threading.current_thread() is not threading.main_thread():
            raise _StoppedError
        self._ran.any = True
        self._begun.set()
        if self._before is not None:
            self._before(step)

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            variant, future = taken
            self._ran.any = False
            try:
                future.set_result(self._session.verdict(variant))
            except BaseException as error:  # noqa: BLE001 - it is raised where the verdict is asked for
                future.set_exception(error)
            if not self._ran.any:
                self._begun.clear()

    def _take(self) -> tuple[Variant, Future[Verdict]] | None:
        while not self._stopped.is_set():
            if not self._begun.wait(_LOOK):
                continue
            with self._lock:
                if self._at >= len(self._variants):
                    return None
                coming = range(self._at, min(self._at + self._window, len(self._variants)))
                free = [place for place in coming if place not in self._taken]
                if free:
                    place = max(free, key=lambda place: (self._seconds(self._variants[place]), -place))
                    future = self._taken[place] = Future[Verdict]()
                    return self._variants[place], future
            self._stopped.wait(_LOOK)
        return None
