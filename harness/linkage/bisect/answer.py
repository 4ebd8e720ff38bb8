"""The answer of a bisection: cases that flip at the same place together, and what is there. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from linkage.bisect.axis import Range
from linkage.bisect.merges import Merge
from linkage.bisect.rollup import RollupMember
from linkage.bisect.search import Gap
from linkage.bisect.subject import Finding, SearchResult
from linkage.compare.change_groups import ChangeGroup as Changes
from linkage.judge.verdict import Verdict
from linkage.plan.plan import Plan

COMPARE = "https://github.com/rust-lang/rust/compare/"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A toolchain beside a flip."""

    name: str
    version: str = ""
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class Flip:
    """One place where outcomes change, and what is known of it."""

    before: Endpoint
    after: Endpoint
    becomes: str
    """`bad` or `good`."""
    candidates: tuple[str, ...]
    """What can be the first that is so: more than one where the others decided nothing."""
    skipped: tuple[tuple[str, str], ...]
    """The candidates that decided nothing, and why."""
    merges: tuple[Merge, ...] = ()
    """What can have brought it, as far as a clone tells."""
    by_merge: bool = False
    """Whether compilers of single merges were tried."""
    members: tuple[RollupMember, ...] = ()
    """Where the merge is a rollup and builds of its pull requests were tried: what each showed."""
    changes: tuple[Changes, ...] = ()
    """What differs in what the first of its cases made."""

    @property
    def compare(self) -> str | None:
        """The page that shows all commits between."""
        if self.before.commit and self.after.commit:
            return f"{COMPARE}{self.before.commit}...{self.after.commit}"
        return None


@dataclass(frozen=True, slots=True)
class FailingExample:
    """A variant on a failing toolchain: what the evidence and the script are made of."""

    node: str
    verdict: Verdict
    plan: Plan | None
    """None if the variant cannot be run there."""
    sources: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class FlipGroup:
    """Cases that flip at the same places."""

    findings: tuple[Finding, ...]
    flips: tuple[Flip, ...]
    example: FailingExample | None = None
    """The first of its cases on the failing side; None if that toolchain is gone."""

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.question.variant for one in self.findings))


@dataclass(frozen=True, slots=True)
class Answer:
    """All that a bisection found out."""

    asked: Range
    groups: tuple[FlipGroup, ...]
    problems: tuple[tuple[str, str], ...]
    tried: int
    installed: int
    notes: tuple[str, ...] = field(default=())


def grouped(result: SearchResult) -> list[tuple[tuple[Gap, ...], tuple[Finding, ...]]]:
    """The findings by the places where they flip, the earliest first."""
    found: dict[tuple[Gap, ...], list[Finding]] = {}
    for finding in result.findings:
        found.setdefault(finding.flips, []).append(finding)
    return [(flips, tuple(findings)) for flips, findings in sorted(found.items(), key=lambda one: one[0])]


def flips(gaps: Sequence[Gap], finding: Finding, asked: Range) -> list[Flip]:
    """The flips of a finding, with the names of what stands beside each."""
    name = asked.axis.name
    found = []
    for index, gap in enumerate(gaps):
        becomes = "bad" if (index % 2 == 0) != finding.backwards else "good"
        skipped = tuple((name(place), told) for place, told in finding.skipped if place in gap.candidates)
        candidates = tuple(name(place) for place in gap.candidates)
        if asked.axis.kind == "nightly":
            candidates = tuple(one for one in candidates if one not in _missing(skipped))
        found.append(
            Flip(Endpoint(name(gap.before)), Endpoint(name(gap.after)), becomes, candidates, skipped)
        )
    return found


def _missing(skipped: Sequence[tuple[str, str]]) -> set[str]:
    """Days without a nightly are no candidates: what came on them is in the next one."""
    return {name for name, told in skipped if told.startswith("the server has none")}
