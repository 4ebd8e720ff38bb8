"""A question of a bisection: what introduced this failure of this variant? And its answers. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from linkage.bisect.search import Mark
from linkage.bisect.signature import Match, ProbeResult, Signature
from linkage.judge.verdict import VerdictKind


class ProbeOutcome(StrEnum):
    """The outcome of a probe for a question."""

    PASS = "passes"  # noqa: S105 - no password
    SAME = "the same failure"
    OTHER = "a different failure"
    UNJUDGED = "could not be judged"
    MISSING = "no such toolchain"


_MARKS = {ProbeOutcome.PASS: Mark.GOOD, ProbeOutcome.SAME: Mark.BAD}


@dataclass(frozen=True, slots=True)
class Question:
    """One failure of one variant. `others` are the other failures at the end that it is from."""

    variant: str
    signature: Signature
    others: tuple[Signature, ...] = ()
    reached: int = 0
    raw: bool = False
    """Whether known bugs count as failures, because the failure is a known bug."""
    match: Match = "text"

    def outcome(self, found: ProbeResult) -> ProbeOutcome:
        """The outcome of a probe for this question."""
        if any(self.signature.same(one, self.match) for one in found.failures):
            return ProbeOutcome.SAME
        if found.outcome in (VerdictKind.SKIP, VerdictKind.ERROR):
            return ProbeOutcome.UNJUDGED
        if not found.failures or (not self.raw and found.outcome != VerdictKind.FAIL):
            return ProbeOutcome.PASS
        known = all(any(other.same(one, self.match) for other in self.others) for one in found.failures)
        # Only the other failures are left, and the step in question was run.
        return ProbeOutcome.PASS if known and found.reached >= self.reached else ProbeOutcome.OTHER

    def seen(self, found: ProbeResult) -> Signature:
        """This failure as a probe showed it: another compiler prints it in its own words."""
        alike = (one for one in found.failures if self.signature.same(one, self.match))
        return next(alike, self.signature)

    def mark(self, found: ProbeResult) -> Mark:
        """Good or bad; a skip if the probe is inconclusive, as a different failure is."""
        return _MARKS.get(self.outcome(found), Mark.SKIP)


def questions(variant: str, failing: ProbeResult, match: Match = "text") -> tuple[Question, ...]:
    """The questions of a failing end: one for each distinct failure.

    A crash or a hang of the compiler is a failure; a skip and an error outside of any step are not.
    If the end is a known bug, or one that is fixed elsewhere, known bugs count as failures.
    """
    distinct: list[Signature] = []
    for one in failing.failures:
        if one.step and not any(one.same(other, match) for other in distinct):
            distinct.append(one)
    # Errors tell nothing beside a failure that could be judged.
    judged = [one for one in distinct if not one.error] or distinct
    raw = failing.outcome in (VerdictKind.KNOWN, VerdictKind.FIXED, VerdictKind.PASS)
    return tuple(
        Question(variant, one, _without(distinct, one), failing.reached, raw, match) for one in judged
    )


def _without(failures: Sequence[Signature], one: Signature) -> tuple[Signature, ...]:
    return tuple(other for other in failures if other is not one)


def why(question: Question, found: ProbeResult) -> str:
    """What a probe showed, in one line."""
    kind = question.outcome(found)
    match kind:
        case ProbeOutcome.PASS:
            return "passes" if not found.failures else f"passes; {found.failures[0]} is unrelated"
        case ProbeOutcome.SAME:
            return f"fails: {question.seen(found)}"
        case ProbeOutcome.OTHER:
            return f"a different failure: {found.failures[0]}"
        case _:
            reason = found.reason or next((str(one) for one in found.failures), found.outcome)
            more = " (help: try it with --ignore-limits)" if found.outside_range else ""
            return f"{kind}: {reason}{more}"


def only(asked: Sequence[Question], claim: str) -> tuple[Question, ...]:
    """The questions about this claim, written `STEP: CLAIM` or `CLAIM`."""
    parts = [part.strip() for part in claim.rsplit(":", 1)]
    return tuple(
        replace(one)
        for one in asked
        if one.signature.claim == parts[-1] and (len(parts) == 1 or one.signature.step == parts[0])
    )
