"""A fuzzing session: draws graphs, checks them on every processor, reduces what fails and keeps it."""

import contextlib
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from linkage.fuzz.coverage import PairCoverage, next_seed, possible_pairs
from linkage.fuzz.fuzz_log import CheckedGraph, FuzzLog, GraphFinding
from linkage.fuzz.generation import checks_of, graph_of
from linkage.fuzz.graph import Graph
from linkage.fuzz.graph_case import GraphCheck, graph_case
from linkage.fuzz.reduction import Reduction, reduced
from linkage.fuzz.shipped_bugs import ShippedBug, matching
from linkage.fuzz.trial import CheckOutcome, RelationResult, check_result, same_failure
from linkage.host import process
from linkage.run.session import Session
from linkage.store.store import Store
from linkage.toolchain import Toolchain

Report = Callable[[GraphFinding, Graph, GraphCheck, RelationResult, str], str]
"""The text of a report on a finding: it gets the reduced case, too."""
MOST_TRIES = 400
"""Of one reduction."""
_REDUCING = 120.0
"""Seconds after the end of a session in which a reduction may go on."""


@dataclass(frozen=True, slots=True)
class FuzzLimits:
    """When a session ends."""

    seconds: float
    graphs: int | None = None
    width: int = 1
    """How many graphs are checked at once."""


