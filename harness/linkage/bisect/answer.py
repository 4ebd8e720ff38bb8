"""The answer of a bisection: cases that flip at the same places, and what changed there. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from linkage.bisect.axis import Range
from linkage.bisect.merges import Merge
from linkage.bisect.redaction import Redaction
from linkage.bisect.rollup import RollupMember
from linkage.bisect.search import Gap
from linkage.bisect.subject import NOT_ON_SERVER, Finding, SearchResult
from linkage.compare.change_groups import ChangeGroup as Changes
from linkage.judge.verdict import Verdict
from linkage.plan.plan import Plan
from linkage.run.selection import split

COMPARE = "https://github.com/rust-lang/rust/compare/"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The toolchain before or after a flip."""

    name: str
    version: str = ""
    commit: str | None = None
    nightly: str = ""
    """The nightly that is built from this commit, if it is a commit and there is one."""
    told: str = ""
    """What the first of the cases showed when it was tried once more."""


@dataclass(frozen=True, slots=True)
class HeldLinker:
    """What both sides show if both link with one linker: `good` or `bad`."""

    linker: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class FlakyResult:
    """A result that did not repeat."""

    variant: str
    failure: str
    toolchain: str
    runs: tuple[str, str]
    """What the first run and the second one showed."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A place in the range where outcomes change, and what is known about it."""

    before: Endpoint
    after: Endpoint
    becomes: str
    """`bad` or `good`."""
    candidates: tuple[str, ...]
    """The toolchains that may have introduced or fixed it: more than one if some are inconclusive."""
    skipped: tuple[tuple[str, str], ...]
    """The inconclusive candidates, and why."""
    releases: tuple[str, str] | None = None
    """The releases between which it was searched among nightlies."""
    merges: tuple[Merge, ...] = ()
    """The merges that may have introduced or fixed it, if they could be listed."""
    by_merge: bool = False
    """Whether the compilers of single merges were tried."""
    members: tuple[RollupMember, ...] = ()
    """What the build of each pull request of a rollup showed, if they were tried."""
    changes: tuple[Changes, ...] = ()
    """The differences in the outputs of the first of its cases."""
    beside: tuple[str, ...] = ()
    """What differs between the two toolchains beside the commits of rustc."""
    held: tuple[HeldLinker, ...] = ()
    """What happens with one linker, if the two link with different ones."""

    @property
    def by_linker(self) -> bool:
        """Whether the change goes away if both sides link with the same linker."""
        return bool(self.held) and all(one.before == one.after for one in self.held)

    @property
    def same_commit(self) -> bool:
        """Whether both toolchains are built from one commit, so that no commit can be the cause."""
        return self.before.commit is not None and self.before.commit == self.after.commit

    @property
    def compare(self) -> str | None:
        """GitHub's page of all commits between the two toolchains."""
        if self.before.commit and self.after.commit:
            return f"{COMPARE}{self.before.commit}...{self.after.commit}"
        return None


@dataclass(frozen=True, slots=True)
class FailingExample:
    """A variant on a failing toolchain, from which the evidence and the script are rendered."""

    case: str
    node: str
    verdict: Verdict
    plan: Plan | None
    """None if the variant cannot be run there."""
    sources: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class FlipGroup:
    """The cases that flip at the same places."""

    findings: tuple[Finding, ...]
    flips: tuple[Flip, ...]
    examples: tuple[FailingExample, ...] = ()
    """The first variant of each of its cases, on a failing toolchain; none if that toolchain is gone."""

    @property
    def cases(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(case_of(one) for one in self.variants))

    @property
    def by_linker(self) -> bool:
        return any(flip.by_linker for flip in self.flips)

    def of_case(self, case: str) -> tuple[Finding, ...]:
        """The findings of a case."""
        return tuple(one for one in self.findings if case_of(one.question.variant) == case)

    def example(self, case: str) -> FailingExample | None:
        return next((one for one in self.examples if one.case == case), None)

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.question.variant for one in self.findings))


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a bisection."""

    asked: Range
    groups: tuple[FlipGroup, ...]
    problems: tuple[tuple[str, str], ...]
    tried: int
    installed: int
    notes: tuple[str, ...] = ()
    """Where it stopped, and why."""
    flaky: tuple[FlakyResult, ...] = ()
    host: str = ""
    tool: str = ""
    """The version of this tool."""
    command: str = ""
    """What was asked, as a command."""
    redaction: Redaction = field(default_factory=Redaction)
    """What must not be shown: this machine's folders, its name and its mirror."""
    regress: str = "failed"
    """What `bad` means: `failed`, `success`, ..."""


def case_of(variant: str) -> str:
    """The case of a variant: `x.yaml[lto=fat]` is one of `x.yaml`."""
    return split(variant)[0]


def grouped(result: SearchResult) -> list[tuple[tuple[Gap, ...], tuple[Finding, ...]]]:
    """The findings, grouped by the places where they flip, the earliest first."""
    found: dict[tuple[Gap, ...], list[Finding]] = {}
    for finding in result.findings:
        found.setdefault(finding.flips, []).append(finding)
    return [(flips, tuple(findings)) for flips, findings in sorted(found.items(), key=lambda one: one[0])]


def flips(gaps: Sequence[Gap], finding: Finding, asked: Range) -> list[Flip]:
    """The flips of a finding, with the names of their toolchains."""
    name = asked.axis.name
    found = []
    for index, gap in enumerate(gaps):
        becomes = "bad" if (index % 2 == 0) != finding.backwards else "good"
        skipped = tuple((name(place), reason) for place, reason in finding.skipped if place in gap.candidates)
        candidates = tuple(name(place) for place in gap.candidates)
        if asked.axis.kind == "nightly":
            candidates = tuple(one for one in candidates if one not in _missing(skipped))
        found.append(
            Flip(Endpoint(name(gap.before)), Endpoint(name(gap.after)), becomes, candidates, skipped)
        )
    return found


def _missing(skipped: Sequence[tuple[str, str]]) -> set[str]:
    """Days without a nightly are not candidates: their changes are in the next nightly."""
    return {name for name, reason in skipped if reason.startswith(NOT_ON_SERVER)}
