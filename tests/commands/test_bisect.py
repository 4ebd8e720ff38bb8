"""`linkage bisect` as a user runs it, on a list of fake compilers."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from linkage.bisect.provisioning import ToolchainProber
from linkage.bisect.signature import ProbeResult
from linkage.cli import main
from linkage.host.folders import store_folder
from linkage.store.results import Results
from linkage.toolchain.sources.rustup.folders import machine_host
from support.scripted_rustc import FAILS, FAILS_OTHERWISE, MakeRustc

BUILD = """#!/bin/sh
mkdir -p build/host/stage1/bin && cd build/host/stage1/bin || exit 1
cp ../../../../rustc.in rustc && chmod +x rustc
"""
REPOSITORY = Path(__file__).parents[2]
GUIDE = (REPOSITORY / "docs/bisect.md").read_text(encoding="utf-8")


@pytest.fixture
def listed(case: str, make_rustc: MakeRustc, tmp_path: Path) -> str:
    """A list of nine compilers: failing since the sixth, the fourth failing otherwise, one not there."""
    assert case
    # Those that fail are built from two commits, since one alone would be no answer.
    kinds = ["", "", "", FAILS_OTHERWISE, "", FAILS, *[f": later; {FAILS}"] * 3]
    names = [make_rustc(f"n{index}/rustc", before) for index, before in enumerate(kinds)]
    names.insert(4, tmp_path / "gone/rustc")
    lines = [f"./{name.relative_to(tmp_path)}" for name in names]
    (tmp_path / "list.txt").write_text("# oldest first\n" + "\n".join(lines) + "  # the newest\n")
    return "list.txt"


def bisect(*words: str) -> int:
    return main(["bisect", *words])


def test_the_answer_is_text_for_an_issue(listed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert bisect("answer.yaml", "--toolchains", listed, "--json", "answer.json") == 0
    out = capsys.readouterr()
    text = out.out
    assert text.startswith("## answer.yaml: 2 variants fail: introduced by ./n5/rustc\n")
    for line in (
        "- `answer.yaml[size=1]`",
        "  - lib: exit: error: the shim is missing",
        "- `answer.yaml[size=2]`",
        "<details><summary>What fails</summary>",
        "<details><summary>Script to reproduce it, `repro.sh` (needs only rustc and cc)</summary>",
        f"host triple: {machine_host()}",
        f"bisected with linkage {version('rustc-linkage')}",
        "reproduce with: `RUSTC=/path/to/rustc sh repro.sh`",
        "  - no longer produced by 1 step: lib.cdylib",
    ):
        assert line in text.splitlines()
    assert re.search(r"^- last good: \./n4/rustc \(.*\): passes$", text, re.MULTILINE)
    assert re.search(
        r"^- first bad: \./n5/rustc \(.*\): fails: lib: exit: error: the shim is", text, re.MULTILINE
    )
    assert re.search(
        r"^searched commit range: https://github.com/rust-lang/rust/compare/\w{40}\.\.\.\w{40}$",
        text,
        re.MULTILINE,
    )
    assert str(Path.cwd()) not in text
    assert str(Path.home()) not in text
    assert "./gone/rustc: skipped: toolchain ./gone/rustc: no such file" in out.err
    data = json.loads(Path("answer.json").read_text())
    assert (data["format"], data["installed"]) == (1, 0)
    (group,) = data["groups"]
    assert group["script"].startswith("#!/bin/sh")
    assert group["flips"][0]["candidates"] == ["./n5/rustc"]


def test_interrupted_session_is_resumed(
    listed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    really = ToolchainProber.probe

    def probe(self: ToolchainProber, name: str, variant: str) -> ProbeResult:
        if len(looked) == 3:
            raise KeyboardInterrupt
        looked.append(name)
        return really(self, name, variant)

    monkeypatch.setattr(ToolchainProber, "probe", probe)
    assert bisect("answer.yaml[size=1]", "--toolchains", listed) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("interrupted (help: resume with: linkage bisect --resume ")
    looked.clear()
    assert bisect("--resume") == 0
    first = capsys.readouterr().out
    assert "- first bad: ./n5/rustc (" in first
    assert not {"./n0/rustc", "./n8/rustc"} & set(looked)

    # What is known is not tried again: neither by going on, nor by a replay of the log.
    assert bisect("log") == 0
    log = capsys.readouterr().out
    assert "bad ./n8/rustc answer.yaml[size=1] {" in log
    Path("log.txt").write_text(log)
    looked.clear()
    assert bisect("--replay", "log.txt") == 0
    assert capsys.readouterr().out.splitlines()[:8] == first.splitlines()[:8]
    assert looked == []

    # A probe that was wrong is set right by its first word.
    Path("log.txt").write_text(log.replace("\nbad ./n5/rustc ", "\ngood ./n5/rustc "))
    assert bisect("--replay", "log.txt", "--session", "corrected.log") == 0
    assert "- first bad: ./n6/rustc (" in capsys.readouterr().out
    assert "good ./n5/rustc " in Path("corrected.log").read_text()


def test_everything_that_failed_in_the_last_run(listed: str, capsys: pytest.CaptureFixture[str]) -> None:
    results = Results.open(store_folder(None, os.environ))
    assert bisect("--failed", "--toolchains", listed) == 4
    assert capsys.readouterr().err == (
        "linkage: --failed: no variant failed in the last run in this folder (help: run: linkage run)\n"
    )
    results.note_failed(Path.cwd(), ["answer.yaml::mine[size=2]"])
    Path("sub").mkdir()
    assert bisect("--failed", "--toolchains", listed, "--toolchains", "mine=./n8/rustc") == 4
    capsys.readouterr()
    results.note_failed(Path.cwd(), [f"answer.yaml::{Path('n8/rustc').absolute()}[size=2]"])
    assert bisect("--failed", "--toolchains", listed) == 0
    assert "## answer.yaml: 1 variant fails: introduced by ./n5/rustc" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "bisect: no case given (help: name a case, or use --failed)"),
        (["nowhere.yaml"], "nowhere.yaml: no such case file or directory"),
        (["answer.yaml[size=9]"], "answer.yaml: no variant [size=9]"),
        (["answer.yaml", "--good", "soon"], "soon: is not a date, a release, a commit or an installed"),
        (
            ["answer.yaml", "--good", "e50aa6f", "--bad", "e50aa6e", "--no-github"],
            "e50aa6e: a commit as a bound needs the history of rust-lang/rust",
        ),
        (["answer.yaml", "--resume"], "bisect: the session already has its cases"),
        (["--resume"], "bisect: no session was started in this folder"),
        (["--replay", "answer.yaml"], "answer.yaml:1: invalid line: "),
        (["answer.yaml", "--failed"], "--failed and cases exclude each other"),
        (["answer.yaml", "--disk-limit", "much"], "--disk-limit: "),
        (["answer.yaml", "--toolchains", "list.txt", "--good", "x"], "--toolchains: x is not in the list"),
        (["answer.yaml", "--toolchains", "nosuch"], "toolchain nosuch: no such toolchain; found: "),
        (["answer.yaml", "--toolchains", "debian:1.2"], "toolchain debian:1.2: not installed"),
        (["answer.yaml", "--toolchains", "list.txt", "--spread", "-1"], "--spread -1: must not be negative"),
        (
            ["answer.yaml", "--toolchains", "list.txt", "--stall", "0"],
            "--stall 0.0: must be a positive number of seconds",
        ),
        (["answer.yaml", "--toolchains", "list.txt", "--rust-src", "."], "--rust-src /"),
        (
            ["answer.yaml", "--toolchains", "list.txt", "--json", "no/x"],
            "--json no/x: cannot be written: no such directory",
        ),
        (
            ["answer.yaml", "--toolchains", "list.txt", "-o", "."],
            "--output .: cannot be written: it is a directory",
        ),
        (
            ["answer.yaml", "--toolchains", "list.txt", "--session", "."],
            ".: cannot be written: it is not a file",
        ),
        (["--resume", "--replay", "x"], "--resume and --replay exclude each other"),
        (["--resume", "--no-skip"], "--no-skip: cannot be changed in a session"),
        (["--resume", "--regress", "fixed"], "--regress: cannot be changed in a session"),
        (["--resume", "x", "--session", "y"], "--session: cannot be changed in a session"),
        (["--resume", "--rust-src", "nowhere"], "bisect: no session was started in this folder"),
        (["--replay", "x", "--rust-src", "y"], "--rust-src: cannot be changed in a session"),
    ],
)
def test_wrong_input_is_one_line(
    listed: str, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert listed
    assert bisect(*words) == 4
    error = capsys.readouterr().err
    assert error.startswith(f"linkage: {told}")
    assert error.count("\n") == 1


def test_where_nothing_fails_nothing_more_is_tried(
    case: str, make_rustc: MakeRustc, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = [word for name in ("a", "b", "c") for word in ("--toolchains", f"./{make_rustc(name).name}")]
    assert bisect(f"{case}[size=1]", *listed) == 1
    out = capsys.readouterr().out
    assert "passes on ./c, the bad end (help: to find what fixed it, use --regress fixed; to look" in out
    assert out.endswith("Searched ./a … ./c: 1 toolchain tried, 0 installed.\n")


def linkage_on_path(folder: Path) -> dict[str, str]:
    """An environment in which `linkage` is this one."""
    command = folder / "path/linkage"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m linkage "$@"\n')
    command.chmod(0o755)
    return {
        **os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY / "harness"),
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
    }  # fmt: skip


def example(first: str) -> str:
    """The block of the guide whose first line begins so."""
    blocks = GUIDE.replace("\n    ", "\n\x00").split("\n\n")
    return next(
        block.replace("\x00", "").strip("\n") for block in blocks if block.lstrip("\n\x00").startswith(first)
    )


def test_the_guides_example_of_git_bisect(case: str, make_rustc: MakeRustc, tmp_path: Path) -> None:
    """A compiler's own repository: each commit builds another one, one of them does not build."""
    if shutil.which("git") is None:
        pytest.skip("there is no git here")
    env = linkage_on_path(tmp_path)
    rust = tmp_path / "rust"
    rust.mkdir()
    kinds = ["", "", FAILS_OTHERWISE, "", FAILS, FAILS, FAILS]

    def git(*words: str) -> str:
        named = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        done = subprocess.run(
            ["git", *named, *words], cwd=rust, env=env, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "-q")
    commits = []
    for index, kind in enumerate(kinds):
        source = make_rustc(f"kind{index}", kind)
        (rust / "rustc.in").write_text(source.read_text())
        (rust / "x").write_text(BUILD)

        (rust / "x").chmod(0o755)
        (rust / ".gitignore").write_text("build\n*.json\n*.yaml\nanswer*\n")
        git("add", ".")
        git("commit", "-q", "--allow-empty", "-m", f"commit {index}")
        commits.append(git("rev-parse", "HEAD"))
    (rust / "case.yaml").write_text((tmp_path / case).read_text())
    script = example("./x build").replace("GOOD", commits[0]).replace("BAD", commits[-1])
    done = subprocess.run(
        ["sh", "-euc", script], cwd=rust, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{commits[4]} is the first bad commit" in done.stdout


def test_the_guides_example_of_cargo_bisect_rustc(case: str, make_rustc: MakeRustc, tmp_path: Path) -> None:
    """The script as that program starts it: the toolchain is named by RUSTUP_TOOLCHAIN alone."""
    env = linkage_on_path(tmp_path) | {"RUSTUP_HOME": str(tmp_path / "rustup")}
    script = tmp_path / "case.sh"
    script.write_text(example("#!/bin/sh").replace("cases/x.yaml", case))
    script.chmod(0o755)
    for name, before, status in (("good", "", 0), ("bad", FAILS, 1), ("other", FAILS_OTHERWISE, 0)):
        make_rustc(f"rustup/toolchains/bisector-nightly-2026-05-19-{name}/bin/rustc", before)
        if name == "bad":
            saved = env | {"RUSTUP_TOOLCHAIN": f"bisector-nightly-2026-05-19-{name}"}
            save = ["linkage", "probe", case, "--save", "x.json"]
            assert subprocess.run(save, env=saved, cwd=tmp_path, check=False).returncode == 1
        elif name == "good":
            (tmp_path / "x.json").write_text(json.dumps({"case": case, "toolchain": "", "variants": {}}))
        chosen = env | {"RUSTUP_TOOLCHAIN": f"bisector-nightly-2026-05-19-{name}"}
        done = subprocess.run([str(script)], env=chosen, cwd=tmp_path, check=False)
        assert done.returncode == status


def test_each_case_has_its_own_heading_and_evidence(
    listed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the issue of its known bug; its script needs only a rustc."""
    text = (tmp_path / "answer.yaml").read_text()
    signature = "{step: lib, stderr: the shim is missing}"
    bug = f"known-bugs:\n  - issue: rust-lang/rust#1234\n    signature: {signature}\n"
    (tmp_path / "other.yaml").write_text(text + bug)
    assert bisect("answer.yaml[size=1]", "other.yaml[size=2]", "--toolchains", listed) == 0
    out = capsys.readouterr().out
    headings = [line for line in out.splitlines() if line.startswith("## ")]
    assert headings == [
        "## answer.yaml: 1 variant fails: introduced by ./n5/rustc",
        "## other.yaml: 1 variant fails: introduced by ./n5/rustc",
    ]
    parts = out.split("## other.yaml")
    assert "known bug: " not in parts[0]
    assert "known bug: https://github.com/rust-lang/rust/issues/1234" in parts[1]
    for case, part in zip(("answer.yaml", "other.yaml"), parts, strict=True):
        assert f"repro: linkage repro {case}" in part.replace("'", "")
        assert "RUSTC=${RUSTC:-rustc}" in part


def test_the_script_is_one_for_cargo_bisect_rustc(listed: str, make_rustc: MakeRustc, tmp_path: Path) -> None:
    """As that program starts it: RUSTUP_TOOLCHAIN chooses the rustc on PATH; and as `git bisect run` does."""
    assert bisect("answer.yaml[size=1]", "--toolchains", listed, "--json", "answer.json") == 0
    script = tmp_path / "repro.sh"
    script.write_text(json.loads(Path("answer.json").read_text())["groups"][0]["script"])
    script.chmod(0o755)
    assert str(tmp_path) not in script.read_text()
    for name, before, status in (("good", "", 0), ("bad", FAILS, 1), ("none", None, 125)):
        folder = tmp_path / f"path-{name}"
        folder.mkdir()
        if before is not None:
            shutil.copy(make_rustc(f"copy-{name}", before), folder / "rustc")
        env = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(tmp_path)}
        if name == "none" and shutil.which("rustc", path="/usr/bin:/bin"):
            env["RUSTC"] = "nowhere"
        done = subprocess.run([script], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout + done.stderr
    assert done.stderr.splitlines()[-1].startswith("cannot run the compiler ")


def test_the_guide_names_every_option() -> None:
    told: Any = subprocess.run(
        [sys.executable, "-m", "linkage", "bisect", "--help"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    options = {word.strip(",[]") for word in told.split() if word.strip("[").startswith("--")}
    lacking = {one for one in options if f"`{one}" not in GUIDE and f" {one}" not in GUIDE}
    assert lacking - {"--help"} == set()
