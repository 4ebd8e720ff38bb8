"""What `linkage probe` answers to tools that know less than three answers, and about known bugs."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from linkage.bisect.callers import interrupt_cargo_bisect_rustc
from linkage.cli import main
from support.scripted_rustc import FAILS, FAILS_OTHERWISE, MakeRustc

REPOSITORY = Path(__file__).parents[2]
KNOWN = """\
known-bugs:
  - issue: rust-lang/rust#1
    when: {size: 1}
    signature: {step: lib, exit: 1}
"""


def probe(*words: object) -> int:
    return main(["probe", *map(str, words)])


def test_a_known_bug_is_saved_as_the_failure_that_it_is(
    case: str, make_rustc: MakeRustc, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / case).open("a") as file:
        file.write(KNOWN)
    one = f"{case}[size=1]"
    bad = make_rustc("bad", FAILS)
    assert probe(one, "--toolchain", bad) == 0, capsys.readouterr().err
    assert probe(one, "--toolchain", bad, "--save", "shim.json") == 1
    assert probe(one, "--toolchain", bad, "--like", "shim.json") == 1
    assert probe(one, "--toolchain", make_rustc("other", FAILS_OTHERWISE), "--like", "shim.json") == 125
    assert probe(one, "--toolchain", make_rustc("good"), "--like", "shim.json") == 0


def test_nothing_is_saved_if_nothing_fails(
    case: str, make_rustc: MakeRustc, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe(case, "--toolchain", make_rustc("good"), "--save", "shim.json") == 255
    assert capsys.readouterr().err == (
        "linkage: answer.yaml: nothing fails, so there is no failure to save "
        "(help: probe a compiler on which it fails)\n"
    )
    assert not (tmp_path / "shim.json").exists()


def test_what_fixed_it(case: str, make_rustc: MakeRustc, tmp_path: Path) -> None:
    one = f"{case}[size=1]"
    bad = make_rustc("bad", FAILS)
    assert probe(one, "--toolchain", bad, "--save", "shim.json", "--regress", "fixed") == 0
    for toolchain, status in ((bad, 0), (make_rustc("good"), 1), (make_rustc("other", FAILS_OTHERWISE), 125)):
        words = (one, "--toolchain", toolchain, "--like", "shim.json", "--regress", "fixed")
        assert probe(*words) == status
    assert probe(one, "--toolchain", tmp_path / "none", "--regress", "fixed") == 125


def test_what_cannot_be_judged_is_no_answer_of_a_script(
    case: str, make_rustc: MakeRustc, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # What rustc says of its own work, without a place in a source.
    full = make_rustc("full", "echo 'error: No space left on device (os error 28)' >&2; exit 1")
    for words in (["--toolchain", tmp_path / "none"], ["--toolchain", full]):
        assert probe(case, "--script-mode", *words) == 255
        assert "this compiler could not be judged: take no notice" in capsys.readouterr().err
    assert probe("none.yaml", "--script-mode", "--toolchain", full) == 255


def test_cargo_bisect_rustc_is_interrupted(case: str, tmp_path: Path) -> None:
    """Through a shell between the two; without it, nobody is."""
    assert not interrupt_cargo_bisect_rustc(tmp_path)
    tool = tmp_path / "cargo-bisect-rustc"
    tool.write_text(
        textwrap.dedent(
            f"""\
            #!{sys.executable}
            import subprocess, sys
            open("/proc/self/comm", "w").write("cargo-bisect-rustc")
            script = '"$0" -m linkage probe "$1" --script-mode --toolchain ./none; echo status $?'
            subprocess.run(["/bin/sh", "-c", script, {sys.executable!r}, {case!r}])
            print("an answer")
            """
        )
    )
    done = subprocess.run(
        [sys.executable, tool],
        cwd=tmp_path, env={"PYTHONPATH": str(REPOSITORY / "harness"), "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGINT
    assert "an answer" not in done.stdout
