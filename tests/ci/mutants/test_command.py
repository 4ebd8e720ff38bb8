"""Wrappers around a real rustc: as `ci/mutants/run` uses them, and as a toolchain of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mutants.__main__ import drawn
from mutants.document import BEGIN, END
from mutants.faults.table import FAULTS

ROOT = Path(__file__).parents[3]
CASE = """\
summary: A cdylib exports its one function
sources:
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[no_mangle] pub extern "C" fn answer() -> i32 { 42 }
steps:
  - rustc: lib.rs
    crate-type: cdylib
    panic: abort
    claims:
      lib.cdylib: {exports: {only: [answer]}, soname: none}
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "case.yaml").write_text(CASE)
    given = {"LINKAGE_STORE": str(tmp_path / "store"), "LINKAGE_CACHE": str(tmp_path / "cache")}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return kept | given | {"PYTHONPATH": f"{ROOT}/harness:{ROOT}/ci"}


@pytest.fixture
def spec(rustc: Path) -> str:
    return f"real={rustc}"


def run(env: dict[str, str], folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def faults(env: dict[str, str], folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return run(env, folder, "-m", "mutants", *words)


def test_faults_are_seen_and_the_plain_wrapper_is_not(env: dict[str, str], tmp_path: Path, spec: str) -> None:
    only = [word for name in ("export-lost", "stripped", "plain") for word in ("--only", name)]
    done = faults(env, tmp_path, "case.yaml", "--toolchain", spec, *only, "--claims")
    assert done.returncode == 1, done.stderr  # nothing in the case says that it is not stripped
    seen = next(line for line in done.stdout.splitlines() if line.startswith("export-lost "))
    assert "lib.cdylib.exports.only" in seen
    assert "stripped: no case detects it" in done.stdout
    assert "passes: case.yaml" in done.stdout
    assert "plain: 1 variants with the wrapper that has no fault\n" in done.stdout
    assert "case.yaml: 1 of 2 claims have never failed\n" in done.stdout
    assert "lib: lib.cdylib.soname" in done.stdout
    assert done.stdout.endswith(
        "2 faults: 1 detected, 1 of them by one case, 1 not; 0 unsound; 0 failed with the plain wrapper; "
        + done.stdout.rpartition("; ")[2]
    )
    again = faults(env, tmp_path, "case.yaml", "--toolchain", spec, "--only", "export-lost")
    assert again.returncode == 0, again.stdout


def test_a_run_goes_on_in_its_folder(env: dict[str, str], tmp_path: Path, spec: str) -> None:
    (tmp_path / "other.yaml").write_text(CASE)
    words = ("--toolchain", spec, "--folder", "kept", "--only", "export-lost")
    first = faults(env, tmp_path, "case.yaml", *words)
    assert first.returncode == 0, first.stderr
    assert "export-lost: case, 1 tried, " in first.stderr
    again = faults(env, tmp_path, "case.yaml", *words)
    assert "export-lost: case, 0 tried, " in again.stderr
    assert "1 detected, 1 of them by one case" in again.stdout
    both = faults(env, tmp_path, "case.yaml", "other.yaml", *words)
    assert "export-lost: case, other, 1 tried, " in both.stderr
    assert "1 detected, 0 of them by one case" in both.stdout

    table = tmp_path / "README.md"
    table.write_text(f"{BEGIN}\n| `export-lost` | old | case, gone |\n{END}\n")
    into = ("--toolchain", spec, "--folder", "kept", "--into", str(table))
    assert faults(env, tmp_path, "case.yaml", "other.yaml", *into).returncode == 0
    folder = tmp_path.name
    assert f"is not exported | {folder}/case, {folder}/other |" in table.read_text()


def test_a_wrapper_as_a_toolchain(env: dict[str, str], tmp_path: Path, spec: str) -> None:
    status = {}
    for name in ("plain", "export-lost"):
        wrapper = faults(env, tmp_path, "--toolchain", spec, "--wrapper", name).stdout.strip()
        done = run(env, tmp_path, "-m", "linkage", "run", "case.yaml", "--toolchain", f"{name}={wrapper}")
        status[name] = done.returncode
    assert status == {"plain": 0, "export-lost": 1}


def test_case_that_fails_without_a_fault_detects_nothing(
    env: dict[str, str], tmp_path: Path, spec: str
) -> None:
    (tmp_path / "case.yaml").write_text(CASE.replace("only: [answer]", "only: [other]"))
    done = faults(env, tmp_path, "case.yaml", "--toolchain", spec, "--only", "export-lost")
    assert done.returncode == 1
    assert "export-lost: case.yaml[]: fails without a fault, too" in done.stdout


@pytest.mark.usefixtures("rustc")
def test_wrong_input(env: dict[str, str], tmp_path: Path) -> None:
    for words, text in (
        (
            ["--only", "no-such-fault"],
            "no fault is named `no-such-fault` (help: run `ci/mutants/run --list`)",
        ),
        (["nowhere"], "nowhere: no such case file or directory"),
        (["--sample", "0"], "--sample: must be from 1 to "),
        (["--sample", "1", "--only", "lto-off"], "--sample, --only and --unfinished cannot be combined"),
        (["--unfinished", "nowhere.md"], "nowhere.md: cannot be read: "),
    ):
        done = faults(env, tmp_path, *words)
        assert done.returncode != 0
        assert text in done.stderr
        assert "Traceback" not in done.stderr


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    assert drawn(None, 0) == []
    assert drawn(20, 1) == drawn(20, 1)
    assert drawn(20, 1) != drawn(20, 2)
    assert len(set(drawn(20, 1))) == 20
    assert set(drawn(len(FAULTS), 0)) == set(FAULTS)
