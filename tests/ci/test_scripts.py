"""The scripts in ci/: what they run, when they set up again, and what they say is missing.

A false Python stands for the real one: it makes a virtual environment of scripts that only write
down how they were called. The real thing is what CI itself runs.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).parents[2]
NEEDED = ["bash", "cat", "chmod", "cksum", "cp", "cut", "dirname", "flock", "grep"]
NEEDED += ["diff", "id", "mkdir", "mktemp", "rm", "sort", "tail"]
OURSELVES = "pip --no-deps --no-build-isolation -e ."
LOCKED_RUN = ["pip --require-hashes --no-deps -r ci/locked/run.txt", OURSELVES]
LOCKED_DEV = ["pip --require-hashes --no-deps -r ci/locked/dev.txt", OURSELVES]
FALSE_PYTHON = r"""#!/bin/sh
case "$*" in
*version_info*) exit "${OLD:-0}" ;;
*"print(sys.version)"*) echo "${VERSION:-3.11.0 false}" ;;
*ensurepip*) exit "${NO_VENV:-0}" ;;
"-m venv"*)
    echo "venv $4" >> log; mkdir -p $4/bin; rm -f $4/set-up-*; cp "$0" $4/bin/python
    for tool in linkage pytest ruff mypy lint-imports coverage uv; do
        body='echo %s "$@" >> log\n[ "$FAIL" != %s ] || { echo "$SAYS" >&2; exit "${STATUS:-1}"; }\n'
        printf "#!/bin/sh\n$body" $tool $tool > $4/bin/$tool
        chmod +x $4/bin/$tool
    done
    body='for file; do [ "$last" != -o ] || echo "some-package==1.0" > "$file"; last=$file; done'
    echo "$body" >> $4/bin/uv ;;
