"""The verdict on a variant: what did not hold, with its evidence, and whether that is known."""

from dataclasses import dataclass, field
from enum import StrEnum


class VerdictKind(StrEnum):
    """How a variant came out; docs in cases/README.md."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    KNOWN = "known"  # a known bug, seen as described
    FIXED = "fixed"  # a known bug that is gone: a failure until the case is updated
    SKIP = "skip"  # a capability is missing
    ERROR = "error"  # it could not be judged


@dataclass(frozen=True, slots=True)
class Failure:
    """One claim that does not hold, or that could not be judged."""

    step: str
    """The id of the step after which it was judged; `end` for the claims at the end."""
    claim: str
    """The claim by its keys: `lib.dylib.exports.all`, `exit`, `stdout.equals`."""
    where: str
    """file:line:column of the claim."""
    claimed: str
    found: str
    nearest: tuple[str, ...] = ()
    look: tuple[str, ...] = ()
    """Commands that show it again, in the variant's working folder."""
    error: bool = False
    """It could not be judged."""


@dataclass(frozen=True, slots=True)
class Bug:
    """A known bug as a verdict names it."""

    name: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came out, and why."""

    outcome: VerdictKind
    reason: str = ""
    """Of a skip: the capability. Of `known` and `fixed`: the bug. Else empty."""
    failures: tuple[Failure, ...] = ()
    bugs: tuple[Bug, ...] = ()
    commands: tuple[str, ...] = ()
    """The steps' command lines up to where it ended."""
    obtained: str = ""
    """When and where the newest of its outcomes was first obtained."""
    stored: bool = field(default=False, compare=False)
    """Whether all of its outcomes came from the store."""
    rechecked: int = field(default=0, compare=False)
    """Steps that the store had, and that were done again to compare."""
    seconds: float = field(default=0.0, compare=False)
    """Of its processes, when they were run."""
