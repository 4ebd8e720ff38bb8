"""Which files are cases: for pytest in a project, for `linkage run`, and for `linkage list`."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from linkage.plugin.hooks import NOT_RECURSED
from linkage.run.selection import case_files
from support.fake_compiler import false_rustc

ROOT = Path(__file__).parents[2]
CASE = "summary: A case\nsteps: [{tool: ar}]\n"
LOADED = (
    "import pytest, sys; b = set(sys.modules); import linkage.plugin; print(*sorted(set(sys.modules) - b))"
)
ODD_NAMES = ("build", "dist", "venv", "node_modules", "some.egg", "CVS")


class Place:
    """A folder that is a project, and a compiler that is only asked who it is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        self.rustc = folder / "rustc"
        self.rustc.write_text(f"#!/bin/sh\n{false_rustc(folder)}\n")
        self.rustc.chmod(0o755)

    def write(self, *names: str, text: str = CASE) -> None:
        for name in names:
            place = self.folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)

    def start(self, *words: str, cwd: str = "") -> "subprocess.CompletedProcess[str]":
        given = {
            "PYTHONPATH": str(ROOT / "harness"),
            "LINKAGE_CACHE": str(self.folder.parent / "cache"),
            "LINKAGE_STORE": str(self.folder.parent / "store"),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        spec = ("--toolchain", f"fake={self.rustc}", "--collect-only", "-q")
        return subprocess.run(
            [sys.executable, "-m", *words, *spec],
            cwd=self.folder / cwd, env=kept | given, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def pytest(self, *words: str, cwd: str = "") -> list[str]:
        """The files from which pytest collects something."""
        return files_in(self.start("pytest", "-p", "linkage.plugin", *words, cwd=cwd).stdout)

    def run(self, *words: str, cwd: str = "") -> list[str]:
        """The files from which `linkage run` collects something."""
        return files_in(self.start("linkage", "run", "-p", "xdist", *words, cwd=cwd).stdout)


def files_in(text: str) -> list[str]:
    return sorted({line.partition("::")[0] for line in text.splitlines() if "::" in line})


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def settings(**values: str) -> str:
    return "[pytest]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())


def test_pytest_collects_the_folders_of_the_setting(place: Place) -> None:
    place.write("cases/a.yaml", "cases/deep/b.yaml", "more/c.yaml", "other/d.yaml", "cases/.e.yaml")
    place.write(
        "pyproject.toml", text='[tool.pytest.ini_options]\nlinkage_cases = ["cases", "more/c.yaml"]\n'
    )
    place.write("cases/test_a.py", "tests/test_it.py", text="def test_it(): pass\n")
    mine = ["cases/a.yaml", "cases/deep/b.yaml", "cases/test_a.py", "more/c.yaml", "tests/test_it.py"]
    assert place.pytest() == mine
    assert place.pytest("cases") == mine[:3]
    assert place.pytest("other") == []
    assert place.pytest("other/d.yaml", "cases/.e.yaml") == ["cases/.e.yaml", "other/d.yaml"]
    assert place.pytest("other/d.yaml::fake") == ["other/d.yaml"]


def test_pytest_collects_nothing_without_the_setting(place: Place) -> None:
    place.write("cases/a.yaml", "tests/data.yaml")
    place.write("tests/test_it.py", text="def test_it(): pass\n")
    assert place.pytest() == ["tests/test_it.py"]
    assert place.pytest("cases/a.yaml") == ["cases/a.yaml"]


def test_the_cases_join_the_testpaths(place: Place) -> None:
    place.write("build/a.yaml", "tests/b.yaml")
    place.write("tests/test_it.py", text="def test_it(): pass\n")
    place.write("pytest.ini", text=settings(testpaths="tests", linkage_cases="build"))
    assert place.pytest() == ["build/a.yaml", "tests/test_it.py"]
    assert place.pytest("tests") == ["tests/test_it.py"]
    assert place.pytest(cwd="tests") == ["tests/test_it.py"]


def test_a_setting_that_points_nowhere(place: Place) -> None:
    place.write("pytest.ini", text=settings(linkage_cases="casse"))
    found = place.start("pytest", "-p", "linkage.plugin")
    assert found.returncode == 4
    assert found.stderr.splitlines()[0] == (
        f"ERROR: {place.folder}/pytest.ini: linkage_cases: {place.folder}/casse does not exist "
        "(help: name folders of cases, relative to this file)"
    )


def test_folders_of_any_name(place: Place) -> None:
    named = [f"cases/{name}/a.yaml" for name in ODD_NAMES]
    place.write(*named, "cases/.git/a.yaml", "cases/__pycache__/a.yaml", "cases/env/lib/a.yaml")
    place.write("cases/env/pyvenv.cfg", text="")
    place.write("pytest.ini", text=settings(linkage_cases="cases"))
    assert place.pytest() == place.run() == sorted(named)
    assert [str(file.relative_to(place.folder)) for file in case_files([str(place.folder)])] == sorted(named)


def test_what_the_user_takes_out_stays_out(place: Place) -> None:
    place.write("cases/build/a.yaml", "cases/dist/a.yaml", "cases/wip/a.yaml")
    place.write("pytest.ini", text=settings(linkage_cases="cases", norecursedirs="wip"))
    assert place.pytest("--ignore=cases/build") == ["cases/dist/a.yaml"]
    assert place.pytest("--ignore-glob=*/dist") == ["cases/build/a.yaml"]


def test_pytest_skips_no_other_names_by_default(pytestconfig: pytest.Config) -> None:
    assert set(pytestconfig._parser._inidict["norecursedirs"][2]) <= NOT_RECURSED


def test_linkage_run_takes_no_settings_from_a_project(place: Place) -> None:
    """Neither from the one that it is started in nor from the one that the case is in."""
    place.write("cases/a.yaml", "elsewhere/inside/b.yaml")
    hostile = settings(
        addopts="--frobnicate", testpaths="elsewhere", norecursedirs="*", linkage_cases="nowhere"
    )
    place.write("pytest.ini", "elsewhere/pytest.ini", text=hostile)
    place.write("conftest.py", "elsewhere/conftest.py", text="raise SystemExit('conftest.py was loaded')\n")
    assert place.run() == ["cases/a.yaml"]
    assert place.run("elsewhere") == ["elsewhere/inside/b.yaml"]
    assert place.run("../cases", cwd="elsewhere") == ["../cases/a.yaml"]
    assert place.run(str(place.folder / "cases"), cwd="elsewhere") == ["../cases/a.yaml"]


def test_linkage_run_without_cases(place: Place) -> None:
    found = place.start("linkage", "run", "-p", "xdist")
    assert (found.returncode, found.stdout.strip()) == (4, "")
    assert found.stderr.strip() == (
        "linkage: no directory `cases` here (help: name cases: linkage run CASE ...)"
    )


def test_shipped_cases_have_the_same_names_everywhere(place: Place) -> None:
    place.write("cases/a.yaml")
    shipped = [f"shipped:{file.relative_to(ROOT / 'cases')}" for file in case_files([str(ROOT / "cases")])]
    assert place.run("--shipped") == sorted(shipped)
    (first, *_) = shipped
    assert place.run("cases/a.yaml", first) == ["cases/a.yaml", first]


def test_the_plugin_is_light_for_those_who_do_not_use_it() -> None:
    said = subprocess.run(
        [sys.executable, "-c", LOADED],
        env=os.environ | {"PYTHONPATH": str(ROOT / "harness")}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    ours = {"linkage", "linkage.plugin", "linkage.dependencies", "linkage.errors"}
    ours |= {"linkage.run", "linkage.run.options"}
    assert set(said.stdout.split()) <= ours


def below(folder: Path, patterns: Iterable[str]) -> set[str]:
    return {str(file.relative_to(ROOT)) for pattern in patterns for file in folder.rglob(pattern)}


def test_every_test_file_of_this_repository_is_collected() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert set(files_in(said.stdout)) == below(ROOT / "tests", ["test_*.py", "*_test.py"])


def test_every_case_file_of_this_repository_is_collected(place: Place) -> None:
    folders = [ROOT / "cases", *(ROOT / "tests").rglob("*.yaml")]
    parents = sorted({folder if folder.is_dir() else folder.parent for folder in folders})
    found = place.run(*map(str, parents))
    collected = {str((place.folder / name).resolve().relative_to(ROOT)) for name in found if name[0] == "."}
    collected |= {name.replace("shipped:", "cases/") for name in found if name.startswith("shipped:")}
    assert collected == below(ROOT / "cases", ["*.yaml"]) | below(ROOT / "tests", ["*.yaml"])
