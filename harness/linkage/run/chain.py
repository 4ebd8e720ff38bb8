"""Runs the steps of a variant in order, or takes their outcomes from the store.

The key of a step contains everything that it can depend on: the compiler's files, the command line,
the environment, the machine's linker and C compiler, and the working folder: its name, and the content
of every file in it. All outcomes of a variant are from one folder, also those from the cache. Variants
with equal first steps share the outcomes of these steps in one folder, and any changed input is a cache
miss.
"""

import glob
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from linkage.errors import StoreError
from linkage.host.sandbox import Sandbox
from linkage.plan.expectation import as_expected
from linkage.plan.folder_state import FolderState
from linkage.plan.observation import Observation, Outcome, StepObservation, claim_variables
from linkage.plan.plan import Plan, PlannedStep, Read, filled, wanted_files
from linkage.plan.state import Node, State, initial, other_than_files, target
from linkage.plan.template import WORK, CapturedText
from linkage.run.executor import Context, execute
from linkage.run.job_server import JobServer
from linkage.run.kept_facts import FileFacts, get_facts, put_facts, read_facts, read_toolchain_file
from linkage.run.machine_key import Programs
from linkage.run.placeless_facts import placeless_facts
from linkage.run.restore import restore
from linkage.run.sandbox import sandbox_for
from linkage.run.workspace import Workspace, root_in
from linkage.store.keys import named_programs, plan_key, step_key
from linkage.store.recheck import Recheck, difference
from linkage.store.store import Store


@dataclass(frozen=True, slots=True)
class _StoredRecord:
    """A step's record in the store: its outcome, and how it changed the folder, whose state is in its key."""

    outcome: Outcome
    changed: dict[str, Node]
    gone: tuple[str, ...]
    captured: dict[str, CapturedText]
    umask: int
    compiler: str = ""
    """The compiler's version, for `linkage store`."""


@dataclass(frozen=True, slots=True)
class _Record:
    """A step's outcome, and what it leaves for the next."""

    outcome: Outcome
    changed: dict[str, Node]
    gone: tuple[str, ...]
    after: FolderState
    captured: dict[str, CapturedText]
    umask: int
    compiler: str


@dataclass(slots=True)
class _Position:
    """A position in the chain of steps: the state before the next step."""

    state: FolderState
    captured: dict[str, CapturedText] = field(default_factory=dict)
    umask: int = 0o022


@dataclass(frozen=True, slots=True)
class Task:
    """What to do, in any folder: a variant's steps, and what they are run with.

    `machine` stands for the linker and the C compiler in the keys. The processes take tokens from `jobs`,
    on which no key depends.
    """

    plan: Plan
    store: Store
    sources: Mapping[str, bytes]
    machine: str
    environment: Mapping[str, str]
    progress: Callable[[str], None] | None = None
    recheck: Recheck | None = None
    jobs: JobServer | None = None
    sandbox: str = ""
    """bwrap, if the processes run in a sandbox."""
    programs: Programs = field(default_factory=Programs)


def observe(task: Task, folder: Path | None = None) -> Observation:
    """Run a variant's steps, or take their outcomes from the store, until one is not as the case expects;
    in a certain folder, if one is given.

    Raises StoreError if no working folder can be created, or files cannot be put into it.
    """
    try:
        return _observe(task, folder)
    except OSError as error:
        why = error.strerror or str(error)
        raise StoreError(f"cannot use a working folder: {why}", where=str(error.filename or "")) from error


def _observe(task: Task, folder: Path | None) -> Observation:
    store = task.store
    found = _recalled(task, folder)
    if found and found[0].complete and task.recheck is None:
        return found[0].observation
    with ExitStack() as held:
        held.enter_context(store.locked(plan_key(task.plan, task.machine, initial(task.sources))))
        found = _recalled(task, folder)  # another process may have been faster
        if found and found[0].complete and task.recheck is None:
            return found[0].observation
        if folder is None and task.recheck is not None and found:
            folder = found[0].folder  # only there a step produces the same bytes
        if folder is not None:
            place = held.enter_context(store.the_folder(folder))
        else:
            place = held.enter_context(store.variant_folder(chain.folder for chain in found))
        chain = next((one for one in found if one.folder == place), None)
        return (_Chain(task, place) if chain is None or task.recheck else chain).run()


def _recalled(task: Task, folder: Path | None) -> "list[_Chain]":
    """The cached chains of a variant, one for each folder: the longest first."""
    folders = task.store.variant_folders() if folder is None else [folder]
    found: list[_Chain] = []
    for one in folders:
        chain = _Chain(task, one)
        chain.recall()
        if chain.complete:
            return [chain]
        if chain.records:
            found.append(chain)
    return sorted(found, key=lambda chain: -len(chain.records))


