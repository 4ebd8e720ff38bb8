"""Which variants are tried for a fault, in which order; and the claims that no fault makes fail."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from linkage.case.reader import parse_case
from linkage.judge.results import Compiler, KeptFailure, KeptResult
from linkage.plan.plan import Variant, plan
from linkage.toolchain import Located, Toolchain, probe
from mutants.claims import claims_of, never_red
from mutants.faults.table import FAULTS
from mutants.search import order
from mutants.variants import PlannedVariant, faulted, rarity

TEXT = """\
summary: Two kinds
matrix: {crate-type: [cdylib, rlib]}
sources: {lib.rs: ""}
steps:
  - {rustc: lib.rs, id: first, crate-type: rlib, axes: none}
  - rustc: lib.rs
    claims:
      lib.cdylib: {exports: {only: [a]}, needed: {none: [b]}}
      lib.rlib: {defines: [a]}
  - {rustc: lib.rs, id: refused, crate-name: other, flags: [-Cprefer-dynamic], exit: 1}
"""
Make = Callable[..., list[PlannedVariant]]


@pytest.fixture(scope="module")
def toolchain(found_toolchains: list[Located], cache: Path) -> Toolchain:
    return probe(found_toolchains[0], cache, os.environ)


@pytest.fixture
def cells(toolchain: Toolchain, tmp_path: Path) -> Make:
    def make(name: str = "x.yaml", text: str = TEXT) -> list[PlannedVariant]:
        case = parse_case(text, tmp_path / name, name)
        variants = [Variant(case, row, toolchain) for row in case.rows]
        return [PlannedVariant(one, id_, plan(one)) for one, id_ in zip(variants, case.ids, strict=True)]

    return make


def test_where_a_fault_shows(cells: Make) -> None:
    cdylib, rlib = cells()
    exports = FAULTS["export-lost"]
    assert cdylib.affected(exports) == {("steps", 1)}
    assert rlib.affected(exports) == frozenset()
    assert cdylib.affected(FAULTS["success-after-failure"]) == {("steps", 2)}
    # Where a flag is ignored, what was to be refused may be accepted.
    assert cdylib.affected(FAULTS["prefer-dynamic-ignored"]) == {("steps", 2)}
    assert ("steps", 2) not in cdylib.affected(FAULTS["output-missing"])
    assert cdylib.promise(exports) > 0


def test_only_the_steps_at_which_it_shows_get_the_wrapper(cells: Make) -> None:
    cell = cells()[0]
    changed = faulted(cell.plan, cell.affected(FAULTS["export-lost"]), Path("/wrapper"))
    assert [str(step.command.argv[0]) == "/wrapper" for step in changed.steps if step.command] == [
        False,
        True,
        False,
    ]
    assert [step.command.argv[1:] for step in changed.steps if step.command] == [
        step.command.argv[1:] for step in cell.plan.steps if step.command
    ]


def test_each_case_gets_its_turn(cells: Make) -> None:
    first, second = cells("x.yaml"), cells("y.yaml")
    found = [(first[0], 1), (first[1], 5), (second[0], 3), (second[1], 2)]
    assert order(found, (), None) == [first[1], second[0], second[1], first[0]]
    assert order(found, (), 1) == [first[1], second[0]]
    before = (str(first[0].case.file.resolve()), first[0].id)
    assert order(found, [before], 1) == [first[0], second[0]]


def test_variants_of_a_case_are_spread(cells: Make) -> None:
    many = cells("x.yaml", TEXT.replace("[cdylib, rlib]", "[cdylib, rlib, dylib, staticlib, bin]"))
    other = cells("y.yaml")[0]
    found = [*((cell, 4.0) for cell in many), (other, 1.5)]
    first, second, third, fourth, fifth = many
    # The fourth of a case is worth a quarter of its promise.
    assert order(found, (), None) == [first, fifth, other, third, second, fourth]
    assert order(found, (), 2) == [first, fifth, other]


def test_rare_claims_promise_more(cells: Make) -> None:
    cdylib, rlib = cells()
    weights = rarity([cdylib, rlib, rlib, rlib])
    assert weights["exit"] == 0
    assert weights["exports"] > weights["defines"] > 0
    exports = FAULTS["export-lost"]
    assert cdylib.promise(exports, weights) > cdylib.promise(exports, dict.fromkeys(weights, 0.0)) > 0


def test_claims_that_never_failed(cells: Make) -> None:
    found = cells()
    case = found[0].case
    claims = claims_of(found)
    assert {(one.step, one.name) for one in claims} == {
        ("lib", "lib.cdylib.exports.only"),
        ("lib", "lib.cdylib.needed.none"),
        ("lib", "lib.rlib.defines.all"),
        ("refused", "exit"),
    }
    place = next(one.where for one in claims if one.name == "lib.cdylib.exports.only")
    fault = Compiler("fault", "", "")

    def red(*failures: KeptFailure, sources: str = case.digest) -> list[str]:
        results = [KeptResult(str(case.file), "a", fault, "fail", failures=failures, sources=sources)]
        return [one.name for one in never_red(case, claims, results)]

    assert len(red()) == 4
    exact = KeptFailure("lib", "lib.cdylib.exports.only", "", where=f"x.yaml:{place}")
    assert red(exact) == ["lib.cdylib.needed.none", "lib.rlib.defines.all", "exit"]
    # A claim at another place of the same name is another claim, as long as the case is the same.
    elsewhere = KeptFailure("lib", "lib.cdylib.exports.only", "", where="x.yaml:99:1")
    assert len(red(elsewhere)) == 4
    assert len(red(elsewhere, sources="an older case")) == 3
