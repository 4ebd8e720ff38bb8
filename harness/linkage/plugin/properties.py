"""A verdict as a user property of pytest's reports: plain data, which xdist can send."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import pytest

from linkage.case.matrix import row_id
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.plan.plan import Variant
from linkage.render.evidence import explain_verdict
from linkage.render.run_data import VariantReport
from linkage.store.results import file_identity

VERDICT = "linkage_verdict"
"""The name of the property."""


def properties(variant: Variant, verdict: Verdict) -> dict[str, object]:
    """The reported data of a verdict: text that xdist can send and JSON can express."""
    return {name: _sendable(value) for name, value in _properties(variant, verdict).items()}


def _sendable(value: object) -> object:
    """The same data; what is not UTF-8 in the name of a file is escaped."""
    match value:
        case str():
            return value.encode(errors="backslashreplace").decode()
        case dict():
            return {_sendable(key): _sendable(one) for key, one in value.items()}
        case list() | tuple():
            return [*map(_sendable, value)]
        case _:
            return value


def _properties(variant: Variant, verdict: Verdict) -> dict[str, object]:
    return {
        "case": variant.case.name,
        "file": file_identity(variant.case.file),
        "cell": row_id(variant.row),
        "sources": variant.case.digest,
        "fingerprint": variant.toolchain.fingerprint,
        "summary": variant.case.model.summary,
        "toolchain": variant.toolchain.name,
        "version": str(variant.toolchain.version),
        "tools": variant.toolchain.tools,
        "other_toolchain": variant.other.name if variant.other else "",
        "other_version": str(variant.other.version) if variant.other else "",
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


def variant_report(report: pytest.TestReport) -> VariantReport | None:
    """The verdict of a report; None for other tests, and for phases in which nothing was decided."""
    found = verdict_of(report.user_properties)
    if found is None or report.when == "teardown" or (report.when == "setup" and report.passed):
        return None
    return VariantReport.of(
        report.nodeid, found, refused=report.failed and found["outcome"] == VerdictKind.SKIP
    )
