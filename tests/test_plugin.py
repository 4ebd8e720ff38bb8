"""Cases as pytest items: node ids, selection, outcomes, broken compilers, and interruption."""

import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.toolchain import discover, resolve_all

ROOT = Path(__file__).parents[1]

NO_STD = """\
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[no_mangle] pub extern "C" fn answer() -> i32 { 42 }
"""
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


@dataclass
class Result:
    """What a pytest run said."""

    status: int
    text: str

    def nodes(self) -> list[str]:
        """The node ids of `--collect-only -q`."""
        return [line for line in self.text.splitlines() if "::" in line]

    def of(self, outcome: str) -> list[str]:
        """The node ids that came out so, from the short summary."""
        return sorted(
            match[1] for match in re.finditer(rf"^{outcome} (\S+::[^\s]+)", self.text, re.MULTILINE)
        )


@dataclass
class Project:
    """A folder with cases, as a user has it."""

    folder: Path
    cache: Path
    rustc: Path

    def write(self, name: str, text: str) -> None:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def compiler(self, name: str, body: str) -> str:
        """A toolchain spec: a script that does `body`, then what the real compiler does."""
        script = self.folder / "compilers" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(f'#!/bin/sh\n{body.format(rustc=self.rustc)}\nexec {self.rustc} "$@"\n')
        script.chmod(0o755)
        return f"{name}={script}"

    @property
    def env(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        given = {"LINKAGE_STORE": str(self.folder / "store"), "LINKAGE_CACHE": str(self.cache)}
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        # What else is installed costs a second a run, and is none of our matter.
        return kept | given | {"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def command(self, *arguments: str, toolchain: str | None = None) -> list[str]:
        spec = ["--toolchain", toolchain or f"real={self.rustc}"]
        return [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "harness.plugin", *spec, *arguments]

    def start(self, *arguments: str, toolchain: str | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command(*arguments, toolchain=toolchain),
            cwd=self.folder,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, *arguments: str, toolchain: str | None = None) -> Result:
        process = self.start(*arguments, toolchain=toolchain)
        text, _ = process.communicate(timeout=300)
        return Result(process.returncode, text)

    def collect(self, *selections: list[str]) -> list[list[str]]:
        """The node ids that each of these selections finds, all asked in one process."""
        spec = ["-p", "harness.plugin", "--toolchain", f"real={self.rustc}", "--collect-only", "-q"]
        calls = [f"print('--'); pytest.main({[*spec, *one]!r})" for one in selections]
        script = "\n".join(["import pytest", *calls])
        asked = subprocess.run(
            [sys.executable, "-c", script],
            cwd=self.folder,
            env=self.env,
            text=True,
            capture_output=True,
            check=True,
        )
        return [Result(0, text).nodes() for text in asked.stdout.split("--\n")[1:]]

    def work_folders(self) -> list[Path]:
        return list((self.folder / "store").glob("v*/work/*"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where toolchains are probed once for all tests, and for all workers of xdist."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "toolchains"


@pytest.fixture(scope="module")
def rustc() -> Path:
    found = resolve_all(discover(os.environ), os.environ)
    if not found:
        pytest.skip("there is no rustc on this machine")
    return found[-1].rustc


@pytest.fixture
def project(tmp_path: Path, cache: Path, rustc: Path) -> Project:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    return Project(tmp_path, cache, rustc)


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
    assert "known bug gone: rust-lang/rust#1 is no longer seen" in text
    assert "because:   there is no program `no-such-tool-anywhere` on PATH" in text
    assert "Traceback" not in text
    assert "UnjudgedError" not in text


def test_junit(judged: tuple[Project, Result]) -> None:
    (suite,) = ET.parse(judged[0].folder / "out.xml").getroot()  # noqa: S314 - pytest wrote it
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7", "failures": "2", "errors": "1", "skipped": "2",
    }  # fmt: skip


@pytest.mark.xfail(
    pytest.version_tuple >= (9, 2),
    reason="an item's id is not taken apart as pytest takes those apart that it remembers",
)
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
    assert "skipped, and --no-skip makes that a failure: this machine has no no-such-tool" in result.text


def test_bootstrap_can_be_forbidden(judged: tuple[Project, Result]) -> None:
    project, _ = judged
    stable = subprocess.run([project.rustc, "-V"], capture_output=True, text=True, check=True).stdout
    result = project.run("cases", "-k", "unstable", "--no-bootstrap", "-rA")
    if "nightly" in stable:
        assert result.of("PASSED") == [each("unstable")]
    else:
        assert "real needs RUSTC_BOOTSTRAP=1 for unstable flags, which is forbidden" in result.text


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
        (["--store", "pytest.ini"], None, "cannot be made"),
    ):
        result = project.run("cases", *arguments, toolchain=toolchain)
        assert result.status == 4
        assert why in result.text
        assert "Traceback" not in result.text


# --- broken compilers


BROKEN = f"""\
summary: Compilers that break
time-limit: 5
matrix: {{mode: [fine, hang, crash, flood, cut, text, damaged-member]}}
sources:
{NO_STD}steps:
  - rustc: lib.rs
    crate-type: [staticlib, cdylib]
    panic: abort
    opt-level: 1
    cfg: 'mode="${{mode}}"'
    claims:
      lib.staticlib: {{defines: [answer]}}
      lib.cdylib: {{exports: {{only: [answer]}}}}
"""
BREAKING = """\
case "$*" in
*'mode="hang"'*) sleep 1000 & sleep 1000 ;;
*'mode="crash"'*) kill -SEGV $$ ;;
*'mode="flood"'*) exec yes 0123456789012345678901234567890123456789012345678901234567890123456789 ;;
*'mode="cut"'*) {rustc} "$@" && truncate -s 300 liblib.a; exit ;;
*'mode="text"'*) {rustc} "$@" && echo "no library" > liblib.so; exit ;;
*'mode="damaged-member"'*)
    {rustc} "$@" || exit
    at=$(grep -abo -m1 ELF liblib.a | head -1 | cut -d: -f1)
    printf '\\377' | dd of=liblib.a bs=1 seek=$((at + 39)) conv=notrunc 2>/dev/null
    exit ;;
esac"""


def test_a_broken_compiler_is_an_error_with_its_reason_and_the_others_go_on(project: Project) -> None:
    project.write("cases/broken.yaml", BROKEN)
    result = project.run("cases", "-rA", "-n", "2", toolchain=project.compiler("broken", BREAKING))
    assert result.of("PASSED") == ["cases/broken.yaml::broken[mode=fine]"]
    assert len(result.of("ERROR")) == 6, result.text
    why = dict(
        re.findall(
            r"_ ERROR at setup of broken\[mode=([\w-]+)\] _.*?because: +([^\n]+)", result.text, re.DOTALL
        )
    )
    assert why["hang"] == "did not end within its time limit"
    assert why["crash"] == "was killed by SIGSEGV"
    assert why["flood"] == "printed more than the output limit"
    assert why["cut"].startswith("liblib.a: ")
    assert why["text"] == "liblib.so: is not what its name says: other, not elf"
    assert why["damaged-member"].startswith("liblib.a: member ")
    assert project.work_folders() == []


# --- breaking by hand is caught


DYNAMIC = """\
summary: A dylib that prefers a dynamic std needs it
requires: dynamic-std
sources: {lib.rs: 'pub fn f() -> String { "x".to_string() }'}
steps:
  - {rustc: lib.rs, crate-type: dylib, prefer-dynamic: true, claims: {lib.dylib: {needed: ['libstd-*.so']}}}
"""
SHIM = """\
summary: A staticlib carries the allocator's shim
sources: {lib.rs: '#[no_mangle] pub extern "C" fn f() -> usize { vec![1; 9].len() }'}
steps:
  - rustc: lib.rs
    crate-type: staticlib
    claims: {lib.staticlib: {unresolved: {none: ['${allocator-shim}']}}}
"""
EXPORTS = f"""\
summary: A cdylib exports its function and nothing else
sources:
{NO_STD}    #[cfg(broken)] #[no_mangle] pub extern "C" fn one_more() {{}}
steps:
  - rustc: lib.rs
    crate-type: cdylib
    panic: abort
    claims: {{lib.cdylib: {{exports: {{only: [answer]}}}}}}
"""
DROPS = 'for word do shift; case "$word" in -Cprefer-dynamic) ;; *) set -- "$@" "$word" ;; esac; done'
DELETES = """\
case "$*" in *lib.rs*) ;; *) exec {rustc} "$@" ;; esac
{rustc} "$@" || exit
shim=$(ar t liblib.a | grep -E '^lib\\.[0-9a-z]+\\.rcgu\\.o$')
[ -n "$shim" ] && exec ar d liblib.a $shim"""
ADDS = 'case "$*" in *lib.rs*) set -- "$@" --cfg broken ;; esac'


@pytest.mark.parametrize(
    ("case", "body", "named"),
    [
        (DYNAMIC, DROPS, ["lib.dylib.needed.all", "has libstd-*.so"]),
        (SHIM, DELETES, ["lib.staticlib.unresolved.none", "___rust_alloc"]),
        (EXPORTS, ADDS, ["lib.cdylib.exports.only", "also one_more"]),
    ],
    ids=["prefer-dynamic", "shim", "exports"],
)
def test_what_is_broken_by_hand_is_caught(case: str, body: str, named: list[str], project: Project) -> None:
    project.write("case.yaml", case)
    assert project.run("case.yaml").status == 0
    result = project.run("case.yaml", "-rA", toolchain=project.compiler("broken", body))
    assert (result.status, result.of("FAILED")) == (1, ["case.yaml::broken"]), result.text
    for text in named:
        assert text in result.text


# --- interruption


HANGS = f"""\
summary: Interrupted
matrix: {{number: [1, 2, 3, 4, 5, 6]}}
sources:
{NO_STD}steps:
  - {{rustc: lib.rs, crate-type: rlib, panic: abort}}
  - {{rustc: lib.rs, id: more, crate-name: more, crate-type: rlib, panic: abort, cfg: 'number="${{number}}"'}}
"""
HANGING = """\
case "$*" in
*more*) echo $$ > {folder}/running-$$; sh -c 'echo $$ > {folder}/running-$$; exec sleep 1000'; sleep 1000 ;;
*lib.rs*) echo compiled >> {folder}/compiled ;;
esac"""


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie is dead; nobody in a container may be there to reap it.
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["interrupted", "terminated"])
def test_a_run_that_is_stopped(number: signal.Signals, workers: int, project: Project) -> None:
    """It stops at once; no compiler survives; what was done is kept, no working folder is."""
    project.write("case.yaml", HANGS)
    spec = project.compiler("hangs", HANGING.replace("{folder}", str(project.folder)))
    running = project.start("case.yaml", "-n", str(workers), toolchain=spec)
    try:
        until(lambda: len(list(project.folder.glob("running-*"))) >= 2 * max(1, workers))
        assert len(project.work_folders()) == max(1, workers)
        os.killpg(running.pid, number)
        text, _ = running.communicate(timeout=30)
    finally:
        running.kill()
        running.wait()
    pids = [int(path.read_text()) for path in project.folder.glob("running-*")]
    until(lambda: not any(alive(pid) for pid in pids), 10)
    if number is signal.SIGINT:
        assert running.returncode == 2, text
        assert project.work_folders() == []
    assert (project.folder / "compiled").read_text() == "compiled\n"

    fine = 'case "$*" in *more*) ;; *lib.rs*) echo compiled >> {folder}/compiled ;; esac'
    script = Path(spec.partition("=")[2])
    script.write_text(
        f'#!/bin/sh\n{fine.replace("{folder}", str(project.folder))}\nexec {project.rustc} "$@"\n'
    )
    again = project.run("case.yaml", "-n", "0", toolchain=spec)
    assert again.status == 0, again.text
    assert project.work_folders() == []
