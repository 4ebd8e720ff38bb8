"""Looking for a fault for each claim: which variants, which faults, what is kept and what is written."""

import os
from pathlib import Path

import pytest

from linkage.case.document import KeyPath
from linkage.case.reader import parse_case
from linkage.errors import LinkageError
from linkage.judge.results import Compiler, KeptFailure, KeptResult
from linkage.plan.plan import Variant, plan
from linkage.toolchain import Located, probe
from mutants.claims import claims_of
from mutants.document import BEGIN, END, detections, unfinished, written
from mutants.faults.fault import Fault
from mutants.faults.table import FAULTS
from mutants.green_claims import ALWAYS_GREEN
from mutants.hunt import Hunt
from mutants.lone_witnesses import ONE_PLACE
from mutants.variants import PlannedVariant

ROOT = Path(__file__).parents[3]
TEXT = """\
summary: One step after the other
matrix: {opt-level: [0, 1, 2]}
sources: {lib.rs: "", main.c: ""}
steps:
  - rustc: lib.rs
    crate-type: cdylib
    claims: {lib.cdylib: {exports: {within: [a*], only: [a1], count: 1}, soname: none}}
  - rustc: lib.rs
    id: again
    crate-name: again
    crate-type: cdylib
    claims:
      again.cdylib: {symbols: [{names: a}, {names: b}]}
      old.so: {exists: false}
"""


@pytest.fixture
def cells(found_toolchains: list[Located], cache: Path, tmp_path: Path) -> list[PlannedVariant]:
    toolchain = probe(found_toolchains[0], cache, os.environ)
    case = parse_case(TEXT, tmp_path / "case.yaml", "case.yaml")
    variants = [Variant(case, row, toolchain) for row in case.rows]
    return [PlannedVariant(one, id_, plan(one)) for one, id_ in zip(variants, case.ids, strict=True)]


def hunted(
    cells: list[PlannedVariant],
    sees: dict[tuple[str, KeyPath | None], KeptFailure],
    *,
    per_claim: int = 1,
    likely: bool = False,
) -> tuple[Hunt, list[KeptResult], list[tuple[str, str, KeyPath | None]]]:
    """A hunt in which these faults, at all steps or at one, have these failures."""
    tried: list[tuple[str, str, KeyPath | None]] = []

    def attempt(cell: PlannedVariant, fault: Fault, at: KeyPath | None) -> KeptResult | None:
        tried.append((cell.id, fault.name, at))
        failure = sees.get((fault.name, at))
        if failure is None:
            return None
        compiler = Compiler(fault.name, "", "")
        return KeptResult(str(cell.case.file), cell.id, compiler, "fail", failures=(failure,))

    hunt = Hunt.of(cells, claims_of(cells), per_claim, likely=likely)
    faults = [FAULTS["export-lost"], FAULTS["soname-given"], FAULTS["codegen-units-ignored"]]
    return hunt, list(hunt.carried_out(faults, attempt)), tried


def test_where_an_early_failure_hides_a_claim_the_fault_is_seeded_at_each_step(
    cells: list[PlannedVariant],
) -> None:
    soname = KeptFailure("lib", "lib.cdylib.soname.only", "")
    symbols = KeptFailure("again", "again.cdylib.symbols[1].count", "")
    second = ("steps", 1)
    hunt, results, tried = hunted(
        cells, {("soname-given", None): soname, ("soname-given", second): symbols}, per_claim=2
    )
    assert {one.name for one in hunt.open} == {
        "lib.cdylib.exports.only",
        "lib.cdylib.exports.count",
        "old.so.exists",
    }
    assert [one.failures for one in results] == [(soname,), (symbols,)]
    assert results[0].key != results[1].key  # one does not take the other's place
    assert ("opt-level=0", "soname-given", second) in tried
    assert not any(name == "codegen-units-ignored" for _, name, _ in tried)  # it concerns no command here
    assert {cell for cell, _, _ in tried} == {"opt-level=0", "opt-level=1"}


def test_likely_faults_alone(cells: list[PlannedVariant]) -> None:
    everything = hunted(cells, {}, likely=False)[2]
    likely = hunted(cells, {}, likely=True)[2]
    assert {name for _, name, _ in everything} == {name for _, name, _ in likely}
    symbols = [one for one in claims_of(cells) if "symbols" in one.name]
    hunt = Hunt.of(cells, symbols, 1, likely=True)
    assert not list(hunt.carried_out([FAULTS["soname-given"]], lambda *_: None))
    assert hunt.tried == 0


