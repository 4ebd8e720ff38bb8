"""Makes a failing graph small: what can be left out without losing the failure. Pure, but for the question.

Delta debugging with the steps that a graph has: crates, dependencies, contents, flags, crate types, halves,
std. It ends at a local minimum: no single step more keeps the failure.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from linkage.fuzz.contents import CONTENTS
from linkage.fuzz.graph import Graph, GraphCrate, GraphEdge
from linkage.fuzz.graph_case import GraphCheck
from linkage.fuzz.relations import applicable, partner

Candidate = tuple[Graph, GraphCheck]
_FORMS = ("rlib", "dylib")


@dataclass(frozen=True, slots=True)
class Reduction:
    """A smaller graph that fails in the same way."""

    graph: Graph
    check: GraphCheck
    tries: int
    complete: bool
    """Whether it is a local minimum; else the time was over."""


def reduced(
    graph: Graph,
    check: GraphCheck,
    fails: Callable[[Graph, GraphCheck], bool],
    more: Callable[[int], bool] = lambda _: True,
) -> Reduction:
    """Reduce a graph. `fails` says whether a candidate fails in the same way; `more`, after so many tries,
    whether to go on.
    """
    tries = 0
    seen = {(graph, check)}
    searching = True
    while searching:
        searching = False
        for candidate in smaller(graph, check):
            if candidate in seen:
                continue
            if not more(tries):
                return Reduction(graph, check, tries, complete=False)
            seen.add(candidate)
            tries += 1
            if fails(*candidate):
                graph, check = candidate
                searching = True
                break
    return Reduction(graph, check, tries, complete=True)


def smaller(graph: Graph, check: GraphCheck) -> Iterator[Candidate]:
    """The graphs with one piece less, the largest pieces first; each is valid and can be checked."""
    for candidate in _pieces(graph, check):
        if _can_be_checked(*candidate):
            yield candidate


def _can_be_checked(graph: Graph, check: GraphCheck) -> bool:
    if graph.invalid() is not None or check.relation not in applicable(graph, check.crate):
        return False
    possible = (
        (graph.std or not CONTENTS[kind].std) and (graph.panic == "unwind" or not CONTENTS[kind].unwinding)
        for one in graph.crates
        for kind in one.contents
    )
    return all(possible)


def _pieces(graph: Graph, check: GraphCheck) -> Iterator[Candidate]:
    used = set(graph.below(check.crate))
    other = partner(graph, check.crate) if check.relation == "two-staticlibs" else None
    used |= set(graph.below(other)) if other is not None else set()
    if len(used) < len(graph.crates):
        yield _kept(graph, check, used)
    yield from _in_bulk(graph, check)
    for index in range(len(graph.crates)):
        if index != check.crate:
            yield _kept(graph, check, set(range(len(graph.crates))) - {index})
            yield _kept(_bypassed(graph, index), check, set(range(len(graph.crates))) - {index})
    for index, one in enumerate(graph.crates):
        for simpler in _simpler(one):
            crates = list(graph.crates)
            crates[index] = simpler
            yield replace(graph, crates=tuple(crates)), check
    if graph.std and graph.panic != "unwind":
        yield replace(graph, panic="unwind"), check


def _in_bulk(graph: Graph, check: GraphCheck) -> Iterator[Candidate]:
    """Many pieces at once, which often are of no importance; core is faster to build than std."""
    fewer = tuple(replace(one, contents=()) for one in graph.crates)
    if graph.std:
        yield replace(graph, crates=fewer, std=False, panic="abort"), check
        yield replace(graph, std=False, panic="abort"), check
    if sum(len(one.contents) for one in graph.crates) > 1:
        yield replace(graph, crates=fewer), check
    plain = tuple(
        one if index == check.crate else replace(one, flags=(), halves="")
        for index, one in enumerate(graph.crates)
    )
    if plain != graph.crates:
        yield replace(graph, crates=plain), check


def _simpler(one: GraphCrate) -> Iterator[GraphCrate]:
    if len(one.contents) > 1:
        yield replace(one, contents=())
    if len(one.flags) > 1:
        yield replace(one, flags=())
    yield from _without_one(one)
    yield from _plainer_edges(one)


def _without_one(one: GraphCrate) -> Iterator[GraphCrate]:
    for kind in one.contents:
        yield replace(one, contents=tuple(each for each in one.contents if each != kind))
    for name, _ in one.flags:
        yield one.with_flag(name, None)
    if one.halves:
        yield replace(one, halves="")
    if one.halves in ("bare", "elsewhere"):
        yield replace(one, halves="again")
    if len(one.types) > 1:
        for kind in one.types:
            yield replace(one, types=tuple(each for each in one.types if each != kind))


def _plainer_edges(one: GraphCrate) -> Iterator[GraphCrate]:
    for edge in one.edges:
        rest = tuple(each for each in one.edges if each != edge)
        yield replace(one, edges=rest)
        if edge.how not in _FORMS:
            for form in _FORMS:
                yield replace(one, edges=tuple(sorted((*rest, GraphEdge(edge.crate, form)))))


def _kept(graph: Graph, check: GraphCheck, kept: set[int]) -> Candidate:
    """The graph with these crates only; the crate of the check is one of them."""
    number = {old: new for new, old in enumerate(sorted(kept))}
    crates = tuple(
        replace(
            graph.crates[old],
            edges=tuple(
                GraphEdge(number[e.crate], e.how) for e in graph.crates[old].edges if e.crate in kept
            ),
        )
        for old in sorted(kept)
    )
    return replace(graph, crates=crates), replace(check, crate=number[check.crate])


def _bypassed(graph: Graph, gone: int) -> Graph:
    """The graph in which what depended on a crate depends on what that crate needs."""
    inherited = graph.crates[gone].edges

    def edges(one: GraphCrate) -> tuple[GraphEdge, ...]:
        if all(edge.crate != gone for edge in one.edges):
            return one.edges
        mine = {edge.crate: edge for edge in (*inherited, *one.edges) if edge.crate != gone}
        return tuple(sorted(mine.values()))

    return replace(graph, crates=tuple(replace(one, edges=edges(one)) for one in graph.crates))
