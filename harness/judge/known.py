"""Known bugs, strictly: seen as described, failing differently, or gone. Pure."""

import re
from collections.abc import Sequence

from harness.build.ended import exit_word
from harness.build.observation import Observation, StepObservation
from harness.build.plan import Plan
from harness.case.model import KnownBug, Signature
from harness.case.steps import ACTIONS
from harness.judge.verdict import Bug, Failure, Outcome
from harness.toolchain.version import VersionRange


def applicable(plan: Plan) -> list[KnownBug]:
    """The case's known bugs that this variant is said to have."""
    variant = plan.variant
    return [
        bug
        for bug in variant.case.model.known_bugs
        if (bug.when is None or bug.when.holds(variant.row))
        and (bug.toolchains is None or VersionRange.parse(bug.toolchains).contains(variant.toolchain.version))
    ]


def weigh(
    plan: Plan, observation: Observation, failures: Sequence[Failure]
) -> tuple[Outcome, tuple[Bug, ...], str]:
    """The outcome, the known bugs that it is about, and the reason in words."""
    bugs = applicable(plan)
    complete = [bug for bug in bugs if _complete(bug.signature, failures)]
    explained = {
        index: [bug for bug in complete if _explains(bug.signature, failure, plan, observation)]
        for index, failure in enumerate(failures)
    }
    unexplained = [failure for index, failure in enumerate(failures) if not explained[index]]
    if unexplained:
        outcome = Outcome.ERROR if any(failure.error for failure in unexplained) else Outcome.FAIL
        missed = [bug for bug in bugs if not any(bug in found for found in explained.values())]
        why = (
            f"it is not the known bug {', '.join(bug.name for bug in missed)}: that looks otherwise"
            if missed
            else ""
        )
        return outcome, (), why
    seen = [bug for bug in bugs if any(bug in found for found in explained.values())]
    # A bug that an earlier one hides can not be looked for; one whose step was reached is gone.
    gone = [
        bug
        for bug in bugs
        if bug not in seen and _reached(bug.signature, plan, observation, stopped=bool(failures))
    ]
    if gone:
        return (
            Outcome.FIXED,
            tuple(_bug(bug) for bug in gone),
            f"{', '.join(bug.name for bug in gone)} is no longer seen: remove it, or limit its `toolchains`",
        )
    if seen:
        return Outcome.KNOWN, tuple(_bug(bug) for bug in seen), ", ".join(bug.name for bug in seen)
    return Outcome.PASS, (), ""


def _bug(bug: KnownBug) -> Bug:
    return Bug(bug.name, bug.unreported or bug.note)


def _explains(signature: Signature, failure: Failure, plan: Plan, observation: Observation) -> bool:
    step = _step(signature, plan, observation, failure.step)
    if step is None:
        return False
    if signature.claim and not any(_is_claim(failure, claim) for claim in signature.claim):
        return False
    if (
        not signature.claim
        and failure.claim not in ("", "exit", "makes")
        and not failure.claim.startswith(("diagnostics", "stdout", "stderr"))
    ):
        return False  # a claim about an artifact is explained by its name only
    if signature.found is not None and signature.found not in failure.found:
        return False
    return _looks(signature, step)


def _complete(signature: Signature, failures: Sequence[Failure]) -> bool:
    """Whether each claim that the signature lists is among those that do not hold."""
    return all(any(_is_claim(failure, claim) for failure in failures) for claim in signature.claim)


def _is_claim(failure: Failure, claim: str) -> bool:
    return failure.claim == claim or failure.claim.startswith(f"{claim}.")


def _looks(signature: Signature, step: StepObservation) -> bool:
    outcome = step.outcome
    return (
        (signature.stdout is None or signature.stdout in outcome.stdout)
        and (signature.stderr is None or signature.stderr in outcome.stderr)
        and (signature.matches is None or re.search(signature.matches, outcome.stderr) is not None)
        and (signature.code is None or any(one.code == signature.code for one in outcome.diagnostics))
        and (signature.exit is None or str(signature.exit) == exit_word(outcome))
    )


def _step(signature: Signature, plan: Plan, observation: Observation, at: str) -> StepObservation | None:
    """The signature's step, where the failure is at it: by its id, or by its action."""
    if at == "end":
        return observation.steps[-1] if signature.step == "end" and observation.steps else None
    planned = next((step for step in plan.flat() if step.id == at), None)
    if planned is None or (
        signature.step != at and not (signature.step in ACTIONS and planned.action == signature.step)
    ):
        return None
    return observation.step(at) or next((s for s in observation.steps), None)


def _reached(signature: Signature, plan: Plan, observation: Observation, *, stopped: bool) -> bool:
    if signature.step == "end":
        return not stopped and len(observation.steps) == len(plan.steps)
    names = {step.id for step in observation.steps}
    return any(step.id in names and signature.step in {step.id, step.action} for step in plan.steps)