*"pip install"*) shift 5; echo "pip $*" >> log; [ -z "$PIP_SAYS" ] || { echo "$PIP_SAYS"; exit 1; } ;;
"-m linkage.toolchain.ensure") exit "${NO_RUSTC:-0}" ;;
*) exit 99 ;;
esac
"""


class Checkout:
    """A copy of the scripts, with a PATH on which only what is put there is found."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name in ("ci", ".ci"):
            shutil.copytree(CHECKOUT / name, self.folder / name)
        shutil.copy(CHECKOUT / "pyproject.toml", self.folder)
        for name in NEEDED:
            program = shutil.which(name)
            if program:
                (self.bin / name).symlink_to(program)
        (self.bin / "sh").symlink_to("/bin/sh")
        self.add("cc", "#!/bin/sh\n")
        self.add("python3", FALSE_PYTHON)

    def add(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def call(self, script: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", self.folder / script, *arguments],
            env={"PATH": str(self.bin), "HOME": str(self.folder), "TMPDIR": str(self.folder.parent)} | env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def refusal(self, script: str = "ci/cases", **env: str) -> str:
        """The one line with which the script refuses, with exit status 4."""
        result = self.call(script, **env)
        assert result.returncode == 4, result
        (line,) = result.stderr.splitlines()
        assert line.startswith("error: ")
        return line

    def log(self) -> list[str]:
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_cases_sets_up_once(checkout: Checkout) -> None:
    first = checkout.call("ci/cases", "-k", "a b")
    assert first.returncode == 0, first
    assert checkout.log() == ["venv .venv", *LOCKED_RUN, "linkage run -n auto -k a b"]
    assert "$ .venv/bin/linkage run -n auto -k a\\ b" in first.stdout
    assert checkout.call("ci/cases").returncode == 0
    assert checkout.log() == ["linkage run -n auto"]


def test_it_sets_up_again_when_what_it_needs_changes(checkout: Checkout) -> None:
    checkout.call("ci/cases")
    checkout.log()
    for name in ("pyproject.toml", "ci/locked/run.txt"):
        checkout.call("ci/cases")
        checkout.log()
        with (checkout.folder / name).open("a") as file:
            file.write("# changed\n")
    checkout.call("ci/cases")
    assert checkout.log() == [*LOCKED_RUN, "linkage run -n auto"]
    checkout.call("ci/cases", VERSION="3.12.0 false")
    assert checkout.log() == ["venv .venv", *LOCKED_RUN, "linkage run -n auto"]


def test_the_environment_of_the_tests_does_for_the_cases(checkout: Checkout) -> None:
    checkout.call("ci/tests", "tests/x")
    assert checkout.log() == ["venv .venv", *LOCKED_DEV, "pytest tests/x"]
    checkout.call("ci/cases")
    assert checkout.log() == ["linkage run -n auto"]


def test_an_installation_that_was_broken_off_is_made_again(checkout: Checkout) -> None:
    checkout.call("ci/cases", PIP_SAYS="ERROR: broken off")
    checkout.log()
    assert checkout.call("ci/cases").returncode == 0
    assert checkout.log() == [*LOCKED_RUN, "linkage run -n auto"]
    (checkout.folder / ".venv/bin/python").unlink()
    assert checkout.call("ci/cases").returncode == 0
    assert checkout.log() == ["venv .venv", *LOCKED_RUN, "linkage run -n auto"]


def test_cases_exits_as_the_run_does(checkout: Checkout) -> None:
    assert checkout.call("ci/cases", FAIL="linkage", STATUS="5").returncode == 5


def test_tests_runs_every_check(checkout: Checkout) -> None:
    result = checkout.call("ci/tests")
    assert result.returncode == 0, result
    systems = [
        f"mypy --platform {name} --no-warn-unreachable harness/linkage" for name in ("win32", "darwin")
    ]
    checks = [
        "ruff format --check .",
        "ruff check .",
        "mypy",
        *systems,
        "lint-imports",
        "pytest tests -n auto",
    ]
    assert checkout.log() == ["venv .venv", *LOCKED_DEV, *checks]
    for check in checks:
        assert f"$ .venv/bin/{check}\n" in result.stdout
    result = checkout.call("ci/tests", FAIL="mypy")
    failed = "failed: [mypy] [mypy --platform win32] [mypy --platform darwin]"
    assert (result.returncode, result.stdout.splitlines()[-1]) == (1, failed)
    assert checkout.log() == checks


def test_coverage_has_a_floor_for_each_pure_package(checkout: Checkout) -> None:
    result = checkout.call("ci/tests", "--coverage")
    assert result.returncode == 0, result
    first, second, third, *reports = checkout.log()[-8:]
    assert [first, second, third] == [
        "coverage erase", "coverage run -m pytest tests -n auto", "coverage combine --quiet",
    ]  # fmt: skip
    packages = [report.partition("/linkage/")[2].partition("/")[0] for report in reports]
    assert packages == ["artifact", "case", "judge", "plan", "render"]
    assert all("--fail-under=9" in report for report in reports)
    broken = checkout.call("ci/tests", "--coverage", FAIL="coverage")
    assert (broken.returncode, broken.stdout.splitlines()[-1]) == (
        1,
        "failed: [coverage] [pytest] [coverage]",
    )


@pytest.mark.parametrize(("option", "resolution"), [("--lowest", "lowest-direct"), ("--newest", "highest")])
def test_a_range_of_versions_has_an_environment_of_its_own(
    checkout: Checkout, option: str, resolution: str
) -> None:
    venv = f".venv-{option[2:]}"
    result = checkout.call("ci/tests", option)
    assert result.returncode == 0, result
    assert f"$ {venv}/bin/pytest tests -n auto\n" in result.stdout
    assert "some-package==1.0\n" in result.stdout
    log = checkout.log()
    assert log[: len(LOCKED_DEV) + 2] == ["venv .venv", *LOCKED_DEV, f"venv {venv}"]
    assert f"--resolution {resolution}" in log[-4]
    assert log[-3:] == [
        f"uv pip sync --quiet --python {venv}/bin/python {venv}/versions.txt",
        f"uv pip install --quiet --python {venv}/bin/python --no-deps --no-build-isolation -e .",
        "pytest tests -n auto",
    ]
    assert checkout.call("ci/tests", option, "tests/x", FAIL="pytest", STATUS="5").returncode == 5
    assert checkout.log()[-1] == "pytest tests/x"
    assert "error: uv could not resolve" in checkout.call("ci/tests", option, FAIL="uv").stderr


def test_lock_is_updated_and_reports_changed_versions(checkout: Checkout) -> None:
    result = checkout.call("ci/lock")
    assert result.returncode == 0, result
    assert result.stdout.splitlines()[-1] == "> some-package==1.0"
    assert sum("--upgrade" in line for line in checkout.log()) == 5
    assert checkout.call("ci/lock").stdout.splitlines()[-1] == "nothing"
    checkout.log()
    checkout.call("ci/lock", "pytest", "rich")
    assert sum("--upgrade-package=pytest --upgrade-package=rich" in line for line in checkout.log()) == 5


def _requirements(name: str) -> dict[str, str]:
    text = (CHECKOUT / "ci/locked" / name).read_text()
    logical = text.replace("\\\n", " ").splitlines()
    return {line.split("==")[0]: line for line in logical if not line.startswith("#")}


def test_the_lock_has_hashes_names_no_index_and_covers_what_is_declared() -> None:
    names = ("mutation", "fuzz", "targets", "dev", "run")
    mutation, fuzz, targets, dev, run = (_requirements(f"{name}.txt") for name in names)
    assert run.items() <= targets.items()
    for larger in (mutation, fuzz):
        assert all(" --hash=sha256:" in line and "://" not in line for line in larger.values())
        assert run.items() <= dev.items() <= larger.items()
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    declared = [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]
    assert {Requirement(one).name.lower() for one in declared} <= set(run)
    groups = project["dependency-groups"]
    for name, group in groups.items():
        named = {Requirement(one).name.lower() for one in group if isinstance(one, str)}
        assert named <= set({"mutation": mutation, "fuzz": fuzz, "targets": targets}.get(name, dev))
    for one in declared:
        wanted = Requirement(one)
        assert run[wanted.name.lower()].split()[0].split("==")[1] in wanted.specifier


def test_tests_with_arguments_is_pytest(checkout: Checkout) -> None:
    assert checkout.call("ci/tests", "tests/toolchain", "-x", FAIL="pytest", STATUS="5").returncode == 5
    assert checkout.log()[-1] == "pytest tests/toolchain -x"


@pytest.mark.parametrize("broken", ["mypy", "pytest", "linkage", ""])
def test_run_fails_if_either_part_fails(checkout: Checkout, broken: str) -> None:
    assert checkout.call(".ci/run", FAIL=broken).returncode == (1 if broken else 0)
    log = checkout.log()
    assert log[-1] == "linkage run -n auto"
    assert "pytest tests -n auto" in log
    assert "pytest tests -m not rustc -n auto" in log


INSTALLS = "linkage toolchains install debian:1.48 debian:1.63 debian:1.78 debian:1.85"
UNREACHABLE = "linkage: toolchain debian:1.48: the suite bullseye cannot be fetched: … Could not connect to …"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (UNREACHABLE, 3),
        (
            f"{UNREACHABLE}\nlinkage: toolchain debian:1.63: Debian packages cannot be unpacked here: …",
            3,
        ),
        (f"{UNREACHABLE}\nlinkage: toolchain debian:1.63: the disk is full", 4),
        ("Traceback (most recent call last):", 4),
        ("", 4),
    ],
)
def test_only_a_machine_without_an_archive_goes_without_old_compilers(
    checkout: Checkout, said: str, status: int
) -> None:
    result = checkout.call("ci/old-compilers", "old", FAIL="linkage", SAYS=said)
    assert result.returncode == status, result
    assert checkout.log()[-1] == INSTALLS
    (checkout.folder / "old/linkage/debian/1.48.0").mkdir(parents=True)
    (checkout.folder / "old/linkage/debian/1.48.0/rustc").touch()
    # An archive that has given one of them is there.
    assert checkout.call("ci/old-compilers", "old", FAIL="linkage", SAYS=said).returncode == 4
    assert checkout.call("ci/old-compilers", "old").returncode == 0


