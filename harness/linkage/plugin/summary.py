"""The summary of a run: a table of cases by toolchain, the known bugs, and the failures with their evidence.

A pytest plugin, because pytest knows the results, with xdist too.
"""

import sys
import time
from collections import Counter

import pytest

from linkage.host.files import write_whole
from linkage.judge.verdict import VerdictKind
from linkage.plugin.junit_tools import tools_of_machine
from linkage.plugin.properties import verdict_of
from linkage.render.progress import ProgressLine
from linkage.render.run_data import VariantReport, run_json
from linkage.render.run_table import print_summary, summary_console


class Summary:
    """Collects the verdicts of a run, shows its progress, and prints the summary."""

    def __init__(self, json_file: str | None) -> None:
        self.json_file = json_file
        self.reports: dict[str, VariantReport] = {}
        self.collected = 0
        self.broken: list[str] = []
        """Items without a verdict: a bug of the harness, or a worker that crashed."""
        self.unreadable: list[str] = []
        self.started = time.monotonic()
        self.progress = ProgressLine(sys.stderr)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        # Without xdist's lines about its workers: the progress line has what matters.
        plugins = session.config.pluginmanager
        distributed = plugins.getplugin("dsession")
        if distributed is not None and plugins.hasplugin("terminaldistreporter"):
            distributed.terminal = None
            plugins.unregister(name="terminaldistreporter")

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport | pytest.CollectReport
    ) -> tuple[str, str, str] | None:
        # pytest's own categories, so that its closing line counts as always, but no letters.
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
        self._show_progress()

    def _show_progress(self, newest: str = "") -> None:
        counted = Counter(report.outcome for report in self.reports.values())
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counted.items()))
        done = f"{len(self.reports)} of {self.collected} variants"
        self.progress.show(f"{done}: {outcomes or 'compiling'}", newest)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.unreadable.append(str(report.longrepr))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = verdict_of(report.user_properties)
        if found is None:
            if report.failed:
                self.broken.append(f"{report.nodeid}: {report.longreprtext}")
            return
        if report.nodeid in self.reports or report.when == "teardown":
            return
        if report.when == "setup" and report.passed:
            return
        refused = report.failed and found["outcome"] == VerdictKind.SKIP
        self.reports[report.nodeid] = VariantReport.of(report.nodeid, found, refused=refused)
        self._show_progress(report.nodeid)

    def pytest_terminal_summary(self, exitstatus: int, config: pytest.Config) -> None:
        self.progress.end()
        if config.option.collectonly and not (self.unreadable or self.broken):
            return
        ran = self.reports or self.unreadable or self.broken
        if exitstatus == pytest.ExitCode.USAGE_ERROR and not ran:
            return  # the error is reported instead
        seconds = time.monotonic() - self.started
        console = summary_console(config.getoption("color"))
        reports = list(self.reports.values())
        print_summary(reports, self.unreadable, seconds, self.broken, self.collected, console)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.progress.end()
        if self.json_file is not None and not hasattr(session.config, "workerinput"):
            tools = {tool.name: tool.recorded for tool in tools_of_machine()}
            reports = list(self.reports.values())
            write_whole(self.json_file, run_json(reports, self.unreadable, self.broken, tools))
