"""The request of a bisection, as the session's file keeps it."""

import shlex
from datetime import date
from typing import Any

import msgspec

from linkage.bisect import axis
from linkage.bisect.history import History
from linkage.bisect.merges import Merge
from linkage.bisect.rollup import Build
from linkage.bisect.signature import Match
from linkage.bisect.subject import SearchOptions
from linkage.errors import LinkageError


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the command's arguments ask for."""

    cases: tuple[str, ...]
    folder: str = ""
    """The folder that the cases' names are relative to."""
    good: str | None = None
    bad: str | None = None
    toolchains: tuple[str, ...] = ()
    regress: str = "failed"
    claim: str | None = None
    match: Match = "text"
    spread: int = 0
    rust_src: str | None = None
    github: bool = True
    """Whether GitHub may be asked for merges and pull requests."""
    rollup_builds: tuple[Build, ...] = ()
    targets: tuple[str, ...] = ()
    ignore_limits: bool = False
    no_skip: bool = False
    linker: str = ""
    """What every compiler links with; empty: what it links with by default."""
    today: str = ""
    """The date of the newest nightly, the default of the newer end."""

    @classmethod
    def read(cls, start: dict[str, Any], where: str) -> "Request":
        """From a session's `start` line. Raises LinkageError."""
        try:
            return msgspec.convert(start, cls)
        except msgspec.ValidationError as error:
            raise LinkageError(f"invalid `start` line: {error}", where=where) from None

    def line(self) -> dict[str, Any]:
        """For a session's `start` line, without defaults."""
        plain = msgspec.to_builtins(self)
        usual = msgspec.to_builtins(Request(()))
        return {key: value for key, value in plain.items() if key == "cases" or value != usual[key]}

    @property
    def command(self) -> str:
        """The request as a command."""
        words = ["linkage", "bisect", *self.cases]
        for option, value in (("--good", self.good), ("--bad", self.bad), ("--claim", self.claim)):
            words += [option, value] if value else []
        for one in self.toolchains:
            words += ["--toolchains", one]
        words += ["--regress", self.regress] if self.regress != "failed" else []
        words += ["--match", self.match] if self.match != "text" else []
        words += ["--spread", str(self.spread)] if self.spread else []
        words += ["--linker", self.linker] if self.linker else []
        for one in self.targets:
            words += ["--target", one]
        words += ["--ignore-limits"] if self.ignore_limits else []
        words += ["--no-skip"] if self.no_skip else []
        return shlex.join(words)

    @property
    def options(self) -> SearchOptions:
        return SearchOptions(self.regress == "fixed", self.match, self.claim, self.spread)

    @property
    def ends(self) -> tuple[str | None, str | None]:
        """The older and the newer end; to find a fix, the bad end is the older one."""
        return (self.bad, self.good) if self.regress == "fixed" else (self.good, self.bad)

    def check(self) -> None:
        """Raise LinkageError for arguments that do not go together."""
        if self.rollup_builds and self.rust_src is None and not self.github:
            raise LinkageError(
                "needs the history of rust-lang/rust",
                where="--rollup-builds",
                help="name a clone with --rust-src DIR, or leave out --no-github",
            )

    def range(self, history: History | None) -> tuple[axis.Range, tuple[Merge, ...]]:
        """The range to search, and the merges in it if the bounds are commits. Raises LinkageError."""
        old, new = self.ends
        if self.toolchains:
            return axis.listed(self.toolchains, old, new), ()
        if axis.is_commit(old) or axis.is_commit(new):
            return self._merges(old, new, history)
        return axis.between(old, new, date.fromisoformat(self.today)), ()

    def _merges(
        self, old: str | None, new: str | None, history: History | None
    ) -> tuple[axis.Range, tuple[Merge, ...]]:
        if history is None:
            raise LinkageError(
                "a commit as a bound needs the history of rust-lang/rust",
                where=str(new or old),
                help="name a clone with --rust-src DIR, leave out --no-github, or give dates",
            )
        if old is None or new is None:
            raise LinkageError(
                "is a commit, so the other bound is needed, too",
                where=str(old or new),
                help="name both with --good and --bad",
            )
        found = tuple(history.between(old, new))
        if not found:
            raise LinkageError(
                f"has no merge of the main branch between {old} and {new}", where=history.where
            )
        specs = (history.commit(old), *(one.commit for one in found))
        return axis.Range(axis.Listed(specs, "merge"), 0, len(specs) - 1), found
