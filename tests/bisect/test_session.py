"""What a bisection finds out by itself: good ends from stored results, bounds from compilers' names."""

import os
from datetime import date
from pathlib import Path

import pytest

from linkage.bisect.axis import between
from linkage.bisect.bounds import bound_of, end
from linkage.bisect.request import Request
from linkage.bisect.session import hints_of, targets_of
from linkage.bisect.trials import trials_of
from linkage.errors import LinkageError
from linkage.judge.results import Compiler, KeptResult
from linkage.run.session import Session
from linkage.store.results import Results
from linkage.store.store import Store
from linkage.toolchain.release import RustcVersion
from linkage.toolchain.sources.rustup.folders import machine_host

TODAY = date(2026, 5, 25)


def result(tmp_path: Path, cell: str, version: str, outcome: str) -> KeptResult:
    return KeptResult(str(tmp_path / "answer.yaml"), cell, Compiler("nightly", version, version), outcome)


def test_the_newest_that_passed_is_tried_first(case: str, tmp_path: Path) -> None:
    session = Session(Store(tmp_path / "store"), tmp_path / "cache")
    Results(session.store).record(
        [
            result(tmp_path, "size=1", "1.97.0-nightly (e50aa6fba 2026-05-11)", "pass"),
            result(tmp_path, "size=1", "1.97.0-nightly (e50aa6fbb 2026-05-14)", "fail"),
            result(tmp_path, "size=1", "1.95.0 (59807616e 2026-04-14)", "pass"),
            result(tmp_path, "size=1", "1.63.0", "pass"),
            result(tmp_path, "size=2", "1.97.0-nightly (e50aa6fbc 2026-05-09)", "known"),
        ]
    )
    request = Request((case,), folder=str(tmp_path), today=str(TODAY))
    asked, _ = request.range(None)
    found = hints_of(trials_of(request), asked, session)
    assert [date.fromordinal(place) for place in found] == [date(2026, 5, 10)]
    one = Request((f"{case}[size=1]",), folder=str(tmp_path), today=str(TODAY))
    assert [date.fromordinal(p) for p in hints_of(trials_of(one), asked, session)] == [date(2026, 5, 12)]
    given = between("2026-05-01", "2026-05-19", TODAY)
    assert hints_of(trials_of(one), given, session) == []


def test_the_targets_that_the_cases_need(case: str, tmp_path: Path) -> None:
    file = tmp_path / case
    other = "aarch64-unknown-linux-gnu"
    file.write_text(
        file.read_text().replace("size: [1, 2]", f"size: [1], target: [{machine_host()}, {other}]")
    )
    variants = trials_of(Request((case,), folder=str(tmp_path)))
    assert targets_of(variants, ["wasm32-unknown-unknown"]) == (other, "wasm32-unknown-unknown")


def test_a_bound_that_names_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINKAGE_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("LINKAGE_CACHE", str(tmp_path / "cache"))
    assert end(None, os.environ) is None
    assert end("2026-05-19", os.environ) == "2026-05-19"
    assert end("1.95", os.environ) == "1.95"
    with pytest.raises(
        LinkageError, match="soon: is not a date, a release, a commit or an installed toolchain"
    ):
        end("soon", os.environ)


@pytest.mark.parametrize(
    ("release", "meant"),
    [
        ("rustc 1.97.0-nightly\ncommit-date: 2026-05-18\nrelease: 1.97.0-nightly", "nightly-2026-05-19"),
        ("rustc 1.95.0\nrelease: 1.95.0", "1.95.0"),
        ("rustc 1.97.0-dev\nrelease: 1.97.0-dev", None),
    ],
)
def test_bound_of_an_installed_compiler(release: str, meant: str | None) -> None:
    version = RustcVersion.from_verbose(release)
    if meant is None:
        with pytest.raises(LinkageError, match="is not a nightly or a release"):
            bound_of(version)
    else:
        assert bound_of(version) == meant


def test_a_request_is_read_as_it_was_written() -> None:
    request = Request(("a.yaml",), good="1.78", bad="1.95", regress="fixed", no_skip=True)
    assert Request.read(request.line(), "x") == request
    assert request.line() == {
        "cases": ("a.yaml",), "good": "1.78", "bad": "1.95", "regress": "fixed", "no_skip": True,
    }  # fmt: skip
    assert request.ends == ("1.95", "1.78")
    with pytest.raises(LinkageError, match=r"x: invalid `start` line: .*unknown field"):
        Request.read({"cases": [], "odd": 1}, "x")
