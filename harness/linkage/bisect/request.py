"""The request of a bisection, as the session's file keeps it."""

import shlex
from datetime import date
from typing import Any

import msgspec

from linkage.bisect import axis
from linkage.bisect.history import History
from linkage.bisect.merges import Merge
from linkage.bisect.regress_option import CHANGED, FAILURE, REGRESSIONS
from linkage.bisect.rollup import Build
from linkage.bisect.signature import Match
from linkage.bisect.subject import SearchOptions
from linkage.errors import LinkageError
from linkage.plan.other_toolchain import divided_cell
from linkage.run.selection import split


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
    other_toolchains: tuple[str, ...] = ()
    """The toolchains for steps with `toolchain: other`, the same for every compiler that is tried."""
    script: str | None = None
    """A program that tells which toolchains are bad."""
    cargo: str | None = None
    """The folder of a Cargo project that is built."""
    arguments: tuple[str, ...] = ()
    """What follows `--`: rustc's flags for a Rust file, arguments of the script, or of Cargo."""
    timeout: float | None = None
    """Seconds that the script or Cargo may take."""
    prompt: bool = False
    """Whether the user judges each trial."""
    components: tuple[str, ...] = ()
    """The components of rustup that are installed, too."""
    host: str = ""
    """The host triple of the toolchains; empty: this machine's."""
    alt: bool = False
    """Whether the alt builds of rust-lang/rust's CI are tried."""
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
        for one in self.other_toolchains:
            words += ["--other-toolchain", one]
        for one in self.targets:
            words += ["--target", one]
        words += ["--ignore-limits"] if self.ignore_limits else []
        words += ["--no-skip"] if self.no_skip else []
        for option, value in (("--script", self.script), ("--cargo", self.cargo)):
            words += [option, value] if value is not None else []
        words += ["--timeout", f"{self.timeout:g}"] if self.timeout is not None else []
        words += ["--prompt"] if self.prompt else []
        for one in self.components:
            words += ["--component", one]
        words += ["--host", self.host] if self.host else []
        words += ["--alt"] if self.alt else []
        words += ["--", *self.arguments] if self.arguments else []
        return shlex.join(words)

    @property
    def others(self) -> tuple[str, ...]:
        """The toolchains for steps with `toolchain: other`: as asked for, or as in the variants' names."""
        named = (divided_cell(split(text)[2] or "")[1] for text in self.cases)
        return self.other_toolchains or tuple(dict.fromkeys(filter(None, named)))

    @property
    def external(self) -> bool:
        """Whether a program of the user is tried, not cases."""
        return self.script is not None or self.cargo is not None

    @property
    def options(self) -> SearchOptions:
        # A script decides by itself which failures are the same, and so does a person.
        told = self.script is not None or self.prompt or self.regress not in FAILURE
        match: Match = "claim" if told else self.match
        return SearchOptions(self.regress == "fixed", match, self.claim, self.spread)

    @property
    def ends(self) -> tuple[str | None, str | None]:
        """The older and the newer end; to find a fix, the bad end is the older one."""
        return (self.bad, self.good) if self.regress == "fixed" else (self.good, self.bad)

    def check(self) -> None:
        """Raise LinkageError for arguments that do not go together."""
        self._check_trial()
        if self.alt and (self.toolchains or not any(map(axis.is_commit, self.ends))):
            raise LinkageError("only merges have alt builds", where="--alt", help="name commits as bounds")
        if self.rollup_builds and self.rust_src is None and not self.github:
            raise LinkageError(
                "needs the history of rust-lang/rust",
                where="--rollup-builds",
                help="name a clone with --rust-src DIR, or leave out --no-github",
            )

    def _check_trial(self) -> None:
        if self.regress not in REGRESSIONS:
            raise LinkageError(f"unknown --regress {self.regress}", where="bisect")
        given = [
            option
            for option, value in (("--script", self.script), ("--cargo", self.cargo))
            if value is not None
        ]
        if len(given) > 1 or (given and self.cases):
            other = "a case" if self.cases else given[1]
            raise LinkageError(f"{given[0]} and {other} exclude each other", help="leave one of them out")
        for_cases = {
            "--ignore-limits": self.ignore_limits,
            "--no-skip": self.no_skip,
            "--claim": self.claim,
            "--other-toolchain": self.other_toolchains,
        }
        for option, value in for_cases.items():
            if given and value:
                raise LinkageError(f"does not apply to {given[0]}", where=option, help="leave it out")
        if self.script is not None and self.linker:
            raise LinkageError(
                "does not apply to --script", where="--linker", help="let the script choose the linker"
            )
        if self.timeout is not None and not given:
            raise LinkageError(
                "needs --script or --cargo", where="--timeout", help="a case has the key `timeout`"
            )
        if self.timeout is not None and not self.timeout > 0:
            raise LinkageError("must be a positive number of seconds", where=f"--timeout {self.timeout:g}")
        sources = [one for one in self.cases if not one.endswith(".rs")]
        if self.arguments and not given and (sources or not self.cases):
            raise LinkageError(
                "arguments after -- are for a .rs file, --script or --cargo", where=(sources or ["bisect"])[0]
            )
        if self.regress == CHANGED:
            self._check_changed()

    def _check_changed(self) -> None:
        where = f"--regress {CHANGED}"
        if self.script is not None:
            raise LinkageError(
                "the outputs of a script are not known", where=where, help="use --cargo, a case or a .rs file"
            )
        if self.prompt:
            raise LinkageError("is not judged by a person", where=where, help="leave out --prompt")
        if self.cargo is not None and self.arguments[:1] not in ((), ("build",)):
            raise LinkageError(
                f"cargo {self.arguments[0]} has no known outputs", where=where, help="use `build`"
            )
        if not self.toolchains and self.good is None:
            raise LinkageError("needs the older end", where=where, help="name it with --good")

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
        return axis.whole(specs, "merge"), found
