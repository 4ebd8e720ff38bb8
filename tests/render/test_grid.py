"""Cases by compilers: which results are in which cell, and how they are shown."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from linkage.case.case import Case
from linkage.case.reader import parse_case
from linkage.judge.results import Compiler, KeptBug, KeptResult
from linkage.render.grid import Grid, GridCell, grid
from linkage.render.grid_text import cell_text, data, different_tools, markdown, notes, row_label, seen_in

OLD = Compiler("debian-1.63.0", "1.63.0", "aa")
STABLE = Compiler("stable", "1.95.0 (59807616e 2026-04-14)", "bb")
NIGHTLY = Compiler("nightly", "1.97.0-nightly (e50aa6fba 2026-05-19)", "cc")
TEXT = """\
summary: Two cells
matrix: {lto: [off, fat]}
sources: {lib.rs: ""}
steps: {rustc: lib.rs}
known-bugs:
  - {issue: rust-lang/rust#1, note: it is | broken, when: {lto: fat}, signature: {step: lib, exit: 1}}
  - {unreported: worse, report: worse.md, when: {lto: fat}, signature: {step: lib, exit: 2}}
"""


@pytest.fixture
def case(tmp_path: Path) -> Case:
    (tmp_path / "worse.md").write_text("# Worse")
    file = tmp_path / "x.yaml"
    file.write_text(TEXT)
    return parse_case(TEXT, file, "x.yaml")


def result(case: Case, cell: str, compiler: Compiler, outcome: str = "pass", when: float = 1.0) -> KeptResult:
    return KeptResult(str(case.file), cell, compiler, outcome, when=when, sources=case.digest)


def cells(found: Grid) -> dict[str, list[str]]:
    return {
        str(row.variant): [cell_text(cell, word=row.variant is not None) for cell in row.cells]
        for row in found.rows
    }


def test_columns_are_in_the_order_of_versions(case: Case) -> None:
    kept = [result(case, "lto=off", one) for one in (NIGHTLY, STABLE, OLD)]
    found = grid([(case, kept)])
    assert [column.label for column in found.columns] == ["1.63.0", "1.95.0", "1.97.0-nightly"]
    assert cells(found) == {"None": ["1 1?", "1 1?", "1 1?"]}
    assert [c.compiler for c in grid([(case, kept)], [NIGHTLY, OLD]).columns] == [OLD, NIGHTLY]


def test_equal_releases_are_headed_by_their_names(case: Case) -> None:
    local = Compiler("stage1", STABLE.version, "dd")
    odd = Compiler("odd", "no version", "ee")
    found = grid([(case, [result(case, "lto=off", one) for one in (odd, local, STABLE)])])
    assert [column.label for column in found.columns] == ["stable", "stage1", "no"]


def test_of_a_compiler_that_was_rebuilt_the_newer_is_shown(case: Case) -> None:
    rebuilt = Compiler("nightly", "1.98.0-nightly", "ff")
    kept = [
        result(case, "lto=off", NIGHTLY, when=1),
        result(case, "lto=fat", NIGHTLY, when=1),
        result(case, "lto=off", rebuilt, "fail", when=2),
    ]
    found = grid([(case, kept)])
    assert [column.compiler for column in found.columns] == [rebuilt]
    assert cells(found) == {"None": ["1F 1?"]}
    assert "1 of these have a verdict of an earlier compiler of the same name." in notes(found)


def test_variants_and_what_is_not_kept(case: Case) -> None:
    found = grid([(case, [result(case, "lto=fat", STABLE, "skip")])], [STABLE, OLD], by_variant=True)
    assert cells(found) == {"lto=off": ["—", "—"], "lto=fat": ["—", "skip"]}
    assert any(line.startswith("?: no recorded verdict") for line in notes(found))


TOOLS = {
    "old": {"ld": "GNU ld 2.38", "ar": "GNU ar 2.40"},
    "new": {"ld": "GNU ld <2.40>", "ar": "GNU ar 2.40", "ld.lld": "LLD 14"},
}


def with_tools(case: Case, **keys: str) -> list[KeptResult]:
    """A result of the stable compiler for each cell, obtained with these tools."""
    return [
        msgspec.structs.replace(result(case, f"lto={cell}", STABLE), tools=key) for cell, key in keys.items()
    ]


def test_results_of_one_compiler_with_different_tools(case: Case, tmp_path: Path) -> None:
    found = grid([(case, with_tools(case, off="old", fat="new"))], tools=TOOLS)
    assert different_tools(found) == {
        "ld": ["GNU ld 2.38 (1 on 1.95.0)", "GNU ld <2.40> (1 on 1.95.0)"],
        "ld.lld": ["LLD 14 (1 on 1.95.0)", "absent (1 on 1.95.0)"],
    }
    assert notes(found)[-1] == (
        "The verdicts were obtained with different versions of tools: ld: GNU ld 2.38 (1 on 1.95.0), GNU ld "
        "<2.40> (1 on 1.95.0); ld.lld: LLD 14 (1 on 1.95.0), absent (1 on 1.95.0). `linkage run` judges "
        "again with this machine's."
    )
    assert "GNU ld &lt;2.40> (1 on 1.95.0)" in markdown(found, tmp_path)
    assert data(found, tmp_path)["toolchains"][0]["tools"] == [
        {"variants": 1, "versions": TOOLS["old"]},
        {"variants": 1, "versions": TOOLS["new"]},
    ]


def test_compilers_that_were_run_with_different_tools(case: Case) -> None:
    other = msgspec.structs.replace(result(case, "lto=off", OLD), tools="old")
    found = grid([(case, [other, *with_tools(case, off="new", fat="new")])], tools=TOOLS)
    assert different_tools(found)["ld"] == ["GNU ld 2.38 (1 on 1.63.0)", "GNU ld <2.40> (2 on 1.95.0)"]


@pytest.mark.parametrize("keys", [{"off": "new", "fat": "new"}, {"off": "", "fat": "old"}, {"off": "gone"}])
def test_no_note_about_equal_or_unknown_tools(case: Case, keys: dict[str, str]) -> None:
    found = grid([(case, with_tools(case, **keys))], tools=TOOLS)
    assert different_tools(found) == {}
    assert not any("tools" in line for line in notes(found))


def test_a_cell_that_the_case_no_longer_has_is_left_out(case: Case) -> None:
    kept = [result(case, "lto=thin", STABLE, "fail"), result(case, "lto=off", STABLE)]
    assert cells(grid([(case, kept)])) == {"None": ["1 1?"]}


def test_a_result_of_an_older_case_is_marked(case: Case) -> None:
    older = msgspec.structs.replace(result(case, "lto=off", STABLE), sources="other")
    found = grid([(case, [older, result(case, "lto=fat", STABLE, "known")])])
    assert cells(found) == {"None": ["1 1k*"]}
    assert notes(found)[-1].startswith("*: judged before the case or its sources changed: 1 variants.")


def test_the_digest_follows_the_sources(tmp_path: Path) -> None:
    (tmp_path / "lib.rs").write_text("")
    (tmp_path / "other.rs").write_text("")
    text = "summary: One\nsteps: {rustc: lib.rs}\n"
    (tmp_path / "x.yaml").write_text(text)

    def digest() -> str:
        return parse_case(text, tmp_path / "x.yaml", "x.yaml").digest

    first = digest()
    (tmp_path / "other.rs").write_text("fn other() {}")
    assert digest() == first
    (tmp_path / "lib.rs").write_text("fn f() {}")
    assert digest() != first


def test_bugs_by_name_with_their_report(case: Case, tmp_path: Path) -> None:
    first, second = KeptBug("rust-lang/rust#1", "it is | broken"), KeptBug("unreported", "worse")
    kept = [
        msgspec.structs.replace(result(case, "lto=fat", OLD, "known"), bugs=(first, second, second)),
        msgspec.structs.replace(result(case, "lto=fat", STABLE, "known"), bugs=(first,)),
    ]
    found = grid([(case, kept)])
    assert [(bug.name, seen_in(bug, found)) for bug in found.bugs] == [
        ("rust-lang/rust#1", "1 on 1.63.0, 1 on 1.95.0"),
        ("unreported", "1 on 1.63.0"),
    ]
    text = markdown(found, tmp_path.parent)
    folder = tmp_path.name
    assert f"| [{folder}/x.yaml]({folder}/x.yaml) | 1k 1? | 1k 1? |\n" in text
    issue = "[rust-lang/rust#1](https://github.com/rust-lang/rust/issues/1)"
    assert f"- {issue}: it is \\| broken — [{folder}/x.yaml]({folder}/x.yaml): 1 on 1.63.0" in text
    assert f"- unreported: worse ([report]({folder}/worse.md)) — " in text
    said = data(found, tmp_path)
    assert said["bugs"][1]["report"] == "worse.md"
    assert said["cases"][0]["toolchains"]["stable"]["known"] == 1


def test_cells_and_totals(case: Case) -> None:
    assert cell_text(GridCell()) == "—"
    other = replace(case, name="y.yaml")
    kept = [result(case, "lto=off", STABLE), result(case, "lto=fat", STABLE, "error")]
    found = grid([(case, kept), (other, kept)])
    assert [cell_text(cell) for cell in found.totals] == ["2 2E"]
    assert "| all | 2 2E |" in markdown(found, case.folder)


def test_a_row_for_each_target_of_each_case(tmp_path: Path) -> None:
    text = TEXT.replace(
        "lto: [off, fat]", "lto: [off, fat], target: [s390x-unknown-linux-gnu, wasm32-wasip1]"
    )
    (tmp_path / "worse.md").write_text("# Worse")
    file = tmp_path / "a.yaml"
    file.write_text(text)
    targets = parse_case(text, file, "a.yaml")
    file = tmp_path / "b.yaml"
    plain = parse_case(TEXT, file, "b.yaml")
    kept = [result(targets, id_, STABLE, "known" if "s390x" in id_ else "pass") for id_ in targets.ids]
    found = grid([(targets, kept), (plain, [result(plain, "lto=off", STABLE)])], by_target=True)
    assert [(row.case.file.name, row.target, cell_text(row.cells[0])) for row in found.rows] == [
        ("b.yaml", None, "1 1?"),
        ("a.yaml", "s390x-unknown-linux-gnu", "2k"),
        ("a.yaml", "wasm32-wasip1", "2"),
    ]
    assert "| [a.yaml](a.yaml) `wasm32-wasip1` | 2 |" in markdown(found, tmp_path)
    assert [one["target"] for one in data(found, tmp_path)["cases"]][1:] == [
        "s390x-unknown-linux-gnu",
        "wasm32-wasip1",
    ]
    assert row_label(found.rows[1], tmp_path) == "a.yaml, s390x-unknown-linux-gnu"
