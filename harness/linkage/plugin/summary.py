"""The summary of a run: a table of cases by toolchain, the known bugs, and the failures with their evidence.

A pytest plugin, because pytest knows the results, with xdist too.
"""

import contextlib
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from linkage.host.interruption import deaf_children, interruption
from linkage.plugin.junit import tools_of_machine
from linkage.plugin.properties import variant_report, verdict_of
from linkage.render.progress import ProgressLine, interrupted
from linkage.render.run_data import VariantReport, run_json
from linkage.render.run_table import print_summary, summary_console

_WORDS = {
    "passed": "PASSED", "failed": "FAILED", "skipped": "SKIPPED", "xfailed": "XFAIL", "error": "ERROR",
}  # fmt: skip
"""pytest's words for its categories."""

_LAUNCHER = Path(__file__).with_name("worker_launcher.py")
_WORKER = f"popen//python={shlex.quote(sys.executable)} -u {shlex.quote(str(_LAUNCHER))}"
"""xdist's worker, which ends silently if it is interrupted before it knows what to do."""


class Summary:
    """Collects the verdicts of a run, shows its progress, and prints the summary."""

    def __init__(self) -> None:
        self.reports: dict[str, VariantReport] = {}
        self.collected = 0
        self.broken: list[str] = []
        """Items without a verdict: a bug of the harness, or a worker that crashed."""
        self.unreadable: list[str] = []
        self.started = time.monotonic()
        self.finished = False
        """Whether there was a session, and not `--markers` or the like."""
        self.progress = ProgressLine(sys.stderr)
        self.keeps = True
        """Whether the run records what it does."""

    def interrupted(self) -> str:
        """What an interrupted run says."""
        return interrupted(len(self.reports), self.collected, kept=self.keeps)

    def pytest_plugin_registered(self, plugin: Any, plugin_name: str) -> None:  # noqa: ANN401 - pytest's own
        if plugin_name == "terminalreporter":
            # Where in the code Ctrl-C came says nothing; `linkage run` prints how far it was.
            plugin._report_keyboardinterrupt = lambda: None  # noqa: SLF001

    def pytest_configure(self, config: pytest.Config) -> None:
        self.keeps = not (config.getoption("--no-store") or config.option.collectonly)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        interruption.notice()
        excinfo.traceback = excinfo.traceback[-1:]  # pytest formats it, which takes time
        interruption.end_children()

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionstart(self, session: pytest.Session) -> Iterator[None]:
        # Without xdist's lines about its workers: the progress line has what matters.
        plugins = session.config.pluginmanager
        distributed = plugins.getplugin("dsession")
        if distributed is not None and plugins.hasplugin("terminaldistreporter"):
            distributed.terminal = None
            plugins.unregister(name="terminaldistreporter")
        options = session.config.option
        options.tx = [_WORKER if one == "popen" else one for one in getattr(options, "tx", None) or ()]
        with deaf_children() if distributed is not None else contextlib.nullcontext():
            yield

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport | pytest.CollectReport, config: pytest.Config
    ) -> tuple[str, str, str] | None:
        # pytest's own categories, so that its closing line counts as always, but no letters.
        if isinstance(report, pytest.CollectReport) or verdict_of(report.user_properties) is None:
            return None
        if report.passed and report.when != "call":
            return "", "", ""
        category: str = report.outcome
        if hasattr(report, "wasxfail") and report.skipped:
            category = "xfailed"
        elif report.when == "setup" and report.failed:
            category = "error"
        # Without a word, too, pytest prints nothing of a verdict when it comes, but counts it.
        named = self.finished or config.option.verbose > 0
        return category, "", _WORDS[category] if named else ""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - xdist has no types
        worker = getattr(node.gateway._io, "popen", None)  # noqa: SLF001 - else it takes seconds to end
        if worker is not None:
            interruption.children += (worker.pid,)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self._collected(len(items))

    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self._collected(len(ids))

    def _collected(self, count: int) -> None:
        self.collected = count
        if count:
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
        if verdict_of(report.user_properties) is None:
            if report.failed:
                self.broken.append(f"{report.nodeid}: {report.longreprtext}")
            return
        found = variant_report(report)
        if found is None or report.nodeid in self.reports:
            return
        self.reports[report.nodeid] = found
        self._show_progress(report.nodeid)

    def pytest_terminal_summary(self, exitstatus: int, config: pytest.Config) -> None:
        self.progress.end()
        if config.option.collectonly:
            return  # pytest has printed all
        ran = self.reports or self.unreadable or self.broken
        if exitstatus in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERRUPTED) and not ran:
            return  # that is reported instead
        seconds = time.monotonic() - self.started
        console = summary_console(config.getoption("color"))
        reports = list(self.reports.values())
        print_summary(reports, self.unreadable, seconds, self.broken, self.collected, console)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self.progress.end()
        self.finished = True

    def json(self) -> str:
        """The verdicts as JSON."""
        tools = {tool.name: tool.recorded for tool in tools_of_machine()}
        return run_json(list(self.reports.values()), self.unreadable, self.broken, tools)
