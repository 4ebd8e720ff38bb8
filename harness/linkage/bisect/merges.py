"""The merges of rust-lang/rust's main branch, and the pull requests that their messages name. Pure.

A bot makes each merge once its CI has passed, and only merges have artifacts. A rollup's message
lists the pull requests that it brings, a line for each.
"""

import re
from dataclasses import dataclass

BOTS = ("bors", "rust-bors[bot]")
PULLS = "https://github.com/rust-lang/rust/pull/"
_SUBJECT = re.compile(r"(?:Auto merge of|Rollup merge of|Merge pull request) #(\d+)(?: - |: | from )?(.*)")
_ROLLED_UP = re.compile(r"^\s*[-*] (?:rust-lang/rust)?#(\d+) \((.*)\)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request."""

    number: int
    title: str = ""

    @property
    def link(self) -> str:
        return f"{PULLS}{self.number}"

    def __str__(self) -> str:
        return f"#{self.number} {self.title}".rstrip()


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge of the main branch, with the pull requests of a rollup."""

    commit: str
    date: str
    pull: Pull | None
    rolled_up: tuple[Pull, ...] = ()

    @property
    def lists_too_little(self) -> bool:
        """Whether it is a rollup whose message does not list its pull requests."""
        return not self.rolled_up and self.pull is not None and "rollup" in self.pull.title.lower()

    def __str__(self) -> str:
        return self.commit[:12] if self.pull is None else str(self.pull)


def merge_of(commit: str, date: str, message: str) -> Merge:
    """A merge, from the bot's commit."""
    subject, _, body = message.partition("\n")
    return Merge(commit, date, pull_of(message), rolled_up(subject, body))


def pull_of(message: str) -> Pull | None:
    """The pull request that a merge's message names: its title is the first line of the body."""
    subject, _, body = message.partition("\n")
    found = _SUBJECT.match(subject)
    if found is None:
        return None
    title = next((line.strip() for line in body.splitlines() if line.strip()), found[2])
    return Pull(int(found[1]), title)


def rolled_up(subject: str, body: str) -> tuple[Pull, ...]:
    """The pull requests that a rollup's message lists."""
    if "rollup" not in f"{subject}\n{body}".lower():
        return ()
    listed = body.partition("Failed merges")[0]
    return tuple(Pull(int(number), title) for number, title in _ROLLED_UP.findall(listed))
