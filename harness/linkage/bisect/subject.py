"""What a bisection works on, and what comes out of it: variants with their questions, findings. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from linkage.bisect.axis import Range
from linkage.bisect.question import Question
from linkage.bisect.search import Gap, Mark
from linkage.bisect.signature import Match, ProbeResult


class MissingError(Exception):
    """There is no such toolchain, or it cannot be used; the reason in a few words."""

    def __init__(self, reason: str, *, for_now: bool = False) -> None:
        self.for_now = for_now
        """It may be there another time: a session that goes on asks for it again."""
        super().__init__(reason)


class Prober(Protocol):
    """Where toolchains come from, and where variants are tried."""

    def get(self, name: str) -> None:
        """Make the toolchain ready. Raises MissingError where there is none."""

    def probe(self, name: str, variant: str) -> ProbeResult:
        """Try a variant on a toolchain that is ready."""

    def prefetch(self, names: Sequence[str]) -> None:
        """Begin to fetch what is likely wanted next."""

    def retain(self, names: Collection[str]) -> None:
        """Which toolchains are wanted again at the end: the others may go."""

    def available(self, names: Iterable[str]) -> set[str]:
        """Those of these that are installed."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How a bisection is to go about it."""

    fixed: bool = False
    """What mended it is searched, not what broke it."""
    match: Match = "text"
    claim: str | None = None
    spread: int = 0
    """More toolchains over the whole range, to find flips that cancel out."""


@dataclass
class OpenQuestion:
    """A question, and what is known of it by position."""

    question: Question
    known: dict[int, Mark] = field(default_factory=dict)


@dataclass
class Subject:
    """A variant, and what is asked about it."""

    variant: str
    backwards: bool = False
    """It failed before and does not any more."""
    asked: list[OpenQuestion] = field(default_factory=list)
    problem: str = ""
    """Why nothing can be searched for it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a question's answer changes: every flip that was found, each as narrow as it gets."""

    question: Question
    flips: tuple[Gap, ...]
    backwards: bool
    skipped: tuple[tuple[int, str], ...]
    """What decided nothing, and why."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What came out of a bisection."""

    findings: tuple[Finding, ...]
    problems: tuple[tuple[str, str], ...]
    """Variants of which nothing could be found out, and why."""
    range: Range
    """With both ends, as they were used."""
    tried: int
    """How many toolchains were probed."""
