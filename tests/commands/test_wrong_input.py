"""Wrong input through the command and through pytest: the message, exit status 4, no traceback.

What is said of each kind of wrong case is tested in tests/case/wrong/, in this process; here
it is seen that all of it arrives, from few processes.
"""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRONG = sorted((ROOT / "tests" / "case" / "wrong").glob("*.txt"))
USAGE = 4

GOOD = """\
summary: A good case
sources: {lib.rs: ""}
matrix: {lto: [off, fat]}
steps: {rustc: lib.rs}
"""


@pytest.fixture(scope="module")
def some_rustc(rustc: Path) -> str:
    """Variants are collected on a toolchain."""
    return f"some={rustc}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.yaml").write_text(GOOD)
    return tmp_path


def expected(file: Path) -> list[str]:
    """What must be said of a wrong case."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("#! ") for line in lines if line.startswith("#! ")]


def wrong_cases(folder: Path) -> list[Path]:
    """Every wrong case of tests/case, as a case file."""
    made = [folder / f"{file.stem}.yaml" for file in WRONG]
    for source, target in zip(WRONG, made, strict=True):
        target.write_bytes(source.read_bytes())
    return made


def call(folder: Path, *arguments: str, cache: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "harness"),
        "XDG_CACHE_HOME": str(cache or folder / "cache"),
        "COLUMNS": "80",
        "PYTEST_ADDOPTS": "-p no:hypothesispytest",  # it takes seconds to start, in every process
    }
    found = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in found.stdout + found.stderr
    assert "INTERNALERROR" not in found.stdout + found.stderr
    return found


def pytest_on(folder: Path, *arguments: str, cache: Path | None = None) -> subprocess.CompletedProcess[str]:
    return call(folder, "pytest", "-p", "linkage.plugin", "-p", "no:cacheprovider", *arguments, cache=cache)


def linkage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return call(folder, "linkage", *arguments)


def all_that_is_said() -> list[str]:
    """Every line, as it is said of the files that wrong_cases makes."""
    return [
        f"{file.stem}.yaml:{line.replace('case.yaml', f'{file.stem}.yaml')}"
        for file in WRONG
        for line in expected(file)
    ]


def test_pytest_reports_all_mistakes(folder: Path) -> None:
    files = wrong_cases(folder)
    found = pytest_on(folder, *(file.name for file in files))
    assert found.returncode == USAGE
    shown = [line.removeprefix("E   ").strip() for line in found.stdout.splitlines()]
    assert [line for line in all_that_is_said() if line not in shown] == []


def test_linkage_run_reports_all_mistakes(folder: Path) -> None:
    files = wrong_cases(folder)
    found = linkage(folder, "run", *(file.name for file in files))
    assert found.returncode == USAGE
    shown = (found.stdout + found.stderr).splitlines()
    missing = [line for line in all_that_is_said() if not any(one.strip().endswith(line) for one in shown)]
    assert missing == []


def test_linkage_list_reports_all_mistakes_and_lists_valid_cases(folder: Path) -> None:
    files = wrong_cases(folder)
    found = linkage(folder, "list", "good.yaml", *(file.name for file in files))
    assert found.returncode == USAGE
    assert [line for line in all_that_is_said() if line not in found.stderr.splitlines()] == []
    assert "good.yaml[lto=fat]" in found.stdout
    assert "2 variants on each toolchain" in found.stdout


@pytest.mark.parametrize("command", ["explain", "repro"])
def test_one_wrong_case_for_the_other_commands(command: str, folder: Path) -> None:
    (folder / "bad.yaml").write_text(f"{GOOD}step: []\n")
    found = linkage(folder, command, "bad.yaml")
    assert (found.returncode, found.stdout) == (USAGE, "")
    assert found.stderr == "linkage: bad.yaml:5:1: unknown key `step` (help: did you mean `steps`?)\n"


def test_valid_cases_run_with_continue_on_collection_errors(
    folder: Path, some_rustc: str, cache: Path
) -> None:
    (folder / "bad.yaml").write_text(f"{GOOD}step: []\n")
    options = ["--toolchain", some_rustc, "--continue-on-collection-errors", "--no-skip"]
    found = pytest_on(folder, "bad.yaml", "good.yaml", *options, cache=cache)
    assert "bad.yaml:5:1: unknown key `step` (help: did you mean `steps`?)" in found.stdout
    assert "2 failed, 1 error" in found.stdout or "2 passed, 1 error" in found.stdout
    assert found.returncode == USAGE


def test_valid_cases_are_collected_besides_wrong_ones(folder: Path, some_rustc: str, cache: Path) -> None:
    (folder / "bad.yaml").write_text("summary: [\n")
    options = ["--collect-only", "-q", "--toolchain", some_rustc]
    found = pytest_on(folder, *options, "bad.yaml", "good.yaml", cache=cache)
    assert "good.yaml::some[lto=off]" in found.stdout.splitlines()
    assert "bad.yaml:1:10: unclosed bracket" in found.stdout
    assert found.returncode == USAGE


def test_absent_case(folder: Path) -> None:
    by_pytest = pytest_on(folder, "gone.yaml")
    assert by_pytest.returncode == USAGE
    assert "ERROR: file or directory not found: gone.yaml" in by_pytest.stderr
    for command in ("run", "list"):
        found = linkage(folder, command, "gone.yaml")
        assert (found.returncode, found.stdout) == (USAGE, "")
        assert found.stderr == (
            "linkage: gone.yaml: no such case file or directory (help: run `linkage list`)\n"
        )


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_absent_variant(folder: Path, some_rustc: str, workers: tuple[str, ...]) -> None:
    found = linkage(folder, "run", "--toolchain", some_rustc, "good.yaml::some[lto=thick]", *workers)
    assert found.returncode == USAGE
    assert found.stderr == "linkage: good.yaml: no variant [lto=thick] (help: did you mean [lto=fat]?)\n"
    found = linkage(folder, "run", "--toolchain", some_rustc, "good.yaml::same[lto=fat]", *workers)
    assert (found.returncode, found.stdout) == (USAGE, "")
    assert found.stderr == (
        "linkage: good.yaml::same[lto=fat]: this run has no toolchain `same` (help: it has some)\n"
    )
    found = linkage(folder, "run", "--toolchain", some_rustc, "good.yaml[lto=thick]", *workers)
    assert found.returncode == USAGE
    assert found.stderr == "linkage: good.yaml: no variant [lto=thick] (help: did you mean [lto=fat]?)\n"
    found = linkage(folder, "run", "--toolchain", some_rustc, "gone.yaml[lto=fat]", *workers)
    assert (found.returncode, found.stdout) == (USAGE, "")
    assert found.stderr == "linkage: gone.yaml: no such case file or directory (help: run `linkage list`)\n"
    found = linkage(folder, "run", "--toolchain", some_rustc, "-k", "good and", *workers)
    assert (found.returncode, found.stdout) == (USAGE, "")
    assert found.stderr == (
        "linkage: -k: `good and` is not an expression (help: write it as `cdylib and not thin`)\n"
    )


def test_pytest_with_workers_reports_what_is_wrong(folder: Path, some_rustc: str, cache: Path) -> None:
    """Otherwise the workers run nothing and report nothing."""
    (folder / "n\udcff.yaml").write_text((folder / "good.yaml").read_text())
    settings = ["-p", "xdist", "--toolchain", some_rustc]
    for words, told in (
        (["-n", "1", "gone.yaml"], "gone.yaml: file or directory not found (help: check the path)"),
        (["-n", "1", "good.yaml::some[lto=thick]"], "good.yaml: no variant [lto=thick]"),
        (
            ["-n", "1", "good.yaml::other"],
            "good.yaml::other: this run has no toolchain `other` (help: it has",
        ),
        (["-n", "-1", "good.yaml"], "-n -1: must not be negative"),
        (["-n", "1", "gone\x1b[1m.yaml"], "gone\\x1b[1m.yaml: file or directory not found"),
        (["-n", "1", "n\udcff.yaml"], "-n needs names that are UTF-8, which n\\udcff.yaml is not (help: "),
    ):
        found = pytest_on(folder, *settings, *words, cache=cache)
        assert found.returncode == USAGE
        assert told in found.stderr


def test_folder_of_another_project(folder: Path, some_rustc: str, cache: Path) -> None:
    """Named from inside a project that has cases of its own."""
    (folder / "other").mkdir()
    (folder / "good.yaml").rename(folder / "other/good.yaml")
    (folder / "project/cases").mkdir(parents=True)
    (folder / "project/pytest.ini").write_text("[pytest]\nlinkage_cases = cases\n")
    for place in ("../other", "../other/good.yaml"):
        options = ["--collect-only", "-q", "--toolchain", some_rustc, place]
        found = pytest_on(folder / "project", *options, cache=cache)
        assert (found.returncode, found.stdout.count("good.yaml::some[lto=")) == (0, 2), found.stdout


def test_absent_cargo_project(folder: Path, some_rustc: str) -> None:
    found = linkage(folder, "compare", some_rustc, f"other={some_rustc.partition('=')[2]}", "--cargo", "gone")
    assert (found.returncode, found.stdout) == (USAGE, "")
    assert found.stderr == "linkage: --cargo gone: no Cargo.toml (help: name a Cargo project)\n"


def test_folder_that_cannot_be_read(folder: Path, some_rustc: str) -> None:
    """It is named, also if it is in a folder that is named."""
    closed = folder / "closed/inside"
    closed.mkdir(parents=True)
    closed.chmod(0)
    # Root reads every folder, unless it gives that up.
    ordinary = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "harness"), "LINKAGE_CACHE": str(folder / "cache")}
    commands = (["list"], ["run", "--toolchain", some_rustc], ["run", "-n1", "--toolchain", some_rustc])
    named = (
        *itertools.product(commands, ("closed", "closed/inside")),
        (["store", "--store"], "closed/inside"),
    )
    for command, place in named:
        found = subprocess.run(
            [*ordinary, sys.executable, "-m", "linkage", *command, place],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (found.returncode, found.stdout) == (USAGE, ""), found.stderr
        where = found.stderr.removeprefix(f"linkage: {folder}/").removeprefix("linkage: ")
        assert where == "closed/inside: cannot be read: Permission denied\n"
    closed.chmod(0o755)


def test_file_that_is_not_text(folder: Path) -> None:
    (folder / "bad.yaml").write_bytes("summary: ä".encode() + b"\xff\n")
    found = linkage(folder, "explain", "bad.yaml")
    assert found.returncode == USAGE
    assert found.stderr == "linkage: bad.yaml:1:11: the file is not valid UTF-8 (help: save it as UTF-8)\n"
