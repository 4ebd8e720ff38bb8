"""Compilers that break, compilers broken by hand, and runs that are interrupted."""

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.plugin_project import NO_STD, Project

# --- broken compilers


BROKEN = f"""\
summary: Compilers that break
timeout: 5
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
    assert why["hang"] == "exceeded its timeout of 5 s (help: raise `timeout`)"
    assert why["crash"] == "was killed by SIGSEGV"
    assert why["flood"] == "printed more than 16.0 MB (help: raise `output` in `limits`)"
    assert why["cut"].startswith("liblib.a: ")
    assert why["text"] == "liblib.so: expected an ELF file, found a text file"
    assert why["damaged-member"].startswith("member lib.lib.")
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
        folders = len(project.work_folders()) - 1  # the job server has one
        assert folders >= max(1, workers)
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
    compiled = (project.folder / "compiled").read_text().splitlines()
    assert 1 <= len(compiled) <= folders  # once in each

    fine = 'case "$*" in *more*) ;; *lib.rs*) echo compiled >> {folder}/compiled ;; esac'
    script = Path(spec.partition("=")[2])
    script.write_text(
        f'#!/bin/sh\n{fine.replace("{folder}", str(project.folder))}\nexec {project.rustc} "$@"\n'
    )
    again = project.run("case.yaml", "-n", "0", toolchain=spec)
    assert again.status == 0, again.text
    assert project.work_folders() == []
