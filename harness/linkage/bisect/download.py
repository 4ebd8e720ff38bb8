"""Files from a server: what was begun is gone on with, a stalled connection is dropped and taken up again.

A file appears under its name only when it is whole and its hash is the one that was given.
"""

import contextlib
import errno
import hashlib
import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

PAUSE = 1.0
"""Seconds before the second attempt; each later one waits twice as long."""
_CHUNK = 1 << 18
_NOT_FOUND = (403, 404, 410)
"""A store of files that does not list itself says 403 for what it does not have."""
_TOO_FAR = 416
_PARTIAL = 206


T = TypeVar("T")


class NotThereError(Exception):
    """The server has no such file."""


class FailedError(Exception):
    """It could not be got, for a reason that may pass."""


class UnreachableError(FailedError):
    """The server does not answer, or not to the end."""


class Stopped(Exception):  # noqa: N818 - nobody's error
    """Nobody wants the file any more."""


class Downloads:
    """How files are got: how long a silence is waited for, how often it is tried again."""

    def __init__(
        self, *, stall: float = 60.0, attempts: int = 4, stop: threading.Event | None = None
    ) -> None:
        self.stall = stall
        self.attempts = attempts
        self.stop = stop or threading.Event()

    def until(self, stop: threading.Event) -> "Downloads":
        """The same, given up when that event comes."""
        return Downloads(stall=self.stall, attempts=self.attempts, stop=stop)

    def text(self, url: str, limit: int = 1 << 26) -> str:
        """A small file's text. Raises NotThereError, FailedError."""
        return self._again(url, lambda: self._read(url, limit)).decode("utf-8", "replace")

    def file(self, url: str, place: Path, sha256: str | None = None) -> None:
        """Get a file. Raises NotThereError, FailedError; what has come by then stays for the next time."""
        partial = place.with_name(f"{place.name}.partial")
        self._again(url, lambda: self._append(url, partial))
        if sha256 is not None and _digest(partial) != sha256:
            partial.unlink()
            # What was begun may be of an older file of that name: once more from its beginning.
            self._again(url, lambda: self._append(url, partial))
            if _digest(partial) != sha256:
                partial.unlink()
                raise FailedError(f"{url} has another hash than its server says")
        partial.replace(place)

    def _again(self, url: str, attempt: Callable[[], T]) -> T:
        told = ""
        for number in range(self.attempts):
            if number and self.stop.wait(PAUSE * 2 ** (number - 1)):
                raise Stopped
            try:
                return attempt()
            except urllib.error.HTTPError as error:
                if error.code in _NOT_FOUND:
                    raise NotThereError(f"{url} is not there ({error.code})") from None
                told = f"the server said {error.code}"
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                    raise FailedError(f"{url} could not be got: the disk is full") from None
                told = str(getattr(error, "reason", None) or str(error) or type(error).__name__)
        raise UnreachableError(f"{url} could not be got: {told}, {self.attempts} times")

    def _read(self, url: str, limit: int) -> bytes:
        with urllib.request.urlopen(_request(url), timeout=self.stall) as answer:  # noqa: S310 - http alone
            found: bytes = answer.read(limit)
            wanted = answer.headers.get("Content-Length")
            if wanted is not None and len(found) < min(int(wanted), limit):
                raise http.client.IncompleteRead(found)
            return found

    def _append(self, url: str, partial: Path) -> None:
        have = partial.stat().st_size if partial.exists() else 0
        request = _request(url)
        if have:
            request.add_header("Range", f"bytes={have}-")
        try:
            answer = urllib.request.urlopen(request, timeout=self.stall)  # noqa: S310 - http alone
        except urllib.error.HTTPError as error:
            if error.code == _TOO_FAR:
                return  # all of it is there
            raise
        with answer, partial.open("ab" if answer.status == _PARTIAL else "wb") as file:
            wanted = answer.headers.get("Content-Length")
            came = 0
            while chunk := answer.read1(_CHUNK):
                if self.stop.is_set():
                    raise Stopped
                file.write(chunk)
                came += len(chunk)
        if wanted is not None and came < int(wanted):
            raise http.client.IncompleteRead(b"", int(wanted) - came)


def _request(url: str) -> urllib.request.Request:
    if not url.startswith(("https://", "http://")):
        raise FailedError(f"{url} is no address of a server")
    return urllib.request.Request(url, headers={"User-Agent": "linkage"})  # noqa: S310 - checked above


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class DownloadQueue:
    """A few downloads at a time, behind the back of whoever tests what came before."""

    def __init__(self, width: int = 2) -> None:
        self._slots = threading.Semaphore(width)
        self._stops: dict[str, threading.Event] = {}

    def begin(self, name: str, work: Callable[[threading.Event], None]) -> None:
        """Begin work of this name, where it was not begun; it is told when nobody wants it any more."""
        if name in self._stops:
            return
        stop = self._stops[name] = threading.Event()

        def run() -> None:
            with self._slots, contextlib.suppress(NotThereError, FailedError, Stopped, OSError):
                if not stop.is_set():
                    work(stop)
            self._stops.pop(name, None)

        # A daemon: an interrupted session does not wait for a download.
        threading.Thread(target=run, name=f"fetch {name}", daemon=True).start()

    def only(self, names: Collection[str]) -> None:
        """Give up all but these; what has come of the others stays for another time."""
        for name, stop in list(self._stops.items()):
            if name not in names:
                stop.set()
