"""Everything can be bisected: a Rust file, a script, a Cargo project, and other outcomes than failures."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from linkage.bisect.rust_source import case_text
from linkage.case.reader import parse_case
from linkage.cli import main
from support.scripted_rustc import FAILS, FAILS_OTHERWISE, MakeRustc

LISTED = ("--toolchains", "./old", "--toolchains", "./mid", "--toolchains", "./new")
ICE = "echo 'error: internal compiler error: no entry found for key' >&2; exit 101"


def bisect(*words: str, status: int = 0) -> dict[str, Any]:
    """The answer over ./old, ./mid and ./new; options stand before what follows `--`."""
    at = words.index("--") if "--" in words else len(words)
    options = [*words[:at], *LISTED, "--json", "answer.json", "-o", "answer.md", *words[at:]]
    assert main(["bisect", *options]) == status
    found: dict[str, Any] = json.loads(Path("answer.json").read_text())
    return found


def changed_at(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Each variant, what it becomes, and where."""
    return [
        (variant, flip["becomes"], flip["after"]["name"])
        for group in answer["groups"]
        for variant in group["variants"]
        for flip in group["flips"]
    ]


@pytest.fixture
def compilers(case: str, make_rustc: MakeRustc, tmp_path: Path) -> Path:
    """Three compilers, of which the newest fails; a Rust file and an executable script."""
    assert case
    make_rustc("old")
    make_rustc("mid", ": mid")
    make_rustc("new", FAILS)
    (tmp_path / "lib.rs").write_text("mod part;\npub fn answer() -> i32 { part::ANSWER }\n")
    (tmp_path / "part.rs").write_text("pub const ANSWER: i32 = 42;\n")
    return tmp_path


def script(folder: Path, text: str, name: str = "test.sh") -> str:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return f"./{name}"


def test_a_rust_file_is_a_case(compilers: Path) -> None:
    assert compilers.is_dir()
    flags = ("--", "--crate-type=lib", "--edition", "2018", "-Copt-level=1", "--cfg", 'feature="${x}"')
    answer = bisect("lib.rs", *flags)
    assert changed_at(answer) == [("lib.rs", "bad", "./new")]
    (group,) = answer["groups"]
    assert group["failures"][0]["text"] == "error: the shim is missing"
    assert "--edition=2018" in group["script"]
    assert "linkage repro" not in group["evidence"]
    assert answer["command"].endswith(
        """-- --crate-type=lib --edition 2018 -Copt-level=1 --cfg 'feature="${x}"'"""
    )
    # What was asked is kept: nothing is searched again.
    assert main(["bisect", "--resume", "-o", "again.md"]) == 0
    assert Path("again.md").read_text() == Path("answer.md").read_text().replace(
        "3 toolchains", "0 toolchains"
    )


def test_the_flags_of_a_rust_file_become_keys_of_its_step(tmp_path: Path) -> None:
    (tmp_path / "x.rs").touch()
    text = case_text("x.rs", ["--crate-type", "cdylib,rlib", "-O", "--crate-name=y", "--target", "a-b-c"])
    (step,) = parse_case(text, tmp_path / "x.rs", "x.rs").model.steps
    assert step.model_dump(include={"crate_type", "crate_name", "target", "flags", "edition"}) == {
        "crate_type": ("cdylib", "rlib"),
        "crate_name": "y",
        "target": "a-b-c",
        "flags": ("-O",),
        "edition": "2015",
    }


