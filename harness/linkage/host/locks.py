"""Locks of open files that the system releases when their holder ends.

On POSIX those of flock(2), which a folder can have, too; on Windows those of a byte far behind a file's end.
"""

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
    import time

    _PLACE = 1 << 30
    _PAUSE = 0.05

    def lock(number: int, *, shared: bool = False, wait: bool = True) -> None:
        """Lock an open file; a `shared` lock is one like others here. Raises OSError, BlockingIOError if
        another holds it and this one does not `wait`.
        """
        _ = shared
        while True:
            os.lseek(number, _PLACE, os.SEEK_SET)
            try:
                msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
            except PermissionError as error:
                if not wait:
                    raise BlockingIOError(error.errno, error.strerror) from None
                time.sleep(_PAUSE)
            else:
                return

    def unlock(number: int) -> None:
        """Release the lock of an open file."""
        os.lseek(number, _PLACE, os.SEEK_SET)
        msvcrt.locking(number, msvcrt.LK_UNLCK, 1)

    def open_to_lock(place: Path) -> int:
        """An open file whose lock stands for a file or a folder, which cannot be opened itself."""
        return os.open(f"{place}.lock" if place.is_dir() else place, os.O_RDWR | os.O_CREAT)

else:
    import fcntl

    def lock(number: int, *, shared: bool = False, wait: bool = True) -> None:
        """Lock an open file. Raises OSError, BlockingIOError if another holds it and this one does not
        `wait`.
        """
        fcntl.flock(number, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))

    def unlock(number: int) -> None:
        """Release the lock of an open file."""
        fcntl.flock(number, fcntl.LOCK_UN)

    def open_to_lock(place: Path) -> int:
        """A file or a folder, opened to be locked. Raises OSError."""
        return os.open(place, os.O_RDONLY)
