"""An answer is confirmed before it is given: what does not repeat, what is not rustc's."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from linkage.cli import main
from support.scripted_rustc import FAILS, MakeRustc, breaking

LINKED = """\
summary: What linked it is named in it
sources:
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[no_mangle] pub extern "C" fn answer() -> i32 { 1 }
steps:
  - rustc: lib.rs
    crate-type: cdylib
    panic: abort
    claims:
      lib.cdylib: {section: {.comment: {not-contains: ["Linker: LLD"]}}}
"""


def bisect(*words: str, status: int = 0) -> dict[str, Any]:
    """The answer over ./old and ./new."""
    listed = ["--toolchains", "./old", "--toolchains", "./new", "--json", "answer.json", "-o", "answer.md"]
    assert main(["bisect", *words, *listed]) == status
    found: dict[str, Any] = json.loads(Path("answer.json").read_text())
    return found


def test_what_does_not_repeat_is_flaky(
    case: str, make_rustc: MakeRustc, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has an exit status of its own, and shows both runs."""
    make_rustc("old")
    make_rustc("new", f"if mkdir {tmp_path}/once 2>/dev/null; then {FAILS}; fi")
    answer = bisect(f"{case}[size=1]", status=6)
    assert answer["groups"] == []
    (flaky,) = answer["flaky"]
    assert flaky == {
        "variant": "answer.yaml[size=1]",
        "failure": "lib: exit: error: the shim is missing",
        "toolchain": "./new",
        "runs": ["fails: lib: exit: error: the shim is missing", "passes"],
    }
    text = (tmp_path / "answer.md").read_text().splitlines()
    assert text[:2] == ["## Flaky", ""]
    assert "  - ./new, first run: fails: lib: exit: error: the shim is missing" in text
    assert "  - ./new, once more: passes" in text
    err = capsys.readouterr().err
    assert "./old: tried once more, without the store" in err
    assert "./new: flaky: answer.yaml[size=1]: first: fails: lib: exit" in err
    # Without the store, nothing of the first run is taken for another one's.
    assert "passes on ./new" in bisect(f"{case}[size=1]", "--no-store", status=1)["not_searched"][0]["why"]


def test_one_commit_on_both_sides_is_no_answer(case: str, make_rustc: MakeRustc, tmp_path: Path) -> None:
    commits = []
    for name, before in (("old", ""), ("new", FAILS)):
        text = make_rustc(name, before).read_text()
        commits.append(text.partition("commit-hash: ")[2].partition("commit-hash: ")[2][:40])
    (tmp_path / "new").write_text((tmp_path / "new").read_text().replace(commits[1], commits[0]))
    answer = bisect(f"{case}[size=1]", status=1)
    assert answer["groups"] == []
    assert answer["not_searched"][0]["why"] == (
        f"./old and ./new behave differently, but both are built from the commit {commits[0]}: no change of "
        "rustc is the cause; what differs beside it: nothing that is known"
    )


@pytest.fixture
def linkers(case: str, rustc: Path, tmp_path: Path) -> None:
    """An older compiler that links with the host's bfd, and a newer one that brings its own LLD."""
    assert case
    (tmp_path / "linked.yaml").write_text(LINKED)
    for name, flags in (("old", "-Clink-arg=-fuse-ld=bfd"), ("new", "")):
        text = breaking(rustc, f": {name}").replace(
            f'exec {shlex.quote(str(rustc))} "$@"', f'exec {shlex.quote(str(rustc))} {flags} "$@"'
        )
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)


@pytest.mark.usefixtures("linkers")
def test_a_change_of_the_linker_is_not_blamed_on_rustc(tmp_path: Path) -> None:
    answer = bisect("linked.yaml")
    (group,) = answer["groups"]
    (flip,) = group["flips"]
    assert group["by_linker"]
    assert {one["linker"]: (one["before"], one["after"]) for one in flip["held_linkers"]} == {
        "bfd": ("good", "good"),
        "lld": ("bad", "bad"),
    }
    (beside,) = flip["differs_beside_rustc"]
    assert beside.startswith("linker: the host's ")
    assert " → LLD " in beside
    text = (tmp_path / "answer.md").read_text()
    assert text.startswith(
        "## linked.yaml: 1 variant fails: introduced by the linker that ./new uses, not by"
    )
    assert "searched commit range" not in text
    assert "- with --linker bfd: passes on both\n" in text


@pytest.mark.usefixtures("linkers")
def test_a_linker_can_be_held_constant(tmp_path: Path) -> None:
    """Then nothing changes, and what is beside rustc is the same."""
    answer = bisect("linked.yaml", "--linker", "bfd", status=1)
    assert answer["not_searched"][0]["why"].startswith("passes on ./new, the bad end")
    words = ["bisect", "linked.yaml", "--toolchains", "./old", "--toolchains", "./new", "--linker", "x"]
    assert main([*words, "--session", "mine.log"]) == 4
    assert not (tmp_path / "mine.log").exists()  # what is wrong is reported before a session begins


def test_a_change_of_rustc_stays_one_with_another_linker(
    case: str, linkers: None, rustc: Path, tmp_path: Path
) -> None:
    del linkers
    text = breaking(rustc, FAILS)
    (tmp_path / "new").write_text(text)
    (group,) = bisect(f"{case}[size=1]")["groups"]
    assert not group["by_linker"]
    assert {(one["before"], one["after"]) for one in group["flips"][0]["held_linkers"]} == {("good", "bad")}
    text = (tmp_path / "answer.md").read_text()
    assert text.startswith("## answer.yaml: 1 variant fails: introduced by ./new\n")
    assert "searched commit range: https://github.com/rust-lang/rust/compare/" in text
