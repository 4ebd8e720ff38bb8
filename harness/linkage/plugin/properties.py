"""A verdict as a user property of pytest's reports: plain data, which xdist can send."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from linkage.case.matrix import row_id
from linkage.judge.verdict import Verdict
from linkage.plan.plan import Variant
from linkage.render.evidence import explain_verdict

VERDICT = "linkage_verdict"
"""The name of the property."""


def properties(variant: Variant, verdict: Verdict) -> dict[str, object]:
    """The properties of a verdict."""
    return {
        "case": variant.case.name,
        "file": str(variant.case.file.resolve()),
        "cell": row_id(variant.row),
        "sources": variant.case.digest,
        "fingerprint": variant.toolchain.fingerprint,
        "summary": variant.case.model.summary,
        "toolchain": variant.toolchain.name,
        "version": str(variant.toolchain.version),
        "tools": variant.toolchain.tools,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        "bugs": [asdict(bug) for bug in verdict.bugs],
        "failures": [asdict(failure) for failure in verdict.failures],
        "commands": list(verdict.commands),
        "obtained": verdict.obtained,
        "stored": verdict.stored,
        "rechecked": verdict.rechecked,
        "seconds": verdict.seconds,
        "evidence": explain_verdict(verdict, variant.id),
    }


def verdict_of(user_properties: Iterable[tuple[str, object]]) -> dict[str, Any] | None:
    """The verdict among the properties of a report; None for other tests."""
    found = (value for name, value in user_properties if name == VERDICT)
    return next((value for value in found if isinstance(value, dict)), None)
