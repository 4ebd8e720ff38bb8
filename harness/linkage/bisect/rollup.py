"""The compilers of single pull requests of a rollup, and what each of them shows.

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
_COMMIT = re.compile(r"(?<![0-9a-fA-F])[0-9a-f]{40}(?![0-9a-fA-F])", re.ASCII)
_NOT_BUILT = ("❌", ":x:")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


class Build(msgspec.Struct, frozen=True):
    """A pull request's own build, or why there is none."""

    number: int
    commit: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class RollupMember:
    """A pull request of a rollup, and what its own build showed."""

    pull: Pull
    commit: str | None
    alone: bool | None
    """Whether it alone brings what the rollup brought; None where that is not known."""
    why: str = ""
    """Why it is not known."""


def read_builds(text: str, where: str) -> tuple[Build, ...]:
    """The builds that a comment lists, or lines of `#PULL COMMIT`; all else in it is passed over.

    Raises LinkageError for a line that begins as one of these and names no commit, and where there is none.
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
            help="paste the table of the bot's comment in the rollup, or write lines such as `#1234 COMMIT`",
        )
    return tuple(found.values())


def _build(number: int, rest: str, where: str) -> Build:
    if any(mark in rest for mark in _NOT_BUILT):
        # What stands there is the pull request's own last commit, of which nothing was built.
        told = _LINK.sub(r"\1", rest.strip(" |").rpartition("|")[2])
        for mark in _NOT_BUILT:
            told = told.replace(mark, "")
        return Build(number, None, " ".join(told.split()))
    commits = _COMMIT.findall(rest)
    if not commits:
        raise LinkageError(
            f"names no commit for #{number}", where=where, help="a commit is written with all its 40 digits"
        )
    return Build(number, commits[-1])  # a title may hold one as well


def built(merge: Merge, builds: Iterable[Build]) -> list[tuple[Pull, Build]]:
    """The pull requests of a rollup, each with what is known of its build."""
    by_number = {build.number: build for build in builds}
    return [
        (pull, by_number.get(pull.number, Build(pull.number, None, "no build of it is listed")))
        for pull in merge.rolled_up
    ]


def told_apart(members: Sequence[RollupMember]) -> tuple[bool | None, ...]:
    """What tells two cases apart: which pull requests bring it, or else which do not."""
    shown = tuple(member.alone for member in members)
    return tuple(one is True for one in shown) if True in shown else shown


def culprits(members: Sequence[RollupMember]) -> list[Pull]:
    """Those that bring it alone."""
    return [member.pull for member in members if member.alone]
