"""The verdict on a variant: the claims that failed, with evidence, and known bugs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class VerdictKind(StrEnum):
    """The kinds of verdict; cases/README.md documents them."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    KNOWN = "known"  # a known bug that occurred as described
    FIXED = "fixed"  # a known bug that no longer occurs: a failure until the case is updated
    SKIP = "skip"  # a capability is missing
    ERROR = "error"  # it could not be judged


FAILING = frozenset({VerdictKind.FAIL, VerdictKind.FIXED, VerdictKind.ERROR})
"""The verdicts that fail a run."""


@dataclass(frozen=True, slots=True)
class OtherVariant:
    """The variant that a claim compares with, and how it is built."""

    node: str
    variable: str
    """The shell's variable for its working folder."""
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A claim that does not hold, or that could not be judged."""

    step: str
    """The id of the step after which it was judged; `end` for the case's final claims."""
    claim: str
    """The claim's keys: `lib.dylib.exports.all`, `exit`, `stdout.equals`."""
    where: str
    """file:line:column of the claim."""
    claimed: str
    found: str
    nearest: tuple[str, ...] = ()
    look: tuple[str, ...] = ()
    """Commands that show it, to be run in the variant's working folder."""
    error: bool = False
    """It could not be judged."""
    file: str = ""
    """The file, if the claim is on a glob."""
    member: str = ""
    """The archive's member that it is about."""
    other: OtherVariant | None = None
    """The variant that it compares with."""
    wrong: str = ""
    """The part of `found` that is wrong, if there is more in it."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Failure":
        """From its fields as plain data."""
        other = data.get("other")
        return cls(**{**data, "other": OtherVariant(**other) if other else None})

    @property
    def found_there(self) -> str:
        """What was found, after the file and the member."""
        return ": ".join(part for part in (self.file, self.member, self.found) if part)


@dataclass(frozen=True, slots=True)
class Bug:
    """A known bug that a verdict names."""

    name: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a variant, and why."""

    outcome: VerdictKind
    reason: str = ""
    """For a skip, the missing capability; for `known` and `fixed`, the bug."""
    failures: tuple[Failure, ...] = ()
    bugs: tuple[Bug, ...] = ()
    commands: tuple[str, ...] = ()
    """The command lines of the steps that were run."""
    obtained: str = ""
    """When and where its newest outcome was first obtained."""
    stored: bool = field(default=False, compare=False)
    """Whether all outcomes were cache hits."""
    rechecked: int = field(default=0, compare=False)
    """Cached steps that were run again to compare."""
    seconds: float = field(default=0.0, compare=False)
    """How long its processes took when they were run."""
    outside_range: bool = False
    """Whether it is skipped because the case is not about this compiler."""
