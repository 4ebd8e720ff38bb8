"""Records the verdicts of a run in the store; with xdist, in the controlling process."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from linkage.errors import LinkageError
from linkage.judge.results import Compiler, KeptBug, KeptFailure, KeptResult
from linkage.judge.verdict import FAILING, Failure
from linkage.plugin.properties import verdict_of

if TYPE_CHECKING:
    from linkage.plugin.run_store import RunStore

_BETWEEN = 2.0
"""Seconds between writes: a run that is killed loses the verdicts since the last one."""


class Recorder:
    """A plugin that receives every verdict of the run."""

    def __init__(
        self, config: pytest.Config, chosen: "RunStore", tools: Callable[[], Mapping[str, str]]
    ) -> None:
        self.root = config.rootpath
        self.chosen = chosen
        self.tools = tools
        """The versions of the machine's tools; called when a verdict is recorded."""
        self.coming: list[KeptResult] = []
        self.failed: dict[str, None] = {}
        self.judged: set[str] = set()
        self.written = time.monotonic()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = verdict_of(report.user_properties)
        if found is None or report.nodeid in self.judged or report.when == "teardown":
            return
        if report.when == "setup" and report.passed:
            return
        self.judged.add(report.nodeid)
        self.coming.append(_kept(found, time.time()))
        if found["outcome"] in FAILING or report.failed:  # a skip fails with --no-skip
            self.failed[report.nodeid] = None
        if time.monotonic() - self.written > _BETWEEN:
            self._write()

    def pytest_sessionfinish(self) -> None:
        if self.judged:
            self._write(last=True)

    def _write(self, *, last: bool = False) -> None:
        from linkage.store.results import Results  # noqa: PLC0415 - `--help` needs none of it

        try:
            results = Results(self.chosen.store)
        except LinkageError:
            return  # each variant has reported it
        results.record(self.coming, self.tools())
        self.coming = []
        results.note_failed(self.root, list(self.failed))
        if last:
            results.forget_oldest()
        self.written = time.monotonic()


def _kept(verdict: Mapping[str, Any], when: float) -> KeptResult:
    """A verdict as the store keeps it."""
    return KeptResult(
        case=verdict["file"],
        cell=verdict["cell"],
        compiler=Compiler(verdict["toolchain"], verdict["version"], verdict["fingerprint"]),
        outcome=str(verdict["outcome"]),
        reason=verdict["reason"],
        bugs=tuple(KeptBug(bug["name"], bug["note"]) for bug in verdict["bugs"]),
        failures=tuple(
            KeptFailure(one.step, one.claim, one.found_there, one.error, one.where)
            for one in (Failure.of(failure) for failure in verdict["failures"])
        ),
        obtained=verdict["obtained"],
        seconds=round(verdict.get("seconds", 0.0), 3),
        when=when,
        sources=verdict["sources"],
    )
