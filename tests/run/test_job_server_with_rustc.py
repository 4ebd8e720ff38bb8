"""Real compilers under the job server: never more at once, and the same outputs."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from linkage.case.reader import parse_case
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.plan.plan import Variant
from linkage.run.job_server import JobServer
from linkage.run.session import Session
from linkage.store.store import Store
from linkage.toolchain import Located, Toolchain, probe
from linkage.toolchain.release import RustcVersion

ROOT = Path(__file__).parents[2]
CASE = """\
summary: Small libraries
matrix: {n: [a, b, c, d, e, f]}
sources:
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[no_mangle] pub extern "C" fn answer_${n}() -> i32 { 42 }
    pub mod one { #[inline(never)] pub fn f(x: u32) -> u32 { x.rotate_left(3) ^ 5 } }
    pub mod two { #[inline(never)] pub fn f(x: u32) -> u32 { x.rotate_right(3) ^ 7 } }
    pub mod three { #[inline(never)] pub fn f(x: &[u32]) -> u32 { x.iter().sum() } }
steps:
  - rustc: lib.rs
    crate-type: [staticlib, cdylib]
    panic: abort
    codegen-units: 4
    opt-level: 2
    stderr: {empty: true}
    claims:
      lib.cdylib: {exports: ["answer_${n}"]}
      lib.staticlib: {defines: ["answer_${n}"]}
"""
WRAPPER = """\
#!/bin/sh
case "$*" in *error-format=json*) ;; *) exec {rustc} "$@" ;; esac
echo "+ $MAKEFLAGS" >> {log}
{rustc} "$@"
status=$?
echo - >> {log}
exit $status
"""


@pytest.fixture(scope="module")
def real(found_toolchains: list[Located], cache: Path) -> Toolchain:
    found = [probe(one, cache) for one in found_toolchains]
    return max(found, key=lambda one: one.version)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def wrapped(real: Toolchain, tmp_path: Path, log: Path) -> Toolchain:
    """The compiler, noting when it starts and ends."""
    place = tmp_path / "rustc"
    place.write_text(WRAPPER.format(rustc=real.rustc, log=log))
    place.chmod(0o755)
    return replace(real, name="wrapped", rustc=place, fingerprint="wrapped")


def at_once(log: Path) -> int:
    """The most compilers that ran at the same time; both marks of a compiler lie within its run."""
    now = most = 0
    for line in log.read_text().splitlines():
        now += 1 if line.startswith("+") else -1
        most = max(most, now)
    return most


def first(session: Session, made: Toolchain, count: int = 1) -> list[Verdict]:
    case = parse_case(CASE, Path("/nowhere/case.yaml"), "case.yaml")
    return [session.verdict(Variant(case, row, made)) for row in case.rows[:count]]


def served(folder: Path, cache: Path, width: int) -> Session:
    jobs = JobServer.make(folder, width)
    assert jobs is not None
    return Session(Store(folder / "store"), cache, jobs=jobs)


@pytest.mark.parametrize(("width", "arguments"), [(1, ["-n", "3"]), (2, ["-n", "4"]), (2, [])])
def test_never_more_compilers_than_the_width(
    width: int, arguments: list[str], wrapped: Toolchain, tmp_path: Path, log: Path, cache: Path
) -> None:
    (tmp_path / "case.yaml").write_text(CASE)
    env = os.environ | {"LINKAGE_STORE": str(tmp_path / "store"), "LINKAGE_CACHE": str(cache)}
    env["PYTHONPATH"] = str(ROOT / "harness")
    words = ["case.yaml", "--toolchain", f"wrapped={wrapped.rustc}", "-j", str(width), *arguments]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "linkage.plugin", "-p", "no:cacheprovider", *words],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    starts = [line for line in log.read_text().splitlines() if line.startswith("+")]
    assert len(starts) == 6
    assert all(f"-j{width} --jobserver-auth=fifo:" in line for line in starts)
    assert at_once(log) <= width
    assert not list((tmp_path / "store").glob("v*/work/*"))


@pytest.mark.parametrize("text", ["-1", "0", "two", "1001", "1.5"])
def test_invalid_width_is_refused(text: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "linkage", "run", f"--jobs={text}"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT / "harness")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert f"argument -j/--jobs: must be a number from 1 to 1000, not '{text}'" in done.stderr


def test_width_does_not_change_outputs(real: Toolchain, tmp_path: Path, cache: Path) -> None:
    made: list[dict[str, bytes]] = []
    for width in (None, 1, 4):
        folder = tmp_path / str(width)
        folder.mkdir()
        session = served(folder, cache, width) if width else Session(Store(folder / "store"), cache)
        (verdict,) = first(session, real)
        assert verdict.outcome is VerdictKind.PASS, verdict.failures
        store = folder / "store"
        # Facts are kept under the content that they were read from: its bytes decide their names.
        made.append({str(one.relative_to(store)): one.read_bytes() for one in store.glob("v*/facts/*/*")})
    assert len(made[0]) == 2
    assert made[0] == made[1] == made[2]


def test_keys_do_not_depend_on_the_server(wrapped: Toolchain, tmp_path: Path, log: Path, cache: Path) -> None:
    session = served(tmp_path, cache, 2)
    first(session, wrapped)
    assert log.read_text().count("+") == 1
    first(Session(session.store, cache), wrapped)
    assert log.read_text().count("+") == 1


def test_compiler_without_fifo_support_gets_no_server(
    wrapped: Toolchain, tmp_path: Path, log: Path, cache: Path
) -> None:
    old = replace(wrapped.capabilities, version=RustcVersion.parse("1.73.0"))
    first(served(tmp_path, cache, 2), replace(wrapped, capabilities=old))
    assert log.read_text().splitlines()[0] == "+ "


def test_environment_of_the_case_comes_first(
    wrapped: Toolchain, tmp_path: Path, log: Path, cache: Path
) -> None:
    text = CASE.replace("    stderr: {empty: true}\n", "    env: {MAKEFLAGS: -n}\n")
    case = parse_case(text, Path("/nowhere/case.yaml"), "case.yaml")
    served(tmp_path, cache, 2).verdict(Variant(case, case.rows[0], wrapped))
    assert log.read_text().splitlines()[0] == "+ -n"


def test_killed_compiler_leaves_nobody_waiting(real: Toolchain, tmp_path: Path, cache: Path) -> None:
    """It takes the tokens and is killed for its time: those who come after it find all of them."""
    greedy = tmp_path / "greedy"
    greedy.write_text(
        f'#!/bin/sh\ncase "$*" in *error-format=json*) ;; *) exec {real.rustc} "$@" ;; esac\n'
        'fifo=${MAKEFLAGS#*fifo:}\nexec 3<>"$fifo"\nhead -c 1 <&3 >/dev/null\nsleep 1000\n'
    )
    greedy.chmod(0o755)
    session = served(tmp_path, cache, 2)
    case = parse_case(
        CASE.replace("summary:", "timeout: 1\nsummary:"), Path("/nowhere/case.yaml"), "case.yaml"
    )
    hung = replace(real, rustc=greedy, fingerprint="greedy")
    assert session.verdict(Variant(case, case.rows[0], hung)).outcome is VerdictKind.ERROR
    (verdict,) = first(session, real)
    assert verdict.outcome is VerdictKind.PASS
    assert session.jobs is not None
    assert session.jobs.kept is not None
    assert os.read(session.jobs.kept, 100) == b"++"
