"""The processes of `ci/mutants/run`, which are forks of it."""

import multiprocessing
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from linkage.case.case import Case
from linkage.case.document import KeyPath
from linkage.judge.results import KeptResult
from linkage.judge.verdict import FAILING
from linkage.run.session import Session
from linkage.store.results import Results
from mutants.claims import Claim
from mutants.document import short_name
from mutants.faults.fault import Fault
from mutants.faults.table import EVERY, PLAIN
from mutants.hunt import Hunt
from mutants.journal import FaultJournal
from mutants.search import BROKEN, FaultySession, Limits, Report, look, result_of
from mutants.variants import PlannedVariant
from mutants.wrappers import write_wrapper

_PLAIN_TASKS = 16
_PLAIN_PER_CASE = 2

A = TypeVar("A")
B = TypeVar("B")


@dataclass
class WorkerState:
    """What the workers inherit when they are forked."""

    session: Session
    cells: list[PlannedVariant]
    wrappers: Path
    rustc_cache: Path | None
    """The folder of the cached outputs of rustc."""
    before: dict[str, list[tuple[str, str]]]
    """By fault, the variants that detected it in an earlier run."""
    limits: Limits
    attempts: Path | None = None
    """The folder of the journals, if attempts are kept."""
    kept: Results | None = None

    def wrapper(self, name: str) -> Path:
        return write_wrapper(EVERY[name], self.cells[0].variant.toolchain.rustc, self.wrappers)

    def look(self, name: str, cells: Sequence[PlannedVariant], limits: Limits) -> Report:
        if not cells:
            return Report(name)
        before, journal = self.before.get(name, ()), None
        if self.attempts and self.kept:
            journal = FaultJournal(self.attempts, EVERY[name], self.kept)
        return look(
            EVERY[name], self.wrapper(name), cells, self.session, before, limits, self.rustc_cache, journal
        )


@dataclass
class HuntResult:
    """The outcome of the search for faults that make the claims of a case fail."""

    tried: int = 0
    open: list[Claim] = field(default_factory=list)
    results: list[KeptResult] = field(default_factory=list)
    unsound: list[str] = field(default_factory=list)


_RUN: list[WorkerState] = []


def begin(run: WorkerState) -> None:
    """Set the state of the workers. To be called first."""
    _RUN[:] = [run]


def now() -> WorkerState:
    """The state of the workers."""
    return _RUN[0]


def carried_out(names: Sequence[str], workers: int, kept: Results) -> Iterator[Report]:
    """The report of each fault, as soon as it is complete; its results are kept at once."""
    for number, report in enumerate(_each(_one, names, workers), 1):
        kept.record(report.results)
        seen = ", ".join(map(short_name, report.witnesses)) or "not detected"
        took = f"{report.tried} tried, {report.seconds:.0f} s"
        sys.stderr.write(f"{number} of {len(names)}: {report.fault}: {seen}, {took}\n")
        yield report


def plain(workers: int, *, everything: bool) -> Report:
    """Try the wrapper that has no fault on some variants of every case, or on all."""
    by_case: dict[str, list[int]] = {}
    for number, cell in enumerate(_RUN[0].cells):
        by_case.setdefault(cell.case.name, []).append(number)
    chosen = [cell for of_case in by_case.values() for cell in (of_case if everything else _some(of_case))]
    tasks = [chosen[start::_PLAIN_TASKS] for start in range(_PLAIN_TASKS)]
    report = Report(PLAIN.name)
    for one in _each(_plain, [task for task in tasks if task], workers):
        report.tried += one.tried
        report.caught += one.caught
        report.unsound += one.unsound
    return report


def hunted(
    asked: Iterable[tuple[Case, Sequence[Claim]]],
    names: Sequence[str],
    per_claim: int,
    workers: int,
    kept: Results,
    *,
    likely: bool,
) -> Iterator[HuntResult]:
    """Search for faults that make these claims fail, case by case; results are kept at once."""
    tasks = [(case.name, tuple(claims), tuple(names), per_claim, likely) for case, claims in asked if claims]
    for number, ((name, claims, *_), one) in enumerate(_each_with(_hunt, tasks, workers), 1):
        kept.record(one.results)
        left = f"{len(one.open)} of {len(claims)} left, {one.tried} tried"
        sys.stderr.write(f"{number} of {len(tasks)}: {name}: {left}\n")
        yield one


def _each(work: Callable[[A], B], tasks: Sequence[A], workers: int) -> Iterator[B]:
    return (done for _, done in _each_with(work, tasks, workers))


def _each_with(work: Callable[[A], B], tasks: Sequence[A], workers: int) -> Iterator[tuple[A, B]]:
    if not tasks:
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
        waiting = {pool.submit(work, task): task for task in tasks}
        try:
            yield from ((waiting[done], done.result()) for done in as_completed(waiting))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _one(name: str) -> Report:
    return _RUN[0].look(name, _RUN[0].cells, _RUN[0].limits)


def _some(of_case: Sequence[int]) -> list[int]:
    """The same few variants of a case in every run."""
    return random.Random(0).sample(of_case, min(_PLAIN_PER_CASE, len(of_case)))  # noqa: S311


def _plain(numbers: Sequence[int]) -> Report:
    run = _RUN[0]
    total = Report(PLAIN.name)
    for number in numbers:  # one by one: the search would skip a case that has detected it
        one = run.look(PLAIN.name, [run.cells[number]], Limits(None, None, None))
        total.tried += one.tried
        total.caught += one.caught
        total.unsound += one.unsound
    return total


def _hunt(task: tuple[str, tuple[Claim, ...], tuple[str, ...], int, bool]) -> HuntResult:
    name, claims, names, per_claim, likely = task
    run = _RUN[0]
    cells = [cell for cell in run.cells if cell.case.name == name]
    sound = [cell for cell in cells if run.session.verdict(cell.variant).outcome not in FAILING]
    hunt = Hunt.of(sound, claims, per_claim, likely=likely)
    found = HuntResult()

    def attempt(cell: PlannedVariant, fault: Fault, at: KeyPath | None) -> KeptResult | None:
        session = FaultySession.of(run.session, fault, run.wrapper(fault.name), run.rustc_cache)
        session.at = None if at is None else frozenset([at])
        verdict = session.verdict(cell.variant)
        if any(BROKEN in one.found for one in verdict.failures):
            found.unsound.append(f"{fault.name}: {cell.case.name}[{cell.id}]: the wrapper failed")
            return None
        return result_of(cell, fault, verdict) if verdict.outcome in FAILING else None

    found.results = list(hunt.carried_out([EVERY[one] for one in names], attempt))
    found.open, found.tried = sorted(hunt.open), hunt.tried
    return found
