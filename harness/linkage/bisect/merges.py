"""The merges of rust-lang/rust between two commits, read from a clone.

Each merge of the main branch is made by a bot once its CI has passed, and only those have
artifacts. A rollup's message lists the pull requests that it brings, a line for each.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from linkage.errors import LinkageError
from linkage.host import process

BOTS = ("bors", "rust-bors[bot]")
PULLS = "https://github.com/rust-lang/rust/pull/"
_FIELDS = ("%H", "%P", "%an", "%cs", "%s", "%b")
_SEPARATOR, _END = "\x1f", "\x1e"
_SUBJECT = re.compile(r"(?:Auto merge of|Rollup merge of|Merge pull request) #(\d+)(?: - |: | from )?(.*)")
_ROLLED_UP = re.compile(r"^\s*[-*] (?:rust-lang/rust)?#(\d+) \((.*)\)\s*$", re.MULTILINE)
_TIME_LIMIT = 300.0


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

    def __str__(self) -> str:
        return self.commit[:12] if self.pull is None else str(self.pull)


def between(clone: Path, old: str, new: str) -> list[Merge]:
    """The merges after `old` up to `new`, in order. Raises LinkageError if the clone lacks them."""
    first, last = (_commit(clone, bound) for bound in (old, new))
    if _git(clone, "merge-base", "--is-ancestor", first, last).status != 0:
        raise LinkageError(
            f"{old} is not an ancestor of {new}",
            where=f"--rust-src {clone}",
            help="name the older commit first",
        )
    shape = _SEPARATOR.join(_FIELDS) + _END
    told = _checked(clone, "log", "--first-parent", "--reverse", f"--format={shape}", f"{first}..{last}")
    found = [merge for merge in map(_merge, told.split(_END)) if merge is not None]
    return [_complete(clone, merge) for merge in found]


def check(clone: Path) -> None:
    """Raise LinkageError if there is no clone."""
    if not clone.is_dir() or _git(clone, "rev-parse", "--git-dir").status != 0:
        raise LinkageError(
            "is not a clone of rust-lang/rust",
            where=f"--rust-src {clone}",
            help="git clone https://github.com/rust-lang/rust",
        )


def full(clone: Path, commit: str) -> str:
    """The full hash of a commit. Raises LinkageError if the clone lacks it."""
    return _commit(clone, commit)


def _merge(text: str) -> Merge | None:
    parts = text.lstrip("\n").split(_SEPARATOR)
    if len(parts) != len(_FIELDS) or parts[2] not in BOTS:
        return None
    commit, _, _, day, subject, body = parts
    return Merge(commit, day, _pull(subject, body), rolled_up(subject, body))


def _pull(subject: str, body: str) -> Pull | None:
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


def _complete(clone: Path, merge: Merge) -> Merge:
    """A merge with the pull requests of a rollup whose message lists none, from its own merges."""
    if merge.rolled_up or merge.pull is None or "rollup" not in merge.pull.title.lower():
        return merge
    shape = f"{_SEPARATOR.join(_FIELDS)}{_END}"
    inside = f"{merge.commit}^1..{merge.commit}^2"
    told = _git(clone, "log", "--merges", "--reverse", f"--format={shape}", inside).stdout.decode()
    parts = [text.lstrip("\n").split(_SEPARATOR) for text in told.split(_END)]
    pulls = [_pull(one[4], one[5]) for one in parts if len(one) == len(_FIELDS)]
    return Merge(merge.commit, merge.date, merge.pull, tuple(one for one in pulls if one is not None))


def _commit(clone: Path, bound: str) -> str:
    answer = _git(clone, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{bound}^{{commit}}")
    if answer.status != 0:
        raise LinkageError(
            f"has no commit {bound}", where=f"--rust-src {clone}", help=f"git -C {clone} fetch origin"
        )
    return answer.stdout.decode().strip()


def _checked(clone: Path, *words: str) -> str:
    answer = _git(clone, *words)
    if answer.status != 0:
        told = answer.stderr.decode(errors="replace").strip().splitlines()
        raise LinkageError(told[-1] if told else "git failed", where=f"--rust-src {clone}")
    return answer.stdout.decode(errors="replace")


def _git(clone: Path, *words: str) -> process.ProcessResult:

    command = ["git", "-C", str(clone), *words]
    try:
        return process.run(command, env=os.environ, cwd=Path(), time_limit=_TIME_LIMIT, output_limit=1 << 28)
    except OSError as error:
        raise LinkageError(f"git cannot be started: {error.strerror}", where="--rust-src") from None
