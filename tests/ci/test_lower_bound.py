"""The fewest installs that any search needs: computed by `ci/bench/run`, compared with all searches."""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise, product

import pytest

from bench.lower_bound import least
from linkage.bisect.search import Mark, choose

Culprits = tuple[int, ...]


def fewest(edges: int, cases: int) -> float:
    """The mean of the best search, found by trying each choice on each set of culprits that is left."""

    @cache
    def cost(left: frozenset[Culprits]) -> float:
        if len(left) == 1:
            return 0.0
        best = float("inf")
        for place in range(1, edges):
            parts: dict[tuple[bool, ...], list[Culprits]] = {}
            for one in left:
                parts.setdefault(tuple(culprit <= place for culprit in one), []).append(one)
            if len(parts) > 1:
                after = sum(len(part) * cost(frozenset(part)) for part in parts.values()) / len(left)
                best = min(best, 1 + after)
        return best

    return cost(frozenset(product(range(1, edges + 1), repeat=cases)))


@pytest.mark.parametrize(("edges", "cases"), [(3, 1), (7, 1), (3, 2), (4, 2), (6, 2), (7, 2), (4, 3), (5, 3)])
def test_no_search_needs_fewer_installs(edges: int, cases: int) -> None:
    assert least(edges, cases)[cases] == pytest.approx(fewest(edges, cases))


def installs(edges: int, culprits: Sequence[int]) -> int:
    """What the search installs between the two ends."""
    known = [{0: Mark.GOOD, edges: Mark.BAD} for _ in culprits]
    count = 0
    while (place := choose(known)) is not None:
        count += 1
        for one, culprit in zip(known, culprits, strict=True):
            decided = sorted(one)
            if any(
                before < place < after and one[before] is not one[after]
                for before, after in pairwise(decided)
            ):
                one[place] = Mark.BAD if culprit <= place else Mark.GOOD
    return count


@pytest.mark.parametrize(("edges", "cases"), [(7, 1), (7, 2), (7, 3), (15, 1), (15, 2)])
def test_the_search_needs_no_more(edges: int, cases: int) -> None:
    """On ranges that halve evenly; on others it is a percent or two above."""
    all_culprits = list(product(range(1, edges + 1), repeat=cases))
    mean = sum(installs(edges, one) for one in all_culprits) / len(all_culprits)
    assert mean == pytest.approx(least(edges, cases)[cases])
