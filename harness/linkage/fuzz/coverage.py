"""Which pairs of features generated graphs have had, and the next graph, which has many new ones. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations

from linkage.fuzz.contents import CONTENTS
from linkage.fuzz.dice import mixed
from linkage.fuzz.flags import FLAGS
from linkage.fuzz.generation import CANDIDATES, FOCUS, graph_of
from linkage.fuzz.graph import Graph, GraphCrate

Pair = tuple[str, str]
_TYPES = ("rlib", "dylib", "cdylib", "staticlib", "bin")
_WAYS = ("rlib", "dylib", "rmeta", "search")
_HALVES = ("again", "bare", "elsewhere")
_FOCUSED = 400


def crate_features(graph: Graph, one: GraphCrate) -> set[str]:
    """The features of one crate."""
    found = {*one.types, *one.contents, *(f"{name}={value}" for name, value in one.flags)}
    found |= {f"use={edge.how}" for edge in one.edges} | ({f"halves={one.halves}"} if one.halves else set())
    return found | {"std" if graph.std else "core", f"panic={graph.panic}"}


def pairs_of(graph: Graph) -> set[Pair]:
    """The pairs of features that meet in one crate."""
    return {pair for one in graph.crates for pair in combinations(sorted(crate_features(graph, one)), 2)}


def _groups() -> Iterator[tuple[str, ...]]:
    """Features of which a crate can have any number, in groups of one; else of which it has one."""
    yield from ((one,) for one in (*_TYPES, *CONTENTS, *(f"use={way}" for way in _WAYS)))
    yield from (tuple(sorted({f"{name}={value}" for value in row.values})) for name, row in FLAGS.items())
    yield tuple(f"halves={one}" for one in _HALVES)
    yield ("core", "std")
    yield ("panic=abort", "panic=unwind")


@cache
def possible_pairs() -> int:
    """How many pairs of features there are, with those that no valid graph has (core and `thread`)."""
    return sum(len(one) * len(other) for one, other in combinations(list(_groups()), 2))


@dataclass
class PairCoverage:
    """The pairs that were drawn so far."""

    seen: set[Pair] = field(default_factory=set)

    def add(self, graph: Graph) -> None:
        self.seen |= pairs_of(graph)

    def new(self, graph: Graph) -> int:
        """How many pairs of a graph are new."""
        return len(pairs_of(graph) - self.seen)


def next_seed(seed: int, index: int, coverage: PairCoverage, focus: str = "") -> int:
    """The seed of the next graph of a session: of some candidates, the one with the most new pairs.

    It depends on the session's seed, on the number of the graph and on the graphs before, not on time.
    """
    candidates: list[int] = []
    for draw in range(_FOCUSED):
        found = mixed(seed, index, draw)
        if not focus or _is_about(graph_of(found), focus):
            candidates.append(found)
        if len(candidates) == CANDIDATES:
            break
    return max(candidates or [mixed(seed, index, 0)], key=lambda one: coverage.new(graph_of(one)))


def _is_about(graph: Graph, focus: str) -> bool:
    features = {feature.partition("=")[0] for one in graph.crates for feature in crate_features(graph, one)}
    return any(name in features for name in FOCUS[focus])