@pytest.mark.parametrize(
    ("step", "name", "broken"),
    [
        ("lib", "lib.cdylib.exports.within", {"lib.cdylib.exports.only", "lib.cdylib.exports.count"}),
        ("lib", "lib.cdylib.exports", {"lib.cdylib.exports.only", "lib.cdylib.exports.count"}),
        ("lib", "lib.cdylib.exports.count", {"lib.cdylib.exports.count"}),
        ("again", "again.cdylib.symbols[0].are", {"again.cdylib.symbols"}),
        ("again", "lib.cdylib.soname", set()),
    ],
)
def test_which_claims_a_failure_is_about(
    cells: list[PlannedVariant], step: str, name: str, broken: set[str]
) -> None:
    assert {one.name for one in claims_of(cells) if one.is_broken_by(step, name)} == broken


def test_what_is_written() -> None:
    seen = [
        KeptResult(f"/x/cases/topic/{name}.yaml", "", Compiler("stripped", "", ""), "fail")
        for name in "abcde"
    ]
    text = written(f"before\n{BEGIN}\nold\n{END}\nafter\n", FAULTS, seen, "README.md")
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "| topic/a, topic/b, topic/c, topic/d and more |" in text
    assert "\nold\n" not in text
    assert sum(line.startswith("| `") for line in text.splitlines()) == len(FAULTS)
    with pytest.raises(LinkageError, match="lacks the marks"):
        written("no marks", FAULTS, seen, "README.md")


def test_detections_of_a_partial_run_are_added_to_the_table() -> None:
    def seen(fault: str, case: str) -> KeptResult:
        return KeptResult(f"/x/cases/topic/{case}.yaml", "", Compiler(fault, "", ""), "fail")

    names = ("topic/a", "topic/b", "topic/c")
    empty = f"{BEGIN}\n{END}\n"
    first = written(empty, FAULTS, [seen("stripped", "a"), seen("lto-off", "gone")], "README.md", names)
    assert detections(first)["stripped"] == {"topic/a"}
    assert detections(first)["lto-off"] == set()  # what detected it is no case
    assert f"{len(FAULTS)} faults: 1 detected, 0 (0 %) by two cases or more, 1 by one, " in first
    assert "stripped" in unfinished(first, FAULTS)

    second = written(first, FAULTS, [seen("stripped", "b"), seen("pie-off", "c")], "README.md", names)
    assert detections(second)["stripped"] == {"topic/a", "topic/b"}
    assert detections(second)["pie-off"] == {"topic/c"}
    assert f"{len(FAULTS)} faults: 2 detected, 1 (0 %) by two cases or more, 1 by one, " in second
    assert "stripped" not in unfinished(second, FAULTS)
    assert written(second, FAULTS, (), "README.md", names) == second
    assert detections(written(second, FAULTS, (), "README.md", names[:1]))["stripped"] == {"topic/a"}


def test_faults_of_one_place_are_faults_and_have_a_reason() -> None:
    text = (ROOT / "ci/mutants/README.md").read_text(encoding="utf-8")
    seen = detections(text)
    for name, why in ONE_PLACE.items():
        assert name in FAULTS
        assert len(why) > 20
        assert len(seen[name]) == 1, f"{name} is detected by {seen[name]}"
        assert f"- `{name}`: {why}\n" in text


def test_what_stays_is_a_claim_of_a_case() -> None:
    for (case, _, claim), why in ALWAYS_GREEN.items():
        text = (ROOT / "cases" / case).read_text(encoding="utf-8")
        assert claim.rpartition(".")[2] in text or claim.split(".")[-2] in text
        assert why


def test_the_document_lists_every_fault_and_what_stays() -> None:
    text = (ROOT / "ci/mutants/README.md").read_text(encoding="utf-8")
    again = written(text, FAULTS, (), "README.md")
    rows = [
        [line.rpartition(" | ")[0] for line in one.splitlines() if line.startswith("| `")]
        for one in (text, again)
    ]
    assert rows[0] == rows[1], "update it: ci/mutants/run --into ci/mutants/README.md"
    assert text.partition("Claims that")[2] == again.partition("Claims that")[2]
