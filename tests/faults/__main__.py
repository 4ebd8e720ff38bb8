"""`ci/faults`: wrapper compilers with one fault each, run over the cases: which case sees which fault."""

import argparse
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from claims import Claim, claims_of, never_red
from corpus import Cell, cells
from rich.console import Console
from search import Limits, Report, look
from seeded.table import EVERY, FAULTS, PLAIN
from shown import show, show_claims, show_list, show_plain
from wrappers import write_wrapper

from harness.build.store import Store
from harness.case.read import Case, read_case
from harness.errors import ExitCode, LinkageError
from harness.places import cache_folder, store_folder
from harness.report.locate import case_files
from harness.report.table import summary_console
from harness.results import Result, Results
from harness.session import Session

_PLAIN_TASKS = 16
_PLAIN_PER_CASE = 2


@dataclass
class _Run:
    """What the workers, which are forks, know from the beginning."""

    session: Session
    cells: list[Cell]
    wrappers: Path
    before: dict[str, list[tuple[str, str]]]
    """By fault, the cells that have seen it in an earlier run."""
    limits: Limits


_RUN: list[_Run] = []


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0 where every fault is seen, and the plain wrapper by nobody."""
    options = _options(argv)
    console = summary_console()
    if options.list:
        show_list(FAULTS.values(), console)
        return ExitCode.OK
    try:
        return _main(options, console)
    except LinkageError as error:
        sys.stderr.write(f"ci/faults: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("ci/faults: interrupted\n")
        return ExitCode.INTERRUPTED


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="ci/faults",
        description="Run the cases with compilers that have one fault each.",
        allow_abbrev=False,
    )
    parser.add_argument("paths", nargs="*", metavar="CASE", help="case files or folders (default: cases)")
    parser.add_argument(
        "--toolchain", default="nightly", metavar="SPEC", help="the real compiler (default: nightly)"
    )
    parser.add_argument("-n", type=int, default=2, metavar="N", help="how many at once (default: 2)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="FAULT", help="this fault; may be repeated"
    )
    parser.add_argument("--all", action="store_true", help="every variant that a fault may concern")
    parser.add_argument(
        "--enough", type=int, default=1, metavar="N", help="cases that must see a fault (default: 1)"
    )
    parser.add_argument(
        "--tries", type=int, default=20, metavar="N", help="variants tried for a fault (default: 20)"
    )
    parser.add_argument(
        "--claims", action="store_true", help="list the claims that nothing turned red, so far"
    )
    parser.add_argument("--list", action="store_true", help="list the faults, and run nothing")
    parser.add_argument(
        "--wrapper", metavar="FAULT", help="print the path of this fault's rustc, and run nothing"
    )
    parser.add_argument(
        "--store", metavar="DIR", help="the store (default: $LINKAGE_STORE, else the user's cache)"
    )
    options = parser.parse_args(argv)
    for name in [*options.only, *filter(None, [options.wrapper])]:
        if name not in EVERY:
            parser.error(f"there is no fault `{name}`: ci/faults --list")
    return options


def _main(options: argparse.Namespace, console: Console) -> int:
    started = time.monotonic()
    cache = cache_folder(os.environ)
    session = Session(Store(store_folder(options.store, os.environ)), cache)
    toolchain = session.toolchains([options.toolchain])[0]
    wrappers = cache / "faults"
    if options.wrapper:
        console.print(str(write_wrapper(EVERY[options.wrapper], toolchain.rustc, wrappers)))
        return ExitCode.OK
    cases = [read_case(file, str(file)) for file in case_files(options.paths or ["cases"])]
    found = list(cells(cases, toolchain, session))
    kept = Results.open(wrappers / "results")
    limits = Limits(None, None, None) if options.all else Limits(options.enough, tries=options.tries)
    before: dict[str, list[tuple[str, str]]] = {}
    for one in kept.all():
        before.setdefault(one.compiler.name, []).append((one.case, one.cell))
    names = [name for name in FAULTS if name in (options.only or FAULTS)]
    lacking = [
        name for name in names if FAULTS[name].needs and not toolchain.has_unstable(FAULTS[name].needs)
    ]
    names = [name for name in names if name not in lacking]
    for name in (*names, PLAIN.name):
        write_wrapper(EVERY[name], toolchain.rustc, wrappers)
    _RUN[:] = [_Run(session, found, wrappers, before, limits)]
    sys.stderr.write(f"{len(names)} faults, {len(cases)} cases, {len(found)} variants on {toolchain.name}\n")
    reports = {report.fault: report for report in _carried_out(names, options.n, kept)}
    plain = Report(PLAIN.name)
    if not options.only or PLAIN.name in options.only:
        plain = _plain(found, options.n, everything=options.all)
    show([reports[name] for name in names], FAULTS, console)
    show_plain(plain, console)
    for name in lacking:
        console.print(f"{name}: left out, {toolchain.name} has no -Z{FAULTS[name].needs}")
    if options.claims:
        show_claims(_never(cases, found, kept, session), console)
    unseen = sum(not report.caught for report in reports.values())
    unsound = sum(len(report.unsound) for report in reports.values())
    console.print(
        f"{len(names)} faults: {len(names) - unseen} seen, {unseen} not; {unsound} unsound; "
        f"{len(plain.caught)} red under the plain wrapper; {time.monotonic() - started:.0f} s"
    )
    return ExitCode.FAILED if unseen or unsound or plain.caught else ExitCode.OK


def _carried_out(names: Sequence[str], workers: int, kept: Results) -> Iterator[Report]:
    """Each fault's report, as they come; what was seen is kept at once."""
    if not names:
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
        waiting = [pool.submit(_one, name) for name in names]
        try:
            for number, done in enumerate(as_completed(waiting), 1):
                report = done.result()
                kept.record(report.results)
                seen = report.caught[0].case if report.caught else "not seen"
                took = f"{report.tried} tried, {report.seconds:.0f} s"
                sys.stderr.write(f"{number} of {len(names)}: {report.fault}: {seen}, {took}\n")
                yield report
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _one(name: str) -> Report:
    run = _RUN[0]
    wrapper = (
        write_wrapper(EVERY[name], run.cells[0].variant.toolchain.rustc, run.wrappers)
        if run.cells
        else Path()
    )
    return look(EVERY[name], wrapper, run.cells, run.session, run.before.get(name, ()), run.limits)


