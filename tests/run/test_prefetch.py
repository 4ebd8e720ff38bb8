"""Prefetched variants: as many at once as requested, and with the same verdicts."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from linkage.case.reader import parse_case
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.plan.plan import Variant
from linkage.run.job_server import ROOM, available
from linkage.run.prefetch import Prefetcher
from linkage.run.session import Session
from linkage.store.store import Store
from linkage.toolchain import Located, probe

ROOT = Path(__file__).parents[2]
CASE = """\
summary: Small libraries
matrix: {n: [a, b, c, d, e, f]}
sources:
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[no_mangle] pub extern "C" fn answer_${n}() -> i32 { 42 }
steps:
  - rustc: lib.rs
    crate-type: cdylib
    panic: abort
    claims:
      lib.cdylib: {exports: ["answer_${n}"]}
"""
WRAPPER = """\
#!/bin/sh
case "$*" in *error-format=json*) ;; *) exec {rustc} "$@" ;; esac
echo + >> {log}
sleep {seconds}
{rustc} "$@"
status=$?
echo - >> {log}
exit $status
"""

PYTEST = ("pytest", "-p", "linkage.plugin")


class Run:
    """A folder with a case, and a compiler that takes its time."""

    def __init__(self, folder: Path, rustc: Path, seconds: float) -> None:
        self.folder = folder
        self.log = folder / "log"
        (folder / "case.yaml").write_text(CASE)
        self.rustc = folder / "rustc"
        self.rustc.write_text(WRAPPER.format(rustc=rustc, log=self.log, seconds=seconds))
        self.rustc.chmod(0o755)

    def start(self, *arguments: str, program: tuple[str, ...] = PYTEST) -> "subprocess.Popen[str]":
        env = os.environ | {"PYTHONPATH": str(ROOT / "harness"), "LINKAGE_STORE": str(self.folder / "store")}
        words = ["-p", "no:cacheprovider", "case.yaml", "--toolchain", f"slow={self.rustc}", *arguments]
        return subprocess.Popen(
            [sys.executable, "-m", *program, *words],
            cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def finish(self, *arguments: str, program: tuple[str, ...] = PYTEST) -> tuple[int, str]:
        with self.start(*arguments, program=program) as started:
            text, _ = started.communicate()
        return started.returncode, text

    @property
    def marks(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    @property
    def at_once(self) -> int:
        now = most = 0
        for mark in self.marks:
            now += 1 if mark == "+" else -1
            most = max(most, now)
        return most


@pytest.mark.parametrize("width", [1, 2, 3])
def test_as_many_at_once_as_asked_for_without_xdist(width: int, rustc: Path, tmp_path: Path) -> None:
    if available() < 2 * ROOM:
        pytest.skip("there is too little memory for several at once")
    run = Run(tmp_path, rustc, 1)
    status, text = run.finish("-j", str(width))
    assert status == 0, text
    assert "6 passed" in text
    assert run.at_once == width
    assert run.marks.count("+") == 6  # each once


def test_verdicts_are_those_of_a_run_that_does_one_after_the_other(rustc: Path, tmp_path: Path) -> None:
    run = Run(tmp_path, rustc, 0)
    text = CASE.replace('exports: ["answer_${n}"]', "exports: [answer_c]")
    (tmp_path / "case.yaml").write_text(text)
    said = [run.finish("-j", width, "-rA", "--store", str(tmp_path / width)) for width in ("1", "3")]
    outcomes = [
        [line for line in one.splitlines() if line.startswith(("PASSED", "FAILED"))] for _, one in said
    ]
    assert [status for status, _ in said] == [1, 1]
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0]) == 6


def test_after_the_first_failure_nothing_is_begun(rustc: Path, tmp_path: Path) -> None:
    run = Run(tmp_path, rustc, 0.5)
    names = ", ".join(f"v{number}" for number in range(20))
    text = CASE.replace("a, b, c, d, e, f", names).replace('"answer_${n}"', "missing")
    (tmp_path / "case.yaml").write_text(text)
    status, said = run.finish("-j", "2", "-x")
    assert status == 1, said
    begun = run.marks.count("+")
    assert begun < 10
    time.sleep(1)
    assert run.marks.count("+") == begun


def test_an_interruption_ends_what_is_begun(rustc: Path, tmp_path: Path) -> None:
    run = Run(tmp_path, rustc, 60)
    with run.start("-j", "3") as started:
        until = time.monotonic() + 60
        while len(run.marks) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        started.send_signal(signal.SIGINT)
        text, _ = started.communicate(timeout=45)  # seconds: no compiler ends by itself so soon
    assert started.returncode == 2, text
    assert "-" not in run.marks
    assert not list((tmp_path / "store").glob("v*/work/*"))


def test_prefetched_variants_are_not_reported_as_cached(rustc: Path, tmp_path: Path) -> None:
    run = Run(tmp_path, rustc, 0)
    linkage = ("linkage", "run")
    _, first = run.finish("-j", "3", program=linkage)
    assert "from the store" not in first
    _, second = run.finish("-j", "3", program=linkage)
    assert "6 cached" in second
    assert run.marks.count("+") == 6


class Noted(Session):
    """A session that notes in which order its variants are begun, and carries nothing out."""

    begun: list[str]

    def verdict(self, variant: Variant) -> Verdict:
        self.begun.append(str(variant.row["n"]))
        assert self.progress is not None
        self.progress("step")
        time.sleep(0.05)
        return Verdict(VerdictKind.PASS, str(variant.row["n"]))


def test_what_took_longest_is_begun_first_and_answered_in_its_turn(
    found_toolchains: list[Located], cache: Path, tmp_path: Path
) -> None:
    case = parse_case(CASE, tmp_path / "case.yaml", "case.yaml")
    toolchain = probe(found_toolchains[0], cache)
    variants = [Variant(case, row, toolchain) for row in case.rows]
    session = Noted(Store(tmp_path / "store"), tmp_path / "cache")
    session.begun = []
    known = {"e": 5.0, "c": 3.0}
    ahead = Prefetcher(session, variants, 1, lambda variant: known.get(str(variant.row["n"]), 1.0))
    ahead.start()
    answers = [ahead.verdict(variant).reason for variant in variants]
    ahead.stop()
    assert answers == ["a", "b", "c", "d", "e", "f"]
    assert session.begun[0] == "a"  # its turn had come
    assert sorted(session.begun) == answers  # each once
    others = [name for name in session.begun if name in "cef"]
    assert others == ["e", "c", "f"]


def test_error_in_a_thread_is_raised_with_the_verdict(
    found_toolchains: list[Located], cache: Path, tmp_path: Path
) -> None:
    class Broken(Noted):
        def verdict(self, variant: Variant) -> Verdict:
            if variant.row["n"] == "b":
                raise RuntimeError("broken")
            return super().verdict(variant)

    case = parse_case(CASE, tmp_path / "case.yaml", "case.yaml")
    variants = [Variant(case, row, probe(found_toolchains[0], cache)) for row in case.rows]
    session = Broken(Store(tmp_path / "store"), tmp_path / "cache")
    session.begun = []
    ahead = Prefetcher(session, variants, 2)
    ahead.start()
    ahead.verdict(variants[0])
    with pytest.raises(RuntimeError, match="broken"):
        ahead.verdict(variants[1])
    ahead.stop()