class _Chain:
    """The steps of a variant that were done in one folder."""

    def __init__(self, task: Task, folder: Path) -> None:
        self.task = task
        self.plan, self.store = task.plan, task.store
        self.folder = folder
        self.workspace: Workspace | None = None
        self.at = 0
        """The index of the step that the workspace on disk is ready for."""
        self.context = Context(task.sources, task.environment, {}, jobs=task.jobs, sandbox=self._sandbox())
        self.done: list[StepObservation] = []
        self.records: list[_Record] = []
        self.positions = [_Position(FolderState.of(initial(task.sources)))]
        """The positions before each step, and after the last."""
        self.carried_out: set[int] = set()
        self.rechecked: set[int] = set()

    def _sandbox(self) -> Sandbox | None:
        task = self.task
        if not task.sandbox:
            return None
        fifo = None if task.jobs is None else task.jobs.fifo
        toolchains = task.plan.variant.toolchains
        return sandbox_for(task.sandbox, self.folder, fifo, toolchains, task.environment)

    @property
    def complete(self) -> bool:
        """Whether all steps are done."""
        done = len(self.records)
        return done == len(self.plan.steps) or (
            done > 0 and not as_expected(self.plan.steps[done - 1], self.records[-1].outcome)
        )

    @property
    def observation(self) -> Observation:
        return Observation(tuple(self.done), str(root_in(self.folder)))

    def recall(self) -> None:
        """Take from the store the outcomes of this folder."""
        while not self.complete:
            index = len(self.records)
            record = self._recall(index, self._key(index))
            if record is None:
                return
            self._add(index, record)

    def _add(self, index: int, record: _Record) -> None:
        """Add the record of a step; earlier records of it and of later steps are dropped."""
        del self.records[index:], self.positions[index + 1 :], self.done[index:]
        self.records.append(record)
        self.positions.append(_Position(record.after, record.captured, record.umask))
        outcome = _with_toolchain_files(record.outcome, self.plan.steps[index].reads)
        self.done.append(self._observation(index, outcome))

    def run(self) -> Observation:
        """Run the remaining steps."""
        while not self.complete:
            index = len(self.records)
            key = self._key(index)
            record = self._recall(index, key)
            if record is None:
                self._add(*self._make(index, key))
            elif self.task.recheck is not None:
                self._add(*self._rechecked(self.task.recheck, index, key, record))
            else:
                self._add(index, record)
        return self.observation

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
            at, again = self._catch_up(index) or (index, self._perform(index, anew=True))
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
        return index, self._carry_out(index, key)

    def _key(self, index: int) -> str:
        step, place = self.plan.steps[index], self.positions[index]
        programs = self._programs(step)
        compilers = [path for one in step.toolchains for path in (one.rustc.resolve(), one.sysroot)]
        return step_key(
            step,
            self.task.machine,
            place.state,
            place.captured,
            place.umask,
            programs,
            (self.folder, *compilers),
        )

    def _programs(self, step: PlannedStep) -> list[str]:
        """The programs that the step takes from outside: which they are, and where they are looked for."""
        named = named_programs(step)
        if not named:
            return []
        own = [folder for part in (step.parallel or (step,)) if part.command for folder in part.command.path]
        path = os.pathsep.join((*own, self.context.environment.get("PATH", os.defpath)))
        return [path, *self.task.programs.found(named, path)]

    def _recall(self, index: int, key: str) -> _Record | None:
        """A step's record from the store, with the facts that its claims need."""
        stored = self.store.get("steps", key, _StoredRecord)
        if stored is None:
            return None
        after = self.positions[index].state.changed(stored.changed, stored.gone)
        record = _Record(
            stored.outcome, stored.changed, stored.gone, after, stored.captured, stored.umask, stored.compiler
        )
        seen: dict[str, FileFacts] = {}
        for name, request in self._wanted(index, record).items():
            found = get_facts(self.store, record.after, request)
            if found is None:
                return None
            seen[name] = found
        return self._with_facts(record, seen, self.plan.steps[index].reads)

    def _wanted(self, index: int, record: _Record) -> dict[str, Read]:
        """What is read of each file after a step; in the texts that are looked for is what earlier steps
        captured, and the folder.
        """
        captured = claim_variables(record.captured)

        def looked_for(text: str) -> str:
            return filled(text, captured).replace(str(WORK), self._root)

        found = wanted_files(self.plan.steps[index].reads, record.after, record.outcome.produced)
        return {name: replace(one, texts=tuple(map(looked_for, one.texts))) for name, one in found.items()}

    @property
    def _root(self) -> str:
        return str(root_in(self.folder))

    def _with_facts(self, record: _Record, seen: Mapping[str, FileFacts], reads: Iterable[Read]) -> _Record:
        """A record with the facts of its files, as claims see them: without the folder's name."""
        reads = tuple(reads)
        contents = any(read.contents for read in reads)
        nodes = {name: target(name, record.after) for name in seen}
        others = [other_than_files(read.pattern, record.after) for read in reads if not read.produced_only]
        outcome = replace(
            record.outcome,
            facts={
                name: placeless_facts(one.facts, self._root, contents=contents) for name, one in seen.items()
            },
            texts={
                name: tuple(text.replace(self._root, str(WORK)) for text in one.texts)
                for name, one in seen.items()
            },
            modes={name: node.mode for name, node in nodes.items() if node is not None},
            others={name: what for found in others for name, what in found.items()},
        )
        return replace(record, outcome=outcome)

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
            again = self._carry_out(at, self._key(at))
            if again.after != before.after:
                return at, again
        return None

    def _open(self) -> Workspace:
        if self.workspace is None:
            self.workspace = Workspace(self.folder, self.plan.variant.case.model.limits.file_size)
            for name, content in self.task.sources.items():
                self.workspace.write_source(name, content)
        return self.workspace

    def _carry_out(self, index: int, key: str) -> _Record:
        """Run a step in the working folder, which is in the state before it, and cache its record."""
        record = self._perform(index, anew=False)
        if record.outcome.lasting:
            if index < len(self.plan.steps) - 1:
                self._keep_files(record)
            self.store.put("steps", key, _stored(record))
        return record

    def _perform(self, index: int, *, anew: bool) -> _Record:
        """Run a step in the working folder, which is in the state before it, and return its record.

        `anew`: read its files even if their facts are cached, and cache nothing.
        """
        step, place = self.plan.steps[index], self.positions[index]
        workspace = self._open()
        self.context.captured, self.context.umask = dict(place.captured), place.umask
        if self.task.progress is not None:
            self.task.progress(step.id)
        as_recorded = workspace.state == place.state
        outcome, changes = execute(step, workspace, self.context)
        state = workspace.state
        if as_recorded:
            changed, gone = {name: state[name] for name in sorted(changes.written)}, sorted(changes.gone)
        else:  # something else has written into the folder: the record counts from the state in its key
            changed, gone = place.state.until(state)
        for digest in workspace.overwritten:
            self.store.drop_blob(digest)
        self.at = index + 1
        self.carried_out.add(index)
        compiler = str(step.toolchain.version)
        record = _Record(
            outcome,
            changed,
            tuple(gone),
            state,
            dict(self.context.captured),
            self.context.umask,
            compiler,
        )
        read = self._read_anew if anew else self._read
        # What a step made that could not be carried out is not judged, and may be too large to be read.
        asked = {} if outcome.problem is not None else self._wanted(index, record)
        seen = {name: read(request, state) for name, request in asked.items()}
        return self._with_facts(record, seen, step.reads)

    def _read(self, request: Read, state: State) -> FileFacts:
        """The facts of a file; from the store if a file with the same bytes was read before."""
        found = get_facts(self.store, state, request)
        if found is None:
            found = self._read_anew(request, state)
            put_facts(self.store, state, request, found)
        return found

    def _read_anew(self, request: Read, state: State) -> FileFacts:
        return read_facts(request, self._open().root, state)

    def _keep_files(self, record: _Record) -> None:
        """Put the files into the store that a step made, the linker's inputs included."""
        workspace = self._open()
        for name, node in record.changed.items():
            if node.stored is not None and self.store.put_blob(node.stored, workspace.root / name):
                workspace.note_link(name, node.stored)


