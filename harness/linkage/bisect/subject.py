"""What a bisection works on and what it finds: variants, their questions, findings. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from linkage.bisect.axis import Range
from linkage.bisect.question import Question
from linkage.bisect.search import Gap, Mark
from linkage.bisect.signature import Match, ProbeResult

NOT_ON_SERVER = "not on the server"
"""How the reason begins if the server has no such toolchain."""


class MissingError(Exception):
    """A toolchain that does not exist or cannot be used, with a short reason."""

    def __init__(self, reason: str, *, for_now: bool = False) -> None:
        self.for_now = for_now
        """It may exist later: a resumed session asks for it again."""
        super().__init__(reason)


class Prober(Protocol):
    """Provides toolchains and tries variants on them."""

    def get(self, name: str) -> None:
        """Make a toolchain available. Raises MissingError."""

    def results(self, name: str, variants: Sequence[str]) -> Iterable[tuple[str, ProbeResult]]:
        """Try variants on an available toolchain, several at once; the results in their order."""

    def prefetch(self, names: Sequence[str]) -> None:
        """Start to download the toolchains that are likely to be next."""

    def retain(self, names: Collection[str]) -> None:
        """Keep these toolchains, which are needed again at the end; others may be removed."""

    def available(self, names: Iterable[str]) -> set[str]:
        """Those of these toolchains that are installed."""

    def remaining(self, count: int) -> None:
        """How many more toolchains will be tried at most, unless some are inconclusive."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """The options of a search."""

    fixed: bool = False
    """Whether to find what fixed the failure, not what introduced it."""
    match: Match = "text"
    claim: str | None = None
    spread: int = 0
    """How many more toolchains to try over the whole range, to find flips that cancel out."""


@dataclass
class OpenQuestion:
    """A question and its answers so far, by position."""

    question: Question
    known: dict[int, Mark] = field(default_factory=dict)


@dataclass
class Subject:
    """A variant and its open questions."""

    variant: str
    backwards: bool = False
    """Whether it failed at the older end and passes at the newer one."""
    asked: list[OpenQuestion] = field(default_factory=list)
    problem: str = ""
    """Why it cannot be searched."""
    passes: bool = False
    """Whether the problem is that it passes where it was expected to fail."""
    old: int | None = None
    new: int | None = None
    """Its ends: the nearest toolchains that could be judged, if there are any."""
    marks: dict[int, Mark] = field(default_factory=dict)
    """Where it was tried."""
    tries: int = 0
    """How often it was tried at an end, in one direction."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a question's answer changes: all flips that were found, as narrow as possible."""

    question: Question
    flips: tuple[Gap, ...]
    backwards: bool
    """Whether it fails at the older side of the first flip."""
    skipped: tuple[tuple[int, str], ...]
    """The inconclusive positions, and why."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found."""

    findings: tuple[Finding, ...]
    problems: tuple[tuple[str, str], ...]
    """The variants that could not be searched, and why."""
    range: Range
    """The range that was searched, with both ends."""
    tried: int
    """How many toolchains were tried."""
