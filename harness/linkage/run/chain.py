"""Runs the steps of a variant in order, or takes their outcomes from the store.

The key of a step contains everything that it can depend on: the compiler's files, the command line
without the name of the working folder, the environment, the machine's linker and C compiler, and the
content of every file in the working folder. So variants with equal first steps share their outcomes,
and any changed input is a cache miss.
"""

import mmap
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from linkage.errors import StoreError
from linkage.plan.expectation import as_expected
from linkage.plan.observation import Observation, Outcome, StepObservation
from linkage.plan.plan import Plan, PlannedStep, Read, wanted_files
from linkage.plan.state import Node, State, initial, target
from linkage.plan.template import CapturedText
from linkage.run.executor import Context, FileFacts, execute, read_facts
from linkage.run.job_server import JobServer
from linkage.run.kept_facts import get_facts, put_facts
from linkage.run.restore import restore
from linkage.run.workspace import Workspace
from linkage.store.keys import named_programs, step_key
from linkage.store.recheck import Recheck, difference
from linkage.store.store import Store
from linkage.toolchain.version import VersionRange

_NAMES_FOLDER_ONLY = (".rlib", ".rmeta")
"""Files whose metadata names their folder for diagnostics only: their bytes serve in any other."""


_KNOWS_FIFO = VersionRange.parse(">=1.74")
"""Older compilers know a job server only as two open pipes: they are told of none."""


@dataclass(frozen=True, slots=True)
class _Record:
    """A step's record in the store: what it did, and what stood in the folder afterwards."""

    outcome: Outcome
    after: dict[str, Node]
    """The state; a file that names the folder it was made in stands there by the step that made it,
    because its bytes are others in every folder."""
    captured: dict[str, CapturedText]
    umask: int
    compiler: str = ""
    """The compiler's version, for `linkage store`."""


@dataclass(slots=True)
class _Position:
    """Where in the chain a variant is: the state that its next step finds."""

    state: State
    captured: dict[str, CapturedText] = field(default_factory=dict)
    umask: int = 0o022


def observe(
    plan: Plan,
    store: Store,
    sources: Mapping[str, bytes],
    machine: str,
    *,
    environment: Mapping[str, str],
    progress: Callable[[str], None] | None = None,
    recheck: Recheck | None = None,
    jobs: JobServer | None = None,
) -> Observation:
    """Carry out a variant's steps as far as they are as their case expects, using the store.

    `machine` stands for the linker and the C compiler in the keys; of `jobs` the processes take their
    tokens, which no key depends on. Raises StoreError where no
    working folder can be made, or files cannot be put into it.
    """
    try:
        with _Chain(plan, store, sources, machine, environment, progress, recheck) as chain:
            chain.context.jobs = jobs
            chain.context.tells_jobs = _KNOWS_FIFO.contains(plan.variant.toolchain.version)
            return chain.run()
    except OSError as error:
        why = error.strerror or str(error)
        raise StoreError(f"cannot use a working folder: {why}", where=str(error.filename or "")) from error


