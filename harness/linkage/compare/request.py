"""A whole comparison, and a whole snapshot, from what the user asked for."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from linkage.compare.artifacts import Differ, DiffOptions
from linkage.compare.builds import (
    BuildSource,
    ComparedVariant,
    ReducedSource,
    SnapshotSource,
    ToolchainSource,
    cells_of,
    compare,
    in_order,
)
from linkage.compare.cargo import CargoSource
from linkage.compare.change_groups import grouped
from linkage.compare.comparison import BuildResult, Comparison
from linkage.compare.expectations import Expectations, read_expected
from linkage.compare.noise_filters import NoiseFilters
from linkage.compare.normalization import Normalizer
from linkage.compare.snapshot import SUFFIX, Snapshot, decoded
from linkage.errors import LinkageError
from linkage.host.folders import cache_folder, store_folder
from linkage.plan.name_filter import selected
from linkage.plan.other_toolchain import divided_cell
from linkage.run.cargo import CargoProject, cargo_of
from linkage.run.job_server import JobServer, processors
from linkage.run.sandbox import find_sandbox
from linkage.run.selection import case_name, chosen, chosen_cases, read_cases, split
from linkage.run.session import Session
from linkage.store.store import Store
from linkage.toolchain import resolve_all

Progress = Callable[[int, int], None]
"""Is told how many variants are done, of how many."""


def _silent(_done: int, _total: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class ComparisonOptions:
    """What is compared, and how."""

    sides: tuple[str, ...]
    """One or two toolchains or snapshot files."""
    cases: Sequence[str] = ()
    chosen: str | None = None
    other_toolchain: Sequence[str] = ()
    """The toolchains for steps with `toolchain: other`, on both sides."""
    store: str | None = None
    no_store: bool = False
    jobs: int | None = None
    linker: str = ""
    keep: Sequence[str] = ()
    sizes: bool = False
    bytes: bool = False
    expect: str | None = None
    """The file of expected changes."""
    cargo: str | None = None
    """A Cargo project to build instead of cases."""
    sandbox: bool = False
    """Whether the cases' steps run in a sandbox."""
    profile: str = "dev"
    offline: bool = False


def compared(options: ComparisonOptions, progress: Progress = _silent) -> Comparison:
    """What a comparison finds. Raises LinkageError."""
    filters = NoiseFilters.without(options.keep)
    expected = read_expected(Path(options.expect)) if options.expect else Expectations()
    snapshots = [_snapshot(side, filters, options.linker) for side in options.sides]
    cells = [ComparedVariant(options.cargo)] if options.cargo else _cells(options, snapshots)
    differ = Differ(filters, DiffOptions(options.sizes, options.bytes))
    with contextlib.ExitStack() as held:
        sources = (_cargo_sources if options.cargo else _sources)(options, filters, snapshots, held)
        found = compare(cells, (sources[0], sources[1]), differ, _width(options) + 1, progress)
    changes, unmet = expected.apply(found.found)
    return Comparison(
        sources[0].side(),
        sources[1].side(),
        found.count,
        tuple(grouped(changes)),
        tuple(found.not_compared),
        tuple(sorted(filters.disabled)),
        options.linker,
        tuple(unmet),
        bytes=found.bytes,
    )


def snapshotted(options: ComparisonOptions, progress: Progress = _silent) -> Snapshot:
    """Build every variant with a toolchain. Raises LinkageError."""
    filters = NoiseFilters.without(options.keep)
    cells = _cells(options, [None])
    builds: dict[str, BuildResult] = {}
    with contextlib.ExitStack() as held:
        source = _sources(options, filters, [None], held)[0]
        reduced = ReducedSource(source)
        progress(0, len(cells))
        with contextlib.closing(in_order(cells, reduced.build, _width(options) + 1)) as results:
            for number, (cell, one) in enumerate(results):
                builds[cell.name] = one
                progress(number + 1, len(cells))
    return Snapshot(source.side(), builds, tuple(sorted(filters.disabled)), options.linker)


def _width(options: ComparisonOptions) -> int:
    return options.jobs or processors()


def _snapshot(side: str, filters: NoiseFilters, linker: str) -> Snapshot | None:
    """A side's snapshot; None for a toolchain. Raises LinkageError."""
    place = Path(side)
    # A compiler is executable; a file with the suffix of snapshots is one even if it does not exist.
    if place.suffix != SUFFIX and (not place.is_file() or os.access(place, os.X_OK)):
        return None
    try:
        with place.open("rb") as file:
            found = decoded(file, side)
    except OSError as error:
        raise LinkageError(f"cannot be read: {error.strerror}", where=side, help="name a snapshot") from None
    for name, taken, asked in (
        ("--keep", ", ".join(found.disabled_filters), ", ".join(sorted(filters.disabled))),
        ("--linker", found.linker, linker),
    ):
        if taken != asked:
            help = f"take it again with {name} {asked}" if asked else f"compare with {name} {taken}"
            raise LinkageError(
                f"the snapshot was taken with a different {name}: {taken or 'none'}", where=side, help=help
            )
    return found