def _plain(found: Sequence[Cell], workers: int, *, everything: bool) -> Report:
    """The wrapper that changes nothing, on some variants of every case, or on all."""
    by_case: dict[str, list[Cell]] = {}
    for cell in found:
        by_case.setdefault(cell.case.name, []).append(cell)
    chosen = [cell for of_case in by_case.values() for cell in (of_case if everything else _some(of_case))]
    run = _RUN[0]
    report = Report(PLAIN.name)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
        numbers = {id(cell): number for number, cell in enumerate(run.cells)}
        tasks = [[numbers[id(cell)] for cell in chosen[start::_PLAIN_TASKS]] for start in range(_PLAIN_TASKS)]
        for one in pool.map(_plain_task, filter(None, tasks)):
            report.tried += one.tried
            report.caught += one.caught
            report.unsound += one.unsound
    return report


def _some(of_case: Sequence[Cell]) -> list[Cell]:
    """The same few of a case in every run."""
    return random.Random(0).sample(of_case, min(_PLAIN_PER_CASE, len(of_case)))  # noqa: S311


def _plain_task(numbers: Sequence[int]) -> Report:
    run = _RUN[0]
    wrapper = write_wrapper(PLAIN, run.cells[0].variant.toolchain.rustc, run.wrappers)
    total = Report(PLAIN.name)
    for number in numbers:  # each by itself: a case that has seen it is not left out afterwards
        one = look(PLAIN, wrapper, [run.cells[number]], run.session, (), Limits(None, None, None))
        total.tried += one.tried
        total.caught += one.caught
        total.unsound += one.unsound
    return total


def _never(
    cases: Sequence[Case], found: Sequence[Cell], kept: Results, session: Session
) -> Iterator[tuple[str, int, list[Claim]]]:
    others = Results(session.store)
    for case in cases:
        claims = claims_of(cell for cell in found if cell.case is case)
        results: list[Result] = [*kept.of_case(case.file), *others.of_case(case.file)]
        yield case.name, len(claims), never_red(case, claims, results)


if __name__ == "__main__":
    sys.exit(main())
