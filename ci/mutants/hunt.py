"""The search, claim by claim, for a fault that makes it fail."""

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
"""How many failures of a result are kept."""


class Attempt(Protocol):
    """Runs a variant with a fault, at one step only or wherever it applies. Returns the result if
    the variant fails.
    """

    def __call__(self, cell: PlannedVariant, fault: Fault, at: KeyPath | None) -> KeptResult | None: ...


@dataclass
class Hunt:
    """The claims of a case that have not failed yet, and the variants that have them."""

    cells: Mapping[int, PlannedVariant]
    of_cell: Mapping[int, frozenset[Claim]]
    open: set[Claim]
    per_claim: int
    """How many variants are tried for a claim."""
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
        """The results in which a claim fails for the first time."""
        left = set(self.cells)
        while (number := self._next(left)) is not None:
            left.remove(number)
            yield from self._of_cell(number, faults, attempt)
            self.visits.update(self.of_cell[number] & self.open)

    def _wanted(self, number: int) -> set[Claim]:
        return {one for one in self.of_cell[number] & self.open if self.visits[one] < self.per_claim}

    def _next(self, left: Iterable[int]) -> int | None:
        """The variant with the most open claims; of several, the one with the fewest steps."""
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
        """A fault at an early step keeps the claims of later steps from being judged. So it is also
        tried at each step by itself.
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
        """Only the failures of open claims, since few failures of a result are kept; with a key of its
        own, so that the next result of this fault does not replace it.
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
    """How many of these claims the fault is likely to break."""
    return sum(any(f".{key}." in f".{claim.name}." for key in fault.breaks) for claim in wanted)
