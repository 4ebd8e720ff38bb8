"""What a case expects of a step and claims about artifacts, one line each."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from linkage.case.steps import EXPECTATIONS
from linkage.plan.plan import ClaimGroup, PlannedStep


def expectations(step: PlannedStep) -> Iterator[str]:
    """The exit status, the output and the files that the case expects of the step."""
    for name in EXPECTATIONS:
        value = getattr(step.model, name, None)
        if value in (None, (), 0):
            continue
        yield f"{name.replace('_', '-')}: {compact(value)}"
    if step.promised:
        yield f"produces: {', '.join(step.promised)}"


def claims(groups: Sequence[ClaimGroup]) -> Iterator[str]:
    """What the case claims about artifacts."""
    for group in groups:
        data = group.claims.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"when"})
        name = group.subject if group.subject == group.pattern else f"{group.subject} ({group.pattern})"
        for key, value in (data or {"exists": True}).items():
            yield f"{name}: {key} {compact(value)}"


def invariants(step: PlannedStep) -> Iterator[str]:
    """What holds of the step and of the files that it links or archives, without a claim."""
    for group in step.invariants:
        subject = f"{group.subject} ({group.file})" if group.file else group.subject
        yield f"{subject}: invariants {', '.join(group.names)}"


def compact(value: Any) -> str:  # noqa: ANN401 - the data of any claim
    """A value of a case in one line."""
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if isinstance(value, tuple):
        return ", ".join(compact(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
