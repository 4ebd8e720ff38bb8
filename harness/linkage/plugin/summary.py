"""The summary of a run: a table of cases by toolchain, known bugs, and what failed with its evidence.

A pytest plugin, because pytest knows how the run went, with xdist too.
"""

import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import TextIO

import pytest

from linkage.judge.verdict import VerdictKind
from linkage.plugin.junit_tools import tools_of_machine
from linkage.render.record import Record, verdict_of, write_json
from linkage.render.run_table import print_summary

_SECONDS_BETWEEN_LINES = 10.0


class Summary:
    """Collects the verdicts of a run, shows progress while it works, and prints the summary."""

    def __init__(self, json_file: str | None) -> None:
        self.json_file = json_file
        self.records: dict[str, Record] = {}
        self.collected = 0
        self.broken: list[str] = []
        """Items that ended without a verdict: a fault of the harness, or of a worker."""
        self.unreadable: list[str] = []
        self.started = time.monotonic()
        self.progress = Progress(sys.stderr)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        # xdist tells how its workers come up, line by line; the progress line says what matters of it.
        plugins = session.config.pluginmanager
        distributed = plugins.getplugin("dsession")
        if distributed is not None and plugins.hasplugin("terminaldistreporter"):
            distributed.terminal = None
            plugins.unregister(name="terminaldistreporter")

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport | pytest.CollectReport
    ) -> tuple[str, str, str] | None:
        # Categories stay pytest's own, so that its closing line counts as always; no letters.
        if isinstance(report, pytest.CollectReport) or verdict_of(report.user_properties) is None:
            return None
        if hasattr(report, "wasxfail") and report.skipped:
            return "xfailed", "", ""
        if report.when == "setup" and report.failed:
            return "error", "", ""
        if report.passed:
            return ("passed" if report.when == "call" else ""), "", ""
        return report.outcome, "", ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self._collected(len(items))

    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self._collected(len(ids))

    def _collected(self, count: int) -> None:
        self.collected = count
        self.progress.show(self.records, count, first=True)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.unreadable.append(str(report.longrepr))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = verdict_of(report.user_properties)
        if found is None:
            if report.failed:
                self.broken.append(f"{report.nodeid}: {report.longreprtext}")
            return
        if report.nodeid in self.records or report.when == "teardown":
            return
        if report.when == "setup" and report.passed:
            return
        refused = report.failed and found["outcome"] == VerdictKind.SKIP
        self.records[report.nodeid] = Record.of(report.nodeid, found, refused=refused)
        self.progress.show(self.records, self.collected)

    def pytest_terminal_summary(self, exitstatus: int) -> None:
        self.progress.end()
        ran = self.records or self.unreadable or self.broken
        if exitstatus == pytest.ExitCode.USAGE_ERROR and not ran:
            return  # pytest says what is wrong
        seconds = time.monotonic() - self.started
        print_summary(list(self.records.values()), self.unreadable, seconds, self.broken, self.collected)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.progress.end()
        if self.json_file is not None and not hasattr(session.config, "workerinput"):
            records = list(self.records.values())
            write_json(self.json_file, records, self.unreadable, self.broken, tools_of_machine())


class Progress:
    """One line that says how far the run is: rewritten on a terminal, now and then in a log."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.live = stream.isatty()
        self.last = time.monotonic()
        self.shown = False

    def show(self, records: Mapping[str, Record], collected: int, *, first: bool = False) -> None:
        """Say how far it is, if that was not said just now; the `first` time only to a terminal."""
        now = time.monotonic()
        if not self.live if first else now - self.last < (0.1 if self.live else _SECONDS_BETWEEN_LINES):
            return
        self.last = now
        counted = Counter(record.outcome for record in records.values())
        said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counted.items()))
        line = f"{len(records)} of {collected} variants: {said or 'compiling'}"
        if self.live:
            newest = f" · {next(reversed(list(records)))}" if records else ""
            # A line that the terminal folds could not be taken back.
            width = shutil.get_terminal_size().columns - 1
            self.stream.write(f"\r\x1b[2K{line}{newest}"[: width + len("\r\x1b[2K")])
            self.shown = True
        else:
            self.stream.write(f"{line}\n")
        self.stream.flush()

    def end(self) -> None:
        if self.shown:
            self.stream.write("\r\x1b[2K")
            self.stream.flush()
            self.shown = False
