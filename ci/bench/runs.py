"""Whole runs of shipped cases: cold, warm, and with one source changed, against ninja."""

import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import ninja_graph, subjects
from bench.timing import Figure, Measurement, Ratio, against, environment, linkage, spread, timed
from linkage.case.reader import read_case
from linkage.host.folders import cache_folder
from linkage.run.session import Session
from linkage.store.store import Store
from linkage.toolchain import Toolchain


@dataclass(frozen=True, slots=True)
class Bench:
    """What all figures share."""

    folder: Path
    rounds: int
    width: int
    files: Sequence[Path]
    """Copies of the cases that are run."""
    toolchains: Sequence[Toolchain]
    workers: Sequence[str]
    """The options that make a run of the harness as wide as ninja's."""
    subset: str
    """Which of the shipped cases these are."""

    def session(self, name: str) -> Session:
        return Session(Store(self.folder / name), cache_folder(os.environ), dict(os.environ))

    def specs(self, count: int) -> list[str]:
        return [word for one in self.toolchains[:count] for word in ("--toolchain", one.spec)]


def _ninja(folder: Path, width: int) -> Callable[[], Measurement]:
    import ninja  # noqa: PLC0415 - of the extra `bench`

    program = Path(ninja.BIN_DIR) / "ninja"
    return lambda: timed([program, "-k", "0", "-j", str(width), "-C", folder], folder)


def _graph(bench: Bench, name: str, files: Sequence[Path], count: int, *, shared: bool) -> tuple[Path, int]:
    session = bench.session("graph-store")
    cases = [read_case(file) for file in files]
    folder = bench.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    planned = ninja_graph.plans(session, cases, bench.toolchains[:count])
    return folder, ninja_graph.write(planned, folder, session.environment, shared=shared)


def _cold(bench: Bench, count: int, stores: Iterator[int]) -> Measurement:
    store = bench.folder / f"cold-{next(stores)}"
    taken = _run(bench, count, store)
    shutil.rmtree(store)
    return taken


def _run(bench: Bench, count: int, store: Path) -> Measurement:
    """One run of the harness on a store."""
    words = linkage("run", *bench.files, *bench.specs(count), *bench.workers)
    taken = timed(words, bench.folder, environment(LINKAGE_STORE=str(store)))
    if taken.status not in (0, 1):
        sys.exit(f"a run that is measured ended with exit status {taken.status}: {' '.join(words)}")
    return taken


def cold(bench: Bench) -> Iterator[Figure]:
    """A cold run against ninja, which shares the same steps."""
    folder, count = _graph(bench, "ninja-shared", bench.files, 1, shared=True)
    stores = itertools.count()
    ratio, cpu, noise, _, _ = against(
        bench.rounds, lambda: _cold(bench, 1, stores), _ninja(folder, bench.width)
    )
    yield Figure(
        "cold run", "the same commands, shared ones once, under ninja", "at most 1.05", ratio,
        ratio.median <= 1.05, cpu, noise, f"{count} processes; {bench.subset}",
    )  # fmt: skip
    shutil.rmtree(folder)


def two_toolchains(bench: Bench) -> Iterator[Figure]:
    """A cold run on two toolchains against ninja with nothing shared."""
    name, other, goal = "cold run, two toolchains", "every variant's steps under ninja", "at most 0.75"
    if len(bench.toolchains) < 2:
        yield Figure(name, other, goal, None, None, note="there are not two toolchains here")
        return
    folder, count = _graph(bench, "ninja-unshared", bench.files, 2, shared=False)
    stores = itertools.count()
    ratio, cpu, noise, _, _ = against(
        bench.rounds, lambda: _cold(bench, 2, stores), _ninja(folder, bench.width)
    )
    yield Figure(
        name, other, goal, ratio, ratio.median <= 0.75, cpu, noise, f"{count} processes; {bench.subset}"
    )
    shutil.rmtree(folder)


