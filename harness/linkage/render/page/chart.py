"""Verdicts over the nights as a chart: the numbers of an SVG. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from linkage.judge.nights import Night
from linkage.judge.verdict import VerdictKind

WIDTH, HEIGHT = 720, 160
"""Of the drawing, in its own units."""
_STACK = (
    VerdictKind.PASS, VerdictKind.KNOWN, VerdictKind.SKIP, VerdictKind.FIXED,
    VerdictKind.ERROR, VerdictKind.FAIL,
)  # fmt: skip
"""From the bottom to the top."""


@dataclass(frozen=True, slots=True)
class Area:
    """The nights' variants with one verdict: a polygon."""

    kind: VerdictKind
    points: str
    """As SVG has them: `x,y x,y …`."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One toolchain's verdicts."""

    toolchain: str
    areas: tuple[Area, ...]
    marks: tuple[tuple[float, str, int], ...]
    """Nights on which something changed: where, the date, how many variants."""
    first: str
    last: str
    most: int
    """Variants at the top of the drawing."""
    now: tuple[tuple[VerdictKind, int], ...]
    """The counts of the last night."""


def chart(toolchain: str, nights: Sequence[Night], changed: Sequence[int]) -> Chart:
    """The chart of a toolchain over at least one night; `changed` counts each night's changes of it."""
    counts = [night.counts().get(toolchain, Counter()) for night in nights]
    most = max((one.total() for one in counts), default=0) or 1
    xs = [_x(number, len(nights)) for number in range(len(nights))]
    if len(xs) == 1:
        xs, counts = [0.0, float(WIDTH)], counts * 2  # one night is a band
    areas, below = [], [0] * len(xs)
    for kind in _STACK:
        above = [low + one[kind] for low, one in zip(below, counts, strict=True)]
        if above != below:
            upper = [f"{x:.1f},{_y(value, most):.1f}" for x, value in zip(xs, above, strict=True)]
            lower = [f"{x:.1f},{_y(value, most):.1f}" for x, value in zip(xs, below, strict=True)]
            areas.append(Area(kind, " ".join([*upper, *reversed(lower)])))
        below = above
    marks = tuple(
        (_x(number, len(nights)), night.date, count)
        for number, (night, count) in enumerate(zip(nights, changed, strict=True))
        if count
    )
    last = counts[-1]
    now = tuple((kind, last[kind]) for kind in VerdictKind if last[kind])
    return Chart(toolchain, tuple(areas), marks, nights[0].date, nights[-1].date, most, now)


def _x(number: int, count: int) -> float:
    return WIDTH * number / (count - 1) if count > 1 else WIDTH / 2


def _y(value: int, most: int) -> float:
    return HEIGHT * (1 - value / most)
