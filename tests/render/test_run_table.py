"""A variant's record, the JSON file of a run, and the summary that is printed at its end."""

import io
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from linkage.judge.verdict import Failure
from linkage.plugin.properties import verdict_of
from linkage.render.run_data import VariantReport, run_json
from linkage.render.run_table import print_summary, summary_console
from support.records import record

EVIDENCE = [
    "cases/a.yaml:9:7: lib: foo does not hold",
    "    claimed: has foo",
    "    found:   the list is empty",
    "to reproduce by hand, in an empty directory $WORK with the case's sources:",
    "    rustc lib.rs",
    "    readelf -sW a",
]


def missing(case: str) -> Failure:
    return Failure("lib", "foo", f"{case}:9:7", "has foo", "the list is empty", look=("readelf -sW a",))


def printed(records: list[VariantReport], width: int = 100, **more: Any) -> list[str]:
    console = Console(file=io.StringIO(), width=width, highlight=False, soft_wrap=True)
    print_summary(records, more.pop("unreadable", ()), 12.34, console=console, **more)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_evidence_is_stored_only_for_failures() -> None:
    assert [record(one).evidence for one in ("pass", "known", "skip")] == ["", "", ""]
    assert [record(one).evidence for one in ("fail", "fixed", "error")] == [
        f"evidence of {one}" for one in ("fail", "fixed", "error")
    ]


def test_a_refused_skip_is_a_failure_with_its_evidence() -> None:
    verdict = {key: getattr(record("skip"), key) for key in ("case", "summary", "toolchain", "version")}
    verdict |= {"outcome": "skip", "reason": "no std", "bugs": [], "failures": [], "commands": []}
    refused = VariantReport.of("a", verdict | {"obtained": "", "evidence": "no std"}, refused=True)
    assert (refused.outcome, refused.reason, refused.evidence) == ("fail", "no std", "no std")


def test_the_verdict_is_found_among_other_properties() -> None:
    assert verdict_of([("other", 1), ("linkage_verdict", {"outcome": "pass"})]) == {"outcome": "pass"}
    assert verdict_of([("linkage_verdict", "no mapping"), ("other", {})]) is None


def test_json_of_a_run() -> None:
    tools = {"ld": "GNU ld 2.40", "ar": "prints no version", "rustup": None}
    reports = [record("pass", "b.yaml"), record("fail", "a.yaml", tools={"rust-lld": "LLD 22"})]
    data = json.loads(run_json(reports, ["c.yaml:1:1: x"], ["d: y"], tools))
    assert data.keys() == {"format", "tools", "variants", "unreadable", "broken"}
    assert data["tools"] == tools
    assert [one["tools"] for one in data["variants"]] == [{"rust-lld": "LLD 22"}, {}]
    assert (data["format"], data["unreadable"], data["broken"]) == (1, ["c.yaml:1:1: x"], ["d: y"])
    assert [one["case"] for one in data["variants"]] == ["a.yaml", "b.yaml"]
    assert data["variants"][0].keys() == {
        "id", "case", "summary", "toolchain", "version", "outcome", "reason", "bugs", "failures", "commands",
        "obtained", "evidence", "seconds", "stored", "rechecked", "tools", "refused", "other_toolchain",
        "other_version",
    }  # fmt: skip


