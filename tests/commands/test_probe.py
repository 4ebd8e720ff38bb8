"""`linkage probe` as other tools call it: by its exit status alone."""

import json
from pathlib import Path

import pytest

from linkage.cli import main
from support.scripted_rustc import FAILS, FAILS_OTHERWISE, MakeRustc


def probe(*words: str | Path) -> int:
    return main(["probe", *map(str, words)])


def test_good_bad_and_inconclusive(
    case: str, make_rustc: MakeRustc, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe(case, "--toolchain", make_rustc("good")) == 0
    assert capsys.readouterr().err.splitlines() == [
        "good: answer.yaml[size=1]: passes",
        "good: answer.yaml[size=2]: passes",
    ]
    bad = make_rustc("bad", FAILS)
    assert probe(f"{case}[size=1]", "--toolchain", bad) == 1
    assert capsys.readouterr().err == (
        "bad: answer.yaml[size=1]: fails: lib: exit: error: the shim is missing\n"
    )
    assert probe(case, "--toolchain", "no/such/rustc") == 125
    assert capsys.readouterr().err.startswith("inconclusive: toolchain no/such/rustc: no such file")
    # A crash of the compiler is a failure.
    assert probe(case, "--toolchain", make_rustc("crash", "kill -SEGV $$")) == 1


def test_only_the_failure_that_was_saved_is_bad(
    case: str, make_rustc: MakeRustc, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe(case, "--toolchain", make_rustc("bad", FAILS), "--save", "shim.json") == 1
    saved = json.loads((tmp_path / "shim.json").read_text())
    assert saved["variants"]["size=1"]["failures"][0]["line"] == "error: the shim is missing"
    capsys.readouterr()
    assert probe(case, "--toolchain", make_rustc("other", FAILS_OTHERWISE), "--like", "shim.json") == 125
    assert capsys.readouterr().err.splitlines()[0] == (
        "inconclusive: answer.yaml[size=1]: a different failure: lib: exit: error: unknown codegen option"
    )
    assert probe(case, "--toolchain", make_rustc("again", f"true; {FAILS}"), "--like", "shim.json") == 1
    assert probe(case, "--toolchain", make_rustc("good"), "--like", "shim.json") == 0


def test_the_signature_of_another_case(
    case: str, make_rustc: MakeRustc, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe(case, "--toolchain", make_rustc("bad", FAILS), "--save", "shim.json") == 1
    (tmp_path / "other.yaml").write_text((tmp_path / case).read_text())
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / case).write_text((tmp_path / case).read_text())
    capsys.readouterr()
    assert probe("other.yaml", "--toolchain", tmp_path / "bad", "--like", "shim.json") == 255
    assert capsys.readouterr().err == (
        "linkage: shim.json: is the signature of answer.yaml, not of other.yaml (help: probe answer.yaml)\n"
    )
    assert probe(f"sub/{case}", "--toolchain", tmp_path / "bad", "--like", "shim.json") == 1


def test_as_a_script_of_cargo_bisect_rustc(
    case: str, make_rustc: MakeRustc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That one has no third answer: all but the failure is the baseline."""
    monkeypatch.setenv("RUSTC", str(make_rustc("bad", FAILS)))
    assert probe(case, "--script-mode", "--save", "shim.json") == 1
    monkeypatch.setenv("RUSTC", str(make_rustc("other", FAILS_OTHERWISE)))
    assert probe(case, "--script-mode", "--like", "shim.json") == 0
    assert probe(case, "--script-mode") == 1


def test_a_limit_of_the_case_can_be_ignored(case: str, make_rustc: MakeRustc, tmp_path: Path) -> None:
    file = tmp_path / case
    file.write_text(file.read_text().replace("matrix:", "toolchains: '<1.10'\nmatrix:"))
    good = make_rustc("good")
    assert probe(case, "--toolchain", good) == 125
    assert probe(case, "--toolchain", good, "--ignore-limits") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.yaml", "--toolchain", "x"], "linkage: nowhere.yaml: no such case file or directory"),
        (["answer.yaml[size=3]", "--toolchain", "x"], "linkage: answer.yaml: no variant [size=3]"),
        (["answer.yaml"], "linkage: probe: no compiler is named (help: --toolchain SPEC, or set RUSTC"),
        (["answer.yaml", "--toolchain", "x", "--like", "no"], "linkage: no: cannot be read: No such file"),
        (
            ["answer.yaml", "--toolchain", "x", "--like", "answer.yaml"],
            "linkage: answer.yaml: is not a signature",
        ),
    ],
)
def test_wrong_input_ends_a_bisection(
    case: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`git bisect run` takes everything up to 127 for an answer."""
    assert case
    assert probe(*words) == 255
    error = capsys.readouterr().err
    assert error.startswith(said)
    assert error.count("\n") == 1


def test_a_wrong_option_ends_a_bisection(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        probe("answer.yaml", "--good")
    assert ended.value.code == 255
    assert "linkage probe: unknown option `--good`" in capsys.readouterr().err
