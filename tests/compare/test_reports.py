"""The reports of a comparison, and snapshots, with real compilers."""

import gzip
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from linkage.cli import main
from linkage.compare.comparison import ComparedSide
from linkage.compare.snapshot import decoded, encoded
from linkage.render.compare_text import described
from support.changed_library import AFTER, BEFORE, CASE, changes
from support.comparison_project import ComparisonProject

MORE = BEFORE.format("--cfg more")


@pytest.fixture
def run(
    comparison: ComparisonProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> "ReportRun":
    monkeypatch.setenv("LINKAGE_STORE", str(comparison.shared / "store"))
    monkeypatch.chdir(comparison.folder)
    comparison.case(CASE)
    return ReportRun(comparison, capsys)


class ReportRun:
    """The command line, as a user has it."""

    def __init__(self, comparison: ComparisonProject, capsys: pytest.CaptureFixture[str]) -> None:
        self.comparison, self.capsys = comparison, capsys
        self.real = f"real={comparison.rustc}"

    def __call__(self, *words: str) -> tuple[int, str]:
        status = main(words)
        captured = self.capsys.readouterr()
        return status, captured.out + captured.err


def test_the_report_goes_from_the_verdict_down(run: ReportRun) -> None:
    changed = run.comparison.compiler("changed", MORE)
    status, text = run("compare", run.real, changed, "case.yaml", "--json", "r.json", "--markdown", "r.md")
    lines = text.splitlines()
    assert (status, lines[0]) == (1, "different: 2 kinds of change (1 variant compared)")
    assert lines[1].startswith("  BASE  real: rustc ")
    assert "linked by " in lines[1]
    assert "≠ newly exported by 1 cdylib: more" in lines
    assert "    + lib.cdylib more: FUNC GLOBAL DEFAULT .text" in lines
    data = json.loads(Path("r.json").read_text())
    assert (data["format"], data["same"], data["compared"]) == (1, False, 1)
    assert [(one["kind"], one["names"]) for one in data["groups"]] == [
        ("export new", ["more"]),
        ("symbol new", ["more"]),
    ]
    assert data["groups"][0]["found"][0]["variant"] == "case.yaml"
    markdown = Path("r.md").read_text()
    assert markdown.startswith("### linkage compare: different: 2 kinds of change")
    assert "<details><summary>newly exported by 1 cdylib: more</summary>" in markdown


def test_what_is_meant_does_not_fail_and_what_does_not_occur_does(run: ReportRun) -> None:
    changed = run.comparison.compiler("changed", MORE)
    entry = "expected:\n  - {change: [export new, symbol new], name: more, reason: a new API}\n"
    Path("meant.yaml").write_text(entry)
    status, text = run("compare", run.real, changed, "case.yaml", "--expect", "meant.yaml")
    assert (status, text.splitlines()[0]) == (
        0,
        "same except for 2 expected changes (1 variant compared)",
    )
    assert "    expected: a new API" in text.splitlines()
    status, text = run(
        "compare", run.real, f"same={run.comparison.rustc}", "case.yaml", "--expect", "meant.yaml"
    )
    assert status == 1
    assert "expected change did not occur: meant.yaml:2:5: export new, symbol new more" in text


def test_snapshot_replaces_its_toolchain(run: ReportRun) -> None:
    assert run("snapshot", run.real, "case.yaml", "-o", "old.snapshot")[0] == 0
    status, text = run("compare", "old.snapshot", run.real, "case.yaml")
    assert (status, text.splitlines()[0]) == (0, "same (1 variant compared)"), text
    changed = run.comparison.compiler("changed", MORE)
    status, text = run("compare", "old.snapshot", changed, "case.yaml")
    assert status == 1
    assert [line for line in text.splitlines() if line.startswith("≠")] == [
        "≠ newly exported by 1 cdylib: more",
        "≠ new symbol in 1 staticlib: more",
    ]
    assert run("snapshot", changed, "case.yaml", "-o", "new.snapshot")[0] == 0
    assert run("compare", "old.snapshot", "new.snapshot") == (
        1,
        text.replace("changed:", "changed from new.snapshot:"),
    )


def test_a_snapshot_reads_back_as_it_was_written(run: ReportRun) -> None:
    run("snapshot", run.real, "case.yaml", "-o", "old.snapshot")
    content = Path("old.snapshot").read_bytes()
    found = decoded(io.BytesIO(content), "old.snapshot")
    assert encoded(replace(found, side=replace(found.side, snapshot=""))) == content
    header, line = gzip.decompress(content).decode().splitlines()
    assert header.startswith('{"linkage_snapshot":4,"toolchain":{"name":"real","version":"')
    assert line.startswith('{"variant":"case.yaml","build":{"steps":[{"id":"one","program":"cc",')
    assert "cc" in json.loads(header)["toolchain"]["machine"]


def test_a_file_that_is_not_a_snapshot_is_refused_in_one_line(run: ReportRun) -> None:
    Path("x.snapshot").write_bytes(b"\xff")
    Path("notes.txt").write_text("none\n")
    for side, message in (
        ("x.snapshot", "not a usable snapshot: the file is damaged, or of another kind"),
        ("gone.snapshot", "cannot be read: No such file"),
        ("notes.txt", "not a usable snapshot: the file is damaged, or of another kind"),
    ):
        status, text = run("compare", side, run.real, "case.yaml")
        assert (status, len(text.splitlines()), message in text) == (4, 1, True), text


def test_a_snapshot_that_was_taken_otherwise_is_refused(run: ReportRun) -> None:
    run("snapshot", run.real, "case.yaml", "-o", "old.snapshot")
    status, text = run("compare", "old.snapshot", run.real, "case.yaml", "--keep", "crate-hash")
    assert status == 4
    assert "the snapshot was taken with a different --keep: none" in text


def test_a_rule_that_is_turned_off_shows_what_it_hides(run: ReportRun) -> None:
    other = run.comparison.compiler("other", BEFORE.format("-Cmetadata=other"))
    assert run("compare", run.real, other, "case.yaml")[0] == 0
    status, text = run("compare", run.real, other, "case.yaml", "--keep", "crate-hash")
    assert status == 1
    assert re.search(r"private symbol renamed in 1 cdylib, 1 staticlib: _\w+ → _\w+", text)
    assert "  note: disabled noise filters: crate-hash" in text.splitlines()


def test_what_cannot_be_compared_is_never_the_same(run: ReportRun) -> None:
    broken = run.comparison.compiler("broken", AFTER.format("truncate -s 300 liblib.a"))
    status, text = run("compare", run.real, broken, "case.yaml")
    assert status == 1
    assert text.splitlines()[0] == "nothing was compared, 1 not compared"
    assert re.search(r"HEAD: lib\.staticlib: ", text)


def test_variant_that_only_one_side_can_build_is_reported_with_the_reason(run: ReportRun) -> None:
    case = Path("one.yaml")
    text = CASE.replace("sources:", 'toolchains: "<1.10"\nsources:')
    case.write_text(text)
    status, text = run("compare", run.real, f"same={run.comparison.rustc}", "one.yaml", "case.yaml")
    assert (status, text.splitlines()[0]) == (0, "same (1 variant compared, 1 not compared)")
    assert "the case is about <1.10" in text
    assert run("compare", run.real, f"same={run.comparison.rustc}", "one.yaml")[0] == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-k", "and"), "-k: `and` is not an expression"),
        (("--keep", "nothing"), "--keep: no noise filter is called `nothing`"),
        (("--expect", "none.yaml"), "none.yaml: cannot be read"),
        (("--store", "s", "--no-store"), "exclude each other"),
        (("--linker", "ldd"), "this machine has no linker ldd"),
    ],
)
def test_wrong_input_is_reported_in_one_line(words: tuple[str, ...], said: str, run: ReportRun) -> None:
    status, text = run("compare", run.real, run.real, "case.yaml", *words)
    assert (status, len(text.splitlines())) == (4, 1), text
    assert said in text


def test_swapped_members_are_reported_without_their_index(run: ReportRun) -> None:
    swapped = run.comparison.compiler("swap", AFTER.format("ar mb --plugin=/dev/null two.o liblib.a three.o"))
    assert changes(run.comparison.compare(swapped, "case.yaml")) == [("member order", "staticlib", "")]


def test_a_side_in_one_line() -> None:
    side = ComparedSide("stable", "1.95.0", "22.1", "f00d", {"LLD 22.1": 2}, 1, {})
    assert described(side) == (
        "stable: rustc 1.95.0, LLVM 22.1; linked by LLD 22.1 (2); RUSTC_BOOTSTRAP=1 in 1 variant"
    )
    assert described(replace(side, linkers={}, bootstrap=0)).endswith("LLVM 22.1; nothing was linked")