def test_a_script_tells_which_toolchains_are_bad(
    compilers: Path, rustc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = script(
        compilers,
        'echo "asked $1"; cd "$RUSTUP_TOOLCHAIN/lib" || exit 126; cd "$OLDPWD"\n'
        'case "$RUSTUP_TOOLCHAIN" in /*) ;; *) exit 126;; esac; [ -n "$TARGET" ] || exit 126\n'
        '[ "$(rustc -vV)" = "$("$RUSTC" -vV)" ] || exit 126; mkdir -p "$CARGO_TARGET_DIR" || exit 126\n'
        'exec rustc --crate-type=lib --out-dir "$CARGO_TARGET_DIR" lib.rs',
    )
    del rustc
    answer = bisect("--script", test, "-v", "--", "a b")
    assert changed_at(answer) == [("./test.sh 'a b'", "bad", "./new")]
    (group,) = answer["groups"]
    assert group["failures"][0]["text"] == "error: the shim is missing"
    assert "asked a b" in group["evidence"]
    assert answer["command"].endswith("--script ./test.sh -- 'a b'")
    assert capsys.readouterr().err.count("asked a b") >= 4  # each of the tries, and the confirmation's
    assert main(["bisect", "--resume", "-o", "again.md"]) == 0
    assert "./test.sh 'a b': 1 variant fails: introduced by ./new" in Path("again.md").read_text()


@pytest.mark.parametrize(
    ("middle", "told"),
    [
        ("exit 125", "the script cannot tell (exit status 125)"),
        ("kill -SEGV $$", "it was killed by SIGSEGV"),
        ("exit 139", "the script ended with exit status 139, more than 127"),
        ("sleep 60", "it did not end within 5 s"),
    ],
)
def test_a_script_that_cannot_tell_is_inconclusive(compilers: Path, middle: str, told: str) -> None:
    test = script(compilers, f'case "$RUSTC" in */new) exit 1;; */mid) {middle};; esac')
    (group,) = bisect("--script", test, "--timeout", "5")["groups"]
    (flip,) = group["flips"]
    assert flip["candidates"] == ["./mid", "./new"]
    assert flip["skipped"] == [{"toolchain": "./mid", "why": f"could not be judged: {told}"}]


@pytest.fixture
def project(compilers: Path) -> Path:
    if shutil.which("cargo") is None:
        pytest.skip("there is no cargo here")
    folder = compilers / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "Cargo.toml").write_text('[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2018"\n')
    (folder / "src/lib.rs").write_text('#[no_mangle] pub extern "C" fn answer() -> i32 { 1 }\n')
    return folder


def test_a_cargo_project(project: Path, make_rustc: MakeRustc) -> None:
    assert project.is_dir()
    answer = bisect("--cargo", "project", "--", "check", "--offline")
    assert changed_at(answer) == [("cargo check --offline", "bad", "./new")]
    (group,) = answer["groups"]
    assert group["failures"][0] == {
        "variant": "cargo check --offline", "step": "cargo", "claim": "exit", "codes": [],
        "text": "error: the shim is missing",
    }  # fmt: skip
    # A different failure is inconclusive.
    make_rustc("mid", FAILS_OTHERWISE)
    (group,) = bisect("--cargo", "project", "--timeout", "300")["groups"]
    assert group["flips"][0]["candidates"] == ["./mid", "./new"]
    assert (
        "a different failure: cargo: exit: error: unknown codegen option"
        in group["flips"][0]["skipped"][0]["why"]
    )


def test_other_outcomes_than_failures(compilers: Path, make_rustc: MakeRustc) -> None:
    flags = ("--", "--crate-type=lib")
    make_rustc("old", FAILS)
    make_rustc("mid", ICE)
    make_rustc("new")
    for regress, where in (("success", "./new"), ("non-error", "./mid")):
        answer = bisect("lib.rs", "--regress", regress, *flags)
        assert changed_at(answer) == [("lib.rs", "bad", where)]
        assert answer["regress"] == regress
    assert (
        Path("answer.md")
        .read_text()
        .startswith("## lib.rs: 1 variant is no longer rejected: introduced by ./mid\n")
    )
    make_rustc("new", ICE)
    test = script(compilers, 'exec "$RUSTC" --crate-type=lib -o "$CARGO_TARGET_DIR.rlib" lib.rs')
    for words in (("lib.rs", *flags), ("--script", test)):
        assert [one[1:] for one in changed_at(bisect("--regress", "ice", *words))] == [("bad", "./mid")]
    make_rustc("old", ICE)
    make_rustc("mid", FAILS)
    make_rustc("new")
    assert changed_at(bisect("lib.rs", "--regress", "non-ice", *flags)) == [("lib.rs", "bad", "./mid")]
    # What could not be judged is not an outcome.
    test = script(compilers, 'case "$RUSTC" in */mid) kill -SEGV $$;; */old) exit 1;; esac')
    (group,) = bisect("--regress", "success", "--script", test)["groups"]
    assert group["flips"][0]["candidates"] == ["./mid", "./new"]


