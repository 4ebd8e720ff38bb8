"""One variant's result as reports use it, and the JSON file of a run."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from linkage.case.matrix import row_id
from linkage.host.files import write_whole
from linkage.judge.results import Compiler, KeptBug, KeptFailure, KeptResult
from linkage.judge.verdict import Verdict
from linkage.plan.plan import Variant
from linkage.render.evidence import explain_verdict
from linkage.toolchain import Tool

VERDICT = "linkage_verdict"
"""The user property of a pytest report that carries a verdict."""

FORMAT = 1
"""Of the JSON file; counted up when a key changes its meaning or goes."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a report knows of a variant's verdict."""

    id: str
    case: str
    summary: str
    toolchain: str
    version: str
    outcome: str
    reason: str
    bugs: tuple[Mapping[str, Any], ...]
    failures: tuple[Mapping[str, Any], ...]
    commands: tuple[str, ...]
    obtained: str
    evidence: str
    """The failures as a person reads them; empty where there are none."""
    seconds: float
    stored: bool = False
    """Whether all of it came from the store; `obtained` says when and where it was first obtained."""
    rechecked: int = 0
    """Steps that the store had, and that were done again to compare."""
    tools: Mapping[str, str] = field(default_factory=dict)
    """The versions of what comes with the toolchain: `rust-lld`, a Debian `package`."""

    @classmethod
    def of(cls, node: str, verdict: Mapping[str, Any], *, refused: bool = False) -> "Record":
        """From what an item reported; `refused`: it is a skip, and --no-skip makes that a failure."""
        outcome = "fail" if refused else str(verdict["outcome"])
        return cls(
            id=node,
            case=verdict["case"],
            summary=verdict["summary"],
            toolchain=verdict["toolchain"],
            version=verdict["version"],
            outcome=outcome,
            reason=verdict["reason"],
            bugs=tuple(verdict["bugs"]),
            failures=tuple(verdict["failures"]),
            commands=tuple(verdict["commands"]),
            obtained=verdict["obtained"],
            evidence=verdict["evidence"] if outcome in ("fail", "fixed", "error") else "",
            seconds=round(verdict.get("seconds", 0.0), 3),
            stored=verdict.get("stored", False),
            rechecked=verdict.get("rechecked", 0),
            tools=verdict.get("tools", {}),
        )


def properties(variant: Variant, verdict: Verdict) -> dict[str, object]:
    """What the reports need of a verdict, as plain data that xdist can send."""
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
        "bugs": [{"name": bug.name, "note": bug.note} for bug in verdict.bugs],
        "failures": [
            {
                "step": failure.step,
                "claim": failure.claim,
                "where": failure.where,
                "claimed": failure.claimed,
                "found": failure.found,
                "nearest": list(failure.nearest),
                "look": list(failure.look),
                "error": failure.error,
            }
            for failure in verdict.failures
        ],
        "commands": list(verdict.commands),
        "obtained": verdict.obtained,
        "stored": verdict.stored,
        "rechecked": verdict.rechecked,
        "seconds": verdict.seconds,
        "evidence": explain_verdict(verdict, variant.id),
    }


def kept(verdict: Mapping[str, Any], when: float) -> KeptResult:
    """What the store keeps of an item's verdict."""
    return KeptResult(
        case=verdict["file"],
        cell=verdict["cell"],
        compiler=Compiler(verdict["toolchain"], verdict["version"], verdict["fingerprint"]),
        outcome=str(verdict["outcome"]),
        reason=verdict["reason"],
        bugs=tuple(KeptBug(bug["name"], bug["note"]) for bug in verdict["bugs"]),
        failures=tuple(
            KeptFailure(one["step"], one["claim"], one["found"], one["error"], one["where"])
            for one in verdict["failures"]
        ),
        obtained=verdict["obtained"],
        seconds=round(verdict.get("seconds", 0.0), 3),
        when=when,
        sources=verdict["sources"],
    )


def verdict_of(user_properties: Iterable[tuple[str, object]]) -> dict[str, Any] | None:
    """The verdict that a report's properties carry; None for other tests."""
    found = (value for name, value in user_properties if name == VERDICT)
    return next((value for value in found if isinstance(value, dict)), None)


def write_json(
    place: str,
    records: Sequence[Record],
    unreadable: Sequence[str],
    broken: Sequence[str] = (),
    tools: Sequence[Tool] = (),
) -> None:
    """Write a run's results and the machine's tools, whole or not at all.

    Raises LinkageError where it cannot be written.
    """
    data = {
        "format": FORMAT,
        "tools": {tool.name: tool.recorded for tool in tools},
        "variants": [asdict(record) for record in sorted(records, key=lambda record: record.id)],
        "unreadable": list(unreadable),
        "broken": list(broken),
    }
    write_whole(place, json.dumps(data, indent=1) + "\n")
