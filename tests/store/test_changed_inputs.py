"""What a verdict depends on changed between two runs, or the store did: it is noticed, and only that."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from linkage.store.maintenance import StoreEntry, entries
from linkage.store.store import Store
from support.runs import MAIN, Ran, Runs, cells


def obtained(ran: Ran) -> dict[str, str]:
    return {name: one["obtained"] for name, one in ran.variants.items()}


def script(place: Path, rustc: Path, *flags: str) -> None:
    """A compiler that is called as another, with the same version."""
    place.write_text(f'#!/bin/sh\nexec {rustc} "$@" {" ".join(flags)}\n')
    place.chmod(0o755)


def test_nothing_changed(runs: Runs) -> None:
    first = runs.run()
    again = runs.run("-n", "2")
    assert (first.stored, again.stored) == (0, 4)
    assert (again.verdicts, obtained(again)) == (first.verdicts, obtained(first))
    assert first.said.rstrip().endswith(" s")
    assert again.said.rstrip().endswith(" s, 4 cached")
    (failed,) = [one for one in again.variants.values() if one["outcome"] == "fail"]
    assert f"note: cached, first obtained {failed['obtained']}" in again.said
    assert "note: from the store" not in first.said


def test_a_toolchain_replaced_under_its_path(runs: Runs, rustc: Path) -> None:
    """The version string stays, as that of a stage-1 build does."""
    wrapper = runs.folder / "rustc"
    runs.rustc = wrapper
    text = (
        cells(1)
        .replace("+ 0", "")
        .replace("dep.rs: '", 'dep.rs: \'#![cfg_attr(changed, crate_name = "dep")] ')
    )
    runs.case(text.replace("{ 40 }", "{ if cfg!(changed) { 43 } else { 40 } }"), main_c=MAIN)
    script(wrapper, rustc)
    assert runs.run().status == 0
    assert runs.run().stored == 1
    script(wrapper, rustc, "--cfg=changed")
    changed = runs.run()
    assert (changed.status, changed.stored) == (1, 0)
    script(wrapper, rustc)
    assert runs.run().stored == 1


def test_a_file_of_a_toolchain_replaced(runs: Runs, rustc: Path) -> None:
    """A real toolchain, of which one file gets other bytes and then another time."""
    asked = subprocess.run([rustc, "--print=sysroot"], capture_output=True, text=True, check=True)
    sysroot, copy = Path(asked.stdout.strip()), runs.folder / "sysroot"
    for name in ("bin/rustc", "lib"):
        source, target = sysroot / name, copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, copy_function=_linked, symlinks=True)
        else:
            shutil.copy2(source, target)
    runs.rustc = copy / "bin/rustc"
    assert runs.run().stored == 0
    assert runs.run().stored == 4
    with (copy / "bin/rustc").open("ab") as file:
        file.write(b"\0")  # no part of the program
    assert runs.run().stored == 0
    os.utime(copy / "bin/rustc", (1, 1))
    assert runs.run().stored == 4


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("main.c", MAIN.replace("answer());", "answer() + 0);")),
        ("case.yaml", cells(4).replace("{ 40 }", "{ 39 }")),
    ],
)
def test_a_file_changed(runs: Runs, name: str, new: str) -> None:
    first = runs.run()
    old = (runs.folder / name).read_text()
    (runs.folder / name).write_text(new)
    changed = runs.run()
    assert changed.stored == 0
    (runs.folder / name).write_text(old)
    os.utime(runs.folder / name, (1, 1))
    again = runs.run()
    assert (again.stored, again.verdicts) == (4, first.verdicts)


def test_variables_that_reach_a_compiler(runs: Runs) -> None:
    runs.run()
    runs.env = {"UNRELATED": "1", "RUSTFLAGS": "--nonsense"}
    assert runs.run().stored == 4
    runs.env = {"SDKROOT": str(runs.folder)}
    assert runs.run().stored == 0
    other = runs.folder / "bin"
    other.mkdir()
    (other / "cc").write_text('#!/bin/sh\nexec /usr/bin/cc "$@"\n')
    (other / "cc").chmod(0o755)
    runs.env = {"PATH": f"{other}:{os.environ['PATH']}"}
    assert runs.run().stored == 0


# --- the clock


def set_times(runs: Runs, when: float) -> list[StoreEntry]:
    found = list(entries(Store(runs.folder / "store")))
    for entry in found:
        os.utime(entry.place, (when, when))
    return found


def test_a_clock_that_was_set_back(runs: Runs) -> None:
    """Entries and probes from the future are used as others are, and are the first to go."""
    first = runs.run()
    future = time.time() + 400 * 86400
    set_times(runs, future)
    for place in runs.cache.rglob("*"):
        os.utime(place, (future, future))
    for place in (runs.folder / "main.c", runs.folder / "case.yaml"):
        os.utime(place, (future, future))
    again = runs.run()
    assert (again.stored, again.verdicts) == (4, first.verdicts)
    store = Store(runs.folder / "store")
    assert {entry.used == 0 for entry in entries(store) if entry.kind == "steps"} == {False}  # used just now
    found = set_times(runs, future)
    os.utime(found[0].place, (1, 1))
    shown = runs.command("store", "--store", str(runs.folder / "store"))
    assert "in the future" in shown.stdout
    left = runs.command("store", "trim", "--to", str(found[0].size), "--store", str(runs.folder / "store"))
    assert left.returncode == 0
    assert [entry.key for entry in entries(store)] == [found[0].key]


# --- damage


def test_damaged_entries_are_redone(runs: Runs) -> None:
    first = runs.run()
    for number, entry in enumerate(entries(Store(runs.folder / "store"))):
        content = entry.place.read_bytes()
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        entry.place.write_bytes((flipped, content[:middle], b"")[number % 3])
    again = runs.run()
    assert (again.stored, again.verdicts) == (0, first.verdicts)
    assert runs.run().stored == 4
    checks = [runs.command("store", "check", "--store", str(runs.folder / "store")) for _ in range(2)]
    assert checks[-1].returncode == 0, checks[-1].stdout  # what no step needed again was damaged still
    assert ", 0 damaged" in checks[-1].stdout


def test_entries_of_another_version_are_redone(runs: Runs) -> None:
    first = runs.run()
    Store(runs.folder / "store").folder.rename(runs.folder / "store/v999")
    again = runs.run()
    assert (again.stored, again.verdicts) == (0, first.verdicts)
    shown = runs.command("store", "--store", str(runs.folder / "store"))
    assert "entries of other versions of linkage" in shown.stdout
