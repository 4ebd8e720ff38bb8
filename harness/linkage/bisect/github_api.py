"""GitHub's REST API: requests, their limits, and the answers that are kept.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api and
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api: an
anonymous user has 60 requests in an hour; an answer that has not changed (304) does not count.
"""

import contextlib
import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from typing import TypeVar

import blake3
import msgspec

from linkage.bisect.download import seconds_asked
from linkage.bisect.proxies import open_url
from linkage.errors import LinkageError
from linkage.host.decoding import MALFORMED
from linkage.host.files import replace_file

SERVER = "https://api.github.com"
_VERSION = "2022-11-28"
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
_ATTEMPTS = 3
PAUSE = 1.0
"""Seconds before the second attempt; doubled before the third."""
_LONGEST_WAIT = 90.0
"""Seconds: a longer wait is left to the user."""
_LIMIT = 1 << 26
_UNCHANGED, _UNAUTHORIZED, _FORBIDDEN, _TOO_MANY = 304, 401, 403, 429
_ABSENT = (404, 409, 422)
"""No such commit, tag or pull request; 422 is the answer to a hash of the right form."""

T = TypeVar("T")


class AbsentError(Exception):
    """GitHub has no such commit, branch or pull request."""


class _Answer(msgspec.Struct, frozen=True):
    """An answer as it is kept."""

    body: str
    next: str | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class GitHubApi:
    """Asks GitHub; `say` gets a line before a long wait."""

    server: str
    token: str | None
    folder: Path
    """Where answers are kept."""
    say: Callable[[str], None]
    stall: float = 60.0

    def get(self, path: str, kind: type[T], *, lasting: bool = False) -> T:
        """One answer; `lasting` if it cannot change, as it is about full hashes only.

        Raises AbsentError, and LinkageError if there is no answer.
        """
        return _decoded(self._answer(f"{self.server}{path}", lasting=lasting), kind)

    def pages(self, path: str, kind: type[T], *, lasting: bool = False) -> Iterator[T]:
        """The pages of a list, as far as they are read. Raises as `get` does."""
        url: str | None = f"{self.server}{path}"
        while url is not None:
            answer = self._answer(url, lasting=lasting)
            yield _decoded(answer, kind)
            # The token goes nowhere else, whatever a page says.
            url = answer.next if answer.next and answer.next.startswith(f"{self.server}/") else None

    def _answer(self, url: str, *, lasting: bool) -> _Answer:
        file = self.folder / blake3.blake3(url.encode()).hexdigest()
        kept = _kept(file)
        if kept is not None and lasting:
            return kept
        answer = self._ask(url, kept)
        if answer is not kept:
            with contextlib.suppress(OSError):  # without it, the same is asked again
                self.folder.mkdir(parents=True, exist_ok=True)
                replace_file(file, msgspec.json.encode(answer))
        return answer

    def _ask(self, url: str, kept: _Answer | None) -> _Answer:
        reason = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(PAUSE * 2 ** (attempt - 1))
            try:
                with open_url(self._request(url, kept), self.stall) as answer:
                    body = answer.read(_LIMIT).decode("utf-8", "replace")
                    following = _NEXT.search(answer.headers.get("Link") or "")
                    return _Answer(body, following[1] if following else None, answer.headers.get("ETag"))
            except urllib.error.HTTPError as error:
                if error.code == _UNCHANGED and kept is not None:
                    return kept
                self._refused(error)
                reason = f"HTTP status {error.code}"
            except (OSError, http.client.HTTPException) as error:
                reason = str(getattr(error, "reason", "") or error) or type(error).__name__
        raise LinkageError(
            f"does not answer: {reason}",
            where=self.server,
            help="try again later, or name a clone of rust-lang/rust with --rust-src",
        )

    def _request(self, url: str, kept: _Answer | None) -> urllib.request.Request:
        if not url.startswith(("https://", "http://")):
            raise LinkageError("is not an HTTP URL", where=f"GITHUB_API_URL={self.server}")
        request = urllib.request.Request(url)  # noqa: S310 - checked above
        request.add_header("User-Agent", "linkage")
        request.add_header("Accept", "application/vnd.github+json")
        request.add_header("X-GitHub-Api-Version", _VERSION)
        if self.token:
            request.add_unredirected_header("Authorization", f"Bearer {self.token}")
        if kept is not None and kept.etag:
            request.add_header("If-None-Match", kept.etag)
        return request

    def _refused(self, error: urllib.error.HTTPError) -> None:
        """Wait if GitHub asks for it; raise if asking again is of no use."""
        if error.code in _ABSENT:
            raise AbsentError
        if error.code == _UNAUTHORIZED:
            raise LinkageError("refuses the token", where="GITHUB_TOKEN", help="renew it, or unset it")
        if error.code not in (_FORBIDDEN, _TOO_MANY):
            return
        seconds = _wait(error.headers, time.time())
        if seconds is None:
            raise LinkageError(
                f"refuses to answer (HTTP status {error.code})",
                where=self.server,
                help="check the proxy and GITHUB_TOKEN, or name a clone of rust-lang/rust with --rust-src",
            )
        if seconds > _LONGEST_WAIT:
            until = datetime.fromtimestamp(time.time() + seconds, UTC)
            raise LinkageError(
                f"no more requests are allowed until {until:%H:%M} UTC",
                where=self.server,
                help="try again then" + ("" if self.token else ", or set GITHUB_TOKEN: it allows more"),
            )
        self.say(f"{self.server}: waiting {seconds:.0f} s, as GitHub asks")
        time.sleep(seconds)


def _wait(headers: Message, now: float) -> float | None:
    """How long GitHub asks to wait, in seconds; None if it refuses for another reason."""
    if headers.get("Retry-After"):
        return seconds_asked(headers["Retry-After"])
    with contextlib.suppress(ValueError):
        if headers.get("X-RateLimit-Remaining") == "0":
            return max(1.0, float(headers.get("X-RateLimit-Reset", "")) - now)
    return None


def _kept(file: Path) -> _Answer | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Answer)
    except (OSError, *MALFORMED):
        return None


def _decoded(answer: _Answer, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except MALFORMED as error:
        raise LinkageError(
            f"its answer cannot be read: {error}", where="GitHub", help="check GITHUB_API_URL and the proxy"
        ) from None