@pytest.mark.parametrize(("fail", "named"), [("", "/.cache/linkage-ci/linkage/debian"), ("linkage", "")])
def test_ci_passes_the_folder_of_old_compilers_to_the_tests(
    checkout: Checkout, fail: str, named: str
) -> None:
    checkout.call("ci/old-compilers", "old")
    pytest_of_ci = checkout.folder / ".venv/bin/pytest"
    pytest_of_ci.write_text('#!/bin/sh\necho "[$LINKAGE_DEBIAN_COMPILERS]" >> log\n')
    checkout.call(".ci/run", FAIL=fail, SAYS=UNREACHABLE)
    assert f"[{checkout.folder if named else ''}{named}]" in checkout.log()


@pytest.mark.skipif(not shutil.which("apt-get"), reason="there is no apt here")
def test_apts_own_words_for_no_archive(tmp_path: Path, checkout: Checkout) -> None:
    """The words that the script looks for are those of the real apt."""
    (tmp_path / "apt.conf").write_text(
        f'Dir::Etc::SourceList "{tmp_path}/list";\nDir::Etc::SourceParts "{tmp_path}/parts";\n'
    )
    for line in ("", "deb http://127.0.0.1:9/debian bookworm main\n"):
        (tmp_path / "list").write_text(line)
        done = subprocess.run(
            [sys.executable, "-m", "linkage", "toolchains", "install", "debian:1.63"],
            env=os.environ | {"APT_CONFIG": str(tmp_path / "apt.conf"), "XDG_CACHE_HOME": str(tmp_path)},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 4
        said = done.stderr.strip()
        assert checkout.call("ci/old-compilers", "old", FAIL="linkage", SAYS=said).returncode == 3


def test_no_c_compiler(checkout: Checkout) -> None:
    (checkout.bin / "cc").unlink()
    assert "there is no C compiler: install gcc or clang" in checkout.refusal()
    assert "CC=no-such-cc is not a program" in checkout.refusal(CC="no-such-cc")


def test_no_python(checkout: Checkout) -> None:
    assert "Python 3.11 or newer" in checkout.refusal(OLD="1")
    assert "PYTHON=no-such-python is not a Python 3.11 or newer" in checkout.refusal(PYTHON="no-such-python")
    (checkout.bin / "python3").unlink()
    assert "there is no python3: install Python 3.11 or newer" in checkout.refusal("ci/tests")


def test_a_python_that_is_too_old(checkout: Checkout) -> None:
    checkout.add("python3", '#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit\nexit 1\n')
    assert "Python 3.9.2 is too old: install Python 3.11 or newer" in checkout.refusal()


def test_no_venv_module(checkout: Checkout) -> None:
    assert "this Python has no venv module: install it (Debian, Ubuntu: python3-venv)" in checkout.refusal(
        NO_VENV="1"
    )


def test_no_network(checkout: Checkout) -> None:
    said = "WARNING: Retrying after NewConnectionError\nERROR: No matching distribution found for setuptools"
    assert "pip cannot reach the package index: connect to a network" in checkout.refusal(PIP_SAYS=said)


def test_a_package_that_does_not_install(checkout: Checkout) -> None:
    said = "ERROR: one\nERROR: No matching distribution found for lief"
    line = checkout.refusal(PIP_SAYS=said)
    assert "this package: ERROR: No matching distribution found for lief (all that pip said: " in line
    assert said in Path(line.split("all that pip said: ")[1].rstrip(")")).read_text()


def test_no_rustc_and_none_to_be_had(checkout: Checkout) -> None:
    result = checkout.call("ci/cases", NO_RUSTC="4")
    assert result.returncode == 4
    assert "linkage run -n auto" not in checkout.log()


def test_pips_own_words_for_no_network(tmp_path: Path, checkout: Checkout) -> None:
    """The words that the script looks for are those of the real pip."""
    settings = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": os.devnull,
    }
    pip = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--target", tmp_path / "x", "no-such-package-here"],
        env={"PATH": os.environ["PATH"]} | settings | {"PIP_RETRIES": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if "No module named pip" in pip.stderr:
        pytest.skip("this Python has no pip")
    assert pip.returncode != 0
    assert "pip cannot reach the package index" in checkout.refusal(PIP_SAYS=pip.stdout + pip.stderr)


TARGETS_TOOLS = (
    "qemu-s390x s390x-linux-gnu-gcc x86_64-w64-mingw32-gcc aarch64-linux-gnu-gcc i686-linux-gnu-gcc"
)
TARGETS_TOOLS += " riscv64-linux-gnu-gcc ld.lld-22 llvm-readobj-22 wasm-objdump node"


def _with_tools_of_targets(checkout: Checkout) -> None:
    for name in TARGETS_TOOLS.split():
        checkout.add(name, "#!/bin/sh\n")
    (checkout.bin / "basename").symlink_to(shutil.which("basename") or "/usr/bin/basename")


def test_the_quick_targets_install_no_compiler(checkout: Checkout) -> None:
    _with_tools_of_targets(checkout)
    assert checkout.call("ci/targets", "--quick", "-k", "x").returncode == 0
    assert [line for line in checkout.log() if line.startswith("linkage")] == [
        "linkage run -n auto cases/targets -k x"
    ]


def test_all_targets_run_on_compilers_of_their_own(checkout: Checkout) -> None:
    _with_tools_of_targets(checkout)
    rustc = checkout.folder / "cache/linkage-targets/linkage/debian/1.85.1/rustc"
    rustc.parent.mkdir(parents=True)
    rustc.write_text("#!/bin/sh\n")
    rustc.chmod(0o755)
    result = checkout.call("ci/targets", XDG_CACHE_HOME=str(checkout.folder / "cache"))
    assert result.returncode == 0, result
    *installs, first, second = [line for line in checkout.log() if line.startswith("linkage")]
    assert "linkage toolchains install debian:1.63 --target x86_64-pc-windows-gnu" in installs
    assert all(line.startswith("linkage toolchains install debian:") for line in installs)
    assert first == "linkage run -n auto cases/targets"
    assert second == f"linkage run -n auto cases/targets --toolchain debian-1.85.1={rustc}"


def test_a_std_that_is_not_there_does_not_stop_the_others(checkout: Checkout) -> None:
    _with_tools_of_targets(checkout)
    result = checkout.call("ci/targets", "--install-only", FAIL="linkage")
    assert result.returncode == 0
    assert "== no std for aarch64-unknown-linux-gnu of debian:1.63: see above" in result.stdout
    assert sum("toolchains install" in line for line in checkout.log()) == 14


def test_the_scripts_are_shellcheck_clean() -> None:
    shellcheck = shutil.which("shellcheck")
    if not shellcheck:
        pytest.skip("shellcheck is not installed")
    subprocess.run(
        [
            shellcheck,
            "-x",
            "ci/setup.sh",
            "ci/cases",
            "ci/cgroup-v2",
            "ci/lock",
            "ci/tests",
            "ci/old-compilers",
            "ci/targets",
            ".ci/run",
        ],
        cwd=CHECKOUT,
        check=True,
    )
