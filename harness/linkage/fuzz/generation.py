"""Draws crate graphs: the same seed gives the same graph, on every machine. Pure.

What is drawn is mostly what rustc accepts, and now and then what it refuses: a refusal is behaviour, too.
"""

from collections.abc import Sequence
from dataclasses import replace

from linkage.fuzz.contents import CONTENTS
from linkage.fuzz.dice import Dice, mixed
from linkage.fuzz.flags import FLAGS
from linkage.fuzz.graph import LINKABLE, Graph, GraphCrate, GraphEdge
from linkage.fuzz.graph_case import GraphCheck
from linkage.fuzz.relations import USES, applicable
from linkage.fuzz.rules import LTO

_SIZES = (1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 8)
_INNER = (
    ("rlib",), ("rlib",), ("rlib",), ("rlib",), ("rlib", "dylib"), ("dylib", "rlib"), ("dylib",),
    ("rlib", "staticlib"), ("rlib", "cdylib"), ("rlib", "staticlib", "cdylib"), ("staticlib", "dylib"),
)  # fmt: skip
"""Crate types of crates that others use."""
_LAST = (
    ("bin",), ("bin",), ("cdylib",), ("staticlib",), ("dylib",), ("rlib",), ("staticlib", "cdylib"),
    ("staticlib", "cdylib"), ("cdylib", "staticlib"), ("staticlib", "dylib"), ("staticlib", "dylib"),
    ("dylib", "staticlib"), ("rlib", "staticlib"), ("rlib", "cdylib"), ("rlib", "dylib"),
    ("dylib", "cdylib"), ("staticlib", "dylib", "cdylib"), ("rlib", "staticlib", "dylib"),
    ("rlib", "staticlib", "dylib", "cdylib"),
)  # fmt: skip
"""Crate types of the crate that is looked at."""
_HALVES = ("again", "again", "bare", "elsewhere")
_EXTRA_CHECKS = 2
CANDIDATES = 8
"""How many graphs are drawn of which the one with the most new pairs of features is taken."""

FOCUS: dict[str, tuple[str, ...]] = {
    "separate-link": ("halves",),
    "lto": ("lto",),
    "dylib": ("dylib",),
    "allocator": ("global-allocator",),
    "constructors": ("constructor",),
}
"""What `--focus` can name: each graph has one of these features, of which the name is the first part."""


def graph_of(seed: int) -> Graph:
    """The graph of a seed; it is valid."""
    dice = Dice(mixed(seed, 1))
    std = dice.chance(50)
    panic = "unwind" if std and dice.chance(80) else "abort"
    count = dice.choice(_SIZES)
    graph = Graph((), std, panic)
    allocator = dice.number(count) if std and dice.chance(30) else None
    for index in range(count):
        one = _crate(dice, graph, index, is_last=index == count - 1, allocator=index == allocator)
        graph = replace(graph, crates=(*graph.crates, one))
    return graph


def _crate(dice: Dice, graph: Graph, index: int, *, is_last: bool, allocator: bool) -> GraphCrate:
    types = dice.choice(_LAST if is_last else _INNER)
    if not graph.std and index == 0 and not is_last and "rlib" not in types and dice.chance(90):
        types = ("rlib", *types)  # every crate needs it, and a staticlib as an rlib
    edges = _edges(dice, graph, index, types)
    contents = _contents(dice, graph, is_last=is_last)
    if allocator:
        contents = tuple(sorted({*contents, "global-allocator"}))
    one = GraphCrate(types, edges, contents)
    for name, row in FLAGS.items():
        if dice.chance(row.percent if is_last else row.percent // 3):
            one = one.with_flag(name, dice.choice(row.values))
    one = _fitting(dice, graph, one, is_last=is_last)
    if graph.std and graph.panic == "abort" and dice.chance(90):
        one = one.with_flag("prefer-dynamic", None)  # std as a dylib unwinds
    if one.flag("emit") is not None and one.flag("codegen-units") == "4":
        one = one.with_flag("codegen-units", None)  # of several units `--emit=obj` makes several objects
    return replace(one, halves=dice.choice(_HALVES) if dice.chance(18 if is_last else 6) else "")


def _fitting(dice: Dice, graph: Graph, one: GraphCrate, *, is_last: bool) -> GraphCrate:
    """The crate with fewer combinations that rustc refuses, and some that say something only together."""
    if "bin" in one.types and dice.chance(25):
        one = one.with_flag("export-executable", "yes")
    if "dylib" in one.types and graph.std and not is_last and dice.chance(95):
        one = one.with_flag("prefer-dynamic", "true")
    if one.flag("lto") not in LTO:
        return one
    if dice.chance(90):
        one = one.with_flag("embed-bitcode", None)
    if "rlib" in one.types and len(one.types) > 1 and dice.chance(85):
        return one.with_flag("lto", None)
    dynamic = "dylib" in one.types or one.flag("prefer-dynamic") is not None
    if dynamic and dice.chance(85):
        one = one.with_flag("dylib-lto", "true")
    return one


def _edges(dice: Dice, graph: Graph, index: int, types: tuple[str, ...]) -> tuple[GraphEdge, ...]:
    # A staticlib needs an rlib of everything.
    needed = ("rlib",) if "staticlib" in types and dice.chance(95) else LINKABLE
    usable = [i for i, one in enumerate(graph.crates) if any(kind in one.types for kind in LINKABLE)]
    if needed != LINKABLE:
        usable = [i for i in usable if all("rlib" in graph.crates[j].types for j in graph.below(i))]
    chosen = dice.some(usable, dice.choice((0, 1, 1, 1, 2, 2, 3)))
    edges = [GraphEdge(crate, _how(dice, graph.crates[crate], types, needed)) for crate in chosen]
    if not graph.std and index and not any(0 in graph.below(edge.crate) for edge in edges):
        edges.append(GraphEdge(0, _how(dice, graph.crates[0], types, needed)))
    return tuple(sorted(edges))


def _how(dice: Dice, used: GraphCrate, types: tuple[str, ...], needed: tuple[str, ...]) -> str:
    found = [kind for kind in LINKABLE if kind in used.types and kind in needed]
    found = found or [kind for kind in LINKABLE if kind in used.types]
    if "rlib" in found and types == ("rlib",):
        found.append("rmeta")
    return dice.choice([*found, *found, "search"])


def _contents(dice: Dice, graph: Graph, *, is_last: bool) -> tuple[str, ...]:
    fitting = [
        name
        for name, kind in CONTENTS.items()
        if not kind.once and (graph.std or not kind.std) and (graph.panic == "unwind" or not kind.unwinding)
    ]
    return tuple(sorted(dice.some(fitting, dice.choice((0, 1, 2, 3) if is_last else (1, 1, 2, 3)))))


def checks_of(graph: Graph, seed: int, without: Sequence[str] = ()) -> tuple[GraphCheck, ...]:
    """What is checked of a graph: the uses of the last crate, its exports, and some relations of it and of
    other crates that C or Rust can use, drawn with the same seed.
    """
    dice = Dice(mixed(seed, 2))
    last = [name for name in applicable(graph, graph.last) if name not in without]
    found = [GraphCheck(name, graph.last) for name in last if name in (*USES, "exports", "refused")]
    rest = [GraphCheck(name, graph.last) for name in last if GraphCheck(name, graph.last) not in found]
    found += dice.some(rest, _EXTRA_CHECKS)
    others = [
        GraphCheck(name, crate)
        for crate in range(graph.last)
        for name in applicable(graph, crate)
        if name not in without
    ]
    return (*found, *dice.some(others, 1))
