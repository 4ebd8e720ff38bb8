"""Building variants on both sides, and comparing each pair as soon as both are built."""

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from linkage.case.case import Case
from linkage.compare.artifacts import Differ
from linkage.compare.comparison import BuildResult, ComparedSide, NotCompared
from linkage.compare.model import LocatedChange, VariantBuild
from linkage.compare.normalization import Normalizer
from linkage.compare.reduction import reduced
from linkage.compare.snapshot import Snapshot
from linkage.compare.variant import built, differences, linkers, unjudged
from linkage.errors import LinkageError
from linkage.host import process
from linkage.plan.plan import Variant
from linkage.run.selection import split
from linkage.run.session import Session
from linkage.toolchain import Toolchain

T = TypeVar("T")
R = TypeVar("R")
_LOOK = 0.2  # seconds between looks at whether threads have ended


@dataclass(frozen=True, slots=True)
class ComparedVariant:
    """A variant without a toolchain; one from a snapshot has no case."""

    name: str
    case: Case | None = None
    row: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cell(self) -> str:
        """The id of its cell; empty if the case has no matrix."""
        return split(self.name)[2] or ""


class BuildSource(Protocol):
    """Where one side's builds come from: a toolchain, or a snapshot."""

    def build(self, cell: ComparedVariant) -> BuildResult:
        """A variant's build, or why it could not be built."""

    def side(self) -> ComparedSide:
        """This side, and what was found about it so far."""


@dataclass
class ToolchainSource:
    """Builds with a toolchain."""

    session: Session
    toolchain: Toolchain
    normalizer: Normalizer
    linker: str = ""
    seen: Counter[str] = field(default_factory=Counter)
    bootstrap: int = 0

    def build(self, cell: ComparedVariant) -> BuildResult:
        row = cell.row
        if cell.case is None:
            return NotCompared(cell.name, "the variant no longer exists")
        if self.linker and "linker" not in row:
            row = {**row, "linker": self.linker}
        try:
            found = self.session.compared(Variant(cell.case, row, self.toolchain))
        except LinkageError as error:
            return NotCompared(cell.name, str(error), error=True)
        if isinstance(found, str):
            return NotCompared(cell.name, found)
        build = built(*found, self.normalizer, self._places)
        self.seen.update(linkers(build))
        self.bootstrap += build.bootstrap
        why = unjudged(build)
        return build if why is None else NotCompared(cell.name, why, error=True)

    def side(self) -> ComparedSide:
        can = self.toolchain.capabilities
        return ComparedSide(
            self.toolchain.name,
            str(can.version),
            can.llvm_version or "none",
            self.toolchain.fingerprint,
            dict(self.seen),
            self.bootstrap,
            self.session.machine.versions,
        )

    @property
    def _places(self) -> Mapping[str, str]:
        sysroot, rustc = self.toolchain.sysroot, self.toolchain.rustc
        found = {str(rustc): "$RUSTC", str(sysroot): "$SYSROOT", str(Path(sysroot).resolve()): "$SYSROOT"}
        return dict(sorted(found.items(), key=lambda item: -len(item[0])))


@dataclass(frozen=True)
class SnapshotSource:
    """Builds from a snapshot."""

    snapshot: Snapshot

    def build(self, cell: ComparedVariant) -> BuildResult:
        missing = NotCompared(cell.name, f"{self.snapshot.side.snapshot} has no such variant")
        return self.snapshot.builds.get(cell.name, missing)

    def side(self) -> ComparedSide:
        return self.snapshot.side


@dataclass(frozen=True)
class ReducedSource:
    """Another source's builds, reduced as in a snapshot."""

    source: BuildSource

    def build(self, cell: ComparedVariant) -> BuildResult:
        found = self.source.build(cell)
        return reduced(found) if isinstance(found, VariantBuild) else found

    def side(self) -> ComparedSide:
        return self.source.side()


@dataclass
class Differences:
    """The changes of all variants so far."""

    found: list[LocatedChange] = field(default_factory=list)
    not_compared: list[NotCompared] = field(default_factory=list)
    count: int = 0
    bytes: tuple[int, int] = (0, 0)


def compare(
    cells: Sequence[ComparedVariant],
    sources: tuple[BuildSource, BuildSource],
    differ: Differ,
    width: int,
    progress: Callable[[int, int], None],
) -> Differences:
    """Build every variant on both sides, `width` at once, and compare the outputs."""
    result = Differences()
    progress(0, len(cells))
    with closing(in_order(cells, lambda one: _pair(one, sources, differ), width)) as results:
        for number, (cell, (base, head, found)) in enumerate(results):
            _add(result, cell, base, head, found)
            progress(number + 1, len(cells))
    return result


def _pair(
    cell: ComparedVariant, sources: tuple[BuildSource, BuildSource], differ: Differ
) -> tuple[BuildResult, BuildResult, tuple[LocatedChange, ...]]:
    base, head = (source.build(cell) for source in sources)
    if isinstance(base, NotCompared) or isinstance(head, NotCompared):
        return _light(base), _light(head), ()
    return _light(base), _light(head), tuple(differences(cell.name, base, head, differ))


def _light(one: BuildResult) -> BuildResult:
    """A build without what only the comparison needs: thousands are kept in memory."""
    if isinstance(one, NotCompared):
        return one
    steps = (
        replace(step, artifacts={n: replace(a, parts={}, members=()) for n, a in step.artifacts.items()})
        for step in one.steps
    )
    return replace(one, steps=tuple(steps))


def _add(
    result: Differences,
    cell: ComparedVariant,
    base: BuildResult,
    head: BuildResult,
    found: Iterable[LocatedChange],
) -> None:
    if isinstance(base, VariantBuild) and isinstance(head, VariantBuild):
        result.count += 1
        result.found.extend(found)
        sizes = [
            sum(artifact.size for step in one.steps for artifact in step.artifacts.values())
            for one in (base, head)
        ]
        result.bytes = result.bytes[0] + sizes[0], result.bytes[1] + sizes[1]
        return
    failed = [one for one in (base, head) if isinstance(one, NotCompared)]
    sides = [name for name, one in (("BASE", base), ("HEAD", head)) if isinstance(one, NotCompared)]
    reasons = dict.fromkeys(one.reason for one in failed)
    why = (
        "; ".join(reasons)
        if len(reasons) == 1 and len(failed) > 1
        else "; ".join(f"{side}: {one.reason}" for side, one in zip(sides, failed, strict=True))
    )
    result.not_compared.append(NotCompared(cell.name, why, error=any(one.error for one in failed)))


def in_order(items: Sequence[T], work: Callable[[T], R], width: int) -> Generator[tuple[T, R], None, None]:
    """The results of `work` in the items' order, with a bounded number of results waiting."""
    pool = ThreadPoolExecutor(width)
    waiting: deque[tuple[T, Future[R]]] = deque()
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > 2 * width:
                yield waiting[0][0], waiting[0][1].result()
                waiting.popleft()
        while waiting:
            yield waiting[0][0], waiting[0][1].result()
            waiting.popleft()
    finally:
        # If it was interrupted, or a worker raised: end what still runs, and what is begun after it.
        pool.shutdown(wait=False, cancel_futures=True)
        while left := [future for _, future in waiting if not future.done()]:
            process.end_all()
            wait(left, _LOOK)


def cells_of(cases: Iterable[Case]) -> list[ComparedVariant]:
    """All variants of these cases."""
    return [
        ComparedVariant(f"{case.name}[{name}]" if name else case.name, case, row)
        for case in cases
        for row, name in zip(case.rows, case.ids, strict=True)
    ]
