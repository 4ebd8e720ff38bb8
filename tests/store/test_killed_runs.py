"""Runs that are killed, and the store being emptied under runs: the verdicts are those of a clean run."""

import subprocess
import sys
import time
from pathlib import Path

from linkage.store.store import Store
from support.runs import MAIN, Ran, Runs, at_work_in, cells, leftovers, read_json

KILLS = 50
CELLS = 24
SEED = 4


def wait_until_gone(store: Path) -> list[str]:
    """What still works in the store after the guards of killed runs had time to act."""
    end = time.monotonic() + 10
    while (found := list(at_work_in(store))) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def test_runs_that_were_killed_fifty_times(runs: Runs) -> None:
    """Two at once on one store, killed at random moments, then one that may finish."""
    runs.case(cells(CELLS), main_c=MAIN)
    store = runs.folder / "store"
    script = Path(__file__).parents[1] / "support/killed_runs.py"
    words = [
        sys.executable,
        script,
        runs.folder / "case.yaml",
        store,
        runs.cache,
        runs.rustc,
        str(KILLS),
        str(SEED),
    ]
    subprocess.run(list(map(str, words)), env=runs.environment, check=True, timeout=300)
    assert wait_until_gone(store) == []

    finished, clean = runs.run("-n", "2"), runs.run("-n", "2", store="clean")
    assert finished.verdicts == clean.verdicts
    assert len(clean.verdicts) == CELLS
    assert [one["outcome"] for one in clean.variants.values()].count("fail") == 1
    assert clean.status == finished.status == 1
    assert leftovers(store) == []
    assert wait_until_gone(store) == []


def test_a_run_that_was_killed_leaves_what_the_next_removes(runs: Runs) -> None:
    store = Store(runs.folder / "store")
    for name in ("work/variant-gone", "new/tmpgone"):
        (store.folder / name).parent.mkdir(exist_ok=True)
    (store.folder / "work/variant-gone/work").mkdir(parents=True)
    (store.folder / "new/tmpgone").write_bytes(b"half")
    shown = runs.command("store", "--store", str(runs.folder / "store")).stdout
    assert "2 left behind by killed runs; the next run removes them" in shown
    assert runs.run("-x").status == 1
    assert leftovers(runs.folder / "store") == []


def test_a_store_that_is_emptied_while_runs_use_it(runs: Runs) -> None:
    runs.case(cells(12), main_c=MAIN)
    clean = runs.run("-n", "2", store="clean")
    store = ["--store", str(runs.folder / "store")]
    Store(runs.folder / "store")
    both = [runs.start("--json", f"{number}.json") for number in range(2)]
    words = [["clear"], ["trim", "--to", "1K"], ["check"], ["show"]]
    turns = 0
    while any(one.poll() is None for one in both):
        done = runs.command("store", words[turns % len(words)][0], *store, *words[turns % len(words)][1:])
        assert done.returncode == 0, done.stdout + done.stderr
        turns += 1
    assert turns >= 3
    for number, one in enumerate(both):
        said = one.communicate()[0]
        assert one.returncode == 1, said
        ran = Ran(1, said, read_json(runs.folder / f"{number}.json"))
        assert ran.verdicts == clean.verdicts
    assert leftovers(runs.folder / "store") == []
