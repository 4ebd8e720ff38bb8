"""Generated graphs: the same for a seed, valid, and printable as cases; smaller ones stay so."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.fuzz.coverage import PairCoverage, next_seed, pairs_of, possible_pairs
from linkage.fuzz.dice import Dice, mixed
from linkage.fuzz.generation import FOCUS, checks_of, graph_of
from linkage.fuzz.graph import Graph, GraphCrate, GraphEdge
from linkage.fuzz.graph_case import GraphCheck, case_data, graph_case
from linkage.fuzz.prediction import answer, possible_names
from linkage.fuzz.reduction import reduced, smaller
from linkage.fuzz.relations import RELATIONS, applicable
from linkage.fuzz.rules import refusals

SEEDS = st.integers(0, (1 << 64) - 1)


def test_the_numbers_of_a_seed_are_those_of_splitmix64() -> None:
    # The first outputs for the seed 1234567, as the authors' C prints them.
    dice = Dice(1234567)
    assert [dice.number(1 << 64) for _ in range(3)] == [
        6457827717110365317, 3203168211198807973, 9817491932198370423,
    ]  # fmt: skip


def test_a_seed_gives_this_graph_on_every_machine() -> None:
    told = "import sys; from linkage.fuzz.generation import graph_of; print(graph_of(int(sys.argv[1])))"
    for seed in (0, 1, 1 << 63):
        words = [sys.executable, "-c", told, str(seed)]
        done = subprocess.run(words, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "5"})
        assert done.stdout.strip() == str(graph_of(seed))
    assert (
        hashlib.sha256(str([graph_of(seed) for seed in range(50)]).encode()).hexdigest()[:16]
        == "517e4fb1eb7406ea"
    )


@settings(max_examples=60)
@given(SEEDS)
def test_a_graph_is_valid_and_its_checks_read_back_as_cases(seed: int) -> None:
    graph = graph_of(seed)
    assert graph == graph_of(seed)
    assert graph.invalid() is None
    checks = checks_of(graph, seed)
    assert checks
    assert checks == checks_of(graph, seed)
    for check in checks:
        case, text = graph_case(graph, check, lean=True)
        data = case_data(graph, check, lean=True)
        assert case.document.data == data
        assert text.startswith("summary: ")
        assert case.rows == ({},)


@settings(max_examples=25)
@given(SEEDS, st.integers(0, 1 << 30))
def test_every_step_of_a_reduction_is_a_valid_graph(seed: int, luck: int) -> None:
    graph = graph_of(seed)
    check = checks_of(graph, seed)[0]
    dice = Dice(luck)
    seen: list[tuple[Graph, GraphCheck]] = []

    def fails(graph: Graph, check: GraphCheck) -> bool:
        seen.append((graph, check))
        return dice.chance(40)

    found = reduced(graph, check, fails, lambda tries: tries < 60)
    for one, mine in (*seen, (found.graph, found.check)):
        assert one.invalid() is None
        assert mine.relation in applicable(one, mine.crate)
        graph_case(one, mine)


def test_a_reduction_ends_where_no_piece_can_go() -> None:
    """The failure needs fat LTO in a cdylib over a crate with a static, and nothing else."""

    def fails(graph: Graph, check: GraphCheck) -> bool:
        one = graph.crates[check.crate]
        below = [graph.crates[edge.crate] for edge in one.edges]
        return (
            "cdylib" in one.types and one.flag("lto") == "fat" and any("static" in b.contents for b in below)
        )

    graph = Graph(
        (
            GraphCrate(("rlib",), (), ("c-named", "generic")),
            GraphCrate(("rlib", "dylib"), (GraphEdge(0, "search"),), ("static",), (("debuginfo", "1"),)),
            GraphCrate(("rlib",), (GraphEdge(0), GraphEdge(1)), ("inline",)),
            GraphCrate(
                ("staticlib", "cdylib"), (GraphEdge(1), GraphEdge(2)), ("cold",),
                (("lto", "fat"), ("opt-level", "2")), "bare",
            ),
        )
    )  # fmt: skip
    found = reduced(graph, GraphCheck("exports", 3), fails)
    assert found.complete
    assert found.graph == Graph(
        (
            GraphCrate(("rlib",), (), ("static",)),
            GraphCrate(("cdylib",), (GraphEdge(0),), (), (("lto", "fat"),)),
        ),
        std=False,
        panic="abort",
    )
    assert not any(fails(*one) for one in smaller(found.graph, found.check))
    stopped = reduced(graph, GraphCheck("exports", 3), fails, lambda tries: tries < 2)
    assert not stopped.complete
    assert fails(stopped.graph, stopped.check)


def test_the_next_graph_has_new_pairs_of_features() -> None:
    coverage, plain = PairCoverage(), set()
    for number in range(30):
        coverage.add(graph_of(next_seed(3, number, coverage)))
        plain |= pairs_of(graph_of(mixed(3, number, 0)))
    assert len(plain) < len(coverage.seen) <= possible_pairs()


@pytest.mark.parametrize("focus", FOCUS)
def test_a_focus_is_in_every_graph(focus: str) -> None:
    coverage = PairCoverage()
    for number in range(10):
        graph = graph_of(next_seed(1, number, coverage, focus))
        named = {name for one in graph.crates for name in (*one.types, *one.contents, *dict(one.flags))}
        named |= {"halves" for one in graph.crates if one.halves}
        assert named & set(FOCUS[focus])


def test_the_model_counts_what_is_called() -> None:
    graph = Graph(
        (GraphCrate(("rlib",), (), ("static",)), GraphCrate(("staticlib",), (GraphEdge(0),), ("c-named",)))
    )
    # k0's static: NUMBER + 1 for k1's own call, then NUMBER + 2 in k0's value(); k1's C function: 2 + 1.
    number = 1 + 0 + 3 * 7 % 50
    assert answer(graph, 1) == ((2 + 1) + (number + 1) + (number + 2),)
    assert possible_names(graph, 1) == ("k1_plain", "k1_entry")


@pytest.mark.parametrize(
    ("types", "flags", "source"),
    [
        (("rlib", "cdylib"), {"lto": "fat"}, "51009"),
        (("dylib",), {"lto": "thin"}, "101403"),
        (("cdylib",), {"lto": "fat", "prefer-dynamic": "true"}, "101403"),
        (("staticlib",), {"lto": "fat", "embed-bitcode": "no"}, "embed-bitcode"),
        (("rlib",), {"lto": "fat"}, None),
        (("dylib",), {"lto": "fat", "dylib-lto": "true"}, None),
    ],
)
def test_a_refusal_is_predicted_from_a_rule_with_its_source(
    types: tuple[str, ...], flags: dict[str, str], source: str | None
) -> None:
    graph = Graph((GraphCrate(types, (), (), tuple(sorted(flags.items()))),))
    found = refusals(graph, 0)
    assert [(source or "none") in rule.source for rule in found] == ([True] if source else [])
    assert ("refused" in applicable(graph, 0)) is bool(source)


@pytest.mark.parametrize(
    ("crates", "why"),
    [
        ((), "no crate"),
        ((GraphCrate(("rlib", "rlib")),), "twice"),
        ((GraphCrate(("bin",)), GraphCrate(("rlib",))), "program"),
        ((GraphCrate(("rlib",), (GraphEdge(0),)),), "itself"),
        ((GraphCrate(("rlib",)), GraphCrate(("cdylib",), (GraphEdge(0, "dylib"),))), "not built as dylib"),
        ((GraphCrate(("rlib",)), GraphCrate(("cdylib",), (GraphEdge(0, "rmeta"),))), "only the metadata"),
    ],
)
def test_what_is_no_graph_is_named(crates: tuple[GraphCrate, ...], why: str) -> None:
    assert why in str(Graph(crates).invalid())


def test_without_std_every_crate_needs_the_first() -> None:
    assert "does not depend on k0" in str(Graph((GraphCrate(("rlib",)),) * 2, std=False).invalid())


def test_a_graph_needs_the_linkers_that_it_names() -> None:
    """Without it a machine that has no LLD would fail where it must skip."""
    graph = Graph((GraphCrate(("cdylib",), (), ("assembly",), (("linker", "lld"), ("lto", "fat"))),))
    found = case_data(graph, GraphCheck("dlopen", 0))["requires"]
    assert found == ["std-bitcode", {"arch": "x86_64"}, {"linker": "lld"}]


def test_the_documentation_names_every_relation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "fuzz.md").read_text("utf-8")
    assert [name for name in RELATIONS if f"`{name}`" not in text] == []