MORE = 'set -- "$@" --cfg more'


def test_outputs_that_changed(compilers: Path, make_rustc: MakeRustc) -> None:
    (compilers / "lib.rs").write_text(
        '#[no_mangle] pub extern "C" fn answer() -> i32 { 1 }\n'
        '#[cfg(more)] #[no_mangle] pub extern "C" fn more() -> i32 { 2 }\n'
    )
    make_rustc("mid", MORE)
    make_rustc("new", f"{MORE}; : new")
    flags = ("--", "--crate-type=cdylib")
    answer = bisect("lib.rs", "--regress", "changed", *flags)
    assert changed_at(answer) == [("lib.rs", "bad", "./mid")]
    (group,) = answer["groups"]
    assert "newly exported by 1 cdylib: more" in group["evidence"]
    text = Path("answer.md").read_text()
    assert text.startswith("## lib.rs: 1 variant has other outputs: introduced by ./mid\n")
    assert "more" in str(group["flips"][0]["changes"])
    make_rustc("mid", ": mid")
    make_rustc("new", ": new")
    (problem,) = bisect("lib.rs", "--regress", "changed", *flags, status=1)["not_searched"]
    assert problem["why"].startswith("passes on ./new, the bad end")


def test_outputs_of_cargo_that_changed(project: Path, make_rustc: MakeRustc) -> None:
    with (project / "src/lib.rs").open("a") as file:
        file.write('#[cfg(more)] #[no_mangle] pub extern "C" fn more() -> i32 { 2 }\n')
    with (project / "Cargo.toml").open("a") as file:
        file.write('[lib]\ncrate-type = ["cdylib"]\n')
    make_rustc("new", MORE)
    answer = bisect("--cargo", "project", "--regress", "changed")
    assert changed_at(answer) == [("cargo build", "bad", "./new")]
    assert "newly exported by 1 cdylib: more" in answer["groups"][0]["evidence"]


class AnsweringTerminal(io.StringIO):
    """A terminal at which somebody types."""

    def isatty(self) -> bool:
        return True


