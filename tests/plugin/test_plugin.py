"""Cases as pytest items: node ids, selection, outcomes, wrong input."""

import os
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from linkage.toolchain import ask_rustup, examine
from support.plugin_project import NO_STD, Project, Result

MATRIX = f"""\
summary: Node ids
tags: [quick, no_std]
matrix:
  crate-type: [[staticlib, cdylib], rlib]
  prefer-dynamic: [true, false]
  lto: [fat]
  how: ['a b', '$x::y']
  exclude: [{{crate-type: rlib, lto: fat, prefer-dynamic: true}}]
sources:
{NO_STD}steps:
  - {{rustc: lib.rs, panic: abort, flags: ['--cfg=how="${{how}}"']}}
"""
ONE = f"""\
summary: One
sources:
{NO_STD}steps:
  - {{rustc: lib.rs, crate-type: rlib, panic: abort}}
"""
OUTCOMES = f"""\
summary: Each outcome
matrix: {{cell: [passes, skips, fails, known, fixed, errs, unstable]}}
requires: [{{tool: no-such-tool-anywhere, when: {{cell: skips}}}}]
sources:
{NO_STD}steps:
  - rustc: lib.rs
    crate-type: cdylib
    panic: abort
    claims:
      lib.cdylib:
        - exports: {{only: [answer]}}
        - {{when: {{cell: [fails, known]}}, exports: [missing]}}
  - {{tool: no-such-tool-anywhere, when: {{cell: errs}}}}
  - {{rustc: lib.rs, id: more, crate-name: more, crate-type: rlib, panic: abort, unstable: true,
     when: {{cell: unstable}}}}
known-bugs:
  - issue: rust-lang/rust#1
    when: {{cell: [known, fixed]}}
    signature: {{step: lib, claim: lib.cdylib.exports}}
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, cache: Path, rustc: Path) -> tuple[Project, Result]:
    """A run over every outcome."""
    project = Project(tmp_path_factory.mktemp("judged"), cache, rustc)
    project.write("pytest.ini", "[pytest]\n")
    project.write("cases/each.yaml", OUTCOMES)
    return project, project.run("cases", "-rA", "--junitxml=out.xml", "-n", "2")


# --- ids and selection


NODES = [
    "cases/deep/ids.yaml::real[staticlib,cdylib-prefer_dynamic-lto=fat-how=a_b]",
    "cases/deep/ids.yaml::real[staticlib,cdylib-prefer_dynamic-lto=fat-how=_x__y]",
    "cases/deep/ids.yaml::real[staticlib,cdylib-lto=fat-how=a_b]",
    "cases/deep/ids.yaml::real[staticlib,cdylib-lto=fat-how=_x__y]",
    "cases/deep/ids.yaml::real[rlib-lto=fat-how=a_b]",
    "cases/deep/ids.yaml::real[rlib-lto=fat-how=_x__y]",
]


def test_node_ids_are_readable_stable_and_found_again(project: Project) -> None:
    project.write("cases/deep/ids.yaml", MATRIX)
    project.write("cases/one.yaml", ONE)
    single = (NODES[0], NODES[5], "cases/one.yaml::real")
    everything, *found = project.collect(["cases"], *([node] for node in single))
    assert sorted(everything) == sorted([*NODES, "cases/one.yaml::real"])
    assert not list((project.folder / "store").glob("v*/steps/*"))
    assert found == [[node] for node in single]


def test_selection(project: Project) -> None:
    project.write("cases/deep/ids.yaml", MATRIX)
    project.write("cases/each.yaml", OUTCOMES)
    asked = {
        ("-k", "prefer_dynamic"): 2,
        ("-k", "rlib and not prefer_dynamic"): 2,
        ("-k", "ids"): 6,
        ("-m", "quick"): 6,
        ("-m", "known_bug"): 7,
        ("-m", "quick or known_bug"): 13,
        ("--deselect", NODES[0], "-m", "quick"): 5,
    }
    found = project.collect(*(["cases", *arguments] for arguments in asked))
    assert dict(zip(asked, map(len, found), strict=True)) == asked


def test_several_toolchains(project: Project) -> None:
    project.write("cases/one.yaml", MATRIX)
    other = project.compiler("other", "")
    found = project.run("cases", "--collect-only", "-q", "--toolchain", other).nodes()
    assert sum("::real[" in node for node in found) == sum("::other[" in node for node in found) == 6


# --- outcomes


def each(cell: str) -> str:
    return f"cases/each.yaml::real[cell={cell}]"


def test_outcomes_in_pytests_words(judged: tuple[Project, Result]) -> None:
    _, result = judged
    assert result.status == 1
    assert result.of("PASSED") == [each("passes"), each("unstable")]
    assert result.of("XFAIL") == [each("known")]
    assert result.of("FAILED") == [each("fails"), each("fixed")]
    assert result.of("ERROR") == [each("errs")]
    assert re.search(r"^SKIPPED .*this machine has no no-such-tool-anywhere", result.text, re.MULTILINE)


def test_evidence_is_what_pytest_prints(judged: tuple[Project, Result]) -> None:
    text = judged[1].text
    assert "lib: lib.cdylib.exports.all does not hold" in text
    assert "claimed: has missing" in text
    assert "found:   not among answer" in text
    assert "readelf --dyn-syms -W liblib.so" in text
    assert f"repro: linkage repro '{each('fails')}'" in text
    assert "known bug gone: rust-lang/rust#1 no longer occurs" in text
    assert "because: program `no-such-tool-anywhere` is not on PATH" in text
    assert "Traceback" not in text
    assert "UnjudgedError" not in text


def test_junit(judged: tuple[Project, Result]) -> None:
    (suite,) = ET.parse(judged[0].folder / "out.xml").getroot()  # noqa: S314 - pytest wrote it
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7", "failures": "2", "errors": "1", "skipped": "2",
    }  # fmt: skip
    said = {one.get("name"): one.get("value") for one in suite.findall("properties/property")}
    tools = (*examine(judged[0].cache).tools, ask_rustup(judged[0].cache, os.environ))
    assert {one.name for one in tools} >= {"cc", "ld", "ar", "rustup"}
    assert {one.name: one.recorded or "absent" for one in tools}.items() <= said.items()
    own = {name for name in said if name not in {one.name for one in tools}}
    assert own <= {"rust-lld of real", "package of real"}


def test_junit_has_each_fact_once(judged: tuple[Project, Result]) -> None:
    text = (judged[0].folder / "out.xml").read_text()
    assert "linkage_verdict" not in text
    tests = {one.get("name"): one for one in ET.fromstring(text).iter("testcase")}  # noqa: S314 - likewise
    assert {(one.get("classname"), one.get("file")) for one in tests.values()} == {
        ("cases.each", "cases/each.yaml")
    }
    facts = {
        name: {one.get("name"): one.get("value") for one in test.findall("properties/property")}
        for name, test in tests.items()
    }
    assert {name: found["outcome"] for name, found in facts.items()} == {
        f"real[cell={cell}]": outcome
        for cell, outcome in {
            "passes": "pass", "skips": "skip", "fails": "fail", "known": "known", "fixed": "fixed",
            "errs": "error", "unstable": "pass",
        }.items()
    }  # fmt: skip
    failing = facts["real[cell=fails]"]
    assert (failing["toolchain"], failing["cell"]) == ("real", "cell=fails")
    assert re.fullmatch(
        r"cases/each\.yaml:16:\d+: lib: lib\.cdylib\.exports\.all", str(failing["failed-claim"])
    )
    assert {found["cached"] for found in facts.values()} <= {"true", "false"}
    assert facts["real[cell=known]"]["known-bug"] == "rust-lang/rust#1"
    assert "no-such-tool" in str(facts["real[cell=skips]"]["reason"])
    assert text.count("claimed: has missing") == 1


def test_junit_of_other_tests_has_no_tools(project: Project) -> None:
    project.write("test_it.py", "def test_it(): pass")
    assert project.run("test_it.py", "--junitxml=out.xml").status == 0
    (suite,) = ET.parse(project.folder / "out.xml").getroot()  # noqa: S314 - pytest wrote it
    assert suite.find("properties") is None


def test_the_last_failures_again(judged: tuple[Project, Result]) -> None:
    again = judged[0].run("cases", "--lf", "-rA", "-q")
    failed = [each("fails"), each("fixed"), each("errs")]
    assert sorted(again.of("FAILED") + again.of("ERROR")) == sorted(failed)
    assert again.of("PASSED") == []


def test_the_first_failure_only(judged: tuple[Project, Result]) -> None:
    first = judged[0].run("cases", "-x", "-rA", "-q")
    assert len(first.of("FAILED") + first.of("ERROR")) == 1


def test_no_skip_makes_a_skip_a_failure(judged: tuple[Project, Result]) -> None:
    result = judged[0].run("cases", "-k", "skips", "--no-skip", "-rA")
    assert (result.status, result.of("FAILED")) == (1, [each("skips")])
    assert "skipped, which --no-skip turns into a failure: this machine has no no-such-tool" in result.text


def test_bootstrap_can_be_forbidden(judged: tuple[Project, Result]) -> None:
    project, _ = judged
    stable = subprocess.run([project.rustc, "-V"], capture_output=True, text=True, check=True).stdout
    result = project.run("cases", "-k", "unstable", "--no-bootstrap", "-rA")
    if "nightly" in stable:
        assert result.of("PASSED") == [each("unstable")]
    else:
        assert "real needs RUSTC_BOOTSTRAP=1 for unstable flags, which --no-bootstrap forbids" in result.text


# --- wrong input


def test_a_wrong_case_is_one_line_and_the_others_go_on(project: Project) -> None:
    project.write("cases/wrong.yaml", "summary: x\nstps: []\n")
    project.write(
        "cases/right.yaml", f"summary: x\nsources:\n{NO_STD}steps:\n  - {{rustc: lib.rs, crate-type: rlib}}\n"
    )
    result = project.run("cases", "--continue-on-collection-errors", "-rA")
    assert result.status == 4
    assert "cases/wrong.yaml:2:1: unknown key `stps`" in result.text
    assert result.of("PASSED") == ["cases/right.yaml::real"]
    assert "Traceback" not in result.text


def test_a_toolchain_or_a_store_that_cannot_be_used(project: Project) -> None:
    project.write("cases/one.yaml", MATRIX)
    for arguments, toolchain, why in (
        ([], "x=/nowhere/rustc", "/nowhere/rustc"),
        (["--store", "pytest.ini"], None, "cannot be created"),
    ):
        result = project.run("cases", *arguments, toolchain=toolchain)
        assert result.status == 4
        assert why in result.text
        assert "Traceback" not in result.text
