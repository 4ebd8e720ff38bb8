"""Whether a file was opened meanwhile, by whatever process: inotify(7), which any user may use on Linux.

To start a program the kernel opens its file; so does an emulator, or what copies it to another machine.
"""

import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Self

_IN_OPEN = 0x20
_EVENT = 16
"""The size of one event about a file itself: it has no name (`struct inotify_event`)."""
_REACHED = {
    errno.EMFILE: "too many inotify instances (help: raise fs.inotify.max_user_instances with sysctl)",
    errno.ENOSPC: "too many inotify watches (help: raise fs.inotify.max_user_watches with sysctl)",
}


class OpeningWatch:
    """Notices that a file is opened, from the beginning of the context on."""

    def __init__(self, file: Path | None) -> None:
        """None, a file that the user may not read, or another system than Linux: nothing is seen.

        Raises OSError if the file is not there, or if the user has too many watches.
        """
        self._descriptor = -1
        if file is None or sys.platform != "linux":
            return
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = _checked(libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))
        try:
            _checked(libc.inotify_add_watch(self._descriptor, os.fsencode(file), _IN_OPEN))
        except OSError as error:
            os.close(self._descriptor)
            self._descriptor = -1
            if error.errno != errno.EACCES:
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def opened(self) -> bool | None:
        """Whether the file was opened; None if nothing is seen."""
        if self._descriptor < 0:
            return None
        try:
            return bool(os.read(self._descriptor, _EVENT))
        except BlockingIOError:
            return False


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, _REACHED.get(number) or os.strerror(number))
    return result
