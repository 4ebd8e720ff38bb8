"""Stored results: merged, limited, ignored if damaged; and those of real runs."""

import os
import signal
import time
from pathlib import Path

import msgspec
import pytest

from linkage.judge.results import Compiler, KeptFailure, KeptResult
from linkage.store import results as kept_results
from linkage.store.results import Results, merged
from linkage.store.store import Store
from support.runs import Runs, cells

ONE = Compiler("one", "1.95.0 (59807616e 2026-04-14)", "aa")
TWO = Compiler("two", "1.97.0-nightly", "bb")


def result(cell: str = "a", compiler: Compiler = ONE, outcome: str = "pass", when: float = 1.0) -> KeptResult:
    return KeptResult("/cases/x.yaml", cell, compiler, outcome, when=when)


def test_the_newest_wins_and_the_others_stay() -> None:
    old = [result("a", when=1), result("b", when=5), result("a", TWO, when=1)]
    new = [result("a", outcome="fail", when=3), result("b", outcome="fail", when=4)]
    found = {one.key[1:]: one.outcome for one in merged(old, new, now=10)}
    assert found == {("a", ONE): "fail", ("b", ONE): "pass", ("a", TWO): "pass"}


def test_another_fingerprint_is_another_compiler() -> None:
    rebuilt = Compiler("one", ONE.version, "cc")
    assert len(merged([result()], [result(compiler=rebuilt)], now=10)) == 2


def test_a_result_from_the_future_is_the_oldest() -> None:
    ahead = result(outcome="fail", when=10**9)
    assert [one.outcome for one in merged([ahead], [result(when=9)], now=10)] == ["pass"]


def test_a_cell_keeps_its_newest_compilers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_results, "_PER_CELL", 2)
    many = [result(compiler=Compiler(f"n{day}", "", str(day)), when=day) for day in range(5)]
    found = merged(many, [result("b", when=0)], now=10)
    assert [one.compiler.name for one in found] == ["one", "n3", "n4"]
    monkeypatch.setattr(kept_results, "_PER_CASE", 1)
    assert [one.compiler.name for one in merged(many, [], now=10)] == ["n4"]


def test_what_is_kept_is_short(tmp_path: Path) -> None:
    results = Results.open(tmp_path)
    failure = KeptFailure("lib", "exit", "x" * 10_000)
    results.record([KeptResult("/x", "a", ONE, "fail", failures=(failure,) * 100)])
    (found,) = results.all()
    assert len(found.failures) == 20
    assert {len(one.found) for one in found.failures} == {2000}


def test_too_many_cases_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_results, "_CASES", 2)
    results = Results.open(tmp_path)
    for number in range(4):
        results.record([KeptResult(f"/{number}", "", ONE, "pass")])
        (place,) = [
            one
            for one in (Results.open(tmp_path).store.folder / "results").glob("*/*")
            if one.stat().st_mtime > 100
        ]
        os.utime(place, (number, number))
    results.forget_oldest()
    assert sorted(one.case for one in results.all()) == ["/2", "/3"]


@pytest.mark.parametrize("content", [b"", b"damaged", bytes(range(256)) * 9])
def test_what_is_damaged_was_never_kept(content: bytes, tmp_path: Path) -> None:
    results = Results.open(tmp_path)
    file = tmp_path / "x.yaml"
    new = KeptResult(str(file), "a", ONE, "pass")
    results.record([new])
    results.note_failed(tmp_path, ["x.yaml::one[a]"])
    for place in (Results.open(tmp_path).store.folder / "results").glob("*/*"):
        place.write_bytes(content)
    assert (results.of_case(file), list(results.all()), results.last_failed(tmp_path)) == ((), [], ())
    results.record([new])
    assert results.of_case(file) == (new,)


def test_what_another_version_wrote_was_never_kept(tmp_path: Path) -> None:
    results = Results.open(tmp_path)
    new = KeptResult(str(tmp_path / "x.yaml"), "a", ONE, "pass")
    results.record([new])
    (place,) = (Results.open(tmp_path).store.folder / "results").glob("*/*")
    for other in ({"format": 2, "case": new.case, "results": []}, {"results": [["a"]]}, [1]):
        Store(tmp_path).put("results", place.name, other)
        assert list(results.all()) == []


TOOLS = {"ld": "GNU ld 2.40", "ar": "GNU ar 2.40"}


