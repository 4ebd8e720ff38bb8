"""`linkage store`, and a run's options about the store."""

import os
import tempfile
from pathlib import Path

import pytest

from linkage.store.maintenance import entries
from linkage.store.store import Store
from support.runs import Ran, Runs, leftovers


def test_show_trim_check_clear(runs: Runs) -> None:
    store = runs.folder / "store"
    runs.run()
    chosen = ("--store", str(store))
    shown = runs.command("store", LINKAGE_STORE=str(store)).stdout
    assert shown.startswith(f"{store}\n")
    assert "16 steps by 1." in shown
    assert runs.command("store", *chosen, "show").stdout == runs.command("store", "show", *chosen).stdout

    found = sorted(entries(Store(store)), key=lambda one: one.key)
    for age, entry in enumerate(found):
        os.utime(entry.place, (1000 - age, 1000 - age))
    size = sum(entry.size for entry in found[:5])
    assert runs.command("store", "trim", "--to", str(size), *chosen).returncode == 0
    assert sorted(one.key for one in entries(Store(store))) == [one.key for one in found[:5]]

    found[0].place.write_bytes(b"damaged")
    checked = runs.command("store", "check", *chosen)
    assert checked.returncode == 1
    assert checked.stdout.endswith("5 entries read, 1 damaged\n")
    assert str(found[0].place.relative_to(store)) in checked.stdout
    assert runs.command("store", "check", *chosen).returncode == 0

    (store / "mine").write_text("mine")
    note = Store(store).folder / "steps/ab/note.txt"
    note.parent.mkdir(exist_ok=True)
    note.write_text("mine")
    assert runs.command("store", "clear", *chosen).stdout.startswith("removed 4 entries, ")
    assert list(entries(Store(store))) == []
    assert (store / "mine").exists()
    assert note.exists()
    assert runs.run("-x").stored == 0


def test_entries_that_were_exchanged_are_damaged(runs: Runs, rustc: Path) -> None:
    """Each is whole; but one that is under another's key would turn a failure into a pass."""
    runs.rustc = rustc
    for name, exported in (("good", "answer"), ("bad", "answers")):
        runs.case(EXPORTS.replace("EXPORTED", exported))
        (runs.folder / "case.yaml").rename(runs.folder / f"{name}.yaml")
    store = Store(runs.folder / "store")
    swapped = []
    for name in ("good", "bad"):
        (runs.folder / f"{name}.yaml").rename(runs.folder / "case.yaml")
        assert runs.run().status == (name == "bad")
        swapped += [one.place for one in entries(store) if one.kind == "steps" and one.place not in swapped]
    (good, bad) = swapped
    content = good.read_bytes(), bad.read_bytes()
    for place, other in zip((good, bad), content[::-1], strict=True):
        place.write_bytes(other)
    checked = runs.command("store", "check", "--store", str(runs.folder / "store"))
    assert checked.returncode == 1
    assert checked.stdout.endswith(" entries read, 2 damaged\n")
    for place, other in zip((good, bad), content[::-1], strict=True):
        place.write_bytes(other)
    ran = runs.run()
    assert (ran.status, ran.stored) == (1, 0)
    assert runs.command("store", "check", "--store", str(runs.folder / "store")).returncode == 1  # good's


EXPORTS = """\
summary: One name is exported
sources: {lib.rs: '#![no_std] #[no_mangle] pub extern "C" fn EXPORTED() -> i32 { 42 }'}
steps:
  - {rustc: lib.rs, crate-type: rlib, panic: abort, claims: {lib.rlib: {defines: [answer]}}}
"""


@pytest.mark.parametrize("tag", [b"", b"damaged", bytes(range(256)), None])
def test_a_damaged_tag_hides_nothing(tag: bytes | None, runs: Runs) -> None:
    store = Store(runs.folder / "store")
    for key in ("ab" * 20, "cd" * 20):
        store.put("steps", key, {"compiler": "1.95.0"})
    (store.folder / "steps/cd" / ("cd" * 20)).write_bytes(b"damaged")
    place = store.folder / "CACHEDIR.TAG"
    whole = place.read_text()
    place.unlink()
    if tag is not None:
        place.write_bytes(tag)
    checked = runs.command("store", "check", "--store", str(runs.folder / "store"))
    assert checked.stdout.endswith("2 entries read, 1 damaged\n"), checked.stderr
    assert place.read_text() == whole


def test_what_is_held_is_left(runs: Runs) -> None:
    store = Store(runs.folder / "store")
    store.put("steps", "ab" * 20, 1)
    store.put("steps", "cd" * 20, 2)
    with store.locked("ab" * 20), store.work_folder() as folder:
        for words in (["clear"], ["trim", "--to", "0"]):
            said = runs.command("store", *words, "--store", str(runs.folder / "store")).stdout
            assert said.endswith("kept 2 that a run is using\n")
        assert folder.is_dir()
        assert [one.key for one in entries(store)] == ["ab" * 20]


