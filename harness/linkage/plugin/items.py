"""Cases as pytest's tree: a case file is collected, each of its variants on each toolchain is an item.

An item's outcome in pytest's words: pass is passed; a known bug is xfailed; a skip is skipped;
fail and fixed are failures; what could not be judged is an error.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from linkage.case.case import Case
from linkage.case.reader import read_case
from linkage.errors import LinkageError
from linkage.host.terminal import escape, printable_name
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.plan.plan import Variant
from linkage.plugin.arguments import CHOSEN
from linkage.plugin.properties import VERDICT, properties
from linkage.plugin.run_session import AHEAD, others_of, session_of, targets_of, toolchains_of
from linkage.render.evidence import explain_verdict
from linkage.run.selection import ChosenCase, case_name, fitting, variants

_REASON = 2000
"""Characters of a reason that pytest prints."""


class CaseFile(pytest.File):
    """A case file; collects its variants on every toolchain of the run."""

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path) -> "CaseFile":
        name = case_name(path, parent.config.rootpath)
        return cls.from_parent(parent, path=path, name=printable_name(path.name), nodeid=name)

    def collect(self) -> Iterator["VariantItem"]:
        try:
            case = read_case(self.path, self.nodeid)
            toolchains, others = toolchains_of(self.config), others_of(self.config)
        except LinkageError as error:
            raise self.CollectError(str(error)) from None
        for name in case.model.tags:
            self.config.addinivalue_line("markers", f"{name}: a tag of {self.nodeid}")
        chosen = self.config.stash.get(CHOSEN, {}).get(self.path)
        case = _for_targets(case, targets_of(self.config), chosen)
        for toolchain in toolchains:
            for variant in variants(case, toolchain, None, others):
                if chosen is not None and not any(one.means(toolchain.name, variant.row) for one in chosen):
                    continue
                name = variant.name
                # The id is explicit: --lf does not recognize the structured ids of pytest 9.2.
                yield VariantItem.from_parent(
                    self, name=name, nodeid=f"{self.nodeid}::{name}", variant=variant
                )


def _for_targets(case: Case, triples: Sequence[str], chosen: Sequence[ChosenCase] | None) -> Case:
    """The case with the cells that `--target` or the ids of variants mean."""
    if triples:
        return case.for_targets(triples)
    cells = {one.cell for one in chosen or ()}
    return fitting(case, cells.pop()) if len(cells) == 1 else case


class CaseFolder(pytest.Directory):
    """A folder of cases whose name pytest cannot print or send to xdist's workers as it is."""

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path) -> "CaseFolder":
        node = printable_name(os.path.relpath(path, parent.config.rootpath))
        return cls.from_parent(parent, path=path, name=printable_name(path.name), nodeid=node)

    def collect(self) -> Iterator[pytest.Collector]:
        # As pytest.Dir does, which is final.
        for path in sorted(self.path.iterdir()):
            if self.ihook.pytest_ignore_collect(collection_path=path, config=self.config):
                continue
            if path.is_dir():
                folder = self.ihook.pytest_collect_directory(path=path, parent=self)
                yield from [] if folder is None else [folder]
            elif path.is_file():
                yield from self.ihook.pytest_collect_file(file_path=path, parent=self)


class UnjudgedError(Exception):
    """Carries a verdict out of an item, for repr_failure; never seen by a person."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(verdict.reason)


class VariantItem(pytest.Item):
    """One variant: it is run in the set-up phase and judged in the call phase."""

    def __init__(self, *, variant: Variant, **kwargs: Any) -> None:  # noqa: ANN401 - pytest's own
        super().__init__(**kwargs)
        self.variant = variant
        self.result: Verdict | None = None
        for name in variant.case.model.tags:
            self.add_marker(name)
        if variant.case.model.known_bugs:
            self.add_marker("known_bug")

    @property
    def case(self) -> Case:
        return self.variant.case

    def setup(self) -> None:
        runner = self.config.stash.get(AHEAD, None) or session_of(self.config)
        verdict = runner.verdict(self.variant)
        self.result = verdict
        self.user_properties.append((VERDICT, properties(self.variant, verdict)))
        if verdict.outcome is VerdictKind.ERROR:
            raise UnjudgedError(verdict)
        if verdict.outcome is VerdictKind.SKIP and not self.config.getoption("--no-skip"):
            pytest.skip(escape(verdict.reason, _REASON))

    def runtest(self) -> None:
        verdict = self.result
        assert verdict is not None, "runtest without setup"  # noqa: S101
        if verdict.outcome is VerdictKind.KNOWN:
            pytest.xfail(escape(verdict.reason, _REASON))
        if verdict.outcome is not VerdictKind.PASS:
            raise UnjudgedError(verdict)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ANN401 - pytest's own
        if isinstance(excinfo.value, UnjudgedError):
            return explain_verdict(excinfo.value.verdict, self.nodeid)
        if isinstance(excinfo.value, pytest.xfail.Exception):
            return str(excinfo.value)  # nobody sees a traceback, and it would take longer than judging
        return super().repr_failure(excinfo, style)

    @property
    def location(self) -> tuple[str, int | None, str]:
        """As pytest makes it, but text that can be sent to xdist's controller and printed."""
        return self.nodeid.partition("::")[0], 0, self.name

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name
