"""`linkage toolchains install` and `remove`: one line for each step."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from linkage.errors import ExitCode, ToolchainError
from linkage.toolchain import sources
from linkage.toolchain.sources import InstallOptions, Say

_LONG = 0.05  # seconds; a shorter step is not worth its time on the screen


class InstallProgress:
    """Steps on a terminal, where each gets the time that it took, or in a log, a plain line each."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._live = stream.isatty()
        self._since: float | None = None

    def say(self, text: str) -> None:
        """Begin a step, and with it end the one before."""
        self.end()
        self._stream.write(text if self._live else f"{text}\n")
        self._stream.flush()
        self._since = self._clock() if self._live else None

    def end(self) -> None:
        """End the last step."""
        if self._since is not None:
            took = self._clock() - self._since
            self._stream.write(f"  {took:.1f} s\n" if took > _LONG else "\n")
            self._stream.flush()
            self._since = None


def install(
    specs: Sequence[str], *, mirror: str | None, keyrings: Sequence[str], allow_unsigned: bool
) -> int:
    """Install every toolchain that can be; the exit status is an error's where one cannot.

    Raises ToolchainError at once for a spec that can never be installed.
    """
    options = InstallOptions(mirror, tuple(Path(path) for path in keyrings), allow_unsigned)
    return _each(specs, lambda spec, say: sources.install(spec, options, os.environ, say))


def remove(specs: Sequence[str]) -> int:
    """Remove every toolchain that the harness has installed; the exit status is an error's otherwise."""
    return _each(specs, lambda spec, say: sources.remove(spec, os.environ, say))


def _each(specs: Sequence[str], act: Callable[[str, Say], None]) -> int:
    sources.check(specs, os.environ)
    progress = InstallProgress(sys.stdout)
    status = int(ExitCode.OK)
    for spec in dict.fromkeys(specs):
        try:
            act(spec, progress.say)
        except ToolchainError as error:
            progress.end()
            print(f"linkage: {error}", file=sys.stderr)
            status = int(error.exit_code)
        finally:
            progress.end()
    return status