def test_a_person_judges(
    compilers: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once for each toolchain; the same answers are not asked for again."""
    test = script(compilers, "echo tried by $RUSTC; exit 0")
    # ./new first, then ./old and ./mid.
    monkeypatch.setattr("sys.stdin", AnsweringTerminal("maybe\nr\nbad\ng\nskip\n"))
    (group,) = bisect("--script", test, "--prompt")["groups"]
    assert group["failures"][0]["text"] == "bad, as you answered"
    (flip,) = group["flips"]
    assert flip["candidates"] == ["./mid", "./new"]
    assert flip["skipped"] == [{"toolchain": "./mid", "why": "could not be judged: skipped by your answer"}]
    err = capsys.readouterr().err
    assert err.count("/new\nnew (1.") == 2  # it is run again for `retry`
    assert err.count("(g)ood, (b)ad, (s)kip or (r)etry?\n") == 5
    # Nobody answers any more: that is an interrupted session, not an answer.
    monkeypatch.setattr("sys.stdin", AnsweringTerminal("bad\n"))
    assert main(["bisect", "--script", test, "--prompt", *LISTED]) == 2


def test_the_log_of_a_script_is_corrected_and_replayed(compilers: Path) -> None:
    """With its arguments and its time limit: only what the log does not know is tried."""
    test = script(compilers, 'echo "$1" >> asked; case "$RUSTC" in *new) exit 1;; esac')
    answer = bisect("--script", test, "--timeout", "60", "--session", "mine.log", "--", "a b")
    assert changed_at(answer) == [("./test.sh 'a b'", "bad", "./new")]
    log = Path("mine.log").read_text().splitlines()
    (middle,) = [line for line in log if line.startswith("good ./mid ")]
    corrected = [
        line.replace("good", "bad", 1).partition(" {")[0] if line == middle else line for line in log
    ]
    Path("log.txt").write_text("\n".join(corrected) + "\n")
    Path("asked").write_text("")
    words = ["--replay", "log.txt", "--session", "again.log", "--json", "answer.json", "-o", "answer.md"]
    assert main(["bisect", *words]) == 0
    answer = json.loads(Path("answer.json").read_text())
    assert changed_at(answer) == [("./test.sh 'a b'", "bad", "./mid")]
    assert answer["command"].endswith("--timeout 60 -- 'a b'")
    # ./old once more, and ./mid for its evidence: what was set by hand is not confirmed.
    assert Path("asked").read_text() == "a b\n" * 2
    assert "set by hand" in Path("answer.md").read_text()
    # The program is looked for before a session begins.
    Path(test).unlink()
    assert main(["bisect", "--replay", "log.txt", "--session", "third.log"]) == 4
    assert not Path("third.log").exists()


LEAVE = "exclude each other (help: leave one of them out)"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--script", "./none.sh"], "./none.sh: no such script (help: name an executable file)"),
        (["--script", "no-such-program"], "no-such-program: no such script (help: name an executable file)"),
        (["--script", "lib.rs"], "lib.rs: is not executable (help: chmod +x lib.rs)"),
        (["--script", ""], "--script: is empty (help: name a program)"),
        (["--cargo", "."], ".: no Cargo.toml (help: name a Cargo project)"),
        (["--cargo", ".", "lib.rs"], f"--cargo and a case {LEAVE}"),
        (
            ["--cargo", ".", "--script", "x"],
            f"--script and --cargo {LEAVE}",
        ),
        (["--cargo", ".", "--no-skip"], "--no-skip: does not apply to --cargo (help: leave it out)"),
        (
            ["--script", "true", "--linker", "bfd"],
            "--linker: does not apply to --script (help: let the script choose the linker)",
        ),
        (
            ["--script", "true", "--regress", "changed"],
            "--regress changed: the outputs of a script are not known (help: use --cargo",
        ),
        (
            ["--cargo", ".", "--regress", "changed", "--", "test"],
            "--regress changed: cargo test has no known outputs (help: use `build`)",
        ),
        (
            ["lib.rs", "--timeout", "3"],
            "--timeout: needs --script or --cargo (help: a case has",
        ),
        (["--script", "true", "--sandbox"], "--sandbox: is for cases (help: start a sandbox in the script)"),
        (["--script", "true", "--timeout", "0"], "--timeout 0: must be a positive number of seconds"),
        (
            ["answer.yaml", "--", "-O"],
            "answer.yaml: arguments after -- are for a .rs file",
        ),
        (["none.rs"], "none.rs: no such file (help: check the path)"),
        (["lib.rs", "--prompt"], "--prompt: standard input is not a terminal (help: leave it out)"),
        (["lib.rs", "--", "--crate-type=odd"], "lib.rs with these flags: unknown crate type `odd` (help: "),
        (
            ["--failed", "--script", "true"],
            f"--failed and cases {LEAVE}",
        ),
    ],
)
def test_wrong_input(
    compilers: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compilers.is_dir()
    at = words.index("--") if "--" in words else len(words)
    assert main(["bisect", *words[:at], *LISTED, "--session", "s.log", *words[at:]]) == 4
    err = capsys.readouterr().err
    assert err.startswith(f"linkage: {told}")
    assert err.count("\n") == 1
    assert not Path("s.log").exists()


def test_the_older_end_of_what_changed_must_be_named(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bisect", case, "--regress", "changed", "--no-github"]) == 4
    assert capsys.readouterr().err == (
        "linkage: --regress changed: needs the older end (help: name it with --good)\n"
    )


def test_a_script_without_an_interpreter(compilers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (compilers / "bare").write_text("exit 0\n")
    (compilers / "bare").chmod(0o755)
    assert main(["bisect", "--script", "./bare", *LISTED]) == 4
    assert (
        "cannot be started: Exec format error (help: begin it with a line such as" in capsys.readouterr().err
    )
