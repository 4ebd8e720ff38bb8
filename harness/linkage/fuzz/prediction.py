"""What the model says of a graph's outputs, without a compiler. Pure."""

from collections import Counter

from linkage.fuzz.contents import CONTENTS, number_of
from linkage.fuzz.graph import Graph

BASE_NAMES = ("rust_eh_personality", "_Unwind_Resume")
"""What the first crate of a graph without std defines, because the prebuilt core refers to it."""


def answer(graph: Graph, *crates: int) -> tuple[int, ...]:
    """What the crates' entries return, called one after the other in one program."""
    before: Counter[tuple[int, str]] = Counter()
    return tuple(_value(graph, crate, before) for crate in crates)


def _value(graph: Graph, crate: int, before: Counter[tuple[int, str]]) -> int:
    one = graph.crates[crate]
    total = sum(_called(crate, kind, before) for kind in one.contents)
    for edge in one.edges:
        kinds = graph.crates[edge.crate].contents
        total += sum(_called(edge.crate, kind, before) for kind in kinds if CONTENTS[kind].cross)
        total += _value(graph, edge.crate, before)
    return total


def _called(crate: int, kind: str, before: Counter[tuple[int, str]]) -> int:
    found = CONTENTS[kind].result(number_of(crate, kind), before[crate, kind])
    before[crate, kind] += 1
    return found


def entry(graph: Graph, crate: int) -> str:
    """The C name through which a library is used."""
    return f"{graph.name(crate)}_entry"


def has_entry(graph: Graph, crate: int) -> bool:
    """Whether a crate is built as something that C can use."""
    return any(kind in ("staticlib", "cdylib", "dylib") for kind in graph.crates[crate].types)


def own_names(graph: Graph, crate: int) -> tuple[str, ...]:
    """The C names that a crate's own source defines."""
    name = graph.name(crate)
    kinds = graph.crates[crate].contents
    found = [one.replace("CRATE", name) for kind in kinds for one in CONTENTS[kind].names]
    found += [entry(graph, crate)] if has_entry(graph, crate) else []
    return tuple(found)


def possible_names(graph: Graph, crate: int) -> tuple[str, ...]:
    """The C names that an output of this crate may export: its own, and those of what it may contain."""
    base = () if graph.std else BASE_NAMES
    return (*(name for below in graph.below(crate) for name in own_names(graph, below)), *base)


def is_static(graph: Graph, crate: int) -> bool:
    """Whether everything that the crate needs is certainly linked into it: there is only an rlib of each, it
    is reached as one, and no `-Cprefer-dynamic` asks for another format.
    """
    below = [graph.crates[one] for one in graph.below(crate)]
    return graph.crates[crate].flag("prefer-dynamic") is None and all(
        "dylib" not in one.types for one in below[:-1]
    )