def compared(bench: Bench) -> Iterator[Figure]:
    """A cold comparison of two toolchains against a cold run of the same cases on both."""
    name, other, goal = "comparing two toolchains", "running the cases on both", "at most 1.05"
    if len(bench.toolchains) < 2:
        yield Figure(name, other, goal, None, None, note="there are not two toolchains here")
        return
    stores = itertools.count()

    def ours() -> Measurement:
        store = bench.folder / f"compared-{next(stores)}"
        sides = [one.spec for one in bench.toolchains[:2]]
        words = linkage("compare", *sides, *bench.files, *bench.workers, "--store", store)
        taken = timed(words, bench.folder)
        if taken.status not in (0, 1):
            sys.exit(f"a comparison ended with exit status {taken.status}: {' '.join(words)}")
        shutil.rmtree(store)
        return taken

    ratio, cpu, noise, _, _ = against(bench.rounds, ours, lambda: _cold(bench, 2, stores))
    yield Figure(name, other, goal, ratio, ratio.median <= 1.05, cpu, noise, bench.subset)


def warm(bench: Bench) -> Iterator[Figure]:
    """A run with nothing changed against the cold run before it."""
    store = bench.folder / "warm"

    def first() -> Measurement:
        shutil.rmtree(store, ignore_errors=True)
        return _run(bench, 1, store)

    again: list[Measurement] = []

    def second() -> Measurement:
        again.extend(_run(bench, 1, store) for _ in range(2))
        return again[-1]

    ratio, cpu, _, _, _ = against(bench.rounds, second, first)
    yield Figure(
        "warm run", "the cold run", "at most 0.01", ratio, ratio.median <= 0.01, cpu, spread(again),
        f"{bench.subset}; the more is compiled, the smaller it is",
    )  # fmt: skip


def changed(bench: Bench) -> Iterator[Figure]:
    """A run after one source has changed, against ninja over the steps of the cases that compile it."""
    store = bench.folder / "changed"
    places = {source for file in bench.files for source in file.parent.rglob("*.rs")}
    behind_each = {one: [file for file in bench.files if _compiles(file, one)] for one in sorted(places)}
    source, behind = max(behind_each.items(), key=lambda item: len(item[1]))
    original = source.read_text()
    numbers = itertools.count()
    _run(bench, 1, store)

    def ours() -> Measurement:
        source.write_text(f"{original}\n#[allow(dead_code)] fn added_{next(numbers)}() {{}}\n")
        return _run(bench, 1, store)

    source.write_text(f"{original}\n#[allow(dead_code)] fn added() {{}}\n")
    folder, count = _graph(bench, "ninja-behind", behind, 1, shared=True)
    ratio, cpu, noise, _, _ = against(bench.rounds, ours, _ninja(folder, bench.width))
    source.write_text(original)
    yield Figure(
        "one source file changed", "ninja over just the steps behind it", "at most 1.2", ratio,
        ratio.median <= 1.2, cpu, noise, f"{source.name}, {count} processes; {bench.subset}",
    )  # fmt: skip
    shutil.rmtree(folder)


def _compiles(file: Path, source: Path) -> bool:
    from linkage.case.source_files import source_files  # noqa: PLC0415

    return source.parent == file.parent and any(
        name == source.name or "${" in name for name, _ in source_files(read_case(file).model)
    )


def warm_thousand(bench: Bench) -> Iterator[Figure]:
    """1,000 variants whose outcomes are all kept, from process start to end."""
    rustc = subjects.stub(bench.folder / "stub", bench.toolchains[0].rustc)
    file = subjects.many(bench.folder / "many", 1000)
    env = environment(LINKAGE_STORE=str(bench.folder / "thousand"))
    words = linkage("run", file, "--toolchain", f"stub={rustc}")
    timed(words, bench.folder, env)
    taken = [timed(words, bench.folder, env) for _ in range(bench.rounds)]
    seconds = Ratio.of([one.wall for one in taken])
    yield Figure(
        "warm run of 1,000 variants", "-", "within 3 s", seconds, seconds.median <= 3, None, spread(taken),
        f"{Ratio.of([one.cpu for one in taken]).median:.2f} s of processor time", unit=" s",
    )  # fmt: skip
