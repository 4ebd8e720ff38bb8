"""Whether a step ended as its case says, and how it ended in words."""

from linkage.case import steps as model
from linkage.host.process import signal_name
from linkage.plan.observation import Outcome
from linkage.plan.plan import PlannedStep


def as_expected(step: PlannedStep, outcome: Outcome) -> bool:
    """Whether the next steps can run: this one ended as its case says, and produced what it must."""
    return ended_right(step, outcome) and not not_produced(step, outcome)


def not_produced(step: PlannedStep, outcome: Outcome) -> list[str]:
    """Files that a successful step should have produced and did not."""
    parts = zip(step.parallel or (step,), outcome.parts or (outcome,), strict=True)
    return [
        path
        for part, one in parts
        if one.status == 0
        for path in part.promised
        if path not in outcome.produced
    ]


def ended_right(step: PlannedStep, outcome: Outcome) -> bool:
    """Whether it ended as its case says."""
    if outcome.problem is not None or outcome.limit is not None:
        return False
    if step.parallel:
        return all(ended_right(part, one) for part, one in zip(step.parallel, outcome.parts, strict=True))
    return not isinstance(step.model, model.ProcessStep) or exit_holds(step.model.exit, outcome)


def exit_holds(expected: int | str, outcome: Outcome) -> bool:
    """Whether an `exit` claim holds. A compiler's crash is never what `fails` means."""
    status = outcome.status
    if status is None:
        return False
    if outcome.ice:
        return expected in ("ice", "any", "fails-or-crashes")
    match expected:
        case "any":
            return status >= 0
        case "fails-or-crashes":
            return status != 0
        case "fails":
            return status > 0
        case "ice":
            return False
        case str():
            return status < 0 and signal_name(-status) == expected
        case _:
            return status == expected


def how(outcome: Outcome) -> str:
    """The end of a step in a few words."""
    if outcome.problem is not None:
        return outcome.problem
    if outcome.limit == "time":
        return "exceeded its timeout"
    if outcome.limit == "output":
        return "exceeded the output limit"
    if outcome.ice:
        return f"internal compiler error, exit status {outcome.status}"
    if outcome.status is not None and outcome.status < 0:
        return f"was killed by {signal_name(-outcome.status)}"
    return f"exit status {outcome.status}"


def exit_word(outcome: Outcome) -> str:
    """How a step ended as a signature's `exit` names it: `1`, `ice`, `timeout`, `SIGSEGV`."""
    if outcome.limit == "time":
        return "timeout"
    if outcome.ice:
        return "ice"
    if outcome.status is not None and outcome.status < 0:
        return signal_name(-outcome.status)
    return str(outcome.status)
