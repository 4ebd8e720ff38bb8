"""The history of rust-lang/rust in a clone of the user's."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from linkage.bisect.merges import BOTS, Merge, Pull, merge_of, pull_of
from linkage.bisect.rollup import Build
from linkage.errors import LinkageError
from linkage.host import process

_FIELDS = ("%H", "%an", "%cs", "%B")
_SEPARATOR, _END = "\x1f", "\x1e"
_SHAPE = f"--format={_SEPARATOR.join(_FIELDS)}{_END}"
_TIME_LIMIT = 300.0
_MAIN = ("origin/HEAD", "origin/main", "origin/master", "HEAD")
"""The main branch, under the first of these names that the clone has."""


@dataclass(frozen=True, slots=True)
class Clone:
    """A clone; see History for the methods."""

    folder: Path

    @property
    def where(self) -> str:
        return f"--rust-src {self.folder}"

    def check(self) -> None:
        """Raise LinkageError if there is no clone."""
        if not self.folder.is_dir() or self._git("rev-parse", "--git-dir").status != 0:
            raise LinkageError(
                "is not a clone of rust-lang/rust",
                where=self.where,
                help="git clone https://github.com/rust-lang/rust",
            )

    def commit(self, bound: str) -> str:
        answer = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{bound}^{{commit}}")
        if answer.status != 0:
            raise LinkageError(
                f"has no commit {bound}", where=self.where, help=f"git -C {self.folder} fetch origin --tags"
            )
        return answer.stdout.decode().strip()

    def merge_base(self, bound: str) -> str:
        commit = self.commit(bound)
        main = next(name for name in _MAIN if name == _MAIN[-1] or self._has(name))
        return self._checked("merge-base", main, commit).strip()

    def between(self, old: str, new: str) -> list[Merge]:
        first, last = self.commit(old), self.commit(new)
        if self._git("merge-base", "--is-ancestor", first, last).status != 0:
            raise LinkageError(
                f"{old} is not an ancestor of {new}", where=self.where, help="name the older commit first"
            )
        log = self._checked("log", "--first-parent", "--reverse", _SHAPE, f"{first}..{last}")
        merges = [
            merge_of(commit, date, message) for commit, author, date, message in _rows(log) if author in BOTS
        ]
        return [self._complete(merge) for merge in merges]

    def builds(self, rollup: Pull) -> tuple[Build, ...]:
        """None: the bot's comments are on GitHub."""
        del rollup
        return ()

    def _complete(self, merge: Merge) -> Merge:
        """A merge with the pull requests of a rollup whose message lists none, from its own merges."""
        if not merge.lists_too_little:
            return merge
        log = self._git("log", "--merges", "--reverse", _SHAPE, f"{merge.commit}^1..{merge.commit}^2")
        pulls = [pull_of(message) for _, _, _, message in _rows(log.stdout.decode(errors="replace"))]
        return replace(merge, rolled_up=tuple(one for one in pulls if one is not None))

    def _has(self, name: str) -> bool:
        return self._git("rev-parse", "--verify", "--quiet", name).status == 0

    def _checked(self, *words: str) -> str:
        answer = self._git(*words)
        if answer.status != 0:
            lines = answer.stderr.decode(errors="replace").strip().splitlines()
            raise LinkageError(lines[-1] if lines else "git failed", where=self.where)
        return answer.stdout.decode(errors="replace")

    def _git(self, *words: str) -> process.ProcessResult:
        command = ["git", "-C", str(self.folder), *words]
        try:
            return process.run(
                command, env=os.environ, cwd=Path(), time_limit=_TIME_LIMIT, output_limit=1 << 28
            )
        except OSError as error:
            raise LinkageError(f"git cannot be started: {error.strerror}", where="--rust-src") from None


def _rows(log: str) -> list[tuple[str, str, str, str]]:
    """The commits of a log: hash, author, date, message."""
    rows = [text.lstrip("\n").split(_SEPARATOR) for text in log.split(_END)]
    return [(row[0], row[1], row[2], row[3]) for row in rows if len(row) == len(_FIELDS)]
