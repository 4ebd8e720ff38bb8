"""rustc's outputs are cached, except those that may vary; the verdicts are the same."""

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from linkage.case.reader import parse_case
from linkage.run.session import Session
from linkage.store.store import Store
from mutants.faults.rustc_cache import ASKED, FOLDER, RustcCache
from mutants.faults.table import EVERY
from mutants.fixed_folders import FixedFolderStore
from mutants.search import FaultySession
from mutants.variants import cells
from mutants.wrappers import write_wrapper

RUSTC = f"""\
#!{sys.executable}
import os, sys
with open({{calls!r}}, "a") as calls: calls.write("called\\n")
text = open("lib.rs").read() + "".join(sys.argv[1:])
os.unlink("old.o")
os.makedirs("deps", exist_ok=True)
for name in ("lib.a", "deps/lib.d"): open(name, "w").write(text + os.environ.get("ASKED_FOR", ""))
os.chmod("lib.a", 0o640)
os.path.lexists("link") or os.symlink("lib.a", "link")
print("said", end="")
print("warned", end="", file=sys.stderr)
sys.exit(101 if "--crash" in sys.argv else 1 if "--refused" in sys.argv else 0)
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A variant's folder, beside a memory."""
    (tmp_path / FOLDER).mkdir()
    work = tmp_path / "0" / "work"
    monkeypatch.setenv(ASKED, "1")
    refill(work)
    monkeypatch.chdir(work)
    real = tmp_path / "rustc"
    real.write_text(RUSTC.format(calls=str(tmp_path / "calls")))
    real.chmod(0o755)
    return work


def refill(work: Path) -> None:
    """As it stands before each fault's turn: another folder of the same name."""
    if work.exists():
        os.chdir(work.parents[1])
        shutil.rmtree(work.parent)
    for name in ("work", "tmp", "linker"):
        (work.parent / name).mkdir(parents=True)
    (work / "lib.rs").write_text("fn")
    (work / "old.o").write_text("old")
    os.chdir(work)


def ask(work: Path, *words: str, **env: str) -> tuple[int, bytes, bytes] | None:
    cache = RustcCache.here()
    assert cache is not None
    argv = [str(work.parents[1] / "rustc"), *words]
    env = {"PATH": os.environ["PATH"], **env}
    key = cache.key(argv, env)
    if key is None:
        return None
    ended = cache.ended(key, argv, env)
    return ended.status, ended.stdout, ended.stderr


def calls(work: Path) -> int:
    return len((work.parents[1] / "calls").read_text().splitlines())


def tree(work: Path) -> dict[str, tuple[int, str]]:
    return {
        str(one.relative_to(work)): (
            stat.S_IMODE(one.lstat().st_mode),
            str(one.readlink()) if one.is_symlink() else one.read_text() if one.is_file() else "",
        )
        for one in work.rglob("*")
    }


@pytest.mark.parametrize("word", ["-g", "--refused"])
def test_what_was_made_is_made_again_without_rustc(work: Path, word: str) -> None:
    first, made = ask(work, word), tree(work)
    assert "old.o" not in made
    assert made["lib.a"] == (0o640, f"fn{word}")
    for _ in range(2):
        refill(work)
        assert ask(work, word) == first == (int(word == "--refused"), b"said", b"warned")
        assert tree(work) == made
        (work / "lib.a").write_text("spoiled")  # as a fault does, in its place
    assert calls(work) == 1


def test_rewritten_files_are_recognized(work: Path) -> None:
    ask(work)
    refill(work)
    (work / "lib.a").write_text("fn")
    before = (work / "lib.a").stat()
    ask(work)
    after = (work / "lib.a").stat()
    assert (before.st_ino, before.st_mtime_ns) != (after.st_ino, after.st_mtime_ns)


def test_what_rustc_depends_on_is_another_question(work: Path) -> None:
    ask(work)
    refill(work)
    ask(work, ASKED_FOR="more")
    refill(work)
    ask(work, "-g")
    refill(work)
    (work / "lib.rs").write_text("mod")
    ask(work)
    refill(work)
    (work / "lib.rs").chmod(0o600)
    ask(work)
    assert calls(work) == 5


def test_where_it_is_not_sure_nothing_is_remembered(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (
        ["-"],
        ["-Cincremental=inc"],
        ["-o", "/elsewhere/lib.a"],
        ["--emit=link=/elsewhere/lib.a"],
        ["--out-dir=/elsewhere"],
        [f"{work.parent}/tmp/copy.rs"],
    ):
        assert ask(work, *words) is None
    assert ask(work, "-o", f"{work}/lib.a") is not None
    for _ in range(2):
        refill(work)
        ask(work, "--crash")
    assert calls(work) == 3
    monkeypatch.delenv(ASKED)
    assert RustcCache.here() is None
    monkeypatch.setenv(ASKED, "1")
    monkeypatch.chdir(work.parents[1])
    assert RustcCache.here() is None


def test_working_folders_have_the_same_places(tmp_path: Path) -> None:
    store = FixedFolderStore(Store(tmp_path / "store"), tmp_path / "places")
    with store.variant_folder() as first:
        (first / "file").touch()
        with store.variant_folder() as second:
            assert second != first
    with store.variant_folder() as again:
        assert again == first
        assert not list(again.iterdir())


CASE = """\
summary: An archive, and a library that another step uses
matrix: {crate-type: [staticlib, cdylib]}
sources:
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[no_mangle] pub extern "C" fn answer() -> i32 { 42 }
  main.c: |
    int answer(void);
    int main(void) { return answer() - 42; }
steps:
  - rustc: lib.rs
    panic: abort
    out-dir: out
    stderr: {empty: true}
    claims:
      lib.cdylib: {exports: {only: [answer]}}
      lib.staticlib: {global: [answer], duplicates: none}
  - {cc: main.c, when: {crate-type: cdylib}, link-with: [lib.cdylib]}
  - {run: main, when: {crate-type: cdylib}}
  - {rustc: lib.rs, id: refused, axes: none, crate-name: no-name, exit: 1}
"""


def test_the_verdicts_are_the_same(rustc: Path, tmp_path: Path) -> None:
    case = parse_case(CASE, tmp_path / "case.yaml", "case.yaml")
    seen = {}
    for name, memory in (("with", tmp_path / "memory"), ("again", tmp_path / "memory"), ("without", None)):
        session = Session(Store(tmp_path / name), tmp_path / "cache")
        toolchain = session.toolchains([str(rustc)])[0]
        found = []
        for fault in (
            "plain",
            "export-lost",
            "static-symbol-hidden",
            "own-member-doubled",
            "output-missing",
            "stripped",
            "warns-without-cause",
            "success-after-failure",
            "message-lost",
            "writes-when-refusing",
        ):
            wrapper = write_wrapper(EVERY[fault], toolchain.rustc, tmp_path / "wrappers")
            faulty = FaultySession.of(session, EVERY[fault], wrapper, memory)
            for cell in cells([case], toolchain, session):
                verdict = faulty.verdict(cell.variant)
                found.append((fault, cell.id, verdict.outcome, [one.claim for one in verdict.failures]))
        seen[name] = found
        if memory:
            assert len(list((memory / FOLDER).iterdir())) > 1
    assert seen["with"] == seen["again"] == seen["without"]
    assert {outcome.value for _, _, outcome, _ in seen["with"]} == {"pass", "fail"}
