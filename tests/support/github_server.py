"""GitHub's API on this machine, with the answers that its documentation describes, about a clone.

https://docs.github.com/en/rest/commits/commits, https://docs.github.com/en/rest/issues/comments and
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api.
"""

import contextlib
import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from support.loopback import QuietHandler, serving

ROOT = "/repos/rust-lang/rust"


@dataclass
class Refusal:
    """An answer that is none."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class GitHubServer:
    """What is served: the commits of a clone, and comments by pull request."""

    clone: Path
    url: str = ""
    per_page: int = 100
    """At most so many on a page, whatever is asked for."""
    comments: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    """Author and text, by pull request."""
    refusals: list[Refusal] = field(default_factory=list)
    """What the next requests get."""
    asked: list[str] = field(default_factory=list)
    """The path of every request that counted, and those that were answered with 304, marked so."""
    tokens: list[str | None] = field(default_factory=list)

    def answer(self, path: str, query: dict[str, str]) -> Any:
        """What GitHub knows; None for a 404."""
        words = unquote(path.removeprefix(f"{ROOT}/")).split("/")
        match words:
            case ["compare", pair]:
                return self._comparison(*pair.split("..."))
            case ["commits"]:
                listed = self._git("rev-list", "--date-order", query["sha"]).split()
                shown = [self._commit(sha) for sha in listed]
                return [
                    one
                    for one in shown
                    if one["commit"]["author"]["name"] == query["author"]
                    and one["commit"]["committer"]["date"] >= query["since"]
                ]
            case ["commits", ref]:
                sha = self._sha(ref)
                return None if sha is None else self._commit(sha)
            case ["issues", number, "comments"] if int(number) in self.comments:
                return [
                    {"user": {"login": login}, "body": text} for login, text in self.comments[int(number)]
                ]
        return None

    def _comparison(self, old: str, new: str) -> Any:
        first, last = self._sha(old), self._sha(new)
        if first is None or last is None:
            return None
        base = self._git("merge-base", first, last)
        status = {(True, True): "identical", (True, False): "ahead", (False, True): "behind"}
        commits = self._git("rev-list", "--reverse", f"{first}..{last}").split()
        return {
            "status": status.get((base == first, base == last), "diverged"),
            "merge_base_commit": self._commit(base),
            "total_commits": len(commits),
            "commits": [self._commit(sha) for sha in commits[: self.per_page]],
        }

    def _sha(self, ref: str) -> str | None:
        with contextlib.suppress(subprocess.CalledProcessError):
            return self._git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        return None

    def _commit(self, sha: str) -> dict[str, Any]:
        author, date, parents, message = self._git(
            "log", "-1", "--format=%an%n%cd%n%P%n%B", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", sha
        ).split("\n", 3)
        person = {"name": author, "email": "x@example.com", "date": date}
        return {
            "sha": sha,
            "commit": {"author": person, "committer": person, "message": message.strip()},
            "author": {"login": author},
            "parents": [{"sha": one, "url": ""} for one in parents.split()],
        }

    def _git(self, *words: str) -> str:
        command = ["git", "-C", str(self.clone), *words]
        found = subprocess.run(
            command, env={"TZ": "UTC", "PATH": "/usr/bin:/bin"}, check=True, capture_output=True
        )
        return found.stdout.decode().strip()


@contextlib.contextmanager
def serve_github(clone: Path) -> Iterator[GitHubServer]:
    """Serve on a free port of the loopback interface."""
    shown = GitHubServer(clone)

    class BoundHandler(_GitHubHandler):
        github = shown

    with serving(BoundHandler) as shown.url:
        yield shown


class _GitHubHandler(QuietHandler, BaseHTTPRequestHandler):
    github: GitHubServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        served = self.github
        served.tokens.append(self.headers.get("Authorization"))
        if served.refusals:
            refusal = served.refusals.pop(0)
            self._send(refusal.status, b'{"message": "no"}', refusal.headers)
            return
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        found = served.answer(parts.path, query)
        if found is None:
            served.asked.append(self.path)
            self._send(404, b'{"message": "Not Found"}', {})
            return
        headers = {}
        if isinstance(found, list):
            size, page = min(served.per_page, int(query.get("per_page", "30"))), int(query.get("page", "1"))
            if len(found) > size * page:
                others = "&".join(one for one in parts.query.split("&") if not one.startswith("page="))
                headers["Link"] = f'<{served.url}{parts.path}?{others}&page={page + 1}>; rel="next"'
            found = found[size * (page - 1) : size * page]
        body = json.dumps(found).encode()
        headers["ETag"] = f'W/"{hashlib.sha256(body).hexdigest()}"'
        if self.headers.get("If-None-Match") == headers["ETag"]:
            served.asked.append(f"304 {self.path}")
            self._send(304, b"", headers)
            return
        served.asked.append(self.path)
        self._send(200, body, headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
