"""A question of a bisection, since when a variant fails so, and what a probe answers to it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from linkage.bisect.search import Mark
from linkage.bisect.signature import Match, ProbeResult, Signature
from linkage.judge.verdict import VerdictKind


class ProbeOutcome(StrEnum):
    """What a probe is to a question."""

    PASS = "passes"  # noqa: S105 - no password
    SAME = "the same failure"
    OTHER = "a different failure"
    UNJUDGED = "could not be judged"
    MISSING = "no such toolchain"


_MARKS = {ProbeOutcome.PASS: Mark.GOOD, ProbeOutcome.SAME: Mark.BAD}


@dataclass(frozen=True, slots=True)
class Question:
    """One failure of one variant. `others` are what else fails at the end that it was taken from."""

    variant: str
    signature: Signature
    others: tuple[Signature, ...] = ()
    reached: int = 0
    raw: bool = False
    """Whether known bugs count as failures: the failure is one itself."""
    match: Match = "text"

    def outcome(self, found: ProbeResult) -> ProbeOutcome:
        """What a probe is to this question."""
        if any(self.signature.same(one, self.match) for one in found.failures):
            return ProbeOutcome.SAME
        if found.outcome in (VerdictKind.SKIP, VerdictKind.ERROR):
            return ProbeOutcome.UNJUDGED
        if not found.failures or (not self.raw and found.outcome != VerdictKind.FAIL):
            return ProbeOutcome.PASS
        known = all(any(other.same(one, self.match) for other in self.others) for one in found.failures)
        # Only what has been there all along fails, and the step in question was carried out.
        return ProbeOutcome.PASS if known and found.reached >= self.reached else ProbeOutcome.OTHER

    def mark(self, found: ProbeResult) -> Mark:
        """Good, bad, or nothing: a different failure tells nothing about this one."""
        return _MARKS.get(self.outcome(found), Mark.SKIP)


def questions(variant: str, failing: ProbeResult, match: Match = "text") -> tuple[Question, ...]:
    """The questions that a failing end gives: one for each failure that looks different.

    A crash of the compiler or a hang is a failure too; a skip, and an error that belongs to no
    step, is none. Where the end is a known bug, or one that is gone elsewhere, it is judged raw.
    """
    distinct: list[Signature] = []
    for one in failing.failures:
        if one.step and not any(one.same(other, match) for other in distinct):
            distinct.append(one)
    # Of those that could not be judged nothing is known beside something that was.
    judged = [one for one in distinct if not one.error] or distinct
    raw = failing.outcome in (VerdictKind.KNOWN, VerdictKind.FIXED, VerdictKind.PASS)
    return tuple(
        Question(variant, one, _without(distinct, one), failing.reached, raw, match) for one in judged
    )


def _without(failures: Sequence[Signature], one: Signature) -> tuple[Signature, ...]:
    return tuple(other for other in failures if other is not one)


def why(question: Question, found: ProbeResult) -> str:
    """One line for a person: what a probe showed."""
    kind = question.outcome(found)
    match kind:
        case ProbeOutcome.PASS:
            return "passes" if not found.failures else f"passes here; {found.failures[0]} is another matter"
        case ProbeOutcome.SAME:
            return f"fails: {question.signature}"
        case ProbeOutcome.OTHER:
            return f"a different failure: {found.failures[0]}"
        case _:
            told = found.reason or next((str(one) for one in found.failures), found.outcome)
            more = "; --ignore-limits tries it all the same" if told.startswith("the case is about") else ""
            return f"{kind}: {told}{more}"


def only(asked: Sequence[Question], claim: str) -> tuple[Question, ...]:
    """The questions about this claim, written `STEP: CLAIM` or `CLAIM`."""
    wanted = [part.strip() for part in claim.rsplit(":", 1)]
    return tuple(
        replace(one)
        for one in asked
        if one.signature.claim == wanted[-1] and (len(wanted) == 1 or one.signature.step == wanted[0])
    )
