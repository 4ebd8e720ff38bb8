"""`linkage compare`: two toolchains side by side."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.build.jobs import JobServer, processors
from harness.build.store import Store
from harness.case.read import read_case
from harness.compare.artifacts import Asked, Differ
from harness.compare.both import Cell, Source, ToolchainSource, cells_of, compare
from harness.compare.groups import grouped
from harness.compare.normal import Reader
from harness.compare.rules import Rules
from harness.compare.sides import Result
from harness.errors import ExitCode, LinkageError
from harness.places import cache_folder, store_folder
from harness.report.compare_text import print_result
from harness.report.locate import case_files
from harness.report.select import selected
from harness.session import Session

LINKERS = ("bfd", "gold", "lld", "mold")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    sides: tuple[str, str]
    cases: Sequence[str]
    chosen: str | None = None
    store: str | None = None
    no_store: bool = False
    jobs: int | None = None
    linker: str = ""
    keep: Sequence[str] = ()
    sizes: bool = False
    bytes: bool = False
    details: int = 1


def compare_toolchains(options: Options) -> int:
    """Compare, and print the report; the exit status. Raises LinkageError."""
    result = compared(options)
    print_result(result)
    return exit_status(result)


def compared(options: Options) -> Result:
    """What a comparison finds. Raises LinkageError."""
    rules = Rules.without(options.keep)
    cells = _cells(options)
    differ = Differ(rules, Asked(options.sizes, options.bytes))
    width = options.jobs or processors()
    with contextlib.ExitStack() as held:
        sources = _sources(options, rules, held, width)
        with progress_line() as progress:
            found = compare(cells, sources, differ, width + 1, progress)
    base, head = (source.side() for source in sources)
    return Result(
        base,
        head,
        found.count,
        tuple(grouped(found.found)),
        tuple(found.left),
        tuple(sorted(rules.off)),
        options.linker,
        bytes=found.bytes,
    )


def exit_status(result: Result) -> int:
    """What the command exits with."""
    if not result.compared and not result.unmet and not any(one.error for one in result.left):
        return int(ExitCode.NOTHING_RUN)
    return int(ExitCode.OK if result.same else ExitCode.FAILED)


def _cells(options: Options) -> list[Cell]:
    cases = [read_case(file, str(file)) for file in case_files(options.cases or ["cases"])]
    return [cell for cell in cells_of(cases) if selected(options.chosen, cell.name)]


def _sources(options: Options, rules: Rules, held: contextlib.ExitStack, width: int) -> tuple[Source, Source]:
    reader = Reader(rules)
    sessions = _sessions(options, held, width)
    made = []
    for spec, session in zip(options.sides, sessions, strict=True):
        toolchain = session.toolchains([spec])[0]
        if options.linker and not session.machine.has_linker(options.linker):
            raise LinkageError(f"this machine has no linker {options.linker}", where="--linker")
        made.append(ToolchainSource(session, toolchain, reader, options.linker))
    return made[0], made[1]


def _sessions(options: Options, held: contextlib.ExitStack, width: int) -> tuple[Session, Session]:
    """A session for each side: with one store, or without one with a temporary one each."""
    if options.no_store:
        if options.store:
            raise LinkageError("--store and --no-store exclude each other", mend="leave one of them out")
        stores = [Store(Path(held.enter_context(_temporary()))) for _ in range(2)]
    else:
        stores = [Store(store_folder(options.store, os.environ))] * 2
    stores[0].sweep()
    jobs = JobServer.make(held.enter_context(stores[0].work_folder()), width)
    if jobs is not None:
        held.callback(jobs.close)
    first, second = (
        Session(store, cache_folder(os.environ), dict(os.environ), jobs=jobs) for store in stores
    )
    return first, second


@contextlib.contextmanager
def _temporary() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="linkage-compare-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def progress_line() -> Iterator[Callable[[int, int], None]]:
    """Says on a terminal how far the comparison is, in a line that goes."""
    live = sys.stderr.isatty()

    def show(done: int, total: int) -> None:
        if live:
            sys.stderr.write(f"\r\x1b[2K{done} of {total} variants")
            sys.stderr.flush()

    try:
        yield show
    finally:
        if live:
            sys.stderr.write("\r\x1b[2K")
