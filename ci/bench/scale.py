"""Thousands of variants: what each costs, and what collecting and remembering them does."""

import os
import shutil
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from bench import subjects
from bench.runs import Bench
from bench.timing import Figure, Measurement, Ratio, against, environment, linkage, spread, timed
from linkage.case.case import Case
from linkage.case.reader import read_case

MANY = 10_000


def _stub(bench: Bench) -> list[str]:
    rustc = subjects.stub(bench.folder / "stub", bench.toolchains[0].rustc)
    return ["--toolchain", f"stub={rustc}"]


def _alone(rustc: Path, folder: Path, count: int) -> float:
    """Seconds a call of the stub alone, one after the other, from a process that does nothing else."""
    folder.mkdir(exist_ok=True)
    loop = "import os,sys\nfor _ in range(int(sys.argv[2])):\n"
    loop += " os.waitpid(os.posix_spawn(sys.argv[1], [sys.argv[1], '--error-format=json'], {}), 0)\n"
    return timed([sys.executable, "-SEc", loop, rustc, str(count)], folder).wall / count


def overhead(bench: Bench, largest: int) -> Iterator[Figure]:
    """Milliseconds a variant, with a compiler that takes none; and the store that it leaves."""
    stub, counts = _stub(bench), [100, 1000, largest]
    rustc = Path(stub[1].partition("=")[2])
    each: dict[int, list[float]] = {}
    cpu: dict[int, list[float]] = {}
    store = bench.folder / "overhead"
    for count in dict.fromkeys(counts):
        file = subjects.many(bench.folder / "many", count)
        rounds = bench.rounds if count < MANY else min(bench.rounds, 3)
        each[count], cpu[count] = [], []
        for _ in range(rounds):
            shutil.rmtree(store, ignore_errors=True)
            env = environment(LINKAGE_STORE=str(store))
            whole = timed(linkage("run", file, *stub), bench.folder, env)
            listed = timed(linkage("run", file, *stub, "--collect-only", "-q"), bench.folder, env)
            alone = _alone(rustc, bench.folder / "alone", min(count, 200))
            each[count].append(((whole.wall - listed.wall) / count - alone) * 1000)
            cpu[count].append((whole.cpu - listed.cpu) / count * 1000)
    for count, values in each.items():
        found = Ratio.of(values)
        yield Figure(
            f"a variant, of {count:,}", "a stub that only copies a file", "under 3 ms", found,
            found.median < 3, note="its start, collecting and the stub alone taken off; "
            f"{statistics.median(cpu[count]):.1f} ms of processor time with the stub's",
            noise=max(values) / min(values) if min(values) > 0 else None, unit=" ms",
        )  # fmt: skip
    flat = statistics.median(each[counts[-1]]) / statistics.median(each[counts[0]])
    yield Figure(
        f"a variant of {counts[-1]:,}", f"a variant of {counts[0]:,}", "flat: at most 1.2",
        Ratio(flat, flat, flat), flat <= 1.2,
    )  # fmt: skip
    kept = _size(store, skip=("blobs",)) / counts[-1] / 1000
    yield Figure(
        "store size a variant", "-", "under 40 KB", Ratio(kept, kept, kept), kept < 40, unit=" KB",
        note="stub; blocks on disk, files that later steps need not counted: those are evicted",
    )  # fmt: skip


def store_of_cases(bench: Bench) -> Iterator[Figure]:
    """The store that a run of the shipped cases leaves."""
    store = bench.folder / "kept"
    words = linkage("run", *bench.files, *bench.specs(1), *bench.workers)
    timed(words, bench.folder, environment(LINKAGE_STORE=str(store)))
    listed = sum(len(case.rows) for case in _cases(bench))
    kept = _size(store, skip=("blobs",)) / max(1, listed) / 1000
    blobs = _size(store) / 1e6
    yield Figure(
        "store size a shipped variant", "-", "under 40 KB", Ratio(kept, kept, kept), kept < 40,
        note=f"{bench.subset}; {blobs:.0f} MB with the files that later steps need", unit=" KB",
    )  # fmt: skip


def _cases(bench: Bench) -> list[Case]:
    return [read_case(file) for file in bench.files]


def _size(folder: Path, skip: tuple[str, ...] = ()) -> int:
    total = 0
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in skip]
        total += sum((Path(place) / name).stat().st_blocks * 512 for name in files)
    return total


def collecting(bench: Bench, count: int) -> Iterator[Figure]:
    """Collecting and remembering variants against as many empty tests; an identical pair."""
    file, stub = subjects.many(bench.folder / "many", count), _stub(bench)
    tests = subjects.empty_tests(bench.folder / "empty", count)
    env = environment(LINKAGE_STORE=str(bench.folder / "collecting"))
    pytest = [sys.executable, "-m", "pytest", "-q", "--collect-only"]

    def ours() -> Measurement:
        plugin = ["-p", "linkage.plugin", "--rootdir", str(file.parent), "-c", os.devnull]
        return timed([*pytest, *plugin, file, *stub], file.parent, env)

    def theirs() -> Measurement:
        return timed([*pytest, tests], tests.parent, env)

    ours()
    ratio, cpu, noise, mine, others = against(bench.rounds, ours, theirs)
    yield Figure(
        f"collecting {count:,} variants", "pytest collecting as many empty tests", "at most 1.5", ratio,
        ratio.median <= 1.5, cpu, noise,
    )  # fmt: skip
    same, cpu, noise, _, _ = against(bench.rounds, theirs, theirs)
    yield Figure("an identical pair", "itself: the machine's noise", "-", same, None, cpu, noise)
    memory = Ratio.of([one.peak / two.peak for one, two in zip(mine, others, strict=True)])
    yield Figure(
        f"memory, {count:,} collected", "pytest, as many empty tests", "at most 2", memory,
        memory.median <= 2, noise=spread(others), note=f"{mine[0].peak / 1e6:.0f} MB",
    )  # fmt: skip


def memory(bench: Bench, count: int) -> Iterator[Figure]:
    """The controlling process of a warm run of as many variants, against empty tests run."""
    file, stub = subjects.many(bench.folder / "many", count), _stub(bench)
    tests = subjects.empty_tests(bench.folder / "empty", count)
    env = environment(LINKAGE_STORE=str(bench.folder / "overhead"))
    words = linkage("run", file, *stub)
    timed(words, bench.folder, env)
    ratios = []
    for _ in range(min(3, bench.rounds)):
        ours = timed(words, bench.folder, env)
        theirs = timed([sys.executable, "-m", "pytest", "-q", tests], tests.parent, env)
        ratios.append(ours.peak / theirs.peak)
    found = Ratio.of(ratios)
    yield Figure(
        f"memory, {count:,} run", "pytest running as many empty tests", "at most 2", found,
        found.median <= 2, note=f"{ours.peak / 1e6:.0f} MB, against {theirs.peak / 1e6:.0f} MB",
    )  # fmt: skip
