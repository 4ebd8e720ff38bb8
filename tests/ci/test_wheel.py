"""The wheel, installed and used in an empty folder: it needs no clone, and has the shipped cases."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from linkage.run.selection import case_files

ROOT = Path(__file__).parents[2]
SHIPPED = "shipped:metadata/soname.yaml"
OWN = """\
summary: The answer is exported
sources:
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[no_mangle] pub extern "C" fn answer() -> i32 { 42 }
steps:
  - rustc: lib.rs
    crate-type: cdylib
    panic: abort
    claims:
      lib.cdylib: {exports: {only: [answer]}}
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source distribution, which is built from a copy: a build leaves files behind."""
    source = tmp_path_factory.mktemp("source")
    for name in ("harness", "cases"):
        left_out = shutil.ignore_patterns("*.egg-info", "__pycache__")
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    made = tmp_path_factory.mktemp("made")
    sdist = f"from setuptools.build_meta import build_sdist; build_sdist({str(made)!r})"
    subprocess.run([sys.executable, "-c", sdist], cwd=source, check=True, capture_output=True)
    (archive,) = made.glob("*.tar.gz")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-build-isolation",
        "--no-deps",
        "-w",
        str(made),
        str(archive),
    ]
    subprocess.run(pip, cwd=made, check=True, capture_output=True)
    (found,) = made.glob("*.whl")
    return found


class User:
    """An environment with the wheel, and a folder with a case; the dependencies are this environment's."""

    def __init__(self, folder: Path, wheel: Path, rustc: Path) -> None:
        self.folder, self.bin, self.rustc = folder / "mine", folder / "venv/bin", rustc
        (self.folder / "own").mkdir(parents=True)
        (self.folder / "own/answer.yaml").write_text(OWN)
        (self.folder / "pytest.ini").write_text("[pytest]\nlinkage_cases = own\n")
        venv.create(folder / "venv", symlinks=True)
        (site,) = folder.glob("venv/lib/python*/site-packages")
        (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        pip = ["-m", "pip", "--python", str(self.bin / "python"), "install", "--no-deps", str(wheel)]
        subprocess.run([sys.executable, *pip], check=True, capture_output=True)
        self.package = site / "linkage"

    def call(self, *words: str, status: int = 0) -> str:
        left_out = ("PYTEST_", "LINKAGE_", "COV_", "PYTHONPATH")
        env = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
        made = {"LINKAGE_CACHE": str(self.folder.parent / "cache"), "NO_COLOR": "1", "COLUMNS": "200"}
        done = subprocess.run(
            [self.bin / "python", "-m", *words],
            cwd=self.folder, env=env | made, capture_output=True, text=True, check=False, timeout=280,
        )  # fmt: skip
        assert done.returncode == status, done
        return done.stdout

    def linkage(self, *words: str, status: int = 0) -> str:
        return self.call("linkage", *words, status=status)

    def files(self) -> set[Path]:
        return {path for path in self.package.rglob("*") if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory, wheel: Path, rustc: Path) -> User:
    return User(tmp_path_factory.mktemp("user"), wheel, rustc)


def test_the_wheel_holds_the_package_and_every_file_of_the_cases(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    cases = [path for path in (ROOT / "cases").rglob("*") if path.is_file()]
    package = [path for path in (ROOT / "harness/linkage").rglob("*") if "__pycache__" not in path.parts]
    for file in cases:
        assert f"linkage/shipped/{file.relative_to(ROOT / 'cases')}" in names
    for file in package:
        if file.is_file():
            assert str(file.relative_to(ROOT / "harness")) in names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"linkage", "rustc_linkage"}


def test_runs_of_own_and_of_shipped_cases(user: User) -> None:
    before = user.files()
    spec = ("--toolchain", f"here={user.rustc}")
    said = user.linkage("run", "own", SHIPPED, *spec, "--json", "out.json")
    assert "own/answer.yaml" in said
    assert SHIPPED in said
    again = user.linkage("run", "--shipped", "-k", "soname", *spec, "-n", "2")
    assert SHIPPED in again
    pytest_ran = user.call("pytest", *spec, "-rA")
    assert "PASSED own/answer.yaml::here" in pytest_ran
    assert "1 passed" in pytest_ran
    assert user.files() == before


def test_the_other_commands(user: User) -> None:
    assert "1 variant on each toolchain" in user.linkage("list", "own")
    listed = user.linkage("list", "--shipped")
    assert all(
        f"shipped:{path.relative_to(ROOT / 'cases')}: " in listed
        for path in case_files([str(ROOT / "cases")])
    )
    spec = ("--toolchain", f"here={user.rustc}")
    assert "rustc" in user.linkage("explain", "own/answer.yaml", *spec)
    (variant, *_) = [line.strip() for line in listed.splitlines() if line.strip().startswith(f"{SHIPPED}[")]
    assert "rustc" in user.linkage("explain", variant, *spec)
    assert user.linkage("repro", variant, *spec).startswith("#!")
    assert user.linkage("table", "own", "shipped:metadata")
    same = (f"here={user.rustc}", f"there={user.rustc}")
    assert user.linkage("compare", *same, "own/answer.yaml")
    assert user.linkage("compare", *same, SHIPPED)
    assert "usage: linkage bisect" in user.linkage("bisect", "--help")
    assert user.linkage("schema").startswith("{")
    assert "here" in user.linkage("toolchains", *spec)
