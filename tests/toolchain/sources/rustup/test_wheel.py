"""Installing a wheel from environments made in several ways, with the real pip and uv, without a network."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEM = "/usr/bin:/bin"
SCRIPT = """\
import os, sys
from pathlib import Path
from linkage.errors import ToolchainError
from linkage.toolchain.sources.rustup.installation import find_rustup
try:
    print(find_rustup(os.environ, "stable"))
except ToolchainError as error:
    print(error)
"""


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A folder with a small wheel `rustup`."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "rustup-1.0-py3-none-any.whl", "w") as wheel:
        program = zipfile.ZipInfo("rustup-1.0.data/scripts/rustup")
        program.external_attr = 0o100755 << 16
        wheel.writestr(program, "#!/bin/sh\necho rustup 1.0\n")
        info = "rustup-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: rustup\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        names = [*wheel.namelist(), f"{info}/RECORD"]
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in names))
    return folder


def environment(folder: Path, *options: str, hidden: tuple[str, ...] = ("pip", "uv")) -> Path:
    """The python of a new environment with the packages of this one, except the hidden ones."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", *options, folder], check=True)
    site = next((folder / "lib").glob("python*/site-packages"))
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(place).iterdir():
            if not entry.name.startswith(hidden) and not (site / entry.name).exists():
                (site / entry.name).symlink_to(entry)
    return folder / "bin/python"


def find(python: Path, index: Path, home: Path, path: str = SYSTEM, **more: str) -> str:
    """What `find_rustup` returns, or the error's line."""
    env = {
        "HOME": str(home),
        "PATH": path,
        "PYTHONPATH": str(ROOT / "harness"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(index),
        "PIP_CONFIG_FILE": os.devnull,
        **more,
    }
    asked = subprocess.run(
        [python, "-c", SCRIPT], env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert asked.stderr == ""
    return asked.stdout.removesuffix("\n")


def only_uv(folder: Path) -> str:
    """A PATH with uv."""
    program = shutil.which("uv") or str(Path(sysconfig.get_path("scripts"), "uv"))
    assert Path(program).is_file(), "uv is one of the tools of the tests: pip install -e '.[dev]'"
    folder.mkdir()
    (folder / "uv").symlink_to(program)
    return f"{folder}:{SYSTEM}"


@pytest.mark.parametrize("way", ["uv", "another pip"])
def test_an_environment_without_pip(index: Path, tmp_path: Path, way: str) -> None:
    python = environment(tmp_path / "environment")
    path = only_uv(tmp_path / "bin") if way == "uv" else SYSTEM
    program = find(python, index, tmp_path / "home", path, PIP_REQUIRE_VIRTUALENV="1")
    assert program == str(tmp_path / "home/.cache/linkage/rustup/wheel/bin/rustup")
    assert subprocess.check_output([program], text=True) == "rustup 1.0\n"
    assert find(python, tmp_path, tmp_path / "home", path) == program


def test_an_environment_with_pip(index: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "with"], check=True)
    (pip,) = (tmp_path / "with/lib").glob("python*/site-packages/pip")
    python = environment(tmp_path / "environment")
    next((tmp_path / "environment/lib").glob("python*/site-packages")).joinpath("pip").symlink_to(pip)
    assert find(python, index, tmp_path / "home").endswith("/bin/rustup")
    line = find(python, tmp_path / "empty", tmp_path / "other")
    assert line.startswith("toolchain stable: the wheel `rustup` cannot be installed: pip: ERROR: ")
    assert "uv" not in line, "pip's answer is final"


def test_each_kind_of_answer(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    python = environment(tmp_path / "environment")
    line = find(python, tmp_path / "empty", tmp_path / "home", only_uv(tmp_path / "bin"))
    assert "\n" not in line
    assert line.startswith(
        f"toolchain stable: the wheel `rustup` cannot be installed: pip: {python} has no pip; uv: "
    )
    assert " environment: ERROR: " in line or " interpreter: ERROR: " in line
    assert line.endswith("or set RUSTC=/path/to/rustc)")
