"""The builds of single pull requests in a rollup, and what each of them shows.

After a rollup is merged, a bot builds each of its pull requests alone, on top of what the rollup
itself was merged on, and lists the commits in a comment in the rollup. They are not in the main
branch, so a clone does not have them: the user pastes the comment.

The comment's forms so far: https://github.com/rust-lang/rustc-perf/pull/1376,
https://github.com/rust-lang/cargo-bisect-rustc/pull/280 and https://github.com/rust-lang/bors/pull/817.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from linkage.bisect.merges import Merge, Pull
from linkage.errors import LinkageError

_ROW = re.compile(r"\|?\s*\[?#?(\d{1,8})\b\]?(?:\([^)\s]*\))?:?(?:\s*\||\s)\s*(.*)", re.ASCII)
_LISTED = "Perf builds for each rolled up PR"
_COMMIT = re.compile(r"(?<![0-9a-fA-F])[0-9a-f]{40}(?![0-9a-fA-F])", re.ASCII)
_NOT_BUILT = ("❌", ":x:")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


class Build(msgspec.Struct, frozen=True):
    """The build of a single pull request, or why there is none."""

    number: int
    commit: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class RollupMember:
    """A pull request of a rollup, and what its build showed."""

    pull: Pull
    commit: str | None
    alone: bool | None
    """Whether it alone has the rollup's effect; None if that is not known."""
    why: str = ""
    """Why that is not known."""


def lists_builds(text: str) -> bool:
    """Whether a comment is the bot's list of builds."""
    return _LISTED in text


def read_builds(text: str, where: str) -> tuple[Build, ...]:
    """The builds that a comment lists, or lines of `#PULL COMMIT`; other lines are ignored.

    Raises LinkageError for such a line without a commit, and if there is no such line.
    """
    found: dict[int, Build] = {}
    for line, row in enumerate(text.splitlines(), 1):
        parts = _ROW.match(row.strip())
        if parts is None:
            continue
        build = _build(int(parts[1]), parts[2], f"{where}:{line}")
        # Two bots may have built the same.
        if build.number not in found or found[build.number].commit is None:
            found[build.number] = build
    if not found:
        raise LinkageError(
            "lists no build of a pull request",
            where=where,
            help="paste the table from the bot's comment in the rollup, or lines such as `#1234 COMMIT`",
        )
    return tuple(found.values())


def _build(number: int, rest: str, where: str) -> Build:
    if any(mark in rest for mark in _NOT_BUILT):
        # The commit in this row is the pull request's last one, which was not built.
        text = _LINK.sub(r"\1", rest.strip(" |").rpartition("|")[2])
        for mark in _NOT_BUILT:
            text = text.replace(mark, "")
        return Build(number, None, " ".join(text.split()))
    commits = _COMMIT.findall(rest)
    if not commits:
        raise LinkageError(
            f"has no commit for #{number}", where=where, help="write all 40 digits of its hash"
        )
    return Build(number, commits[-1])  # a title may contain one


def built(merge: Merge, builds: Iterable[Build]) -> list[tuple[Pull, Build]]:
    """The pull requests of a rollup, each with what is known of its build."""
    by_number = {build.number: build for build in builds}
    return [
        (pull, by_number.get(pull.number, Build(pull.number, None, "no build of it is listed")))
        for pull in merge.rolled_up
    ]


def told_apart(members: Sequence[RollupMember]) -> tuple[bool | None, ...]:
    """What separates two cases: which pull requests have the effect, or else which do not."""
    shown = tuple(member.alone for member in members)
    return tuple(one is True for one in shown) if True in shown else shown


def culprits(members: Sequence[RollupMember]) -> list[Pull]:
    """The pull requests that have the effect alone."""
    return [member.pull for member in members if member.alone]