class _Chain:
    def __init__(
        self,
        plan: Plan,
        store: Store,
        sources: Mapping[str, bytes],
        machine: str,
        environment: Mapping[str, str],
        progress: Callable[[str], None] | None,
        recheck: Recheck | None = None,
    ) -> None:
        self.plan = plan
        self.store = store
        self.sources = sources
        self.machine = machine
        self.progress = progress or (lambda _: None)
        self.recheck = recheck
        self.workspace: Workspace | None = None
        self.at = 0
        """The index of the step that the workspace on disk is ready for."""
        self.context = Context(sources, environment, {})
        self.done: list[StepObservation] = []
        self.records: list[_Record] = []
        self.positions = [_Position(initial(sources))]
        """Before each step, and after the last."""
        self.carried_out: set[int] = set()
        self.rechecked: set[int] = set()

    def __enter__(self) -> Self:
        self._folder = self.store.work_folder()
        self._entered: Path | None = None
        return self

    def __exit__(self, *error: object) -> None:
        if self._entered is not None:
            self._folder.__exit__(None, None, None)

    def run(self) -> Observation:
        index = 0
        while index < len(self.plan.steps):
            step = self.plan.steps[index]
            key = self._key(index)
            record = self._recall(step, key)
            if record is None:
                index, record = self._make(index, key)
            elif self.recheck is not None:
                index, record = self._rechecked(self.recheck, index, key, record)
            del self.records[index:], self.positions[index + 1 :], self.done[index:]
            self.records.append(record)
            self.positions.append(_Position(record.after, record.captured, record.umask))
            self.done.append(self._observation(index, record.outcome))
            if not as_expected(self.plan.steps[index], record.outcome):
                break
            index += 1
        return Observation(tuple(self.done))

    def _observation(self, index: int, outcome: Outcome) -> StepObservation:
        step = self.plan.steps[index]
        stored, rechecked = index not in self.carried_out, index in self.rechecked
        return StepObservation(step.id, shown(step), outcome, stored=stored, rechecked=rechecked)

    def _rechecked(self, recheck: Recheck, index: int, key: str, kept: _Record) -> tuple[int, _Record]:
        """The cached record of a step. If the step is chosen to run again: the new record if both agree,
        else the cached one with the difference as its problem; if an earlier step had to run again first
        and differs, that step's index and record.
        """
        at, again = index, kept
        if recheck.chooses(key):
            at, again = self._catch_up(index) or (index, self._perform(index, key, anew=True))
            old = kept if at == index else self.records[at]
            recheck.found[key] = difference(old.outcome, old.after, again.outcome, again.after)
            kept = old
            self.rechecked.add(at)
        problem = recheck.found.get(key)
        return at, replace(kept, outcome=replace(kept.outcome, problem=problem)) if problem else again

    def _make(self, index: int, key: str) -> tuple[int, _Record]:
        """Run a step that is not cached. If an earlier step had to run again first and its outcome
        differs, return that step's index and record instead.
        """
        differs = self._catch_up(index)
        if differs is not None:
            return differs
        step = self.plan.steps[index]
        with self.store.locked(key):
            record = self._recall(step, key)  # another may have been faster
            return index, record or self._carry_out(index, key)

    def _key(self, index: int) -> str:
        step, place = self.plan.steps[index], self.positions[index]
        toolchain = self.plan.variant.toolchain
        return step_key(
            step, toolchain, self.machine, place.state, place.captured, place.umask, self._programs(step)
        )

    def _programs(self, step: PlannedStep) -> str:
        """The programs that the step finds on PATH: their paths, sizes and times."""
        path = self.context.environment.get("PATH")
        named = named_programs(step)
        found = [Path(place) for name in named if (place := shutil.which(name, path=path)) is not None]
        marks = [(os.path.realpath(one), one.stat().st_size, one.stat().st_mtime_ns) for one in found]
        return f"{path} {marks}" if named else ""

    def _recall(self, step: PlannedStep, key: str) -> _Record | None:
        """A step's record from the store, with the facts that its claims need."""
        record = self.store.get("steps", key, _Record)
        if record is None:
            return None
        seen: dict[str, FileFacts] = {}
        for name, wanted in wanted_files(step.reads, record.after, record.outcome.made).items():
            found = get_facts(self.store, record.after, wanted)
            if found is None:
                return None
            seen[name] = found
        return _with_facts(record, seen)

    def _catch_up(self, index: int) -> tuple[int, _Record] | None:
        """Bring the working folder to the state before a step: restore the latest cached state that can
        be restored, then run the steps after it. Returns the index and the record of a step whose outcome
        differs from the cached one.
        """
        workspace = self._open()
        for last in range(index - 1, self.at - 1, -1):
            if restore(workspace, self.records[last].after, self.store):
                self.at = last + 1
                break
        while self.at < index:
            at, before = self.at, self.records[self.at]
            key = self._key(at)
            with self.store.locked(key):
                if restore(workspace, before.after, self.store):  # another may have been faster
                    self.at += 1
                    continue
                again = self._carry_out(at, key)
            if again.after != before.after:
                return at, again
        return None

    def _open(self) -> Workspace:
        if self.workspace is None:
            self._entered = self._folder.__enter__()
            self.workspace = Workspace(self._entered)
            for name, content in self.sources.items():
                self.workspace.write_source(name, content)
        return self.workspace

    def _carry_out(self, index: int, key: str) -> _Record:
        """Run a step in the working folder, which is in the state before it, and cache its record."""
        record = self._perform(index, key, anew=False)
        if record.outcome.lasting:
            if index < len(self.plan.steps) - 1:
                self._keep_files(record.outcome, record.after)
            self.store.put("steps", key, _without_facts(record))
        return record

    def _perform(self, index: int, key: str, *, anew: bool) -> _Record:
        """Run a step in the working folder, which is in the state before it, and return its record.

        `anew`: read its files even if their facts are cached, and cache nothing.
        """
        step, place = self.plan.steps[index], self.positions[index]
        workspace = self._open()
        self.context.captured, self.context.umask = dict(place.captured), place.umask
        self.progress(step.id)
        outcome, state = execute(step, workspace, self.context)
        for digest in workspace.overwritten():
            self.store.drop_blob(digest)
        bound = {name: state[name] for name in outcome.made if self._names_its_folder(name, state[name])}
        for name, node in bound.items():
            serves = name.endswith(_NAMES_FOLDER_ONLY)
            workspace.stand_in(node.content, f"{key}:{name}", serves=serves)
        state = workspace.scan() if bound else state
        self.at = index + 1
        self.carried_out.add(index)
        compiler = str(self.plan.variant.toolchain.version)
        record = _Record(outcome, state, dict(self.context.captured), self.context.umask, compiler)
        read = self._read_anew if anew else self._read
        asked = wanted_files(step.reads, state, outcome.made)
        seen = {name: read(wanted, state) for name, wanted in asked.items()}
        return _with_facts(record, seen)

    def _read(self, wanted: Read, state: State) -> FileFacts:
        """The facts of a file; from the store if a file with the same bytes was read before."""
        node = target(wanted.pattern, state)
        is_itself = node is not None and node.stored == node.content
        found = get_facts(self.store, state, wanted) if is_itself else None
        if found is None:
            found = self._read_anew(wanted, state)
            put_facts(self.store, state, wanted, found)
        return found

    def _read_anew(self, wanted: Read, state: State) -> FileFacts:
        return read_facts(wanted, self._open(), state)

    def _keep_files(self, outcome: Outcome, state: State) -> None:
        workspace = self._open()
        for name in outcome.made:
            digest = state[name].stored
            if digest is not None and self.store.put_blob(digest, workspace.root / name):
                workspace.note_link(name, digest)

    def _names_its_folder(self, name: str, node: Node) -> bool:
        workspace = self._open()
        if node.kind != "file" or not node.size or node.bytes_of is not None:
            return False
        if name.endswith(".rlink"):
            return True  # whatever its encoding does to a path
        try:
            with (workspace.root / name).open("rb") as file:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except PermissionError:
            return False
        with content:
            return content.find(os.fsencode(workspace.root)) >= 0


def shown(step: PlannedStep) -> tuple[str, ...]:
    """A step's command line as a person would type it in the working folder."""
    if step.command is None:
        return ()
    return tuple(map(str, step.command.typed))


def _without_facts(record: _Record) -> _Record:
    """A record as it is kept: the facts are kept by themselves, for they depend on the claims."""
    return replace(record, outcome=replace(record.outcome, facts={}, texts={}, modes={}))


def _with_facts(record: _Record, seen: Mapping[str, FileFacts]) -> _Record:
    nodes = {name: target(name, record.after) for name in seen}
    outcome = replace(
        record.outcome,
        facts={name: one.facts for name, one in seen.items()},
        texts={name: one.texts for name, one in seen.items()},
        modes={name: node.mode for name, node in nodes.items() if node is not None},
    )
    return replace(record, outcome=outcome)
