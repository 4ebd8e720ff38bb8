"""Downloads: resumes an interrupted download, and reconnects if a connection stalls.

A file gets its name when it is complete and has the expected hash. A server that is busy (HTTP status 429
or 503) says in `Retry-After` how long to wait: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
"""

import contextlib
import errno
import hashlib
import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Protocol, TypeVar

from linkage.bisect.proxies import open_url

PAUSE = 1.0
"""Seconds before the second attempt; doubled before each later one."""
LONGEST_PAUSE = 120.0
"""Seconds: a server that wants more is asked again nevertheless."""
_CHUNK = 1 << 18
_FORBIDDEN = 403
_NOT_FOUND = (_FORBIDDEN, 404, 410)
"""S3 answers 403 for a missing file of a bucket that cannot be listed."""
_TOO_FAR = 416
_PARTIAL = 206


T = TypeVar("T")


class NotThereError(Exception):
    """The server has no such file, or does not give it."""

    def __init__(self, reason: str, *, forbidden: bool = False) -> None:
        self.forbidden = forbidden
        super().__init__(reason)


class FailedError(Exception):
    """A download that failed but may work later."""


class DiskFullError(FailedError):
    """The disk is full: no fault of the server's or the toolchain's."""


class UnreachableError(FailedError):
    """The server does not answer, or not completely."""


class Stopped(Exception):  # noqa: N818 - not an error
    """The download was cancelled."""


class Meter(Protocol):
    """Who wants to know how far downloads are."""

    def received(self, name: str, url: str, have: int, total: int | None, /) -> None:
        """So many bytes of a file of this toolchain are there, of so many."""

    def ended(self, name: str, url: str, /) -> None:
        """The file is complete, or its download has failed."""


class Downloads:
    """Downloads files; `stall` is the time-out of a silent connection in seconds."""

    def __init__(
        self,
        *,
        stall: float = 60.0,
        attempts: int = 4,
        stop: threading.Event | None = None,
        meter: Meter | None = None,
        name: str = "",
    ) -> None:
        self.stall = stall
        self.attempts = attempts
        self.stop = stop or threading.Event()
        self.meter = meter
        self.name = name

    def until(self, stop: threading.Event) -> "Downloads":
        """The same, cancelled by an event."""
        return Downloads(
            stall=self.stall, attempts=self.attempts, stop=stop, meter=self.meter, name=self.name
        )

    def of(self, name: str) -> "Downloads":
        """The same, for the files of this toolchain."""
        return Downloads(
            stall=self.stall, attempts=self.attempts, stop=self.stop, meter=self.meter, name=name
        )

    def text(self, url: str, limit: int = 1 << 26) -> str:
        """The text of a small file. Raises NotThereError, FailedError."""
        return self._again(url, lambda: self._read(url, limit)).decode("utf-8", "replace")

    def exists(self, url: str) -> bool:
        """Whether the server has a file. Raises FailedError."""
        try:
            self._again(url, lambda: self._ask(url))
        except NotThereError:
            return False
        return True

    def file(self, url: str, place: Path, sha256: str | None = None) -> None:
        """Download a file; what was received stays for the next time. Raises NotThereError, FailedError."""
        try:
            self._file(url, place, sha256)
        finally:
            if self.meter is not None:
                self.meter.ended(self.name, url)

    def _file(self, url: str, place: Path, sha256: str | None) -> None:
        partial = place.with_name(f"{place.name}.partial")
        self._again(url, lambda: self._append(url, partial))
        if sha256 is not None and _digest(partial) != sha256:
            partial.unlink()
            # The partial file may be of an older file with that name: start again.
            self._again(url, lambda: self._append(url, partial))
            if _digest(partial) != sha256:
                partial.unlink()
                raise FailedError(f"{url} has not the hash that its server publishes")
        partial.replace(place)

    def _again(self, url: str, attempt: Callable[[], T]) -> T:
        detail, asked = "", 0.0
        for number in range(self.attempts):
            if number and self.stop.wait(max(PAUSE * 2 ** (number - 1), asked)):
                raise Stopped
            try:
                return attempt()
            except urllib.error.HTTPError as error:
                if error.code in _NOT_FOUND:
                    reason = f"{url} does not exist (HTTP status {error.code})"
                    raise NotThereError(reason, forbidden=error.code == _FORBIDDEN) from None
                detail = f"HTTP status {error.code}"
                asked = retry_after(error.headers.get("Retry-After"))
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                    raise DiskFullError(f"{url}: download failed: the disk is full") from None
                detail = str(getattr(error, "reason", None) or str(error) or type(error).__name__)
        raise UnreachableError(f"{url}: download failed {self.attempts} times: {detail}")

    def _ask(self, url: str) -> None:
        request = _request(url)
        request.method = "HEAD"
        with open_url(request, self.stall):
            pass

    def _read(self, url: str, limit: int) -> bytes:
        with open_url(_request(url), self.stall) as answer:
            found: bytes = answer.read(limit)
            length = answer.headers.get("Content-Length")
            if length is not None and len(found) < min(int(length), limit):
                raise http.client.IncompleteRead(found)
            return found

    def _append(self, url: str, partial: Path) -> None:
        have = partial.stat().st_size if partial.exists() else 0
        request = _request(url)
        if have:
            request.add_header("Range", f"bytes={have}-")
        try:
            answer = open_url(request, self.stall)
        except urllib.error.HTTPError as error:
            if error.code == _TOO_FAR:
                return  # the partial file is complete
            raise
        with answer, partial.open("ab" if answer.status == _PARTIAL else "wb") as file:
            length = answer.headers.get("Content-Length")
            came = 0
            have = have if answer.status == _PARTIAL else 0
            total = None if length is None else have + int(length)
            while chunk := answer.read1(_CHUNK):
                if self.stop.is_set():
                    raise Stopped
                file.write(chunk)
                came += len(chunk)
                if self.meter is not None:
                    self.meter.received(self.name, url, have + came, total)
        if length is not None and came < int(length):
            raise http.client.IncompleteRead(b"", int(length) - came)


def retry_after(value: str | None) -> float:
    """The seconds that a server wants to be left alone; at most LONGEST_PAUSE, and 0 if it does not say."""
    return min(seconds_asked(value) or 0.0, LONGEST_PAUSE)


def seconds_asked(value: str | None) -> float | None:
    """The seconds in a Retry-After header, a number or a date; None for any other text.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max((then - datetime.now(UTC)).total_seconds(), 0.0)


def _request(url: str) -> urllib.request.Request:
    if not url.startswith(("https://", "http://")):
        raise FailedError(f"{url} is not an HTTP URL")
    return urllib.request.Request(url, headers={"User-Agent": "linkage"})  # noqa: S310 - checked above


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class DownloadQueue:
    """Downloads in the background, a few at a time."""

    def __init__(self, width: int = 2) -> None:
        self._slots = threading.Semaphore(width)
        self._stops: dict[str, threading.Event] = {}

    def begin(self, name: str, work: Callable[[threading.Event], None]) -> None:
        """Start work with this name, unless it was started; the event cancels it."""
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
        """Cancel all others; what they received stays for the next time."""
        for name, stop in list(self._stops.items()):
            if name not in names:
                stop.set()
