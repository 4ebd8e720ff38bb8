"""pytest's own options of a run: under `linkage run` and under pytest, with and without workers, and with
a case that cannot be read beside the others.
"""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from support.runs import ROOT

VERDICTS = Path(__file__).parent / "verdicts.case"
BAD = "cases/bad.yaml:2:1: unknown key `step` (help: did you mean `steps`?)"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "cases").mkdir()
    (folder / "cases/all.yaml").write_text(VERDICTS.read_text())
    (folder / "cases/bad.yaml").write_text("summary: bad\nstep: []\n")
    (folder / "pytest.ini").write_text("[pytest]\nlinkage_cases = cases\n")
    return folder


@pytest.fixture(params=["linkage run", "pytest", "linkage run -n 2", "pytest -n 2"])
def start(request: pytest.FixtureRequest, project: Path, rustc: Path, cache: Path):  # type: ignore[no-untyped-def] # noqa: ANN201
    name, _, workers = request.param.partition(" -n")
    left_out = ("PYTEST_", "COV_", "LINKAGE_", "RUSTFLAGS", "RUSTC")
    env = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    env |= {
        "PYTHONPATH": str(ROOT / "harness"),
        "LINKAGE_CACHE": str(cache),
        "LINKAGE_STORE": str(project / "store"),
        "PYTEST_ADDOPTS": "-p no:hypothesispytest -p no:timeout",
    }
    module = ["linkage", "run"] if name == "linkage run" else ["pytest", "-p", "linkage.plugin"]
    more = [] if name == "linkage run" else ["--continue-on-collection-errors"]

    def run(*words: str, status: int = 4) -> str:
        found = subprocess.run(
            [sys.executable, "-m", *module, *more, "--toolchain", f"here={rustc}", *words,
             *(["-n", "2"] if workers else [])],
            cwd=project, env=env, capture_output=True, text=True, check=False, timeout=240,
        )  # fmt: skip
        text = found.stdout + found.stderr
        assert "Traceback" not in text, text
        assert "INTERNALERROR" not in text, text
        assert found.returncode == status, text
        return text

    run.ours = name == "linkage run"  # type: ignore[attr-defined]
    run.workers = bool(workers)  # type: ignore[attr-defined]
    return run


def outcomes(text: str) -> dict[str, str]:
    """The lines of `-rA` by their cell."""
    found = re.findall(r"^(PASSED|FAILED|ERROR|XFAIL) \S*all\.yaml::here\[want=(\w+)\]", text, re.MULTILINE)
    return {cell: outcome for outcome, cell in found}


def test_the_short_summary(start) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    text = start("-rA")
    assert outcomes(text) == {
        "pass": "PASSED", "fail": "FAILED", "known": "XFAIL", "fixed": "FAILED", "error": "ERROR",
    }  # fmt: skip
    assert re.search(r"^ERROR \S*bad\.yaml", text, re.MULTILINE)
    assert "SKIPPED" in text
    assert BAD in text


def test_the_last_failures(start) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Only they with --lf; they first with --ff."""
    start()
    again = outcomes(start("--lf", "-rA"))
    assert again == {"fail": "FAILED", "fixed": "FAILED", "error": "ERROR"}
    assert len(outcomes(start("--ff", "-rA"))) == 5


def test_collecting(start) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    for quiet in ((), ("-q",)):
        text = start("--collect-only", *quiet)
        assert "want=pass" in text
        assert text.count(BAD) == 1
        assert "no variant was run" not in text


def test_verbosity(start) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    """-v prints a line for each variant, -q does not."""
    case = "cases/all.yaml"
    verbose, quiet = start("-v", case, status=1), start("-q", case, status=1)
    line = re.compile(r"^(\[gw\d\].*)?(PASSED.*want=pass\]|.*want=pass\] PASSED)", re.MULTILINE)
    assert line.search(verbose), verbose
    assert not line.search(quiet)


def test_stopping_early(start) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    for words in (("-x",), ("--maxfail=1",)):
        # xdist calls it interrupted.
        status = 2 if start.workers and not start.ours else 1
        found = outcomes(start(*words, "-rA", "cases/all.yaml", status=status))
        assert sum(one in ("FAILED", "ERROR") for one in found.values()) in (1, 2)


def test_colour(start) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    assert "\x1b[" in start("--color=yes")
    assert "\x1b[" not in start("--color=no")


def test_junit(start, project: Path) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    start("--junitxml=deep/out.xml")
    (suite,) = ET.parse(project / "deep/out.xml").getroot()  # noqa: S314 - pytest wrote it
    assert {key: suite.get(key) for key in ("failures", "errors", "skipped")} == {
        "failures": "2", "errors": "2", "skipped": "2",
    }  # fmt: skip
    start("--junitxml=/proc/no/out.xml")
    start("--junitxml=.", "cases/all.yaml")