def test_the_whole_summary() -> None:
    records = [
        record("pass"),
        record("fail", failures=[missing("cases/a.yaml")]),
        record("known", bugs=[{"name": "rust-lang/rust#1", "note": None}]),
        record("known", "cases/b.yaml", bugs=[{"name": "unreported", "note": "the shim is missing"}] * 2),
        record("skip", "cases/b.yaml", reason="stable has no dynamic std"),
    ]
    assert printed(records) == [
        "case          stable",
        "cases/a.yaml  1 pass, 1 fail, 1 known",
        "cases/b.yaml  1 known, 1 skip",
        "all           1 pass, 1 fail, 2 known, 1 skip",
        "",
        "stable  1.95.0 (59807616e 2026-04-14)",
        "",
        "── known bugs",
        "rust-lang/rust#1: 1 on stable: A summary",
        "unreported: 1 on stable: the shim is missing",
        "",
        "── skipped",
        "1 on stable: stable has no dynamic std",
        "",
        "── fail: cases/a.yaml::stable[fail-6]",
        *EVIDENCE,
        "repro: linkage repro 'cases/a.yaml::stable[fail-6]'",
        "",
        "5 variants: 1 pass, 1 fail, 2 known, 1 skip in 12.3 s",
    ]


def test_several_toolchains_in_a_narrow_terminal() -> None:
    names = ("stable", "nightly", "stage1")
    outcomes = ("pass", "known", "skip")
    records = [record(outcome, toolchain=name) for name in names for outcome in outcomes]
    lines = printed(records, width=60)
    assert lines[0].split() == ["case", "stable", "nightly", "stage1"]
    assert all(len(line) <= 60 for line in lines[: lines.index("")])
    table = " ".join(lines[: lines.index("")])
    assert len(re.findall(r"1 (?:pass|known|skip)\b", table)) == 9
    assert not re.search(r"\b1 (?!pass|known|skip)", table)
    assert "\ue000" not in table
    assert "stable   1.95.0 (59807616e 2026-04-14)" in lines
    assert "nightly  1.97.0-nightly (nightly)" in lines


def test_evidence_is_separated_and_cut_after_a_limit() -> None:
    cases = [f"cases/{number:02}.yaml" for number in range(15)]
    lines = printed([record("error", case, failures=[missing(case)]) for case in cases])
    places = [index for index, line in enumerate(lines) if line.startswith("── error: ")]
    assert len(places) == 12
    assert all(lines[index - 1] == "" and "foo does not hold" in lines[index + 1] for index in places)
    assert lines[-6:-1] == [
        "── 3 more", "error: cases/12.yaml::stable[error-7]", "error: cases/13.yaml::stable[error-7]",
        "error: cases/14.yaml::stable[error-7]", "",
    ]  # fmt: skip


def evidence_of(records: list[VariantReport]) -> list[str]:
    lines = printed(records)
    start = next(index for index, line in enumerate(lines) if line.startswith("── fail"))
    return lines[start:-2]


def test_claim_that_fails_in_many_variants_is_shown_once() -> None:
    failing = [
        record("fail", toolchain=name, cell=f"lto={lto}", failures=[missing("cases/a.yaml")])
        for name in ("stable", "nightly")
        for lto in ("off", "thin-local", "thin", "fat", "null")
    ]
    records = [*failing, record("pass", cell="lto=no"), record("skip", cell="lto=never")]
    assert evidence_of(records) == [
        "── fail: cases/a.yaml::stable[lto=off] and 9 other variants",
        *EVIDENCE[:3],
        "    in:      5 of 6 variants (lto=off, lto=thin-local, lto=thin, lto=fat and 1 more) on stable",
        "             all 5 variants on nightly",
        *EVIDENCE[3:],
        "repro: linkage repro 'cases/a.yaml::stable[lto=off]'",
    ]
    assert len(printed(failing)) <= 18


def test_each_claim_is_shown_with_its_first_failing_variant() -> None:
    first, second = missing("cases/a.yaml"), replace(missing("cases/a.yaml"), claim="bar")
    third = replace(missing("cases/a.yaml"), found="nothing")
    lines = evidence_of(
        [
            record("fail", cell="one", failures=[first]),
            record("fail", cell="two", failures=[first, second]),
            record("fail", cell="three", failures=[third]),
        ]
    )
    assert [line for line in lines if line.startswith(("──", "    in", "    found", "cases/"))] == [
        "── fail: cases/a.yaml::stable[one] and 2 other variants",
        "cases/a.yaml:9:7: lib: foo does not hold",
        "    found:   the list is empty",
        "    in:      2 of 3 variants (one, two) on stable",
        "    found:   nothing",
        "    in:      1 of 3 variants (three) on stable",
        "── fail: cases/a.yaml::stable[two]",
        "cases/a.yaml:9:7: lib: bar does not hold",
        "    found:   the list is empty",
    ]


