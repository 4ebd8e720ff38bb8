"""The hooks that pytest calls in a run that has cases: collection, and the start and end of the run."""

import fnmatch
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from linkage.host.terminal import printable_name
from linkage.plan.name_filter import matched, selected
from linkage.plan.plan import Variant
from linkage.plugin import KEYWORDS, RUN, TAGS
from linkage.plugin.items import CaseFile, CaseFolder, UnjudgedError, VariantItem
from linkage.plugin.recorder import Recorder
from linkage.plugin.run_session import AHEAD, JOBS, STORE, session_of, targets_of, toolchains_of
from linkage.plugin.run_store import RunStore
from linkage.render.evidence import explain_verdict
from linkage.run.selection import may_have_cases
from linkage.run.session import Session

_FIXED_MARKS = {
    "known_bug": "the case has known bugs",
}
NOT_RECURSED = frozenset({"*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}"})
"""What pytest has in `norecursedirs` by default."""


class Hooks:
    """The hooks of a run that has cases."""

    def __init__(self, config: pytest.Config, places: Sequence[Path]) -> None:
        """`places` are folders of cases, and cases.

        Raises LinkageError for options that make no sense, and for a toolchain that cannot be used.
        """
        self.config = config
        self.places = places
        self.unreadable: list[str] = []
        """Case files that could not be read."""
        for name, text in _FIXED_MARKS.items():
            config.addinivalue_line("markers", f"{name}: {text}")
        store = config.stash[STORE] = RunStore(config)
        config.pluginmanager.register(store, "linkage-store")
        if hasattr(config, "workerinput"):
            return
        recorder = Recorder(config, store, lambda: session_of(config).machine.versions)
        config.pluginmanager.register(recorder, "linkage-recorder")
        if config.getoption("xmlpath", None):
            from linkage.plugin.junit import JUnitFile  # noqa: PLC0415 - other runs need none of it

            config.pluginmanager.register(JUnitFile(config), "linkage-junit")
        if os.environ.get("GITHUB_ACTIONS") == "true":
            from linkage.plugin.github_actions import GitHubActions  # noqa: PLC0415 - likewise

            config.pluginmanager.register(GitHubActions(config.rootpath), "linkage-github-actions")
        targets_of(config)
        if config.getoption("--toolchain"):
            toolchains_of(config)
        elif config.getoption("--sandbox"):
            session_of(config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Collect folders of cases with any name, also one that pytest skips by default, such as `build`."""
        if self.config.getoption(RUN) and not self._has_cases(collection_path):
            return not self._leads_to_cases(collection_path)
        if not self._has_cases(collection_path) or not collection_path.is_dir():
            return None
        if not may_have_cases(collection_path):
            return True
        return None if self._is_taken_out(collection_path) else False

    def _is_taken_out(self, folder: Path) -> bool:
        """Whether the user's own settings or options may exclude this folder: then pytest decides."""
        ignored = [Path(one).absolute() for one in self.config.getoption("ignore") or ()]
        globs = [str(Path(one).absolute()) for one in self.config.getoption("ignore_glob") or ()]
        patterns = set(self.config.getini("norecursedirs")) - NOT_RECURSED
        return (
            folder in ignored
            or any(fnmatch.fnmatch(str(folder), one) for one in globs)
            or any(folder.match(one) for one in patterns)
        )

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if file_path.suffix != ".yaml" or not self._has_cases(file_path):
            return None
        if file_path.name.startswith(".") and file_path not in self.places:
            return None
        return CaseFile.of(parent, file_path)

    def _leads_to_cases(self, folder: Path) -> bool:
        return any(place.is_relative_to(folder) for place in self.places)

    def _has_cases(self, path: Path) -> bool:
        return any(path.is_relative_to(place) for place in self.places)

    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """A folder whose name cannot be sent to xdist's workers, or printed, has another one for pytest."""
        if printable_name(path.name) == path.name:
            return None
        leads = self._has_cases(path) or self._leads_to_cases(path)
        return CaseFolder.of(parent, path) if leads else None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        keywords, tags = self.config.getoption(KEYWORDS), self.config.getoption(TAGS)
        out = [item for item in items if not (_named(item, keywords) and _tagged(item, tags))]
        if out:
            self.config.hook.pytest_deselected(items=out)
            items[:] = [item for item in items if item not in set(out)]

    @pytest.hookimpl(trylast=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and report.nodeid.endswith(".yaml"):
            self.unreadable.append(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        # A case file that cannot be read is wrong input, for which pytest has another exit status.
        stopped = session.exitstatus in (
            pytest.ExitCode.INTERRUPTED,
            pytest.ExitCode.TESTS_FAILED,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        )
        if self.unreadable and stopped and not session.shouldstop:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        yield

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - xdist's own, which has no types
        jobs = session_of(node.config).jobs
        if jobs is not None:
            node.workerinput[JOBS] = (str(jobs.folder), jobs.width)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Without xdist's workers, let threads run the variants ahead of pytest."""
        variants = [item.variant for item in session.items if isinstance(item, VariantItem)]
        config = session.config
        if len(variants) > 1 and not config.option.collectonly and not hasattr(config, "workerinput"):
            from linkage.run.prefetch import Prefetcher  # noqa: PLC0415 - a worker and `--collect-only` need none of it

            run = session_of(config)
            if run.jobs is not None and run.jobs.width > 1:
                ahead = config.stash[AHEAD] = Prefetcher(
                    run, variants, run.jobs.width, _seconds(run, variants)
                )
                ahead.start()
                try:
                    return (yield)
                finally:
                    ahead.stop()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Show the evidence of an error too: pytest asks an item for it in the call phase only."""
        report = yield
        if (
            call.when == "setup"
            and call.excinfo is not None
            and isinstance(call.excinfo.value, UnjudgedError)
        ):
            report.longrepr = explain_verdict(call.excinfo.value.verdict, item.nodeid)
        return report


def _named(item: pytest.Item, keywords: str | None) -> bool:
    return selected(keywords, item.nodeid, [mark.name for mark in item.iter_markers()])


def _tagged(item: pytest.Item, tags: str | None) -> bool:
    return matched(tags, "-m", lambda word: item.get_closest_marker(word) is not None)


def _seconds(run: Session, variants: Sequence[Variant]) -> Callable[[Variant], float]:
    """How long variants took the last time, from stored results."""
    from linkage.store.results import Results, file_identity  # noqa: PLC0415 - as above

    results = Results(run.store)
    files = {variant.case.file: file_identity(variant.case.file) for variant in variants}
    known = {
        (one.case, f"{one.compiler.name}[{one.cell}]" if one.cell else one.compiler.name): one.seconds
        for file in files
        for one in results.of_case(file)
    }
    return lambda variant: known.get((files[variant.case.file], variant.name), 0.0)
