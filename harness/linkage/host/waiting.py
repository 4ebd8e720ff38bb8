"""What a command waits for, if that takes long: a line on standard error, on a terminal and in a log."""

import contextlib
import sys
import threading
from collections.abc import Iterator

from linkage.host.terminal import escape

SILENT = 2.0
"""Seconds before the line is printed."""
_LINE = 400


@contextlib.contextmanager
def announced(what: str, limit: float) -> Iterator[None]:
    """Print what is waited for, and for how many seconds at most, if this takes longer than SILENT."""
    timer = threading.Timer(SILENT, _print, (f"waiting for {what} (at most {limit:g} s)",))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _print(text: str) -> None:
    sys.stderr.write(f"linkage: {escape(text, _LINE)}\n")
    sys.stderr.flush()