def _cells(options: ComparisonOptions, given: Sequence[Snapshot | None]) -> list[ComparedVariant]:
    """The variants to compare; for two snapshots, without reading the cases."""
    snapshots = [one for one in given if one is not None]
    if len(snapshots) == len(options.sides):
        names = sorted({name for one in snapshots for name in one.builds})
        wanted = tuple(f"{name}[{cell}]" if cell else name for name, _, cell in map(split, options.cases))
        found = [ComparedVariant(name) for name in names if not wanted or name.startswith(wanted)]
        return [one for one in found if selected(options.chosen, one.name)]
    texts = options.cases or ["cases"]
    names = [one.name for one in resolve_all(options.other_toolchain, os.environ)]
    cases = {case.name: case.with_others(names) for case in read_cases(texts)}
    cells = cells_of(cases.values())
    # Variants of these cases that only a snapshot has are reported as not compared.
    gone = {name for one in snapshots for name in one.builds} - {cell.name for cell in cells}
    whole = {case_name(one.file) for one in chosen_cases(texts) if one.cell is None}
    only = [ComparedVariant(name) for name in sorted(gone) if name.partition("[")[0] in whole]
    meant = [one for one in cells if one.case is None or chosen(options.chosen, one.case, one.cell)]
    return [*meant, *(one for one in only if selected(options.chosen, one.name))]


def _sources(
    options: ComparisonOptions,
    filters: NoiseFilters,
    snapshots: Sequence[Snapshot | None],
    held: contextlib.ExitStack,
) -> list[BuildSource]:
    """Where the builds of each side come from; if one is a snapshot, the other is reduced like one."""
    reader = Normalizer(filters)
    sources: list[BuildSource] = []
    stores: list[Store] = []
    for spec, snapshot in zip(options.sides, snapshots, strict=True):
        if snapshot is not None:
            sources.append(SnapshotSource(snapshot))
            continue
        session = _session(options, held, stores)
        toolchain = session.toolchains([spec])[0]
        if options.linker and not session.machine.has_linker(options.linker):
            known = ", ".join(sorted(session.machine.linkers))
            raise LinkageError(
                f"this machine has no linker {options.linker}", where="--linker", help=f"it has {known}"
            )
        sources.append(ToolchainSource(session, toolchain, reader, options.linker))
    if any(snapshot is not None for snapshot in snapshots):
        return [one if isinstance(one, SnapshotSource) else ReducedSource(one) for one in sources]
    return sources


def _cargo_sources(
    options: ComparisonOptions,
    filters: NoiseFilters,
    snapshots: Sequence[Snapshot | None],
    held: contextlib.ExitStack,
) -> list[BuildSource]:
    """A Cargo project built by both toolchains, each with its own Cargo, into folders of the same length."""
    if options.cases or options.chosen or any(one is not None for one in snapshots):
        help = "give two toolchains and the project"
        raise LinkageError("a Cargo project takes no cases, -k or snapshots", where="--cargo", help=help)
    if options.sandbox:
        what = "a Cargo project is not built in a sandbox"
        raise LinkageError(what, where="--cargo", help="leave out --sandbox, and build only what you trust")
    project = CargoProject(
        Path(options.cargo or "."), options.profile, offline=options.offline, linker=options.linker
    )
    if not (project.folder / "Cargo.toml").is_file():
        raise LinkageError("no Cargo.toml", where=f"--cargo {project.folder}", help="name a Cargo project")
    folder = Path(held.enter_context(_temporary()))
    session = _session(options, held, [])
    reader = Normalizer(filters)
    toolchains = [session.toolchains([spec])[0] for spec in options.sides]
    cargos = [cargo_of(one, session.environment.get("PATH")) for one in toolchains]
    sources: list[BuildSource] = []
    for toolchain, own, other, name in zip(toolchains, cargos, cargos[::-1], ("base", "head"), strict=True):
        cargo = own or other
        if cargo is None:
            raise LinkageError("there is no cargo", where="--cargo", help="put one on PATH")
        target = folder / name
        sources.append(
            CargoSource(project, toolchain, cargo, target, reader, session.environment, _width(options))
        )
    return sources


def _session(options: ComparisonOptions, held: contextlib.ExitStack, stores: list[Store]) -> Session:
    """A session for one side: both share a store, or have a temporary one each."""
    if options.no_store:
        if options.store:
            raise LinkageError("--store and --no-store exclude each other", help="leave one of them out")
        store = Store(Path(held.enter_context(_temporary())))
    elif stores:
        store = stores[0]
    else:
        store = Store(store_folder(options.store, os.environ))
        store.sweep()
    stores.append(store)
    jobs = JobServer.make(held.enter_context(store.work_folder()), _width(options))
    if jobs is not None:
        held.callback(jobs.close)
    sandbox = find_sandbox(os.environ) if options.sandbox else ""
    found = Session(store, cache_folder(os.environ), dict(os.environ), jobs=jobs, sandbox=sandbox)
    named = filter(None, (divided_cell(split(text)[2] or "")[1] for text in options.cases))
    found.choose_others(options.other_toolchain or tuple(dict.fromkeys(named)))
    return found


@contextlib.contextmanager
def _temporary() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="linkage-compare-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