def test_members_are_those_of_the_first_variant() -> None:
    def inside(*names: str) -> list[Failure]:
        return [replace(missing("cases/a.yaml"), member=name, look=(f"ar p {name}",)) for name in names]

    lines = evidence_of(
        [
            record("fail", cell="one", failures=inside("a.o", "b.o")),
            record("fail", cell="two", failures=inside("a.o", "b.o", "c.o")),
        ]
    )
    assert lines[4:6] == ["    members: a.o, b.o", "    in:      all 2 variants on stable"]
    assert [line for line in lines if "ar p" in line] == ["    ar p a.o"]


@pytest.mark.parametrize(
    ("first", "changes"),
    [
        ("known bug gone: #1 has no std", {"outcome": "fixed"}),
        (
            "skipped, which --no-skip turns into a failure: #1 has no std",
            {"outcome": "fail", "refused": True},
        ),
    ],
)
def test_reason_of_many_variants_is_shown_once(first: str, changes: dict[str, Any]) -> None:
    reports = [
        replace(record("skip", f"cases/{case}.yaml", cell=cell, reason="#1 has no std"), **changes)
        for case in "ab"
        for cell in ("x", "y")
    ]
    lines = printed([*reports, record("pass", "cases/b.yaml")])
    start = lines.index(first)
    assert lines[start - 1] == f"── {changes['outcome']}: cases/a.yaml::stable[x] and 3 other variants"
    assert lines[start + 1 : start + 3] == [
        "    in:      cases/a.yaml: all 2 variants on stable",
        "             cases/b.yaml: 2 of 3 variants (x, y) on stable",
    ]
    assert lines.count(first) == 1


def test_what_has_no_verdict_is_never_silent() -> None:
    lines = printed([record()], unreadable=["a.yaml:1:1: broken"], broken=["b: worker crashed"])
    assert lines[4:] == [
        "", "── case files that could not be read", "a.yaml:1:1: broken",
        "", "── without a verdict", "b: worker crashed",
        "", "1 variant: 1 pass; case files that could not be read: 1; without a verdict: 1 in 12.3 s",
    ]  # fmt: skip


def test_a_run_that_ended_early_and_one_of_nothing() -> None:
    assert printed([record()], collected=7)[-1] == "1 of 7 variants: 1 pass in 12.3 s"
    assert printed([]) == ["", "no variant was run in 12.3 s"]


def test_nothing_in_it_controls_the_terminal() -> None:
    evil = "\x1b[2J\x07"
    found = replace(missing(f"cases/{evil}.yaml"), claimed=evil, found=evil, nearest=(evil,), member=evil)
    lines = printed(
        [
            record("fail", f"cases/{evil}.yaml", f"stable{evil}", [found], cell=evil),
            record("known", bugs=[{"name": evil, "note": evil}]),
            record("skip", reason=evil),
        ],
        unreadable=[f"a\n{evil}"],
        broken=[evil],
    )
    assert all(line.isprintable() for line in lines)
    assert r"\x1b[2J\x07" in lines


def test_markup_in_names_is_text() -> None:
    found = replace(missing("cases/[bold]x.yaml"), found="[red]found[/red] [nope]")
    lines = printed([record("fail", "cases/[bold]x.yaml", failures=[found])])
    assert "cases/[bold]x.yaml  1 fail" in lines
    assert "    found:   [red]found[/red] [nope]" in lines


def test_a_log_is_not_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert summary_console().width == 140
    monkeypatch.setenv("COLUMNS", "77")
    assert summary_console().width == 77
