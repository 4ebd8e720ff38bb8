"""Known bugs: each occurs as described, fails differently, or no longer occurs. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from linkage.case.model import BugSignature, KnownBug
from linkage.case.regular_expression import RegularExpression
from linkage.errors import PatternError
from linkage.judge.verdict import Bug, Failure, VerdictKind
from linkage.plan.expectation import as_expected, ended_right, exit_word
from linkage.plan.observation import Observation, Outcome
from linkage.plan.plan import Plan, PlannedStep
from linkage.toolchain.model import Toolchain
from linkage.toolchain.version import VersionRange


def applicable(plan: Plan) -> list[KnownBug]:
    """The case's known bugs that apply to this variant."""
    variant = plan.variant
    return [
        bug
        for bug in variant.case.model.known_bugs
        if (bug.when is None or bug.when.holds(variant.cell))
        and _within(bug.toolchains, variant.toolchain)
        and _within(bug.other_toolchains, variant.other)
    ]


def _within(versions: str | None, toolchain: Toolchain | None) -> bool:
    """Whether a toolchain is in a range; none is in no range."""
    return versions is None or (
        toolchain is not None and VersionRange.parse(versions).contains(toolchain.version)
    )


def weigh(
    plan: Plan, observation: Observation, failures: Sequence[Failure]
) -> tuple[VerdictKind, tuple[Bug, ...], str]:
    """The kind of verdict, the known bugs that it is about, and the reason.

    Raises PatternError for a signature that cannot be matched in time.
    """
    bugs = applicable(plan)
    complete = [bug for bug in bugs if _complete(bug.signature, failures)]
    explained = {
        index: [bug for bug in complete if _explains(bug.signature, failure, plan, observation)]
        for index, failure in enumerate(failures)
    }
    unexplained = [failure for index, failure in enumerate(failures) if not explained[index]]
    seen = [bug for bug in bugs if any(bug in found for found in explained.values())]
    if unexplained:
        # A claim that was judged and does not hold is worse.
        kind = VerdictKind.ERROR if all(failure.error for failure in unexplained) else VerdictKind.FAIL
        other = _names(bug for bug in bugs if bug not in seen)
        return kind, (), f"fails differently from the known bug {other}" if other else ""
    # A bug that another one hides could not occur: it is not reported as gone.
    gone = [bug for bug in bugs if bug not in seen and _looked_for(bug.signature, plan, observation)]
    if gone:
        reason = f"{_names(gone)} no longer occurs (help: remove it, or limit its `toolchains`)"
        return VerdictKind.FIXED, tuple(map(_bug, gone)), reason
    if seen:
        return VerdictKind.KNOWN, tuple(map(_bug, seen)), _names(seen)
    return VerdictKind.PASS, (), ""


def _names(bugs: Iterable[KnownBug]) -> str:
    return ", ".join(bug.name for bug in bugs)


def _bug(bug: KnownBug) -> Bug:
    return Bug(bug.name, bug.unreported or bug.note)


def _explains(signature: BugSignature, failure: Failure, plan: Plan, observation: Observation) -> bool:
    outcome = _outcome(signature, plan, observation, failure.step)
    if outcome is None:
        return False
    if signature.claim and not any(_is_claim(failure, claim) for claim in signature.claim):
        return False
    if (
        not signature.claim
        and failure.claim not in ("", "exit", "produces")
        and not failure.claim.startswith(("diagnostics", "stdout", "stderr"))
    ):
        return False  # a claim about an artifact must be named
    if signature.found is not None and signature.found not in failure.found_there:
        return False
    try:
        return _looks(signature, outcome)
    except PatternError as error:
        case = plan.variant.case
        index = next(i for i, bug in enumerate(case.model.known_bugs) if bug.signature is signature)
        where = case.position(("known-bugs", index, "signature", "matches"))
        raise PatternError(error.what, where=where, help=error.help) from None


def _complete(signature: BugSignature, failures: Sequence[Failure]) -> bool:
    """Whether all claims that the signature lists failed."""
    return all(any(_is_claim(failure, claim) for failure in failures) for claim in signature.claim)


def _is_claim(failure: Failure, claim: str) -> bool:
    return failure.claim == claim or failure.claim.startswith((f"{claim}.", f"{claim}["))


def _looks(signature: BugSignature, outcome: Outcome) -> bool:
    return (
        (signature.stdout is None or signature.stdout in outcome.stdout)
        and (signature.stderr is None or signature.stderr in outcome.stderr)
        and (
            signature.matches is None
            or RegularExpression(signature.matches).search(outcome.stderr) is not None
        )
        and (signature.code is None or any(one.code == signature.code for one in outcome.diagnostics))
        and (signature.exit is None or str(signature.exit) == exit_word(outcome))
    )


def _outcome(signature: BugSignature, plan: Plan, observation: Observation, at: str) -> Outcome | None:
    """What the signature's step did if the failure is of that step, named by its id or its action."""
    if at == "end":
        return observation.steps[-1].outcome if signature.step == "end" and observation.steps else None
    return next(
        (done for step, done in _carried_out(plan, observation) if step.id == at and _at(signature, step)),
        None,
    )


def _carried_out(plan: Plan, observation: Observation) -> Iterator[tuple[PlannedStep, Outcome]]:
    """Each step that was run, those in parallel included, and what it did."""
    for step, seen in zip(plan.steps, observation.steps, strict=False):
        yield step, seen.outcome
        # If one of them could not be run, its outcome counts for all.
        yield from zip(step.parallel, seen.outcome.parts or (seen.outcome,) * len(step.parallel), strict=True)


def _at(signature: BugSignature, step: PlannedStep) -> bool:
    return signature.step in {step.id, step.action}


def _looked_for(signature: BugSignature, plan: Plan, observation: Observation) -> bool:
    """Whether the bug could have occurred: its step was run, and no other failure hid it."""
    if signature.step == "end":
        done = zip(plan.steps, observation.steps, strict=False)
        return len(observation.steps) == len(plan.steps) and all(as_expected(s, o.outcome) for s, o in done)
    carried_out = _carried_out(plan, observation)
    return any(_at(signature, step) and ended_right(step, outcome) for step, outcome in carried_out)
