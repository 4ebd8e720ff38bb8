"""Records of verdicts, as a run has them."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from linkage.judge.verdict import Failure
from linkage.render.run_data import VariantReport


def record(
    outcome: str = "pass",
    case: str = "cases/a.yaml",
    toolchain: str = "stable",
    failures: Iterable[Failure] = (),
    cell: str | None = None,
    **changes: Any,
) -> VariantReport:
    verdict = {
        "case": case,
        "summary": "A summary",
        "toolchain": toolchain,
        "version": {"stable": "1.95.0 (59807616e 2026-04-14)"}.get(
            toolchain, f"1.97.0-nightly ({toolchain})"
        ),
        "outcome": outcome,
        "reason": "",
        "bugs": [],
        "failures": [asdict(failure) for failure in failures],
        "commands": ["rustc lib.rs"],
        "obtained": "2026-05-20T10:00:00+00:00 on here",
        "evidence": f"evidence of {outcome}",
    } | changes
    if cell is None:
        cell = f"{outcome}-{len(json.dumps(changes)) + len(outcome)}"
    return VariantReport.of(f"{case}::{toolchain}[{cell}]", verdict | {"seconds": 1.23456})
