"""Looking, claim by claim, for a fault that turns it red, in enough variants that each claim is in some."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from linkage.case.document import KeyPath
from linkage.judge.results import KeptFailure, KeptResult
from linkage.store.store import key_of
from mutants.claims import Claim, claims_of, never_red
from mutants.faults.fault import Fault
from mutants.variants import PlannedVariant

_KEPT = 20
"""Failures that are kept of a result."""


class Attempt(Protocol):
    """Runs a variant with a fault, at one step alone or wherever it applies: what is kept of its
    verdict, or None where that says nothing.
    """

    def __call__(self, cell: PlannedVariant, fault: Fault, at: KeyPath | None) -> KeptResult | None: ...


@dataclass
class Hunt:
    """The claims of a case that nothing turned red yet, and where they are."""

    cells: Mapping[int, PlannedVariant]
    of_cell: Mapping[int, frozenset[Claim]]
    open: set[Claim]
    per_claim: int
    """Variants in which a claim is looked for, before it is given up."""
    likely: bool = False
    """Whether only faults are tried that are likely to break one of the claims."""
    visits: Counter[Claim] = field(default_factory=Counter)
    tried: int = 0

    @classmethod
    def of(
        cls, cells: Sequence[PlannedVariant], open_: Iterable[Claim], per_claim: int, *, likely: bool = False
    ) -> "Hunt":
        numbered = dict(enumerate(cells))
        return cls(
            numbered,
            {number: frozenset(claims_of([cell])) for number, cell in numbered.items()},
            set(open_),
            per_claim,
            likely,
        )

    def carried_out(self, faults: Sequence[Fault], attempt: Attempt) -> Iterator[KeptResult]:
        """The results that turned a claim red that was not yet."""
        left = set(self.cells)
        while (number := self._next(left)) is not None:
            left.remove(number)
            yield from self._of_cell(number, faults, attempt)
            self.visits.update(self.of_cell[number] & self.open)

    def _wanted(self, number: int) -> set[Claim]:
        return {one for one in self.of_cell[number] & self.open if self.visits[one] < self.per_claim}

    def _next(self, left: Iterable[int]) -> int | None:
        """The variant that has the most claims to look for, and of these one that is quickly made."""
        ranked = [(-len(self._wanted(one)), len(self.cells[one].plan.steps), one) for one in left]
        best = min(ranked, default=(0, 0, 0))
        return best[2] if best[0] else None

    def _of_cell(self, number: int, faults: Sequence[Fault], attempt: Attempt) -> Iterator[KeptResult]:
        cell = self.cells[number]
        waiting = [one for one in faults if cell.affected(one)]
        while waiting and (wanted := self._wanted(number)):
            fault = max(waiting, key=lambda one: promise(one, wanted))
            if self.likely and not promise(fault, wanted):
                return
            waiting.remove(fault)
            yield from self._of_fault(number, fault, attempt)

    def _of_fault(self, number: int, fault: Fault, attempt: Attempt) -> Iterator[KeptResult]:
        """Where it is seen at an early step, what is claimed of later ones is not judged: there it is
        seeded at each step alone, too.
        """
        cell = self.cells[number]
        steps = sorted(cell.affected(fault), key=str)
        for at in (None, *(steps if len(steps) > 1 else ())):
            if not self._wanted(number):
                return
            self.tried += 1
            result = attempt(cell, fault, at)
            if result is None and at is None:
                return
            if result is None:
                continue
            found = self._telling(cell, result)
            if found.failures:
                self.open.intersection_update(never_red(cell.case, self.open, [found]))
                yield found

    def _telling(self, cell: PlannedVariant, result: KeptResult) -> KeptResult:
        """With the failures alone that turn a claim red, since few are kept of a result; and under a
        name of its own, so that the next result of this fault does not take its place.
        """

        def only(*failures: KeptFailure) -> KeptResult:
            return msgspec.structs.replace(result, failures=failures)

        count = len(self.open)
        telling = [
            one for one in result.failures if len(never_red(cell.case, self.open, [only(one)])) < count
        ]
        mark = key_of([(one.step, one.claim, one.where) for one in telling])
        compiler = msgspec.structs.replace(result.compiler, fingerprint=mark)
        return msgspec.structs.replace(only(*telling[:_KEPT]), compiler=compiler)


def promise(fault: Fault, wanted: Iterable[Claim]) -> int:
    """How many of the claims the fault is likely to break."""
    return sum(any(f".{key}." in f".{claim.name}." for key in fault.breaks) for claim in wanted)
