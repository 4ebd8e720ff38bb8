"""Ctrl-C, SIGTERM and SIGHUP: one line, one exit status, and nothing left running, at any moment.

A signal raises KeyboardInterrupt in the main thread, so that what is held is let go of. Python loses an
exception that is raised in a callback or a finalizer, and an orderly end may take long: so a signal that
nobody has noticed is repeated, and a process that does not end is ended. Before there is anything to let
go of, and at the second signal, the process ends at once.

The program calls `take` before it imports anything else: this module imports nothing that costs time.
"""

import _thread
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

_SIGNALS = tuple(
    found for name in ("SIGINT", "SIGTERM", "SIGHUP") if (found := getattr(signal, name, None)) is not None
)
_AGAIN = 0.2
"""Seconds after which a signal that was not noticed is repeated."""
_PATIENCE = 5.0
"""Seconds for an orderly end."""

NO_ANSWER = 255
"""The exit status of a `linkage probe` without an answer: `git bisect run` takes 1 to 127 for one."""


class Interruption:
    """What is known of the signals of this process, and how it ends."""

    def __init__(self) -> None:
        self.asked = False
        """Whether a signal has come."""
        self.status = 2
        self.describe: Callable[[], str] = lambda: "interrupted"
        """What to print: one line. Called in a signal handler: it takes no locks."""
        self.children: tuple[int, ...] = ()
        """Processes that do not end by themselves with this one: xdist's workers."""
        self._noticed = False
        self._working = False
        self._repeats = False

    def take(self) -> None:
        """Handle the signals of this process, except those that are ignored, as `nohup` has it."""
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)
        sys.unraisablehook = self._lost

    def _lost(self, lost: "sys.UnraisableHookArgs") -> None:
        """Print what Python prints of a lost exception; not of our own, which is raised again."""
        if not (self.asked and issubclass(lost.exc_type, KeyboardInterrupt)):
            sys.__unraisablehook__(lost)

    def begin(self) -> None:
        """From here on, KeyboardInterrupt is caught."""
        self._working = True

    def notice(self) -> None:
        """KeyboardInterrupt has been caught: the process is about to end."""
        self._noticed = True

    def leave(self) -> NoReturn:
        """Say it and end, whatever else goes on."""
        line = f"linkage: {self.describe()}\n"
        with contextlib.suppress(OSError):
            os.write(2, line.encode(errors="backslashreplace"))
        self.end_children()
        os._exit(self.status)

    def end_children(self) -> None:
        """Kill the processes of `children`. Compilers have a guard of their own: linkage.host.process."""
        for pid in self.children:
            with contextlib.suppress(OSError):
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._repeats:
            self._repeats = False
            if self._noticed:
                return
        elif self.asked or not self._working:
            self.leave()
        else:
            self.asked = True
            # Not threading.Thread: the signal may have come while one of its locks is held.
            _thread.start_new_thread(self._watch, (number,))
        raise KeyboardInterrupt

    def _watch(self, number: int) -> None:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            time.sleep(_AGAIN)
            if not self._noticed:
                self._repeats = True
                os.kill(os.getpid(), number)
        self.leave()


@contextlib.contextmanager
def deaf_children() -> Iterator[None]:
    """What is started meanwhile does not notice the signals before it calls `hear`.

    A terminal sends Ctrl-C to all, and Python prints a traceback if it comes while it starts.
    """
    import threading  # noqa: PLC0415 - slow to import

    over = threading.Event()
    # This thread takes the signals: Python's handlers run in the main thread all the same.
    threading.Thread(target=over.wait, daemon=True).start()
    if sys.platform == "win32":  # has no mask of signals
        yield
        over.set()
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        over.set()


def hear() -> None:
    """End the deafness of a child. Ctrl-C is its parent's matter, as long as that lives."""
    parent = os.getppid()

    def handle(_number: int, _frame: FrameType | None) -> None:
        if os.getppid() != parent:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handle)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


interruption = Interruption()
"""That of this process."""
