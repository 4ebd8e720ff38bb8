"""Relations on real compilers: each holds, and each fails with a compiler that has a fault."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from linkage.case.reader import read_case
from linkage.fuzz.graph import Graph, GraphCrate, GraphEdge
from linkage.fuzz.graph_case import GraphCheck, graph_case
from linkage.fuzz.relations import RELATIONS
from linkage.fuzz.trial import CheckOutcome, RelationResult, check_result, same_failure
from linkage.plan.plan import Variant
from linkage.run.session import Session
from linkage.toolchain import Located, Toolchain, probe
from mutants.faults.table import EVERY
from mutants.wrappers import write_wrapper

BASE = GraphCrate(("rlib",), (), ("c-named", "static"))
OVER = (GraphEdge(0),)


def core(*crates: GraphCrate) -> Graph:
    """A graph without std, which is fast to build."""
    return Graph(crates, std=False, panic="abort")


CDYLIB = core(BASE, GraphCrate(("cdylib",), OVER, ("generic",)))
STATICLIB = core(BASE, GraphCrate(("staticlib",), OVER, ("constructor",)))
DYLIB = core(BASE, GraphCrate(("dylib",), OVER, ("trait-object",)))
PROGRAM = core(BASE, GraphCrate(("bin",), OVER, ("drop-glue",)))
BOTH = core(BASE, GraphCrate(("staticlib", "cdylib"), OVER, ("c-named",)))
TWO = Graph((GraphCrate(("staticlib",), (), ("allocation",)), GraphCrate(("staticlib",), (), ("hash-map",))))
REFUSED = core(GraphCrate(("rlib", "cdylib"), (), (), (("lto", "fat"),)))


@pytest.fixture
def checked(
    real_toolchain: Toolchain, cache: Path, session_on: Callable[[Path], Session], tmp_path: Path
) -> Callable[..., RelationResult]:
    """Check a relation of a graph's last crate, with a fault if one is named; with `second`, only builds into
    a folder of their own have it.
    """
    session = session_on(tmp_path / "store")

    def run(graph: Graph, relation: str, fault: str = "", *, second: bool = False) -> RelationResult:
        toolchain = real_toolchain
        if fault:
            rustc = write_wrapper(EVERY[fault], toolchain.rustc, tmp_path / "faults")
            if second:
                script = tmp_path / f"second-{fault}"
                script.write_text(
                    '#!/bin/sh\nfor word in "$@"; do case $word in --out-dir*) '
                    f'exec {rustc} "$@";; esac; done\nexec {toolchain.rustc} "$@"\n'
                )
                script.chmod(0o755)
                rustc = script
            toolchain = probe(Located(fault, str(rustc), rustc), cache)
        return check_result(session, toolchain, graph, GraphCheck(relation, graph.last))

    return run


@pytest.mark.parametrize(
    ("relation", "graph", "fault", "claim"),
    [
        ("refused", REFUSED, "lto-off", "exit"),
        ("c-static", STATICLIB, "static-symbol-lost", "exit"),
        ("c-dynamic", CDYLIB, "export-lost", "exit"),
        ("dlopen", CDYLIB, "not-loadable", "exit"),
        ("program", PROGRAM, "interpreter-wrong", ""),
        ("rust-rlib", core(BASE), "metadata-member-lost", "exit"),
        ("rust-dylib", DYLIB, "metadata-section-lost", "exit"),
        ("two-staticlibs", TWO, "static-symbol-lost", "exit"),
        ("exports", CDYLIB, "export-list-ignored", "k.cdylib.exports"),
        ("exports", STATICLIB, "own-member-doubled", "k.staticlib.invariants.duplicates"),
        ("exports", STATICLIB, "dependency-lost", "k.staticlib.unresolved"),
    ],
)
def test_a_relation_holds_and_fails_with_a_fault(
    checked: Callable[..., RelationResult], relation: str, graph: Graph, fault: str, claim: str
) -> None:
    assert checked(graph, relation).outcome is CheckOutcome.HOLDS
    found = checked(graph, relation, fault)
    assert found.outcome is CheckOutcome.FAILS
    assert any(one.claim.startswith(claim) for one in found.signatures), found.signatures


@pytest.mark.parametrize(
    ("relation", "graph", "fault", "claim"),
    [
        ("alone", BOTH, "export-lost", "alone-cdylib.cdylib.same-as"),
        ("order", BOTH, "export-lost", "again.cdylib.same-as"),
        ("halves", replace(CDYLIB, crates=(BASE, replace(CDYLIB.crates[1], halves="again"))), "export-lost",
         "again.cdylib.same-as"),
        ("lto", CDYLIB, "export-lost", "again.cdylib.same-as"),
        ("units", CDYLIB, "export-lost", "again.cdylib.same-as"),
        ("opt-level", CDYLIB, "export-lost", "again.cdylib.same-as"),
        ("folder", CDYLIB, "comment-renamed", "again.cdylib.same-as"),
        ("incremental", CDYLIB, "export-lost", "again.cdylib.same-as"),
    ],
)  # fmt: skip
def test_a_second_build_that_differs_is_seen(
    checked: Callable[..., RelationResult], relation: str, graph: Graph, fault: str, claim: str
) -> None:
    assert checked(graph, relation).outcome is CheckOutcome.HOLDS
    found = checked(graph, relation, fault, second=True)
    assert found.outcome is CheckOutcome.FAILS
    assert any(one.claim.startswith(claim) for one in found.signatures), found.signatures


def test_every_relation_has_a_fault_here() -> None:
    named = {
        one.args[1][i][0]
        for test in (test_a_relation_holds_and_fails_with_a_fault, test_a_second_build_that_differs_is_seen)
        for one in test.pytestmark
        for i in range(len(one.args[1]))
    }
    assert named == set(RELATIONS)


def test_a_refusal_in_words_is_no_finding(checked: Callable[..., RelationResult]) -> None:
    """A staticlib needs an rlib of what it contains, which no rule of the model says."""
    graph = core(
        replace(BASE, types=("dylib",)), GraphCrate(("staticlib",), (GraphEdge(0, "dylib"),), ("inline",))
    )
    found = checked(graph, "c-static")
    assert found.outcome is CheckOutcome.REFUSED
    assert "required to be available in rlib format" in found.reason


def test_a_finding_is_replayed_by_the_path_of_any_case(
    checked: Callable[..., RelationResult],
    real_toolchain: Toolchain,
    session_on: Callable[[Path], Session],
    tmp_path: Path,
) -> None:
    graph = core(BASE, GraphCrate(("cdylib",), OVER, ("c-named",)))
    first = checked(graph, "c-dynamic", "export-lost")
    _, text = graph_case(graph, GraphCheck("c-dynamic", 1), lean=True)
    file = tmp_path / "finding.yaml"
    file.write_text(text)
    case = read_case(file)
    assert (
        session_on(tmp_path / "other").verdict(Variant(case, case.rows[0], real_toolchain)).outcome == "pass"
    )
    assert first.outcome is CheckOutcome.FAILS
    assert same_failure(first.signatures, checked(graph, "c-dynamic", "export-lost").signatures)
