"""How many toolchains a bisection installs: counted on toolchains that are tables, not timed."""

import math
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from bench.lower_bound import least
from bench.runs import Bench
from bench.timing import Figure, Ratio
from linkage.bisect.axis import Listed, Range
from linkage.bisect.engine import Bisection
from linkage.bisect.journal import Journal
from linkage.bisect.search import Gap
from linkage.bisect.signature import ProbeResult, Signature
from linkage.bisect.subject import SearchOptions

_NIGHTLIES = 1024
_CYCLE = 42
"""Nightlies of one release cycle."""
_MOST = 12
_CASES = 20
_CULPRITS = 6
_ROUNDS = 40
_SHARE = 1 / 3
_NEAR = 1.02
"""Where no search can do with that share: how near to the least that can be done."""
_FAILURE = Signature("lib", "exit", (), "exit status N", ("shim",), "error: the shim is missing")
_OTHER = Signature("lib", "exit", (), "exit status N", ("flag",), "error: unknown flag")
_PASSES = ProbeResult("pass", reached=1)
_FAILS = ProbeResult("fail", failures=(_FAILURE,), reached=1)
_FAILS_OTHERWISE = ProbeResult("fail", failures=(_OTHER,), reached=1)

Truth = Callable[[int, str], ProbeResult]


