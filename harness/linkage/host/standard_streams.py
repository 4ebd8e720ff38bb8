"""Standard output and standard error of a program: never a traceback because somebody stopped reading.

Whatever cannot be encoded is escaped. A stream that is closed from the start takes everything, as
/dev/null does; that is the caller's choice. One that fails later, because its reader is gone or its disk
is full, raises OutputLostError once and then takes everything.
"""

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class OutputLostError(KeyboardInterrupt):
    """Standard output cannot be written. It ends a run as Ctrl-C does, and pytest's, too."""


class _Output(io.FileIO):
    """A file descriptor that keeps the error of the first write that fails."""

    error: OSError | None = None
    raises = True

    def write(self, data: "ReadableBuffer", /) -> int:
        if self.error is None:
            try:
                return super().write(data)
            except BlockingIOError:
                raise
            except OSError as error:
                self.error = error
                if self.raises:
                    raise OutputLostError from None
        return memoryview(data).nbytes


class StandardStreams:
    """The two output streams of this process, in place of Python's own."""

    def __init__(self) -> None:
        for number in (0, 1, 2):  # a file that is opened later must not become one of them
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)
        self._out, self._err = _Output(1, "wb", closefd=False), _Output(2, "wb", closefd=False)
        self._err.raises = False
        sys.stdout, sys.stderr = _text(self._out, sys.stdout), _text(self._err, sys.stderr)

    @property
    def error(self) -> OSError | None:
        """Why standard output cannot be written any more."""
        return self._out.error

    def flush(self) -> None:
        """Write what is left; what cannot be written is in `error`."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OutputLostError, OSError, ValueError):
                continue


def _text(raw: _Output, before: TextIO | None) -> TextIO:
    live = raw.isatty()
    encoding = getattr(before, "encoding", None) or "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding, "backslashreplace", line_buffering=live or raw.fileno() == 2  # noqa: PLR2004
    )  # fmt: skip
