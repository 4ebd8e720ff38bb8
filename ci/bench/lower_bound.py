"""The least number of toolchains that any search can install, on average, to find several culprits.

The culprits are independent, each equally likely behind every one of `edges` steps from one
toolchain to the next. What is installed cuts the range into gaps, and tells of each case in which
gap its culprit lies, no more: within a gap the culprits are again independent and equally
likely. So gaps do not help each other, and the best search of a gap with `cases` in it costs

    least(edges, cases) = 1 + min over cuts of the mean of least(left, j) + least(right, cases - j)

where j, how many of them lie left, is binomial. That is exact, not an estimate: whatever a search does,
it makes one such choice after another.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise


@cache
def least(edges: int, cases: int) -> tuple[float, ...]:
    """For 0 to `cases` culprits: the installs between the two ends, which are not counted."""
    found: list[list[float]] = [[0.0] * (cases + 1)] * 2
    for size in range(2, edges + 1):
        best = [float("inf")] * (cases + 1)
        for left in range(1, size // 2 + 1):
            share = left / size
            pairs = zip(_means(found[left], share), _means(found[size - left], 1 - share), strict=True)
            best = [min(old, one + other) for old, (one, other) in zip(best, pairs, strict=True)]
        found.append([0.0, *(1 + cost for cost in best[1:])])
    return tuple(found[edges])


def _means(values: Sequence[float], share: float) -> list[float]:
    """For each k the mean of values[j], where j is how many of k fall into that share of a gap.

    It is Bernstein's polynomial with these values, taken by de Casteljau's steps.
    """
    row, found = list(values), [values[0]]
    while len(row) > 1:
        row = [one + share * (other - one) for one, other in pairwise(row)]
        found.append(row[0])
    return found