def test_other_folders_are_not_touched(runs: Runs) -> None:
    (runs.folder / "v1/steps/ab").mkdir(parents=True)
    (runs.folder / "v1/steps/ab" / ("ab" * 20)).write_text("mine")
    for word in (["clear"], ["trim", "--to", "0"], ["check"], ["show"]):
        for place in (runs.folder, runs.folder / "nowhere", runs.folder / "case.yaml"):
            done = runs.command("store", *word, "--store", str(place))
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)
            assert done.stderr.startswith(f"linkage: {place}: ")
        if word != ["clear"]:
            break  # the others look in the same way
    assert (runs.folder / "v1/steps/ab" / ("ab" * 20)).exists()
    wrong = runs.command("store", "trim", "--to", "much")
    assert wrong.stderr == "linkage: --to: `much` is not a size (help: write it as 500M or 2G)\n"


def test_the_limit_of_a_run(runs: Runs) -> None:
    runs.env = {"LINKAGE_STORE_LIMIT": "0"}
    ran = runs.run()
    assert list((runs.folder / "store").glob("v*/blobs/*/*")) == []
    assert runs.run().verdicts == ran.verdicts
    runs.env = {"LINKAGE_STORE_LIMIT": "a lot"}
    assert "LINKAGE_STORE_LIMIT: `a lot` is not a size (help: write it as 500M or 2G)" in runs.run().said


@pytest.mark.parametrize("words", [[], ["-n", "2"]])
def test_no_store(runs: Runs, words: list[str]) -> None:
    temporary = runs.folder / "temporary"
    temporary.mkdir()
    runs.env = {"LINKAGE_STORE": str(runs.folder / "store"), "TMPDIR": str(temporary)}
    kept = runs.run("-x", store=None)
    assert kept.variants
    ran = runs.run("--no-store", *words, store=None)
    assert (len(ran.variants), ran.stored) == (4, 0)
    assert list(temporary.glob("linkage-*")) == []
    for other in (["--store", "store"], ["--recheck", "5%"]):
        refused = runs.run("--no-store", *other, store=None)
        assert refused.status == 4
        assert f"{other[0]} cannot be used with --no-store" in refused.said


# --- doing kept steps again


def seed_of(ran: Ran) -> str:
    return ran.said.partition("--recheck-seed ")[2].split()[0]


def test_recheck_reports_nothing_if_nothing_differs(runs: Runs) -> None:
    first = runs.run()
    again = runs.run("--recheck", "100%")
    assert again.verdicts == first.verdicts
    assert "rechecked 16 cached steps (help: --recheck-seed " in again.said
    assert sum(one["rechecked"] for one in again.variants.values()) == 16
    some = runs.run("--recheck", "50%", "-n", "2")
    same = runs.run("--recheck", "50%", "--recheck-seed", seed_of(some))
    counts = [
        {name: one["rechecked"] for name, one in ran.variants.items() if one["rechecked"]}
        for ran in (some, same)
    ]
    assert counts[1].keys() <= counts[0].keys()  # workers do a shared step again each
    assert runs.run("--recheck", "0%").stored == 4


def test_recheck_finds_what_differs(runs: Runs) -> None:
    """A compiler whose fingerprint does not tell that it makes something else now."""
    switch, real = runs.folder / "switch", runs.rustc
    wrapper = runs.folder / "rustc"
    wrapper.write_text(f'#!/bin/sh\nexec {real} "$@" $(cat "$(dirname "$0")/switch")\n')
    wrapper.chmod(0o755)
    runs.rustc = wrapper
    switch.write_text("")
    runs.run()
    switch.write_text("-Cdebuginfo=2 -Cpanic=abort -Copt-level=3")
    assert runs.run().stored == 4  # it is not seen without
    ran = runs.run("--recheck", "100%")
    assert ran.status == 1
    assert {one["outcome"] for one in ran.variants.values()} == {"error"}
    failures = [one["failures"][0] for one in ran.variants.values()]
    assert {one["step"] for one in failures} <= {"dep", "lib"}
    assert all("run again, it differs from what was cached 20" in one["found"] for one in failures)
    assert all("liblib.a" in one["found"] or "libdep.rlib" in one["found"] for one in failures)
    wrong = runs.run("--recheck", "lots")
    assert "--recheck: must be a percentage, not 'lots' (help: write 10%)" in wrong.said
    assert leftovers(runs.folder / "store") == []


def test_no_store_removes_what_a_killed_run_left(runs: Runs) -> None:
    left = Path(tempfile.mkdtemp(prefix="linkage-no-store-", dir=runs.folder))
    runs.env = {"TMPDIR": str(runs.folder)}
    assert runs.run("--no-store", "-x", store=None).variants
    assert not left.exists()
