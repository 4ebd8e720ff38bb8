"""The pytest plugin: a case file is collected, each of its variants on each toolchain is an item.

An item's outcome in pytest's words: pass is passed; a known bug is xfailed; a skip is skipped;
fail and fixed are failures; what could not be judged is an error.
"""

import argparse
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linkage.dependencies import check_dependencies
from linkage.errors import LinkageError, StoreError

try:
    check_dependencies()
except LinkageError as error:
    raise pytest.UsageError(str(error)) from None

from linkage.case.case import Case
from linkage.case.reader import read_case
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.plan.plan import Variant
from linkage.plugin.recorder import Recorder
from linkage.plugin.run_store import RunStore, add_options
from linkage.render.evidence import explain_verdict
from linkage.render.record import VERDICT, properties

if TYPE_CHECKING:
    from linkage.run.job_server import JobServer
    from linkage.run.prefetch import Ahead
    from linkage.run.session import Session
    from linkage.store.store import Store
    from linkage.toolchain import Toolchain

SESSION: pytest.StashKey["Session"] = pytest.StashKey()
STORE: pytest.StashKey[RunStore] = pytest.StashKey()
TOOLCHAINS: pytest.StashKey[list["Toolchain"]] = pytest.StashKey()
AHEAD: pytest.StashKey["Ahead"] = pytest.StashKey()
_WIDEST = 1000
_JOBS = "linkage_jobs"
"""What xdist's workers are told of the run's job server: its folder and its width."""
_WRONG_INPUT: list[str] = []
"""Case files of this process's run that could not be read."""
_FIXED_MARKS = {
    "known_bug": "the case has known bugs",
    "unstable": "the case uses unstable flags (-Z)",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("linkage", "linkage cases")
    group.addoption(
        "--toolchain",
        action="append",
        default=[],
        metavar="SPEC",
        help="a rustup name, a path to a rustc, a sysroot or a stage folder, $RUSTC, or name=path; may be "
        "given several times (default: $RUSTC and all that rustup has, else the rustc on PATH)",
    )
    add_options(group)
    group.addoption(
        "--no-bootstrap",
        action="store_true",
        help="never set RUSTC_BOOTSTRAP=1: cases that need it on a stable compiler are skipped",
    )
    group.addoption(
        "--no-skip",
        action="store_true",
        help="a skip is a failure: for a job whose machine must have everything",
    )
    # pytest keeps lower-case letters to itself; like xdist's -n, this one is what everybody types.
    group._addoption(  # noqa: SLF001
        "-j",
        "--jobs",
        type=_width,
        metavar="N",
        help="how many processes and compiler threads work at once, xdist's workers together "
        "(default: the processors)",
    )


def _width(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _WIDEST:
        raise argparse.ArgumentTypeError(f"`{text}` is no number from 1 to {_WIDEST}")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    for name, text in _FIXED_MARKS.items():
        config.addinivalue_line("markers", f"{name}: {text}")
    try:
        config.stash[STORE] = RunStore(config)
        config.pluginmanager.register(config.stash[STORE], "linkage-store")
        if not hasattr(config, "workerinput"):
            recorder = Recorder(config, config.stash[STORE], lambda: session_of(config).machine.versions)
            config.pluginmanager.register(recorder, "linkage-recorder")
            if config.getoption("xmlpath", None):
                from linkage.plugin.junit_tools import JUnitTools  # noqa: PLC0415 - other runs need none of it

                config.pluginmanager.register(JUnitTools(config), "linkage-junit-tools")
        if config.getoption("--toolchain") and not hasattr(config, "workerinput"):
            toolchains_of(config)
    except LinkageError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(trylast=True)
def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed and report.nodeid.endswith(".yaml"):
        _WRONG_INPUT.append(report.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    # A case file that cannot be read is wrong input, which pytest's own status does not tell.
    stopped = session.exitstatus in (
        pytest.ExitCode.INTERRUPTED,
        pytest.ExitCode.TESTS_FAILED,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    )
    if _WRONG_INPUT and stopped and not session.shouldstop:
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
    yield


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix != ".yaml" or file_path.name.startswith("."):
        return None
    return CaseFile.from_parent(parent, path=file_path)


def session_of(config: pytest.Config) -> "Session":
    """The run's session, made when the first case is collected."""
    if SESSION not in config.stash:
        from linkage.host.folders import cache_folder  # noqa: PLC0415 - `--help` needs none of it
        from linkage.run.session import Session  # noqa: PLC0415

        chosen = config.stash[STORE]
        config.stash[SESSION] = Session(
            chosen.store,
            cache_folder(os.environ),
            bootstrap=not config.getoption("--no-bootstrap"),
            recheck=chosen.recheck,
            jobs=_jobs(config, chosen.store),
        )
    return config.stash[SESSION]


def _jobs(config: pytest.Config, store: "Store") -> "JobServer | None":
    """The run's job server: made by the controlling process, shared by its workers."""
    from linkage.run.job_server import JobServer, processors  # noqa: PLC0415

    told = getattr(config, "workerinput", {}).get(_JOBS)
    if told is not None:
        return JobServer(Path(told[0]), told[1])
    if hasattr(config, "workerinput") or config.option.collectonly:
        return None
    held = ExitStack()
    try:
        folder = held.enter_context(store.work_folder())
    except StoreError:
        return None  # the first variant says so
    jobs = JobServer.make(folder, config.getoption("--jobs") or processors())
    if jobs is not None:
        held.callback(jobs.close)
    config.add_cleanup(held.close)
    return jobs


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - xdist's own, which has no types
    jobs = session_of(node.config).jobs
    if jobs is not None:
        node.workerinput[_JOBS] = (str(jobs.folder), jobs.width)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Where no workers share the variants, threads carry them out while pytest goes through them."""
    variants = [item.variant for item in session.items if isinstance(item, VariantItem)]
    config = session.config
    if len(variants) > 1 and not config.option.collectonly and not hasattr(config, "workerinput"):
        from linkage.run.prefetch import Ahead  # noqa: PLC0415 - a worker and `--collect-only` need none of it

        run = session_of(config)
        if run.jobs is not None and run.jobs.width > 1:
            ahead = config.stash[AHEAD] = Ahead(run, variants, run.jobs.width, _seconds(run, variants))
            ahead.start()
            try:
                return (yield)
            finally:
                ahead.stop()
    return (yield)


def _seconds(run: "Session", variants: Sequence[Variant]) -> Callable[[Variant], float]:
    """How long variants took when they were judged last, by results kept."""
    from linkage.store.results import Results  # noqa: PLC0415 - as above

    results = Results(run.store)
    files = {variant.case.file: str(variant.case.file.resolve()) for variant in variants}
    known = {
        (one.case, f"{one.compiler.name}[{one.cell}]" if one.cell else one.compiler.name): one.seconds
        for file in files
        for one in results.of_case(file)
    }
    return lambda variant: known.get((files[variant.case.file], variant.name), 0.0)


def toolchains_of(config: pytest.Config) -> list["Toolchain"]:
    """The run's toolchains. Raises ToolchainError."""
    if TOOLCHAINS not in config.stash:
        config.stash[TOOLCHAINS] = session_of(config).toolchains(config.getoption("--toolchain"))
    return config.stash[TOOLCHAINS]


class CaseFile(pytest.File):
    """A case file; collects its variants on every toolchain of the run."""

    def collect(self) -> Iterator["VariantItem"]:
        try:
            case = read_case(self.path, self.nodeid)
            toolchains = toolchains_of(self.config)
        except LinkageError as error:
            raise self.CollectError(str(error)) from None
        for name in case.model.tags:
            self.config.addinivalue_line("markers", f"{name}: a tag of {self.nodeid}")
        for toolchain in toolchains:
            for row, cell in zip(case.rows, case.ids, strict=True):
                name = f"{toolchain.name}[{cell}]" if cell else toolchain.name
                variant = Variant(case, row, toolchain)
                # The id is given: pytest 9.2 makes structured ones that --lf does not know again.
                yield VariantItem.from_parent(
                    self, name=name, nodeid=f"{self.nodeid}::{name}", variant=variant
                )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a verdict's evidence for an error, too: pytest asks an item for it in the call phase only."""
    report = yield
    if call.when == "setup" and call.excinfo is not None and isinstance(call.excinfo.value, UnjudgedError):
        report.longrepr = explain_verdict(call.excinfo.value.verdict, item.nodeid)
    return report


class UnjudgedError(Exception):
    """Carries a verdict out of an item, for repr_failure; never seen by a person."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(verdict.reason)


class VariantItem(pytest.Item):
    """One variant: carried out in its set-up, judged in its call."""

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
            pytest.skip(verdict.reason)

    def runtest(self) -> None:
        verdict = self.result
        assert verdict is not None, "runtest without setup"  # noqa: S101
        if verdict.outcome is VerdictKind.KNOWN:
            pytest.xfail(verdict.reason)
        if verdict.outcome is not VerdictKind.PASS:
            raise UnjudgedError(verdict)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ANN401 - pytest's own
        if isinstance(excinfo.value, UnjudgedError):
            return explain_verdict(excinfo.value.verdict, self.nodeid)
        if isinstance(excinfo.value, pytest.xfail.Exception):
            return str(excinfo.value)  # a traceback, which nobody sees, would take longer than the judgement
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name
