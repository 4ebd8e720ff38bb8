"""The search for a case that detects a fault: which variants are tried, and in which order."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Self

from linkage.case.document import KeyPath
from linkage.judge.results import Compiler, KeptFailure, KeptResult
from linkage.judge.verdict import FAILING, Verdict
from linkage.plan.observation import Observation
from linkage.plan.plan import Plan
from linkage.run.session import Session
from mutants.faults.fault import Fault
from mutants.fixed_folders import FixedFolderStore
from mutants.journal import FaultJournal
from mutants.variants import PlannedVariant, faulted, rarity

_SHOWN = 60
BROKEN = "linkage-fault:"
"""The prefix of a message of a wrapper that failed itself."""


@dataclass(frozen=True)
class Limits:
    """When to stop the search."""

    witnesses: int | None = 2
    """Cases that must detect the fault; None: try all."""
    per_case: int | None = 3
    """Variants to try of a case."""
    tries: int | None = 20
    """Variants to try in total."""


@dataclass
class Detection:
    """A variant that detects the fault."""

    case: str
    cell: str
    claim: str
    """The first claim that fails, with its step."""


@dataclass
class Report:
    """The outcome of one fault."""

    fault: str
    applicable: int = 0
    """Variants with a command line to which it applies."""
    tried: int = 0
    """Variants that were run now, without those of an earlier run."""
    caught: list[Detection] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    """Cases that were tried and passed."""
    unsound: list[str] = field(default_factory=list)
    """Variants that fail without the fault, or in which the wrapper itself failed."""
    results: list[KeptResult] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def witnesses(self) -> list[str]:
        """The names of the cases that detect it."""
        return list(dict.fromkeys(one.case for one in self.caught))


def order(
    found: Sequence[tuple[PlannedVariant, float]],
    caught_before: Iterable[tuple[str, str]],
    per_case: int | None,
) -> list[PlannedVariant]:
    """The variants to try: those that detected it before, then the most promising of each case. Pure.

    Each further variant of a case counts for less, and is as different as possible from the one before it.
    """
    before = set(caught_before)

    def known(cell: PlannedVariant) -> bool:
        return (str(cell.case.file.resolve()), cell.id) in before

    ranked = sorted(found, key=lambda one: (not known(one[0]), -one[1], len(one[0].plan.steps)))
    of_case: dict[str, list[tuple[PlannedVariant, float]]] = {}
    for one in ranked:
        of_case.setdefault(one[0].case.name, []).append(one)
    placed: list[tuple[bool, float, int, int, PlannedVariant]] = []
    for variants in of_case.values():
        for number, (cell, promise) in enumerate(_spread(variants)[:per_case]):
            placed.append((not known(cell), -promise / (number + 1), number, len(placed), cell))
    return [one[-1] for one in sorted(placed, key=lambda one: one[:4])]


def _spread(ranked: Sequence[tuple[PlannedVariant, float]]) -> list[tuple[PlannedVariant, float]]:
    """The same order, except that of equally promising variants the first is followed by the last, the one
    between them, and then the others: neighbours in a matrix differ in one axis only.
    """
    spread: list[tuple[PlannedVariant, float]] = []
    for _, group in groupby(ranked, key=lambda one: (one[1], len(one[0].plan.steps))):
        equal = list(group)
        places = dict.fromkeys((0, len(equal) - 1, len(equal) // 2, *range(len(equal))))
        spread += [equal[place] for place in places]
    return spread


class FaultySession(Session):
    """A session in which rustc has a fault at the steps to which that applies."""

    fault: Fault
    wrapper: Path
    at: frozenset[KeyPath] | None = None
    """The only steps at which rustc has the fault; None: all."""

    @classmethod
    def of(cls, real: Session, fault: Fault, wrapper: Path, rustc_cache: Path | None) -> Self:
        """A session like the real one, with its working folders beside the cache of rustc's outputs."""
        found = cls(
            FixedFolderStore(real.store, rustc_cache) if rustc_cache else real.store,
            real.cache,
            real.environment,
        )
        found.fault, found.wrapper = fault, wrapper
        return found

    def _observe(self, planned: Plan, given: Mapping[str, bytes], folder: Path | None = None) -> Observation:
        # Computed from the plan: a claim may refer to another variant, which the same compiler has built.
        steps = PlannedVariant(planned.variant, "", planned).affected(self.fault)
        steps = steps if self.at is None else steps & self.at
        return super()._observe(faulted(planned, steps, self.wrapper), given, folder)


