"""In a job of GitHub Actions: annotations at the claims that fail, and a summary of the job.

The variables are GitHub's: "Variables reference" in its documentation.
"""

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linkage.errors import LinkageError
from linkage.host.files import OutputFile
from linkage.host.terminal import escape
from linkage.plugin.properties import variant_report, verdict_of
from linkage.render.github import annotations, job_summary

if TYPE_CHECKING:
    from linkage.render.run_data import VariantReport


class GitHubActions:
    """A plugin that reports the failures of a run to GitHub."""

    def __init__(self, root: Path, env: Mapping[str, str] = os.environ) -> None:
        """`root`: the folder that the positions of claims are relative to."""
        self.root = root
        self.env = env
        self.reports: dict[str, VariantReport] = {}
        self.unreadable: list[str] = []
        self.broken: list[str] = []
        self._token = secrets.token_hex(16)
        self._stopped = False

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and report.nodeid.endswith(".yaml"):
            self.unreadable.append(str(report.longrepr))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = variant_report(report)
        if found is not None:
            self.reports.setdefault(found.id, found)
        elif report.failed and _is_variant(report.nodeid) and verdict_of(report.user_properties) is None:
            self.broken.append(f"{report.nodeid}: {report.longreprtext}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        self._stopped = True
        # What a case or a compiler prints must not be taken for a command.
        _say(f"::stop-commands::{self._token}")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        if not self._stopped:
            return  # there was no session
        _say(f"::{self._token}::")
        checkout = Path(self.env.get("GITHUB_WORKSPACE") or self.root)
        reports = list(self.reports.values())
        for line in annotations(reports, self.unreadable, self.root, checkout):
            _say(line)
        place = self.env.get("GITHUB_STEP_SUMMARY")
        if place and (reports or self.unreadable or self.broken):
            self._append(Path(place), job_summary(reports, self.unreadable, self.broken))

    def _append(self, place: Path, text: str) -> None:
        try:
            before = place.read_bytes() if place.exists() else b""
            OutputFile(str(place), "GITHUB_STEP_SUMMARY").write(before + text.encode())
        except (OSError, LinkageError) as error:
            # The verdicts stand without it.
            print(f"linkage: {escape(str(error), 2000)}", file=sys.stderr)  # noqa: T201


def _is_variant(node: str) -> bool:
    return node.partition("::")[0].endswith(".yaml")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - GitHub reads standard output
