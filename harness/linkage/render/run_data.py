"""The results of a run as plain data: a report for each variant, and JSON for all."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

from linkage.judge.verdict import FAILING, Bug, Failure, Verdict, VerdictKind

FORMAT = 1
"""Of the JSON; incremented when the meaning of a key changes or a key is removed."""


@dataclass(frozen=True, slots=True)
class VariantReport:
    """The verdict on a variant, as it is shown and written."""

    id: str
    case: str
    summary: str
    toolchain: str
    version: str
    outcome: str
    reason: str
    bugs: tuple[Bug, ...]
    failures: tuple[Failure, ...]
    commands: tuple[str, ...]
    obtained: str
    evidence: str
    """The failures as text; empty if there are none."""
    seconds: float
    stored: bool = False
    """Every step was a cache hit; `obtained` says when and where the newest was first run."""
    rechecked: int = 0
    """Cached steps that were run again to compare."""
    tools: Mapping[str, str] = field(default_factory=dict)
    """The versions of what comes with the toolchain: `rust-lld`, a Debian `package`."""
    other_toolchain: str = ""
    """What ran its steps with `toolchain: other`; empty if it has none."""
    other_version: str = ""
    refused: bool = False
    """Whether it is a skip that --no-skip turns into a failure."""

    @property
    def cell(self) -> str:
        """The id without the case and the toolchain."""
        return self.id.partition("::")[2].removeprefix(self.toolchain).removeprefix("[").removesuffix("]")

    @property
    def verdict(self) -> Verdict:
        """The verdict that it reports."""
        kind = VerdictKind.SKIP if self.refused else VerdictKind(self.outcome)
        return Verdict(kind, self.reason, self.failures, self.bugs, self.commands, self.obtained, self.stored)

    @classmethod
    def of(cls, node: str, verdict: Mapping[str, Any], *, refused: bool = False) -> "VariantReport":
        """Create it from the data that an item reported."""
        outcome = "fail" if refused else str(verdict["outcome"])
        return cls(
            id=node,
            case=verdict["case"],
            summary=verdict["summary"],
            toolchain=verdict["toolchain"],
            version=verdict["version"],
            outcome=outcome,
            reason=verdict["reason"],
            bugs=tuple(Bug(**one) for one in verdict["bugs"]),
            failures=tuple(Failure.of(one) for one in verdict["failures"]),
            commands=tuple(verdict["commands"]),
            obtained=verdict["obtained"],
            evidence=verdict["evidence"] if outcome in FAILING else "",
            seconds=round(verdict.get("seconds", 0.0), 3),
            stored=verdict.get("stored", False),
            rechecked=verdict.get("rechecked", 0),
            tools=verdict.get("tools", {}),
            other_toolchain=verdict.get("other_toolchain", ""),
            other_version=verdict.get("other_version", ""),
            refused=refused,
        )


def run_json(
    reports: Sequence[VariantReport],
    unreadable: Sequence[str],
    broken: Sequence[str] = (),
    tools: Mapping[str, str | None] = MappingProxyType({}),
) -> str:
    """The results of a run, and the versions of the machine's tools, as JSON."""
    data = {
        "format": FORMAT,
        "tools": dict(tools),
        "variants": [asdict(report) for report in sorted(reports, key=lambda report: report.id)],
        "unreadable": list(unreadable),
        "broken": list(broken),
    }
    return json.dumps(data, indent=1) + "\n"