def shown(step: PlannedStep) -> tuple[str, ...]:
    """A step's command line as it would be typed in the working folder."""
    if step.command is None:
        return ()
    return tuple(map(str, step.command.typed))


def _with_toolchain_files(outcome: Outcome, reads: Iterable[Read]) -> Outcome:
    """The outcome with the facts of the toolchain's files that claims are about.

    They are read in every run: no step changes them, and the store keeps none of them.
    """
    asked = [(Path(name), request) for request in reads for name in _toolchain_files(request.pattern)]
    if not asked:
        return outcome
    seen = {str(path): read_toolchain_file(request, path) for path, request in asked}
    return replace(
        outcome,
        facts={**outcome.facts, **{name: one.facts for name, one in seen.items()}},
        texts={**outcome.texts, **{name: one.texts for name, one in seen.items()}},
        modes={**outcome.modes, **{str(path): path.stat().st_mode & 0o7777 for path, _ in asked}},
    )


def _toolchain_files(pattern: str) -> list[str]:
    return glob.glob(pattern) if pattern.startswith("/") else []  # noqa: PTH207 - Path.glob takes no absolute pattern


def _stored(record: _Record) -> _StoredRecord:
    """A record as it is stored: facts are stored separately, because they depend on the claims."""
    outcome = replace(record.outcome, facts={}, texts={}, modes={}, others={})
    return _StoredRecord(outcome, record.changed, record.gone, record.captured, record.umask, record.compiler)
