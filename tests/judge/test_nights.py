"""What changed from one night to the next."""

from linkage.judge.nights import TITLES, Night, NightChange, VariantName, changes, histories
from linkage.judge.results import Compiler, KeptResult
from linkage.judge.verdict import VerdictKind


def night(date: str, **letters: str) -> Night:
    """A night with one case, on the toolchains that are named; a letter for each of its cells."""
    cells = tuple(f"cell={number}" for number in range(max(map(len, letters.values()))))
    return Night(1, date, dict.fromkeys(letters, "1.0"), {"a.yaml": cells}, {"a.yaml": letters})


def result(cell: str, outcome: str, toolchain: str = "stable") -> KeptResult:
    return KeptResult("/x/a.yaml", cell, Compiler(toolchain, f"of {toolchain}", "f"), outcome)


def test_results_are_packed_and_found_again() -> None:
    found = Night.of(
        "2026-11-28",
        [
            ("a.yaml", result("one", "pass")),
            ("a.yaml", result("two", "known")),
            ("a.yaml", result("two", "error", "nightly")),
            ("b.yaml", result("", "skip", "nightly")),
        ],
    )
    assert found.toolchains == {"nightly": "of nightly", "stable": "of stable"}
    assert found.verdicts == {"a.yaml": {"nightly": "-e", "stable": "pk"}, "b.yaml": {"nightly": "s"}}
    assert {tuple(name): str(kind) for name, kind in found.all()} == {
        ("a.yaml", "one", "stable"): "pass",
        ("a.yaml", "two", "stable"): "known",
        ("a.yaml", "two", "nightly"): "error",
        ("b.yaml", "", "nightly"): "skip",
    }
    assert {name: dict(counts) for name, counts in found.counts().items()} == {
        "nightly": {VerdictKind.ERROR: 1, VerdictKind.SKIP: 1},
        "stable": {VerdictKind.PASS: 1, VerdictKind.KNOWN: 1},
    }


def test_each_change_has_a_heading() -> None:
    before, after = night("2026-11-01", nightly="ppffks-p-"), night("2026-11-02", nightly="pfpeppfsp")
    ((shown, found),) = changes([before, after])
    assert shown is after
    assert {one.variant.cell.removeprefix("cell="): one.title for one in found} == {
        "1": "newly failing", "2": "fixed", "3": "failing differently", "4": "otherwise changed",
        "5": "otherwise changed", "6": "newly failing", "7": "newly skipped", "8": "new",
    }  # fmt: skip
    assert {one.title for one in found} == set(TITLES)


def test_a_night_without_a_verdict_changes_nothing() -> None:
    nights = [
        night("2026-11-01", nightly="p"),
        night("2026-11-02", stable="p"),
        night("2026-11-03", nightly="f"),
    ]
    (_, second), (_, third) = changes(nights)
    assert [one.title for one in second] == ["new"]
    variant = VariantName("a.yaml", "cell=0", "nightly")
    assert third == [NightChange(variant, VerdictKind.PASS, VerdictKind.FAIL)]
    assert histories(nights)[variant] == [("2026-11-01", VerdictKind.PASS), ("2026-11-03", VerdictKind.FAIL)]


def test_the_first_night_changes_nothing() -> None:
    assert list(changes([night("2026-11-01", nightly="f")])) == []
    assert list(changes([])) == []
