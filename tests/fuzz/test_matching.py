"""Findings and the known bugs of shipped cases: one under other names matches, another failure does not."""

from dataclasses import replace

import pytest

from linkage.case.condition import Condition
from linkage.fuzz.graph import Graph, GraphCrate, GraphEdge
from linkage.fuzz.graph_case import GraphCheck
from linkage.fuzz.shipped_bugs import ShippedBug, action_of, matching, possible, shipped_bugs
from linkage.judge.verdict import Failure
from linkage.toolchain.version import RustcVersion
from support.case_texts import read

CASE = """\
summary: A case with known bugs
matrix: {crate-type: [[staticlib], [staticlib, cdylib]], lto: [off, fat], prefer-dynamic: [false, true]}
sources:
  inner.rs: pub fn deep() {}
  lib.rs: "#[used] static X: u8 = 1; #[no_mangle] pub extern \\"C\\" fn outer() { inner::deep() }"
  main.c: "int main(void) { return 0; }"
steps:
  - {rustc: inner.rs, axes: none, crate-type: rlib}
  - {rustc: lib.rs, claims: {lib.staticlib: {unresolved: {none: [inner*]}}}}
  - {cc: main.c, id: c-static, link-with: [lib.staticlib]}
  - {run: c-static, id: run-static, stdout: "1"}
known-bugs:
  - issue: rust-lang/rust#1
    when: {crate-type: [staticlib, cdylib], prefer-dynamic: true, lto: fat}
    toolchains: ">=1.80"
    signature: {step: c-static, exit: 1, stderr: "undefined reference to inner::deep"}
  - issue: rust-lang/rust#2
    when: {crate-type: [staticlib], lto: off}
    signature: {step: run-static, claim: stdout}
  - issue: rust-lang/rust#3
    when: {crate-type: staticlib, prefer-dynamic: true}
    signature: {step: lib, claim: lib.staticlib.unresolved}
"""
BUGS = shipped_bugs([(read(CASE), [])])
NEW = RustcVersion.parse("1.95.0")
FLAGS = (("dylib-lto", "true"), ("lto", "fat"), ("prefer-dynamic", "true"))
GRAPH = Graph(
    (
        GraphCrate(("rlib",), (), ("c-named",)),
        GraphCrate(("staticlib", "cdylib"), (GraphEdge(0),), ("constructor",), FLAGS),
    )
)
UNDEFINED = Failure("c-static", "exit", "", "exit 0", "exit 1\nundefined reference to `k0::value'")


def issues(
    graph: Graph, failure: Failure, version: RustcVersion = NEW, bugs: tuple[ShippedBug, ...] = BUGS
) -> list[str]:
    found = matching(bugs, graph, GraphCheck("c-static", graph.last), [failure], version)
    return [one.label for one in found]


def test_a_bug_is_known_under_the_names_of_a_graph() -> None:
    assert issues(GRAPH, replace(UNDEFINED, found="exit 1\nundefined reference to k0::value")) == [
        "rust-lang/rust#1"
    ]


@pytest.mark.parametrize(
    ("graph", "failure", "version"),
    [
        (GRAPH, replace(UNDEFINED, found="exit 1\nduplicate symbol k0::value"), NEW),
        (GRAPH, replace(UNDEFINED, step="k1"), NEW),
        (GRAPH, UNDEFINED, RustcVersion.parse("1.78.0")),
        (replace(GRAPH, crates=(GRAPH.crates[0], replace(GRAPH.crates[1], flags=()))), UNDEFINED, NEW),
        (
            replace(GRAPH, crates=(GRAPH.crates[0], replace(GRAPH.crates[1], types=("staticlib",)))),
            UNDEFINED,
            NEW,
        ),
    ],
    ids=["another text", "another step", "another compiler", "other flags", "other crate types"],
)
def test_another_failure_is_news(graph: Graph, failure: Failure, version: RustcVersion) -> None:
    assert issues(graph, failure, version) == []


def test_a_wrong_answer_matches_only_sources_with_the_same_attribute() -> None:
    wrong = Failure("run-c-static", "stdout", "", "answer=1", "answer=0")
    plain = replace(GRAPH, crates=(GRAPH.crates[0], replace(GRAPH.crates[1], types=("staticlib",), flags=())))
    assert issues(plain, wrong) == ["rust-lang/rust#2"]
    bare = replace(plain, crates=(plain.crates[0], replace(plain.crates[1], contents=("generic",))))
    assert issues(bare, wrong) == []


def test_a_claim_about_another_kind_of_output_is_news() -> None:
    found = Failure("k1", "k1.staticlib.unresolved.none", "", "none", "has k0::value")
    assert issues(GRAPH, found) == ["rust-lang/rust#3"]
    assert issues(GRAPH, replace(found, claim="k1.cdylib.unresolved.none")) == []


def test_a_bug_of_the_second_half_is_not_one_of_a_whole_step() -> None:
    text = CASE.replace("  - {rustc: lib.rs,", "  - {rustc: lib.rs, no-link: true}\n  - {link-only: lib,")
    text = text.replace("{step: lib, claim: lib.staticlib.unresolved}", "{step: link-lib, claim: produces}")
    bugs = shipped_bugs([(read(text), [])])
    nothing = Failure("link-k1", "produces", "", "produces libk1.a", "produced nothing")
    assert issues(GRAPH, nothing, bugs=bugs) == ["rust-lang/rust#3"]
    assert issues(GRAPH, replace(nothing, step="k1"), bugs=bugs) == []


def test_a_condition_on_an_axis_of_the_case_alone_is_open() -> None:
    cell = {"lto": "fat", "crate-type": ("dylib",)}
    for data, expected in (
        ({"lto": "fat"}, True),
        ({"lto": "off"}, False),
        ({"own": "x"}, None),
        ({"own": "x", "lto": "off"}, False),
        ({"not": {"own": "x"}}, None),
        ({"any": [{"own": "x"}, {"lto": "fat"}]}, True),
        ({"any": [{"own": "x"}, {"lto": "off"}]}, None),
    ):
        assert possible(Condition.model_validate(data), cell) is expected


def test_the_kind_of_a_step_follows_from_its_id() -> None:
    steps = {
        "run-c-static": "run",
        "c-loads-again": "cc",
        "link-k2": "link-only",
        "k1": "rustc",
        "k0_data": "cc",
    }
    assert {step: action_of(step) for step in steps} == steps
