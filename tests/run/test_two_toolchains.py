"""Steps with `toolchain: other`: two compilers that mark what they make, in runs, scripts and searches."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.command_fixtures import Linkage

CASE = """\
summary: Two compilers in one program
matrix: {opt-level: [0, 2]}
sources:
  one.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[cfg(by = "a")] #[no_mangle] pub extern "C" fn one() -> u8 { b'a' }
    #[cfg(by = "b")] #[no_mangle] pub extern "C" fn one() -> u8 { b'b' }
  two.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[cfg(by = "a")] #[no_mangle] pub extern "C" fn two() -> u8 { b'a' }
    #[cfg(by = "b")] #[no_mangle] pub extern "C" fn two() -> u8 { b'b' }
  main.c: |
    #include <stdio.h>
    unsigned char one(void), two(void);
    int main(void) { printf("one by %c, two by %c\\n", one(), two()); return one() == two(); }
steps:
  - {rustc: one.rs, crate-type: cdylib, panic: abort}
  - {rustc: two.rs, crate-type: cdylib, panic: abort, toolchain: other}
  - {cc: main.c, link-with: [one.cdylib, two.cdylib]}
  - {run: main}
"""
WRAPPER = """\
#!/bin/sh
# {note}
case "$*" in
-vV) {rustc} -vV | sed 's/^release: .*/release: {release}/; s/^commit-hash: ../commit-hash: {digit}0/' ;;
*.rs*) echo "{name} $*" >> {log}; exec {rustc} --cfg 'by="{name}"' -Aunexpected_cfgs "$@" ;;
*) exec {rustc} "$@" ;;
esac
"""


@dataclass
class TwoCompilers:
    """A folder with a case, and wrappers of one rustc that mark what they compile and note that they did."""

    linkage: Linkage
    folder: Path
    rustc: str

    def wrapper(self, name: str, release: str = "1.90.0", *, mark: str = "", note: str = "") -> str:
        """A compiler, as `--toolchain` takes it; it marks its outputs with its name, or with `mark`."""
        place = self.folder / f"rustc-{name}"
        text = WRAPPER.format(
            name=mark or name,
            rustc=self.rustc,
            release=release,
            digit=name[0],
            log=self.log,
            note=note or name,
        )
        place.write_text(text)
        place.chmod(0o755)
        return f"{name}={place}"

    @property
    def log(self) -> Path:
        return self.folder / "calls"

    @property
    def calls(self) -> list[str]:
        """Who compiled what since this was asked last."""
        text = self.log.read_text() if self.log.exists() else ""
        self.log.write_text("")
        return sorted(
            f"{line.split()[0]} {next(word for word in line.split() if word.endswith('.rs'))}"
            for line in text.splitlines()
        )

    def case(self, text: str = CASE) -> None:
        (self.folder / "case.yaml").write_text(text)

    def command(self, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        return self.linkage(*words, cwd=self.folder, LINKAGE_STORE=str(self.folder / "store"))

    def run(self, *words: str) -> dict[str, dict[str, Any]]:
        """The variants of a run by what follows `case.yaml::`."""
        done = self.command("run", "case.yaml", "--json", "out.json", *words)
        assert (self.folder / "out.json").exists(), done.stderr
        found = json.loads((self.folder / "out.json").read_text())["variants"]
        return {one["id"].removeprefix("case.yaml::"): one for one in found}

    def pair(self) -> list[str]:
        """The options for two compilers, `a` and `b`."""
        return ["--toolchain", self.wrapper("a", "1.80.0"), "--toolchain", self.wrapper("b", "1.90.0")]


@pytest.fixture
def two(linkage: Linkage, rustc: str, tmp_path: Path) -> TwoCompilers:
    real = subprocess.run([rustc, "--print", "sysroot"], capture_output=True, text=True, check=True)
    found = TwoCompilers(linkage, tmp_path, str(Path(real.stdout.strip()) / "bin/rustc"))
    found.case()
    return found


def test_every_ordered_pair_is_run_by_its_compilers(two: TwoCompilers) -> None:
    found = two.run(*two.pair(), "-k", "opt-level=2")
    assert {name: one["outcome"] for name, one in found.items()} == {
        "a[opt-level=2-other-toolchain=b]": "pass",
        "b[opt-level=2-other-toolchain=a]": "pass",
    }
    assert two.calls == ["a one.rs", "a two.rs", "b one.rs", "b two.rs"]
    first = found["a[opt-level=2-other-toolchain=b]"]
    assert first["version"].startswith("1.80.0 ")
    assert (first["other_toolchain"], first["other_version"][:7]) == ("b", "1.90.0 ")
    compilers = [word.rpartition("-")[2] for line in first["commands"] for word in line.split()[:1]]
    assert compilers[:2] == ["a", "b"]


def test_a_step_by_the_wrong_compiler_is_not_a_pass(two: TwoCompilers) -> None:
    # The program fails if both halves have one mark: here both compilers mark with `a`.
    words = ["--toolchain", two.wrapper("a"), "--toolchain", two.wrapper("b", mark="a")]
    found = two.run(*words, "-k", "opt-level=2")
    assert {one["outcome"] for one in found.values()} == {"fail"}
    assert len(found) == 2


def test_cached_outcomes_depend_on_the_compiler_that_made_them(two: TwoCompilers) -> None:
    words = two.pair()
    two.run(*words, "-k", "opt-level=0")
    assert two.calls == ["a one.rs", "a two.rs", "b one.rs", "b two.rs"]
    assert all(one["stored"] for one in two.run(*words, "-k", "opt-level=0").values())
    assert two.calls == []
    two.wrapper("b", note="another compiler of this name")
    found = two.run(*words, "-k", "opt-level=0")
    assert not any(one["stored"] for one in found.values())
    # What a compiled before b did, and what it made of equal inputs, is not made again.
    assert two.calls == ["b one.rs", "b two.rs"]


def test_one_compiler_is_no_pair(two: TwoCompilers) -> None:
    alone = two.run("--toolchain", two.wrapper("a"))
    assert {one["outcome"] for one in alone.values()} == {"skip"}
    help_ = "run it with two toolchains, or name one with --other-toolchain"
    assert {one["reason"] for one in alone.values()} == {
        f"its steps need another toolchain than a (help: {help_})"
    }
    place = two.wrapper("a").partition("=")[2]
    twice = two.run("--toolchain", f"a={place}", "--toolchain", f"again={place}")
    assert {one["outcome"] for one in twice.values()} == {"skip"}
    assert two.calls == []


def test_other_toolchain_can_be_chosen(two: TwoCompilers) -> None:
    words = ["--toolchain", two.wrapper("a"), "--other-toolchain", two.wrapper("b")]
    found = two.run(*words, "-k", "opt-level=2")
    assert list(found) == ["a[opt-level=2-other-toolchain=b]"]
    assert two.calls == ["a one.rs", "b two.rs"]
    unknown = two.command("run", "case.yaml", *words[:2], "--other-toolchain", "nowhere")
    assert unknown.returncode != 0
    assert "toolchain nowhere: no such toolchain" in unknown.stdout + unknown.stderr


def test_pinned_toolchain_must_be_in_the_run(two: TwoCompilers) -> None:
    two.case(CASE.replace("[0, 2]}", "2, other-toolchain: [b, c]}"))
    found = two.run(*two.pair())
    assert {name: (one["outcome"], one["reason"]) for name, one in found.items()} == {
        "a[opt-level=2-other-toolchain=b]": ("pass", ""),
        "a[opt-level=2-other-toolchain=c]": (
            "skip",
            "this run has no toolchain `c` (help: name it with --other-toolchain)",
        ),
        "b[opt-level=2-other-toolchain=b]": ("skip", "b is the same compiler as b"),
        "b[opt-level=2-other-toolchain=c]": (
            "skip",
            "this run has no toolchain `c` (help: name it with --other-toolchain)",
        ),
    }
    assert two.calls == ["a one.rs", "b two.rs"]


def test_an_axis_can_choose_the_toolchain(two: TwoCompilers) -> None:
    case = CASE.replace("[0, 2]}", "2, by: [other, null]}").replace("toolchain: other", 'toolchain: "${by}"')
    two.case(case.replace("- {run: main}", "- {run: main, exit: any}"))
    found = two.run(*two.pair())
    assert sorted(found) == [
        "a[opt-level=2-by=default]",
        "a[opt-level=2-by=other-other-toolchain=b]",
        "b[opt-level=2-by=default]",
        "b[opt-level=2-by=other-other-toolchain=a]",
    ]
    assert {one["outcome"] for one in found.values()} == {"pass"}


def test_ranges_are_about_the_right_compiler(two: TwoCompilers) -> None:
    two.case(
        CASE.replace("[0, 2]}", "2}")
        + "known-bugs:\n"
        + "  - {unreported: Both are one, other-toolchains: '<1.85', toolchains: '>=1.85',\n"
        + "     signature: {step: run, exit: 1}}\n"
    )
    # b marks with `a`: the program fails with both pairs, but only one of them is described.
    words = ["--toolchain", two.wrapper("a", "1.80.0"), "--toolchain", two.wrapper("b", "1.90.0", mark="a")]
    found = two.run(*words)
    assert {name: one["outcome"] for name, one in found.items()} == {
        "a[opt-level=2-other-toolchain=b]": "fail",
        "b[opt-level=2-other-toolchain=a]": "known",
    }


def test_script_runs_both_compilers(two: TwoCompilers) -> None:
    id_ = "case.yaml::a[opt-level=2-other-toolchain=b]"
    done = two.command("repro", id_, *two.pair(), "-o", "repro.sh")
    assert (done.returncode, done.stderr) == (0, "")
    ran = subprocess.run(
        ["sh", two.folder / "repro.sh"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ran.returncode, "one by a, two by b\n" in ran.stdout) == (0, True), ran
    other = f"OTHER_RUSTC={two.folder}/rustc-a"
    again = subprocess.run(
        ["env", other, "sh", two.folder / "repro.sh"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (again.returncode, "one by a, two by a\n" in again.stdout) == (1, True), again
    others = ["--other-toolchain", two.wrapper("b"), "--other-toolchain", two.wrapper("c")]
    several = two.command("repro", "case.yaml::a[opt-level=2]", "--toolchain", two.wrapper("a"), *others)
    assert several.stderr == (
        "linkage: case.yaml::a[opt-level=2]: the case has 2 variants (help: name one, such as "
        "case.yaml[opt-level=2-other-toolchain=b])\n"
    )


def test_what_would_be_run_is_explained_for_each_pair(two: TwoCompilers) -> None:
    done = two.command("explain", "case.yaml[opt-level=2]", *two.pair())
    assert done.returncode == 0, done.stderr
    heads = [line for line in done.stdout.splitlines() if line.startswith("case.yaml::")]
    assert heads == [
        "case.yaml::a[opt-level=2-other-toolchain=b]",
        "case.yaml::b[opt-level=2-other-toolchain=a]",
    ]
    lines = [line.split()[1].rpartition("/")[2] for line in done.stdout.splitlines() if "$ /" in line]
    assert lines == ["rustc-a", "rustc-b", "rustc-b", "rustc-a"]
    one = two.command("explain", "case.yaml::a[opt-level=2-other-toolchain=b]", *two.pair())
    assert one.stdout.count("case.yaml::") == 1
    listed = two.command("list", "case.yaml")
    assert "(2 variants, with each other toolchain)" in listed.stdout


def test_results_of_pairs_are_in_the_table(two: TwoCompilers) -> None:
    two.run(*two.pair())
    done = two.command("table", "case.yaml", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["cases"]
    counted = {name: (cell["pass"], cell["missing"]) for name, cell in row["toolchains"].items()}
    assert counted == {"a": (2, 0), "b": (2, 0)}


def test_comparison_builds_both_sides_with_one_other_compiler(two: TwoCompilers) -> None:
    a, b = two.wrapper("a"), two.wrapper("b")
    needs = two.command("compare", a, b, "case.yaml", "-k", "opt-level=2")
    assert "need another toolchain than a" in needs.stdout + needs.stderr
    words = [
        "compare",
        a,
        b,
        "case.yaml",
        "-k",
        "opt-level=2",
        "--other-toolchain",
        two.wrapper("b2", mark="b"),
    ]
    done = two.command(*words)
    assert "1 variant" in done.stdout, done
    assert sorted(set(two.calls)) == ["a one.rs", "b one.rs", "b two.rs"]


def test_bisection_keeps_the_other_compiler(two: TwoCompilers) -> None:
    a, b, fixed = two.wrapper("a"), two.wrapper("b"), two.wrapper("fixed", mark="b")
    words = ["bisect", "case.yaml[opt-level=2]", "--toolchains", a, "--toolchains", b, "--no-github"]
    needs = two.command(*words)
    assert needs.returncode == 4
    assert "case.yaml: its steps need another toolchain (help: name it with --other-toolchain" in needs.stderr
    done = two.command(*words, "--other-toolchain", fixed)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "case.yaml[opt-level=2-other-toolchain=fixed]" in done.stdout
    assert {call for call in two.calls if call.endswith("two.rs")} == {"b two.rs"}


def test_probe_has_the_other_compiler(two: TwoCompilers) -> None:
    words = ["probe", "case.yaml[opt-level=2]", "--toolchain", two.wrapper("a"), "--other-toolchain"]
    assert two.command(*words, two.wrapper("b")).returncode == 0
    assert two.command(*words, two.wrapper("c", mark="a")).returncode == 1