def test_the_tools_of_results_are_kept_once(tmp_path: Path) -> None:
    results = Results.open(tmp_path)
    file = Path("/cases/x.yaml")
    results.record([result("a"), result("b")], TOOLS)
    (key,) = {one.tools for one in results.of_case(file)}
    assert results.tools_of(file) == {key: TOOLS}
    newer = TOOLS | {"ld": "LLD 14.0.6"}
    results.record([result("b", when=2)], newer)
    kept = {one.cell: results.tools_of(file)[one.tools]["ld"] for one in results.of_case(file)}
    assert kept == {"a": "GNU ld 2.40", "b": "LLD 14.0.6"}
    results.record([result("a", when=3)], newer)
    assert list(results.tools_of(file).values()) == [newer]
    results.record([result("a", when=4), result("b", when=4)])
    assert (results.tools_of(file), {one.tools for one in results.of_case(file)}) == ({}, {""})
    assert results.tools_of(tmp_path / "other.yaml") == {}


def test_results_of_before_tools_were_kept_are_read(tmp_path: Path) -> None:
    results = Results.open(tmp_path)
    old = result("a")
    results.record([old])
    (place,) = (Results.open(tmp_path).store.folder / "results").glob("*/*")
    fields = msgspec.to_builtins(old)
    shorter = {"format": 1, "case": old.case, "results": [fields[: old.__struct_fields__.index("tools")]]}
    Store(tmp_path).put("results", place.name, shorter)
    assert results.of_case(Path(old.case)) == (old,)
    results.record([result("b")], TOOLS)
    assert [bool(one.tools) for one in results.of_case(Path(old.case))] == [False, True]


# --- of real runs


def outcomes(runs: Runs) -> dict[str, str]:
    return {one.cell: one.outcome for one in kept(runs).all()}


def kept(runs: Runs) -> Results:
    return Results.open(runs.folder / "store")


@pytest.mark.parametrize("words", [[], ["-n", "2"]])
def test_a_run_keeps_its_verdicts(runs: Runs, words: list[str]) -> None:
    ran = runs.run(*words)
    names = {name.partition("[")[2].rstrip("]"): one for name, one in ran.variants.items()}
    found = {one.cell: one for one in kept(runs).of_case(runs.folder / "case.yaml")}
    assert {cell: one.outcome for cell, one in found.items()} == {
        cell: one["outcome"] for cell, one in names.items()
    }
    (bad,) = [one for one in found.values() if one.outcome == "fail"]
    said = names[bad.cell]["failures"]
    assert [(one.step, one.claim, one.found) for one in bad.failures] == [
        (one["step"], one["claim"], one["found"]) for one in said
    ]
    assert bad.compiler.version == names[bad.cell]["version"]
    assert bad.obtained == names[bad.cell]["obtained"]
    assert time.time() - bad.when < 600
    assert kept(runs).last_failed(runs.folder) == (f"case.yaml::here[{bad.cell}]",)


def test_a_partial_run_replaces_what_it_judged(runs: Runs) -> None:
    runs.run()
    before = outcomes(runs)
    (bad,) = [cell for cell, outcome in before.items() if outcome == "fail"]
    text = (runs.folder / "case.yaml").read_text()
    runs.case(text.replace('not-contains: "43"', 'not-contains: "41"'))
    runs.run("-k", f"{bad[-1]}]")
    assert outcomes(runs) == before | {bad: "pass"}
    assert kept(runs).last_failed(runs.folder) == ()
    sources = {one.cell: one.sources for one in kept(runs).all()}
    assert len(set(sources.values())) == 2
    runs.run("-k", "no-such-cell")
    assert outcomes(runs) == before | {bad: "pass"}


def test_no_store_keeps_no_result(runs: Runs) -> None:
    runs.env = {"LINKAGE_STORE": str(runs.folder / "store")}
    assert runs.run("--no-store", store=None).variants
    assert not (runs.folder / "store").exists()


def test_linkage_store_shows_and_clears_them(runs: Runs) -> None:
    runs.run("-k", "0]")
    chosen = ("--store", str(runs.folder / "store"))
    assert "results of cases" in runs.command("store", *chosen).stdout
    assert runs.command("store", "check", *chosen).returncode == 0
    runs.command("store", "clear", *chosen)
    assert list(kept(runs).all()) == []


def test_an_interrupted_run_keeps_what_was_done(runs: Runs) -> None:
    mark = runs.folder / "third"
    wrapper = runs.folder / "rustc"
    wrapper.write_text(
        f'#!/bin/sh\nif [ -e lib.rs ] && grep -q "wrapping_add(3)" lib.rs; then touch {mark}; sleep 100; fi\n'
        f'exec {runs.rustc} "$@"\n'
    )
    wrapper.chmod(0o755)
    runs.rustc = wrapper
    runs.case(cells(4))
    process = runs.start("-j", "1")
    try:
        deadline = time.monotonic() + 60
        while not mark.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert sorted(outcomes(runs)) == ["number=0", "number=1", "number=2"]
