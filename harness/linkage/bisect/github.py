"""The history of rust-lang/rust on GitHub: no clone is needed.

https://docs.github.com/en/rest/commits/commits and https://docs.github.com/en/rest/issues/comments.
A list of commits has all that can be reached, those of subtrees too, which have bots of their own:
the main branch is the chain of first parents.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import msgspec

from linkage.bisect.axis import is_full_commit
from linkage.bisect.clone import Clone
from linkage.bisect.github_api import SERVER, AbsentError, GitHubApi
from linkage.bisect.history import History
from linkage.bisect.merges import BOTS, Merge, Pull, merge_of, pull_of
from linkage.bisect.rollup import Build, lists_builds, read_builds
from linkage.errors import LinkageError
from linkage.host.folders import bisect_folder

_REPOSITORY = "/repos/rust-lang/rust"
_BUILDERS = ("rust-timer", *BOTS)
"""Who lists the builds of a rollup's pull requests."""
_BY_HAND = 40
"""How many commits that no bot made are looked up one by one."""


class _Person(msgspec.Struct, frozen=True):
    name: str = ""
    date: str = ""


class _GitCommit(msgspec.Struct, frozen=True):
    message: str
    author: _Person | None = None
    committer: _Person | None = None


class _Parent(msgspec.Struct, frozen=True):
    sha: str


class _Commit(msgspec.Struct, frozen=True):
    sha: str
    commit: _GitCommit
    parents: tuple[_Parent, ...] = ()

    @property
    def author(self) -> str:
        return self.commit.author.name if self.commit.author else ""

    @property
    def date(self) -> str:
        return self.commit.committer.date if self.commit.committer else ""


class _Comparison(msgspec.Struct, frozen=True):
    status: str
    merge_base_commit: _Commit
    commits: tuple[_Commit, ...] = ()


class _User(msgspec.Struct, frozen=True):
    login: str = ""


class _Comment(msgspec.Struct, frozen=True):
    body: str | None = None
    user: _User | None = None


@dataclass(frozen=True, slots=True)
class GitHub:
    """The repository as GitHub's API shows it; see History for the methods."""

    api: GitHubApi

    @property
    def where(self) -> str:
        return "GitHub"

    def commit(self, bound: str) -> str:
        return self._commit(bound).sha

    def merge_base(self, bound: str) -> str:
        return self._compare("HEAD", bound).merge_base_commit.sha

    def between(self, old: str, new: str) -> list[Merge]:
        first, last = self.commit(old), self.commit(new)
        comparison = self._compare(first, last)
        if comparison.merge_base_commit.sha != first:
            raise LinkageError(
                f"{old} is not an ancestor of {new}", where=self.where, help="name the older commit first"
            )
        chain = self._chain(first, last, comparison.merge_base_commit.date)
        merges = [merge_of(one.sha, one.date[:10], one.commit.message) for one in chain if one.author in BOTS]
        parents = {one.sha: one.parents for one in chain}
        return [self._complete(merge, parents[merge.commit]) for merge in merges]

    def builds(self, rollup: Pull) -> tuple[Build, ...]:
        found: list[Build] = []
        path = f"{_REPOSITORY}/issues/{rollup.number}/comments?per_page=100"
        try:
            for page in self.api.pages(path, tuple[_Comment, ...]):
                for comment in page:
                    text = comment.body or ""
                    if comment.user and comment.user.login in _BUILDERS and lists_builds(text):
                        found += read_builds(text, rollup.link)
        except AbsentError:
            return ()
        return tuple(found)

    def _chain(self, first: str, last: str, since: str) -> list[_Commit]:
        """The main branch after `first` up to `last`."""
        known = self._by_bots(first, last, since)
        chain: list[_Commit] = []
        sha, by_hand = last, 0
        while sha != first:
            one = known.get(sha)
            if one is None:
                by_hand += 1
                if by_hand > _BY_HAND:
                    raise LinkageError(
                        f"shows no way along the main branch from {last[:12]} to {first[:12]}",
                        where=self.where,
                        help="name a clone of rust-lang/rust with --rust-src",
                    )
                one = self._commit(sha)
            chain.append(one)
            sha = one.parents[0].sha if one.parents else first
        return chain[::-1]

    def _by_bots(self, first: str, last: str, since: str) -> Mapping[str, _Commit]:
        """The commits of the bots that can be reached from `last`, those before `since` left out."""
        found: dict[str, _Commit] = {}
        for bot in BOTS:
            query = f"sha={last}&author={quote(bot)}&since={quote(since)}&per_page=100"
            for page in self.api.pages(f"{_REPOSITORY}/commits?{query}", tuple[_Commit, ...], lasting=True):
                found |= {one.sha: one for one in page}
                if first in found:
                    break
        return found

    def _complete(self, merge: Merge, parents: tuple[_Parent, ...]) -> Merge:
        """A merge with the pull requests of a rollup whose message lists none, from its own merges."""
        if not merge.lists_too_little or len(parents) < 2:  # noqa: PLR2004 - no merge
            return merge
        inside = self._compare(parents[0].sha, parents[1].sha).commits
        pulls = [pull_of(one.commit.message) for one in inside if len(one.parents) > 1]
        return replace(merge, rolled_up=tuple(one for one in pulls if one is not None))

    def _commit(self, bound: str) -> _Commit:
        try:
            path = f"{_REPOSITORY}/commits/{quote(bound, safe='')}"
            return self.api.get(path, _Commit, lasting=is_full_commit(bound))
        except AbsentError:
            raise LinkageError(
                f"has no commit {bound}", where=self.where, help="give its full hash"
            ) from None

    def _compare(self, old: str, new: str) -> _Comparison:
        try:
            path = f"{_REPOSITORY}/compare/{quote(old, safe='')}...{quote(new, safe='')}?per_page=100"
            return self.api.get(path, _Comparison, lasting=is_full_commit(old) and is_full_commit(new))
        except AbsentError:
            raise LinkageError(
                f"has no commits {old} and {new} to compare", where=self.where, help="give full hashes"
            ) from None


def open_history(
    clone: str | None, env: Mapping[str, str], say: Callable[[str], None], *, ask: bool
) -> History | None:
    """The clone that the user names, else GitHub if it may be asked, else None.

    `GITHUB_TOKEN` allows more requests; GitHub Actions sets `GITHUB_API_URL`. Raises LinkageError if
    there is no such clone.
    """
    if clone is not None:
        found = Clone(Path(clone))
        found.check()
        return found
    if not ask:
        return None
    server = (env.get("GITHUB_API_URL") or SERVER).rstrip("/")
    return GitHub(GitHubApi(server, env.get("GITHUB_TOKEN") or None, bisect_folder(env) / "github", say))
