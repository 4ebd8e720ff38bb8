"""Dependencies that are missing or too old, in real processes: one line, exit status 4, no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
USAGE = 4


def distribution(place: Path, name: str, version: str, more: str = "") -> None:
    """What an installer leaves of a package, without the package."""
    folder = place / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}"
    (folder / "METADATA").write_text(text)


def start(place: Path, *arguments: str, more: str = "") -> subprocess.CompletedProcess[str]:
    """Run a module with the packages in `place` before the installed ones."""
    path = os.pathsep.join([str(place), str(ROOT)])
    return subprocess.run(
        [sys.executable, *(["-c", more] if more else ["-m"]), *arguments],
        cwd=place,
        env={**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def requires(place: Path, *requirements: str) -> None:
    """Install a linkage with these requirements."""
    distribution(place, "rustc_linkage", "9.0", "".join(f"Requires-Dist: {one}\n" for one in requirements))


@pytest.fixture
def old_pydantic(tmp_path: Path) -> Path:
    """A folder with a pydantic that is too old, and fails as a real old one does."""
    distribution(tmp_path, "pydantic", "2.9.0")
    (tmp_path / "pydantic.py").write_text("raise ImportError('no ModelWrapValidatorHandler')\n")
    requires(tmp_path, "pydantic>=2.11")
    return tmp_path


WHAT = "pydantic 2.9.0 is installed, but rustc-linkage needs pydantic>=2.11 (help: "


def test_the_command(old_pydantic: Path) -> None:
    found = start(old_pydantic, "linkage", "list")
    assert found.returncode == USAGE
    (line,) = found.stderr.splitlines()
    assert line.startswith(f"linkage: {WHAT}")
    assert line.endswith(" 'pydantic>=2.11')")
    assert "pip install" in line
    assert sys.executable in line


def test_git_bisect_does_not_take_the_exit_status_for_an_answer(old_pydantic: Path) -> None:
    assert start(old_pydantic, "linkage", "probe", "x.yaml").returncode == 255


@pytest.mark.parametrize("how", ["option", "conftest", "entry point"])
def test_pytest(old_pydantic: Path, how: str) -> None:
    plugin = {"option": ["-p", "linkage.plugin"], "entry point": ["-p", "linkage"], "conftest": []}
    if how == "conftest":
        (old_pydantic / "conftest.py").write_text('pytest_plugins = ["linkage.plugin"]\n')
    if how == "entry point":
        (old_pydantic / "rustc_linkage-9.0.dist-info/entry_points.txt").write_text(
            "[pytest11]\nlinkage = linkage.plugin\n"
        )
    found = start(old_pydantic, "pytest", *plugin[how], "-o", "linkage_cases=.")
    assert found.returncode == USAGE
    (line,) = found.stderr.split("\n\n", 1)[0].splitlines()
    assert line.startswith(f"ERROR: {WHAT}")
    assert not found.stdout.strip()


def test_all_that_is_missing_is_in_one_line(tmp_path: Path) -> None:
    distribution(tmp_path, "pytest", "1.0")
    requires(
        tmp_path,
        "Some.Thing[fast]<3,>=2",
        "pytest>=8.4",
        "pydantic>=2",
        'tomli>=2; python_version < "3"',
        'sphinx>=99; extra == "docs"',
    )
    found = start(tmp_path, "linkage", "list")
    assert found.returncode == USAGE
    assert found.stderr.startswith(
        "linkage: Some.Thing is not installed, but rustc-linkage needs Some.Thing[fast]<3,>=2; "
        "pytest 1.0 is installed, but rustc-linkage needs pytest>=8.4 (help: "
    )
    assert found.stderr.endswith(" 'Some.Thing[fast]<3,>=2' 'pytest>=8.4')\n")


def test_what_the_quick_look_cannot_compare_is_compared(tmp_path: Path) -> None:
    """A post release is new enough; a release candidate is not; a module without metadata may be."""
    distribution(tmp_path, "pydantic", "2.11.0.post1")
    distribution(tmp_path, "msgspec", "0.19rc1")
    (tmp_path / "yaml.py").touch()
    requires(tmp_path, "pydantic>=2.11", "PyYAML>=6", "msgspec>=0.19")
    found = start(tmp_path, "linkage", "schema")
    assert "msgspec 0.19rc1 is installed, but rustc-linkage needs msgspec>=0.19 (help" in found.stderr
    assert "pydantic" not in found.stderr
    assert "YAML" not in found.stderr


def test_without_packaging(tmp_path: Path) -> None:
    (tmp_path / "packaging.py").write_text("raise ImportError('packaging')\n")
    requires(tmp_path, "not-there>=2")
    found = start(tmp_path, "linkage", "list")
    assert found.returncode == USAGE
    assert found.stderr.startswith(
        "linkage: packaging is not installed, but pytest needs packaging; "
        "not-there is not installed, but rustc-linkage needs not-there>=2 (help: "
    )


def test_what_a_dependency_needs_is_named_if_an_import_fails(tmp_path: Path) -> None:
    distribution(tmp_path, "pydantic", "2.12", "Requires-Dist: not-there==2.41\n")
    (tmp_path / "pydantic.py").write_text("import not_there\n")
    requires(tmp_path, "pydantic>=2.11")
    found = start(tmp_path, "linkage", "list")
    assert found.returncode == USAGE
    assert found.stderr.startswith(
        "linkage: not-there is not installed, but pydantic needs not-there==2.41 (help: "
    )
    assert found.stderr.count("\n") == 1


def test_without_metadata_nothing_is_checked() -> None:
    more = "import linkage.dependencies as d; d.DISTRIBUTION = 'not-installed'; d.check_dependencies()"
    assert start(ROOT, more=more).returncode == 0


def test_the_check_imports_none_of_the_packages() -> None:
    """It runs before each command, so it must cost next to nothing when all is well."""
    more = (
        "import sys, linkage.dependencies as d; d.check_dependencies(); "
        "print({'packaging', 'importlib.metadata', 'pydantic'} & set(sys.modules) if d._surely_met() else 0)"
    )
    said = start(ROOT, more=more).stdout.strip()
    assert said in {"set()", "0"}  # 0: linkage is not installed here


def test_pytest_without_cases_needs_none_of_the_packages(old_pydantic: Path) -> None:
    (old_pydantic / "test_it.py").write_text("def test_it(): pass\n")
    (old_pydantic / "other.yaml").write_text("not: a case\n")
    found = start(old_pydantic, "pytest", "-p", "linkage.plugin")
    assert (found.returncode, found.stderr) == (0, "")
    assert "1 passed" in found.stdout
