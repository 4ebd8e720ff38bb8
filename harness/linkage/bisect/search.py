"""The search: which toolchain to try next, and where the answers change. Pure.

Positions are numbers in the order of time; an answer is good, bad, or a skip, which is
inconclusive. Wherever two neighbouring decided positions differ lies a flip: a range that flips
more than once has several, and each is narrowed until only skips are between its two ends.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

_AT_HAND = 2.0
"""How much more a probe is worth if its toolchain is installed."""
_DISTRUST = 32
"""The neighbours of a skip, within this fraction of a gap, are avoided: they are likely skips, too."""


class Mark(StrEnum):
    """The answer of a probe to a question."""

    GOOD = "good"
    BAD = "bad"
    SKIP = "skip"


Known = Mapping[int, Mark]


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Two positions with different answers and only skips or unknown ones between: it flips between them."""

    before: int
    after: int

    @property
    def candidates(self) -> range:
        """The positions that may be the first with the new answer."""
        return range(self.before + 1, self.after + 1)


def gaps(known: Known) -> list[Gap]:
    """Every place where the answer is known to change, in order."""
    decided = sorted(place for place, answer in known.items() if answer is not Mark.SKIP)
    return [Gap(one, other) for one, other in pairwise(decided) if known[one] is not known[other]]


def untried(gap: Gap, known: Known) -> list[int]:
    """The positions inside a gap that have no answer yet."""
    return [place for place in range(gap.before + 1, gap.after) if place not in known]


def choose(questions: Iterable[Known], at_hand: Collection[int] = ()) -> int | None:
    """The most informative position over all questions; None if no gap can be narrowed.

    The worth of a probe is its information, in bits, about each gap that it is in; less next to a
    skip; more if its toolchain is installed already.
    """
    worth: dict[int, float] = defaultdict(float)
    for (gap, skips), times in _distinct(questions).items():
        for place, bits in _worth(gap, skips):
            worth[place] += times * bits
    if not worth:
        return None
    near = frozenset(at_hand)
    return min(worth, key=lambda place: (-worth[place] * (_AT_HAND if place in near else 1), place))


def upcoming(questions: Sequence[Known], place: int, at_hand: Collection[int] = ()) -> list[int]:
    """The next choices after `place`, if it is good for all questions and if it is bad for all."""
    found: list[int] = []
    for answer in (Mark.GOOD, Mark.BAD):
        supposed = [{**known, place: answer} if asking(known, place) else known for known in questions]
        chosen = choose(supposed, at_hand)
        if chosen is not None and chosen not in (*found, place):
            found.append(chosen)
    return found


def remaining(questions: Iterable[Known]) -> int:
    """How many probes are left at most, unless some are inconclusive: each gap is halved by itself."""
    found = {(gap, len(untried(gap, known))) for known in questions for gap in gaps(known)}
    return sum(math.ceil(math.log2(count + 1)) for _, count in found)


def asking(known: Known, place: int) -> bool:
    """Whether the position lies in one of the question's gaps and has no answer yet."""
    return place not in known and any(gap.before < place < gap.after for gap in gaps(known))


def spread(before: int, after: int, count: int) -> list[int]:
    """Up to `count` positions evenly between two ends, to find flips that cancel out."""
    inside = after - before - 1
    count = min(count, max(inside, 0))
    return sorted({before + round((inside + 1) * (i + 1) / (count + 1)) for i in range(count)})


def _distinct(questions: Iterable[Known]) -> Counter[tuple[Gap, tuple[int, ...]]]:
    """The gaps of all questions with the skips in each; equal ones are counted."""
    found: Counter[tuple[Gap, tuple[int, ...]]] = Counter()
    for known in questions:
        for gap in gaps(known):
            skips = tuple(sorted(place for place in known if gap.before < place < gap.after))
            if len(skips) < gap.after - gap.before - 1:
                found[gap, skips] += 1
    return found


def _worth(gap: Gap, skips: Sequence[int]) -> Iterable[tuple[int, float]]:
    """Each untried position in a gap with the information of its answer, in bits."""
    size = gap.after - gap.before
    for place, away in _distances(gap, skips):
        share = (place - gap.before) / size
        bits = -share * math.log2(share) - (1 - share) * math.log2(1 - share)
        yield place, bits * away / (away + size / _DISTRUST) if skips else bits


def _distances(gap: Gap, skips: Sequence[int]) -> Iterable[tuple[int, float]]:
    """Each untried position in a gap with its distance to the nearest skip."""
    index, far = 0, float("inf")
    for place in range(gap.before + 1, gap.after):
        while index < len(skips) and skips[index] < place:
            index += 1
        if index < len(skips) and skips[index] == place:
            continue
        left = place - skips[index - 1] if index else far
        right = skips[index] - place if index < len(skips) else far
        yield place, min(left, right)