def look(
    fault: Fault,
    wrapper: Path,
    cells: Sequence[PlannedVariant],
    real: Session,
    before: Iterable[tuple[str, str]],
    limits: Limits,
    rustc_cache: Path | None = None,
    journal: FaultJournal | None = None,
) -> Report:
    """Try a fault on variants until enough cases have detected it; the journal spares attempts."""
    started = time.monotonic()
    session = FaultySession.of(real, fault, wrapper, rustc_cache)
    weights = rarity(cells)
    found = [(cell, cell.promise(fault, weights)) for cell in cells if cell.affected(fault)]
    report = Report(fault.name, applicable=len(found))
    green: dict[str, None] = {}
    left = order(found, before, limits.per_case)
    recalled = {id(cell): journal.known(cell) for cell in left} if journal else {}
    # The known ones first: they are free.
    for cell in sorted(left, key=lambda one: recalled.get(id(one)) is None):
        if cell.case.name in report.witnesses and limits.witnesses is not None:
            continue
        if len(report.witnesses) == limits.witnesses or report.tried == limits.tries:
            break
        claim = recalled.get(id(cell))
        if claim is None:
            report.tried += 1
            claim = _attempt(cell, session, real, report, journal)
        if claim:
            report.caught.append(Detection(cell.case.name, cell.id, claim))
        elif claim is not None:
            green[cell.case.name] = None
    report.missed = [name for name in green if name not in report.witnesses]
    report.seconds = time.monotonic() - started
    return report


def _attempt(
    cell: PlannedVariant, session: FaultySession, real: Session, report: Report, journal: FaultJournal | None
) -> str | None:
    """The first claim that the fault makes fail, an empty text if none does; None if it cannot be told."""
    verdict = session.verdict(cell.variant)
    if verdict.outcome not in FAILING:
        if journal:
            journal.note(cell)
        return ""
    if any(BROKEN in one.found for one in verdict.failures):
        report.unsound.append(f"{cell.case.name}[{cell.id}]: the wrapper failed: {_first(verdict)}")
    elif real.verdict(cell.variant).outcome in FAILING:
        report.unsound.append(f"{cell.case.name}[{cell.id}]: fails without a fault, too")
    else:
        result = result_of(cell, session.fault, verdict)
        report.results.append(result)
        if journal:
            journal.note(cell, _first(verdict), result)
        return _first(verdict)
    return None


def _first(verdict: Verdict) -> str:
    first = verdict.failures[0] if verdict.failures else None
    if first is None:
        return verdict.reason
    found = first.found.splitlines()[0][:_SHOWN] if first.found else ""
    return f"{first.step}: {first.claim or 'not judged'}: {found}"


def result_of(cell: PlannedVariant, fault: Fault, verdict: Verdict) -> KeptResult:
    """The result to keep of a variant's verdict with a fault."""
    toolchain = cell.variant.toolchain
    failures = tuple(
        KeptFailure(one.step, one.claim, one.found, one.error, one.where) for one in verdict.failures
    )
    return KeptResult(
        str(cell.case.file.resolve()),
        cell.id,
        Compiler(fault.name, str(toolchain.version), toolchain.fingerprint),
        str(verdict.outcome),
        verdict.reason,
        failures=failures,
        when=time.time(),
        sources=cell.case.digest,
    )
