"""Known bugs, strictly: seen as described, failing differently, or gone. Pure."""

import re
from collections.abc import Iterator, Sequence

from linkage.case.model import BugSignature, KnownBug
from linkage.judge.verdict import Bug, Failure, VerdictKind
from linkage.plan.expectation import as_expected, ended_right, exit_word
from linkage.plan.observation import Observation, Outcome
from linkage.plan.plan import Plan, PlannedStep
from linkage.toolchain.version import VersionRange


def applicable(plan: Plan) -> list[KnownBug]:
    """The case's known bugs that this variant is said to have."""
    variant = plan.variant
    return [
        bug
        for bug in variant.case.model.known_bugs
        if (bug.when is None or bug.when.holds(variant.cell))
        and (bug.toolchains is None or VersionRange.parse(bug.toolchains).contains(variant.toolchain.version))
    ]


def weigh(
    plan: Plan, observation: Observation, failures: Sequence[Failure]
) -> tuple[VerdictKind, tuple[Bug, ...], str]:
    """The outcome, the known bugs that it is about, and the reason in words."""
    bugs = applicable(plan)
    complete = [bug for bug in bugs if _complete(bug.signature, failures)]
    explained = {
        index: [bug for bug in complete if _explains(bug.signature, failure, plan, observation)]
        for index, failure in enumerate(failures)
    }
    unexplained = [failure for index, failure in enumerate(failures) if not explained[index]]
    if unexplained:
        outcome = VerdictKind.ERROR if any(failure.error for failure in unexplained) else VerdictKind.FAIL
        missed = [bug for bug in bugs if not any(bug in found for found in explained.values())]
        why = (
            f"it is not the known bug {', '.join(bug.name for bug in missed)}: that looks otherwise"
            if missed
            else ""
        )
        return outcome, (), why
    seen = [bug for bug in bugs if any(bug in found for found in explained.values())]
    # What another bug hides cannot be looked for, and is not said to be gone.
    gone = [bug for bug in bugs if bug not in seen and _looked_for(bug.signature, plan, observation)]
    if gone:
        return (
            VerdictKind.FIXED,
            tuple(_bug(bug) for bug in gone),
            f"{', '.join(bug.name for bug in gone)} is no longer seen: remove it, or limit its `toolchains`",
        )
    if seen:
        return VerdictKind.KNOWN, tuple(_bug(bug) for bug in seen), ", ".join(bug.name for bug in seen)
    return VerdictKind.PASS, (), ""


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
        return False  # a claim about an artifact is explained by its name only
    if signature.found is not None and signature.found not in failure.found:
        return False
    return _looks(signature, outcome)


def _complete(signature: BugSignature, failures: Sequence[Failure]) -> bool:
    """Whether each claim that the signature lists is among those that do not hold."""
    return all(any(_is_claim(failure, claim) for failure in failures) for claim in signature.claim)


def _is_claim(failure: Failure, claim: str) -> bool:
    return failure.claim == claim or failure.claim.startswith((f"{claim}.", f"{claim}["))


def _looks(signature: BugSignature, outcome: Outcome) -> bool:
    return (
        (signature.stdout is None or signature.stdout in outcome.stdout)
        and (signature.stderr is None or signature.stderr in outcome.stderr)
        and (signature.matches is None or re.search(signature.matches, outcome.stderr) is not None)
        and (signature.code is None or any(one.code == signature.code for one in outcome.diagnostics))
        and (signature.exit is None or str(signature.exit) == exit_word(outcome))
    )


def _outcome(signature: BugSignature, plan: Plan, observation: Observation, at: str) -> Outcome | None:
    """What the signature's step did, where the failure is at it: by its id, or by its action."""
    if at == "end":
        return observation.steps[-1].outcome if signature.step == "end" and observation.steps else None
    return next(
        (done for step, done in _carried_out(plan, observation) if step.id == at and _at(signature, step)),
        None,
    )


def _carried_out(plan: Plan, observation: Observation) -> Iterator[tuple[PlannedStep, Outcome]]:
    """Each step that was carried out, those that run together too, and what it did."""
    for step, seen in zip(plan.steps, observation.steps, strict=False):
        yield step, seen.outcome
        # Where one of them could not be carried out, what it did stands for all.
        yield from zip(step.together, seen.outcome.parts or (seen.outcome,) * len(step.together), strict=True)


def _at(signature: BugSignature, step: PlannedStep) -> bool:
    return signature.step in {step.id, step.action}


def _looked_for(signature: BugSignature, plan: Plan, observation: Observation) -> bool:
    """Whether the bug would have been seen: its step was carried out, and nothing hid it there."""
    if signature.step == "end":
        done = zip(plan.steps, observation.steps, strict=False)
        return len(observation.steps) == len(plan.steps) and all(as_expected(s, o.outcome) for s, o in done)
    carried_out = _carried_out(plan, observation)
    return any(_at(signature, step) and ended_right(step, outcome) for step, outcome in carried_out)