class _Counting:
    """A laboratory that only counts."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.installs: list[str] = []
        self.looked: set[tuple[str, str]] = set()

    def get(self, name: str) -> None:
        if name not in self.installs:
            self.installs.append(name)

    def probe(self, name: str, variant: str) -> ProbeResult:
        if (name, variant) in self.looked:
            raise AssertionError(f"{variant} is tried on {name} twice")
        self.looked.add((name, variant))
        return self.truth(int(name), variant)

    def results(self, name: str, variants: Sequence[str]) -> Iterator[tuple[str, ProbeResult]]:
        for variant in variants:
            yield variant, self.probe(name, variant)

    def remaining(self, count: int) -> None:
        """Nobody is told."""

    def prefetch(self, names: Sequence[str]) -> None:
        """Nothing is fetched ahead."""

    def retain(self, names: Collection[str]) -> None:
        """Nothing is removed."""

    def available(self, names: Iterable[str]) -> set[str]:
        return set(self.installs) & set(names)


def _installs(size: int, truth: Truth, variants: Sequence[str]) -> tuple[int, Mapping[str, Gap]]:
    """Search, and how many toolchains that installed; where each variant flips."""
    prober = _Counting(truth)
    asked = Range(Listed(tuple(map(str, range(size)))), 0, size - 1)
    found = Bisection(asked, variants, prober, Journal(), SearchOptions(), lambda _: None).run()
    return len(prober.installs), {one.question.variant: one.flips[0] for one in found.findings}


def one_case(bench: Bench) -> Iterator[Figure]:
    """The most that any culprit takes."""
    del bench
    counts = []
    for culprit in range(1, _NIGHTLIES, 7):
        count, _ = _installs(_NIGHTLIES, _since({"one": culprit}), ["one"])
        counts.append(float(count))
    most = max(counts) <= _MOST
    yield _figure("bisect one case", f"{_NIGHTLIES} nightlies", f"at most {_MOST} installs", counts, met=most)


def many_cases(bench: Bench) -> Iterator[Figure]:
    """Many cases in one search against each in its own; nothing is tried twice, or this fails."""
    del bench
    chance = random.Random(5)  # noqa: S311 - the same culprits each time
    for size, culprits in ((_CYCLE, None), (_NIGHTLIES, 5), (_NIGHTLIES, _CULPRITS), (_NIGHTLIES, None)):
        rounds = [_together(size, culprits, chance) for _ in range(_ROUNDS)]
        shares = [one.together / one.alone for one in rounds]
        fewest = sum(one.least for one in rounds) / sum(one.alone for one in rounds)
        drawn = f"{culprits} culprits" if culprits else "each its own culprit"
        reachable = fewest <= _SHARE
        yield _figure(
            f"bisect {_CASES} cases at once",
            f"{_CASES} bisections, {size} nightlies, {drawn}",
            f"at most {_SHARE:.2g}" if reachable else "the least possible, within 2%",
            shares,
            met=max(shares) <= _SHARE if reachable else fmean(shares) <= fewest * _NEAR,
            unit="",
            note=_beside_the_least(rounds, fewest),
        )


@dataclass(frozen=True, slots=True)
class _Round:
    """Installs of one search for all cases, of one search each, and the fewest on average that can do."""

    together: int
    alone: int
    least: float


def _together(size: int, culprits: int | None, chance: random.Random) -> _Round:
    pool = [chance.randrange(1, size) for _ in range(culprits or _CASES)]
    drawn = [chance.randrange(len(pool)) if culprits else index for index in range(_CASES)]
    where = {f"v{index}": pool[one] for index, one in enumerate(drawn)}
    together, found = _installs(size, _since(where), list(where))
    alone = sum(_installs(size, _since({name: at}), [name])[0] for name, at in where.items())
    if found != {name: Gap(at - 1, at) for name, at in where.items()}:
        raise AssertionError("a wrong answer")
    # Who is told which cases share a culprit has so many to find, and the two ends to install.
    return _Round(together, alone, 2 + least(size - 1, _CASES)[len(set(drawn))])


def _beside_the_least(rounds: Sequence[_Round], fewest: float) -> str:
    mean, best = (fmean(one.together for one in rounds), fmean(one.least for one in rounds))
    error = stdev(one.together for one in rounds) / math.sqrt(len(rounds))
    least_of_all = f"no search can do with less than {best:.1f} on average, which is {fewest:.3f}"
    return f"{mean:.1f} ± {error:.1f} installs; {least_of_all}"


def other_failures(bench: Bench) -> Iterator[Figure]:
    """A fifth of the nightlies fails for another reason: how often the answer is right, and how often
    it would be if any failure were taken for the one that is searched.
    """
    del bench
    chance = random.Random(7)  # noqa: S311 - the same culprits each time
    right, taken, rounds = 0, 0, 100
    for _ in range(rounds):
        culprit = chance.randrange(1, _NIGHTLIES)
        spoilt = {place for place in range(1, _NIGHTLIES - 1) if chance.random() < 0.2}
        before = max(place for place in range(culprit) if place not in spoilt)
        after = min(place for place in range(culprit, _NIGHTLIES) if place not in spoilt)

        def truth(place: int, _: str, spoilt: set[int] = spoilt, culprit: int = culprit) -> ProbeResult:
            return _FAILS_OTHERWISE if place in spoilt else _FAILS if place >= culprit else _PASSES

        _, found = _installs(_NIGHTLIES, truth, ["one"])
        right += found["one"] == Gap(before, after)
        taken += culprit in Gap(*_any_failure(lambda place: truth(place, "").outcome == "fail")).candidates
    yield Figure(
        "bisect, other failures about",
        "any failure taken for the one",
        "always right",
        Ratio(right / rounds, right / rounds, right / rounds),
        right == rounds,
        note=f"right in {right} of {rounds}; taking any failure: {taken} of {rounds}",
    )


def _any_failure(fails: Callable[[int], bool]) -> tuple[int, int]:
    """A bisection by the exit status alone."""
    low, high = 0, _NIGHTLIES - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fails(middle) else (middle, high)
    return low, high


def _since(culprits: Mapping[str, int]) -> Truth:
    return lambda place, variant: _FAILS if place >= culprits[variant] else _PASSES


def _figure(
    name: str,
    against: str,
    goal: str,
    counts: Sequence[float],
    *,
    met: bool | None,
    unit: str = " installs",
    note: str = "",
) -> Figure:
    return Figure(name, against, goal, Ratio.of(counts), met, unit=unit, note=note)
