"""Several processes on one store: each variant is run once, nothing is corrupted."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from linkage.store.store import Store
from support.counted_toolchain import Counted

CELLS = 50
CASE = f"""\
summary: Many cells, all on one library
matrix: {{number: [{", ".join(map(str, range(CELLS)))}]}}
sources:
  dep.rs: '#![no_std] pub fn dep() -> i32 {{ 40 }}'
  lib.rs: '#![no_std] #[no_mangle] pub extern "C" fn answer() -> i32 {{ dep::dep() }}'
steps:
  - {{rustc: dep.rs, crate-type: rlib, panic: abort, debuginfo: 0}}
  - rustc: lib.rs
    crate-type: rlib
    panic: abort
    extern: {{dep: dep.rlib}}
    cfg: 'number="${{number}}"'
    claims: {{lib.rlib: {{defines: [answer]}}}}
"""

SCRIPT = """\
#!/bin/sh
flags="in $PWD: $*"
case "$flags" in *--crate-type*) ;; *) exec {rustc} "$@" ;; esac
if ! mkdir "{running}/$(echo "$flags" | cksum | tr ' ' -)" 2>/dev/null; then
    echo "at the same time: $flags" >> {log}
fi
{rustc} "$@"
status=$?
rmdir "{running}/$(echo "$flags" | cksum | tr ' ' -)"
echo "$flags" >> {log}
exit $status
"""


def run(folder: Path, spec: str, *arguments: str) -> subprocess.Popen[str]:
    env = os.environ | {"LINKAGE_STORE": str(folder / "store"), "LINKAGE_CACHE": str(folder / "cache")}
    command = ["-m", "pytest", "-p", "linkage.plugin", "-q", "case.yaml", "--toolchain", spec, *arguments]
    path = os.pathsep.join([str(Path(__file__).parents[2] / "harness"), env.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=env | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_two_runs_at_once_with_two_workers_each(counted: Counted, tmp_path: Path) -> None:
    log, running, wrapper = tmp_path / "log", tmp_path / "running", tmp_path / "counting"
    running.mkdir()
    rustc = counted.toolchain.capabilities.rustc
    wrapper.write_text(SCRIPT.format(rustc=rustc, running=running, log=log))
    wrapper.chmod(0o755)
    (tmp_path / "case.yaml").write_text(CASE)
    spec = f"counting={wrapper}"

    runs = [run(tmp_path, spec, "-n", "2") for _ in range(2)]
    said = [one.communicate()[0] for one in runs]
    assert [one.returncode for one in runs] == [0, 0], said
    assert all(f"{CELLS} passed" in text for text in said)

    compiled = Counter(line for line in log.read_text().splitlines() if "dep.rs" in line or "lib.rs" in line)
    assert set(compiled.values()) == {1}, compiled.most_common(3)
    users = [line for line in compiled if "lib.rs" in line]
    shared = [line for line in compiled if "dep.rs" in line]
    assert len(users) == CELLS  # in whatever folder
    assert len(shared) <= 4  # once in each worker's folder
    assert len(compiled) == len(users) + len(shared)

    store = Store(tmp_path / "store")
    assert list((store.folder / "work").iterdir()) == []
    assert list(store.folder.glob("*/*/.new-*")) == []

    before = log.read_text()
    again = run(tmp_path, spec, "-n", "0")
    text = again.communicate()[0]
    assert again.returncode == 0, text
    assert log.read_text() == before
    assert f"{CELLS} passed" in text