@dataclass
class FuzzSession:
    """One session. `say` prints a line, `show` the progress."""

    session: Session
    toolchains: Sequence[Toolchain]
    log: FuzzLog
    limits: FuzzLimits
    folder: Path
    """A temporary folder, for the stores of graphs."""
    bugs: Sequence[ShippedBug]
    report: Report
    say: Callable[[str], None] = lambda _: None
    show: Callable[[str], None] = lambda _: None
    coverage: PairCoverage = field(default_factory=PairCoverage)
    unrepeated: Counter[str] = field(default_factory=Counter)
    """Failures that did not occur again when they were tried a second time."""
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _began: float = 0.0
    _stopped: bool = False
    _open: list[tuple[int, RelationResult]] = field(default_factory=list)
    """Findings that are being reduced: their numbers and first results."""

    def run(self) -> None:
        """Draw and check graphs until a limit is reached. Raises KeyboardInterrupt when interrupted: what was
        finished is kept.
        """
        self._began = time.monotonic()
        with ThreadPoolExecutor(self.limits.width) as pool:
            waiting: set[Future[None]] = set()
            try:
                for number, seed in self._drawn():
                    while len(waiting) >= self.limits.width and not self._is_over():
                        waiting = self._waited(waiting)
                    if self._is_over():
                        break
                    waiting.add(pool.submit(self._checked, number, seed))
                while waiting:
                    waiting = self._waited(waiting)
            except BaseException:
                self._stopped = True
                process.end_all()  # the pool waits for what is still running
                raise

    def _waited(self, waiting: set[Future[None]]) -> set[Future[None]]:
        done, left = wait(waiting, timeout=1.0, return_when=FIRST_COMPLETED)
        for one in done:
            one.result()
        self.show(self.progress())
        return left

    def _is_over(self) -> bool:
        return self._stopped or self.elapsed() > self.limits.seconds

    def elapsed(self) -> float:
        """Seconds since the session began."""
        return time.monotonic() - self._began

    def progress(self) -> str:
        """The state in one line."""
        news = sum(one.is_news for one in self.log.findings)
        return (
            f"{len(self.log.graphs)} graphs, {news} new findings, {len(self.log.findings) - news} known, "
            f"{len(self.coverage.seen)} of {possible_pairs()} pairs of features"
        )

    def _drawn(self) -> Iterator[tuple[int, int]]:
        """The graphs of the session that are not checked yet; the others are drawn, too, because what is
        drawn depends on what came before.
        """
        number = 0
        while self.limits.graphs is None or number < self.limits.graphs:
            done = self.log.graphs.get(number)
            seed = (
                done.seed
                if done
                else next_seed(self.log.start.seed, number, self.coverage, self.log.start.focus)
            )
            self.coverage.add(graph_of(seed))
            if done is None:
                yield number, seed
            number += 1

    @contextlib.contextmanager
    def _own_store(self, name: str) -> Iterator[Session]:
        """The session with a store of its own, removed afterwards: no graph needs another's files."""
        place = self.folder / name
        found = replace(self.session, store=Store(place))
        vars(found)["machine"] = self.session.machine  # examined once
        try:
            yield found
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _checked(self, number: int, seed: int) -> None:
        """Check one graph on one toolchain, which its number chooses."""
        graph = graph_of(seed)
        toolchain = self.toolchains[number % len(self.toolchains)]
        without = self.log.start.without
        outcomes: Counter[str] = Counter()
        refusals: Counter[str] = Counter()
        found: set[int] = set()
        reduced_one = False
        with self._own_store(f"graph-{number}") as session:
            for check in checks_of(graph, seed, without):
                if self._is_over():
                    return
                result = check_result(session, toolchain, graph, check, without)
                if self._stopped:
                    return  # it was killed
                outcomes[result.outcome.value] += 1
                if result.outcome is CheckOutcome.REFUSED:
                    refusals[result.reason] += 1
                if result.outcome is CheckOutcome.FAILS:
                    # What else fails in one graph mostly has one cause; if not, another graph shows it, too.
                    finding = self._seen(result)
                    if finding is None and not reduced_one:
                        reduced_one = True
                        finding = self._finding(number, seed, graph, check, toolchain, result)
                    found |= {finding} if finding is not None else set()
        entry = CheckedGraph(
            number, seed, toolchain.name, dict(outcomes), dict(refusals), tuple(sorted(found))
        )
        with self._lock:
            self.log.add(entry)

    def _seen(self, result: RelationResult) -> int | None:
        """The number of the finding that a failure is, if it is not the first of its kind."""
        with self._lock:
            for one in self.log.findings:
                if result.signatures[0].same(one.signature):
                    return one.number
            for other, first in self._open:
                if same_failure(result.signatures, first.signatures):
                    return other
        return None

    def _finding(
        self,
        number: int,
        seed: int,
        graph: Graph,
        check: GraphCheck,
        toolchain: Toolchain,
        result: RelationResult,
    ) -> int | None:
        """The number of the finding that a failure is; the first of its kind is reduced and reported."""
        with self._lock:
            seen = self._seen(result)
            if seen is not None:
                return seen
            mine = 1 + max(
                [one.number for one in self.log.findings] + [one for one, _ in self._open], default=0
            )
            self._open.append((mine, result))
        seconds = self.elapsed()
        try:
            if not self._repeats(toolchain, graph, check, result):
                with self._lock:
                    if not self._stopped:
                        self.unrepeated[str(result.signatures[0])] += 1
                return None
            made = self._reduced(toolchain, graph, check, result)
            final = self._again(toolchain, made.graph, made.check)
            if self._stopped:
                return None
            self._keep(mine, number, seed, toolchain, made, final or result, result, seconds)
        finally:
            with self._lock:
                self._open = [one for one in self._open if one[0] != mine]
        return mine

    def _again(self, toolchain: Toolchain, graph: Graph, check: GraphCheck) -> RelationResult | None:
        """A check in an empty store; None if it does not fail."""
        with self._own_store(f"again-{threading.get_ident()}") as session:
            found = check_result(session, toolchain, graph, check, self.log.start.without)
        return found if found.outcome is CheckOutcome.FAILS else None

    def _repeats(self, toolchain: Toolchain, graph: Graph, check: GraphCheck, first: RelationResult) -> bool:
        found = self._again(toolchain, graph, check)
        return found is not None and same_failure(first.signatures, found.signatures)

    def _reduced(
        self, toolchain: Toolchain, graph: Graph, check: GraphCheck, first: RelationResult
    ) -> Reduction:
        with self._own_store(f"reduced-{threading.get_ident()}") as session:

            def fails(smaller: Graph, mine: GraphCheck) -> bool:
                found = check_result(session, toolchain, smaller, mine, self.log.start.without)
                return found.outcome is CheckOutcome.FAILS and same_failure(
                    first.signatures, found.signatures
                )

            def more(tries: int) -> bool:
                return (
                    not self._stopped
                    and tries < MOST_TRIES
                    and self.elapsed() < self.limits.seconds + _REDUCING
                )

            return reduced(graph, check, fails, more)

    def _keep(
        self,
        mine: int,
        number: int,
        seed: int,
        toolchain: Toolchain,
        made: Reduction,
        final: RelationResult,
        first: RelationResult,
        seconds: float,
    ) -> None:
        version = toolchain.version
        known = matching(self.bugs, made.graph, made.check, final.failures, version)
        name = f"finding-{mine:03}-{made.check.relation}"
        finding = GraphFinding(
            mine, seed, number, toolchain.name, str(version), made.check.relation, first.signatures[0],
            seconds,
            tuple(dict.fromkeys(f"{one.label} ({one.case})" for one in known)), f"{name}.yaml",
            str(final.signatures[0]), made.tries, made.complete,
        )  # fmt: skip
        heading = (
            f"Found by `linkage fuzz` on {toolchain.name} ({version}); graph seed {seed}.\n"
            f"It fails there: {finding.line}"
        )
        _, text = graph_case(
            made.graph, made.check, self.log.start.without, lean=True, heading=heading, name=f"{name}.yaml"
        )
        with self._lock:
            self.log.save(f"{name}.yaml", text)
            self.log.save(f"{name}.md", self.report(finding, made.graph, made.check, final, text))
            self.log.add(finding)
            kind = f"known: {'; '.join(finding.known)}" if finding.known else "NEW"
            self.say(
                f"finding {mine} [{kind}]: {made.check.relation} on {toolchain.name}, graph seed {seed}: "
                + finding.line
            )
