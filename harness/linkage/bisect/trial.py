"""What a bisection tries on a toolchain, and what a trial of it shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from linkage.case.case import Case
from linkage.judge.verdict import Verdict
from linkage.plan.plan import Variant
from linkage.run.session import Session
from linkage.toolchain import Toolchain


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The verdict of a trial, and what a verdict does not tell."""

    verdict: Verdict
    crashed: bool = False
    """Whether rustc crashed: an internal compiler error."""
    output: str = ""
    """What was printed, for a person; of a case, nothing."""


class Trial(Protocol):
    """What is tried on each toolchain: a variant of a case, a script, a build of a Cargo project."""

    @property
    def holds_linker(self) -> bool:
        """Whether it can link with a given linker on every compiler."""

    def tried(self, session: Session, toolchain: Toolchain) -> TrialResult:
        """Try it on a toolchain. Raises LinkageError if it cannot be tried on any."""


@dataclass(frozen=True, slots=True)
class CaseTrial:
    """A variant of a case."""

    case: Case
    row: Mapping[str, Any]
    holds_linker: bool = True

    def variant(self, toolchain: Toolchain) -> Variant:
        """The variant on a toolchain."""
        return Variant(self.case, self.row, toolchain)

    def tried(self, session: Session, toolchain: Toolchain) -> TrialResult:
        return TrialResult(*session.judged(self.variant(toolchain)))
