"""The verdicts of many runs, a night each: what changed from one to the next. Pure."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from linkage.judge.results import KeptResult
from linkage.judge.verdict import FAILING, VerdictKind

LETTERS = {
    VerdictKind.PASS: "p", VerdictKind.FAIL: "f", VerdictKind.KNOWN: "k",
    VerdictKind.FIXED: "x", VerdictKind.SKIP: "s", VerdictKind.ERROR: "e",
}  # fmt: skip
NOTHING = "-"
"""No verdict on this variant that night."""
_KINDS = {letter: kind for kind, letter in LETTERS.items()}


class Night(msgspec.Struct, frozen=True):
    """The verdicts of one night, packed: a letter for each variant."""

    format: Literal[1]
    date: str
    """Year, month and day."""
    toolchains: dict[str, str]
    """The version of each toolchain, by name."""
    cells: dict[str, tuple[str, ...]]
    """The cells of each case, by the case's file as it is shown."""
    verdicts: dict[str, dict[str, str]]
    """By case and toolchain: a letter for each of its cells."""

    @classmethod
    def of(cls, date: str, results: Iterable[tuple[str, KeptResult]]) -> "Night":
        """Of the results of each case, named as it is shown."""
        found: dict[str, dict[str, dict[str, str]]] = {}
        toolchains: dict[str, str] = {}
        for case, one in results:
            letter = LETTERS[VerdictKind(one.outcome)]
            found.setdefault(case, {}).setdefault(one.compiler.name, {})[one.cell] = letter
            toolchains[one.compiler.name] = one.compiler.version
        cells = {case: tuple(sorted({*itertools.chain(*by.values())})) for case, by in sorted(found.items())}
        verdicts = {
            case: {
                name: "".join(letters.get(cell, NOTHING) for cell in cells[case])
                for name, letters in sorted(by.items())
            }
            for case, by in sorted(found.items())
        }
        return cls(1, date, dict(sorted(toolchains.items())), cells, verdicts)

    def all(self) -> Iterator[tuple["VariantName", VerdictKind]]:
        """Each variant with its verdict; a letter that is none of ours counts as no verdict."""
        for case, by_toolchain in self.verdicts.items():
            for toolchain, letters in by_toolchain.items():
                for cell, letter in zip(self.cells.get(case, ()), letters, strict=False):
                    if letter in _KINDS:
                        yield VariantName(case, cell, toolchain), _KINDS[letter]

    def counts(self) -> dict[str, Counter[VerdictKind]]:
        """How many variants have each verdict, by toolchain."""
        found: dict[str, Counter[VerdictKind]] = {name: Counter() for name in self.toolchains}
        for variant, kind in self.all():
            found.setdefault(variant.toolchain, Counter())[kind] += 1
        return found


class VariantName(NamedTuple):
    """Which variant: the case's file as it is shown, the cell, the toolchain's name."""

    case: str
    cell: str
    toolchain: str


@dataclass(frozen=True, slots=True)
class NightChange:
    """A variant whose verdict is not that of the last night that had one."""

    variant: VariantName
    before: VerdictKind | None
    """None if no night before had one."""
    after: VerdictKind

    @property
    def title(self) -> str:
        """Under which heading it belongs."""
        if self.after in FAILING:
            return "newly failing" if self.before not in FAILING else "failing differently"
        if self.before is None:
            return "new"
        if self.after is VerdictKind.SKIP:
            return "newly skipped"
        return "fixed" if self.before in FAILING else "otherwise changed"


TITLES = (
    "newly failing", "failing differently", "fixed", "newly skipped", "otherwise changed", "new",
)  # fmt: skip
"""The headings, the most urgent first."""


def changes(nights: Sequence[Night]) -> Iterator[tuple[Night, list[NightChange]]]:
    """What each night changed, from the second on. A variant without a verdict keeps its last one."""
    last: dict[VariantName, VerdictKind] = {}
    for number, night in enumerate(nights):
        found = []
        for variant, kind in night.all():
            before = last.get(variant)
            if number and before is not kind:
                found.append(NightChange(variant, before, kind))
            last[variant] = kind
        if number:
            yield night, found


def histories(nights: Sequence[Night]) -> Mapping[VariantName, list[tuple[str, VerdictKind]]]:
    """For each variant the nights on which its verdict was another than before, with it."""
    found: dict[VariantName, list[tuple[str, VerdictKind]]] = {}
    for night in nights:
        for variant, kind in night.all():
            steps = found.setdefault(variant, [])
            if not steps or steps[-1][1] is not kind:
                steps.append((night.date, kind))
    return found
