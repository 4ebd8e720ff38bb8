"""A store on a full disk, and a read-only one: verdicts are never wrong, and never stored wrongly."""

import os
import subprocess
from pathlib import Path

import pytest

from support.mounts import can_mount, in_namespace
from support.runs import Ran, Runs, leftovers, read_json

FULL = """\
store=$1; size=$2; first=$3; again=$4; shift 4
mkdir -p "$store"
mount -t tmpfs -o "size=$size" tmpfs "$store"
"$@" --json "$first" || true
df --output=avail "$store"
mount -o remount,size=64m tmpfs "$store"
"$@" --json "$again" || true
find "$store" -path '*/work/*' -o -path '*/new/*'
"""

LIMITED = """\
store=$1; size=$2; first=$3; again=$4; shift 4
(ulimit -f "$size"; "$@" --json "$first" || true)
"$@" --json "$again" || true
find "$store" -path '*/work/*' -o -path '*/new/*'
"""

READ_ONLY = """\
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
shift
"$@" || exit $?
"""


@pytest.fixture
def clean(runs: Runs) -> Ran:
    ran = runs.run(store="clean")
    assert ran.status == 1
    assert sorted(one["outcome"] for one in ran.variants.values()) == ["fail", "pass", "pass", "pass"]
    return ran


def call(runs: Runs, command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=runs.folder,
        env=runs.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("size", ["64k", "5m", "6m"])
def test_a_store_on_a_full_disk(runs: Runs, clean: Ran, size: str) -> None:
    """What it has room for is as ever, the rest an error that says why; with room, all is as ever."""
    first, again = runs.folder / "first.json", runs.folder / "again.json"
    arguments = [str(runs.folder / "store"), size, str(first), str(again), *runs.words()]
    if can_mount():
        done = call(runs, in_namespace(FULL, arguments))
    else:  # no full disk, but a size that no file may pass: compilers and linkers are stopped as well
        arguments[1] = str(int(size.removesuffix("k")) // 8)
        done = call(runs, ["sh", "-euc", LIMITED, "sh", *arguments])
    assert "Traceback" not in done.stdout
    hit = [one for one in read_json(first).values() if one["outcome"] == "error"]
    found = Ran(1, "", read_json(first)).verdicts
    right = {name: one for name, one in found.items() if one["outcome"] != "error"}
    assert right == {name: clean.verdicts[name] for name in right}
    for one in hit:
        (failure,) = one["failures"]
        assert failure["error"]
        assert any(
            word in failure["found"] for word in ("full", "space", "room", "limit", "large", "SIGXFSZ")
        ), failure
    if not found:  # not even a store could be made
        assert "cannot be created: No space left on device" in done.stdout
    assert hit or not found or size != "64k"
    assert Ran(1, "", read_json(again)).verdicts == clean.verdicts
    assert done.stdout.rstrip().splitlines()[-1].startswith("4 variants: "), done.stdout


def read_only(runs: Runs, *words: str) -> tuple[Ran, "subprocess.CompletedProcess[str]"]:
    """A run on a store that it cannot write."""
    place, store = runs.folder / "out.json", runs.folder / "store"
    command = [*runs.words("--json", str(place)), *words]
    if can_mount():
        done = call(runs, in_namespace(READ_ONLY, [str(store), *command]))
    elif os.geteuid() != 0:
        for folder in [store, *filter(Path.is_dir, store.rglob("*"))]:
            folder.chmod(0o555)
        done = call(runs, command)
        for folder in [store, *filter(Path.is_dir, store.rglob("*"))]:
            folder.chmod(0o755)
    else:
        pytest.skip("root that cannot mount has no folder that it cannot write")
    return Ran(done.returncode, done.stdout, read_json(place)), done


def fill(runs: Runs, *words: str) -> None:
    """A run whose outcomes one in a namespace takes: with its privileges, on which they depend."""
    command = runs.words(*words)
    call(runs, in_namespace('exec "$@"', command) if can_mount() else command)


def test_a_read_only_store_that_has_everything(runs: Runs, clean: Ran) -> None:
    fill(runs)
    before = listed(runs.folder / "store")
    ran, done = read_only(runs)
    assert (ran.verdicts, ran.stored) == (clean.verdicts, 4)
    assert f"{runs.folder / 'store'}: the cache cannot be written" in done.stdout
    assert listed(runs.folder / "store") == before


def test_a_read_only_store_that_has_something(runs: Runs, clean: Ran) -> None:
    fill(runs, "--deselect", "case.yaml::here[number=0]", "--deselect", "case.yaml::here[number=3]")
    before = listed(runs.folder / "store")
    ran, _ = read_only(runs, "-n", "2")
    assert (ran.status, ran.verdicts) == (1, clean.verdicts)
    assert ran.stored >= 1
    assert listed(runs.folder / "store") == before
    assert leftovers(runs.folder / "store") == []


def test_read_only_folder_without_a_store(runs: Runs) -> None:
    (runs.folder / "store").mkdir()
    ran, done = read_only(runs)
    assert ran.variants == {}
    assert ran.status in (1, 2, 4)
    assert "Traceback" not in done.stdout
    assert "cannot be created: " in done.stdout
    assert "(help: choose another with --store)" in done.stdout


def listed(store: Path) -> set[tuple[str, int]]:
    """The files of a store with their sizes, without locks and the folders of the work itself."""
    return {
        (str(one.relative_to(store)), one.stat().st_size)
        for one in store.rglob("*")
        if one.is_file() and "locks" not in one.parts
    }
