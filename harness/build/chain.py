"""A variant's steps, one after the other, each taken from the store or carried out.

A step's key is made of all that it can depend on: the compiler's files, the command line with
the folder's name taken out, the environment, the machine's linker and C compiler, and the
content of every file in the working folder. So variants that share their first steps share
their runs, and a changed input is noticed wherever it comes from.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from harness.build.command import WORK, Glob
from harness.build.ended import as_expected
from harness.build.execute import Context, Seen, execute, read_facts
from harness.build.observation import Observation, Outcome, StepObservation
from harness.build.plan import Plan, PlannedStep, Read, wanted_files
from harness.build.state import Node, State, initial, target
from harness.build.store import Store, key_of
from harness.build.workspace import Workspace

_BOUND = {".rlink", ".d"}  # files by suffix that name the folder they were made in


@dataclass(frozen=True, slots=True)
class _Kept:
    """A step's record in the store: what it did, and what stood in the folder afterwards."""

    outcome: Outcome
    after: dict[str, Node]
    bound: bool
    """Its files name the folder that they were made in, and are of no use in another."""
    kept: dict[str, str]
    umask: int


@dataclass(slots=True)
class _Place:
    """Where in the chain a variant is: the state that its next step finds."""

    state: State
    kept: dict[str, str] = field(default_factory=dict)
    umask: int = 0o022


def observe(
    plan: Plan,
    store: Store,
    sources: Mapping[str, bytes],
    machine: str,
    *,
    environment: Mapping[str, str],
    progress: Callable[[str], None] | None = None,
) -> Observation:
    """Carry out a variant's steps as far as they are as their case expects, using the store.

    `machine` stands for the linker and the C compiler in the keys. Raises StoreError where no
    working folder can be made.
    """
    with _Chain(plan, store, sources, machine, environment, progress) as chain:
        return chain.run()


class _Chain:
    def __init__(
        self,
        plan: Plan,
        store: Store,
        sources: Mapping[str, bytes],
        machine: str,
        environment: Mapping[str, str],
        progress: Callable[[str], None] | None,
    ) -> None:
        self.plan = plan
        self.store = store
        self.sources = sources
        self.machine = machine
        self.progress = progress or (lambda _: None)
        self.workspace: Workspace | None = None
        self.at = 0
        """The step before which the workspace on disk stands."""
        self.context = Context(sources, environment, {})

    def __enter__(self) -> Self:
        self._folder = self.store.work_folder()
        self._entered: Path | None = None
        return self

    def __exit__(self, *error: object) -> None:
        if self._entered is not None:
            self._folder.__exit__(None, None, None)

    def run(self) -> Observation:
        done: list[StepObservation] = []
        places = [_Place(initial(self.sources))]
        records: list[_Kept] = []
        index = 0
        while index < len(self.plan.steps):
            step = self.plan.steps[index]
            key = self._key(step, places[index])
            record = self._recall(step, key)
            if record is None:
                redone = self._catch_up(index, places, records)
                if redone is not None:  # an earlier step came out differently: go on from there
                    index = redone
                    del places[index + 1 :], records[index:], done[index:]
                    continue
                with self.store.locked(key):
                    record = self._recall(step, key)
                    if record is None or not self._restore(record):
                        record = self._carry_out(step, key, last=index == len(self.plan.steps) - 1)
                self.at = index + 1
            records.append(record)
            places.append(_Place(record.after, record.kept, record.umask))
            done.append(StepObservation(step.id, shown(step), record.outcome))
            index += 1
            if not as_expected(step, record.outcome):
                break
        return Observation(tuple(done))

    def _key(self, step: PlannedStep, place: _Place) -> str:
        toolchain = self.plan.variant.toolchain
        tokens = {str(toolchain.rustc): "$RUSTC", str(toolchain.sysroot): "$SYSROOT"}
        parts = [_described(part, tokens) for part in (step.together or (step,))]
        state = sorted((name, node.kind, node.content, node.mode) for name, node in place.state.items())
        return key_of(
            toolchain.fingerprint,
            self.machine,
            parts,
            state,
            sorted(place.kept.items()),
            place.umask,
            step.id if _keeps(step) else "",
            self.context.environment.get("PATH", "") if _uses_path(step) else "",
        )

    def _recall(self, step: PlannedStep, key: str) -> _Kept | None:
        """A step's record from the store, with the facts that its claims need."""
        record = self.store.get("steps", key, _Kept)
        if record is None:
            return None
        seen: dict[str, Seen] = {}
        for name, wanted in wanted_files(step.reads, record.after).items():
            found = self.store.get("facts", _facts_key(record.after, wanted), Seen)
            if found is None:
                return None
            seen[name] = found
        return _with_facts(record, seen)

    def _catch_up(self, index: int, places: list[_Place], records: list[_Kept]) -> int | None:
        """Bring the working folder to where the chain is; the index of a step that came out differently."""
        self._open()
        while self.at < index:
            record = records[self.at]
            if not self._restore(record):
                step = self.plan.steps[self.at]
                self.context.kept, self.context.umask = dict(places[self.at].kept), places[self.at].umask
                key = self._key(step, places[self.at])
                again = self._carry_out(step, key, last=False)
                if again.after != record.after:
                    self.at += 1
                    records[self.at - 1] = again
                    places[self.at] = _Place(again.after, again.kept, again.umask)
                    return self.at
            self.at += 1
        self.context.kept, self.context.umask = dict(places[index].kept), places[index].umask
        return None

    def _open(self) -> Workspace:
        if self.workspace is None:
            self._entered = self._folder.__enter__()
            self.workspace = Workspace(self._entered)
            for name, content in self.sources.items():
                self.workspace.write_source(name, content)
        return self.workspace

    def _restore(self, record: _Kept) -> bool:
        """Put a kept step's files into the working folder; False where that is not possible."""
        if record.bound:
            return False
        workspace = self._open()
        now = workspace.scan()
        wanted = [name for name, node in record.after.items() if now.get(name) != node]
        if any(
            record.after[name].kind == "file" and not self.store.has_blob(record.after[name].content)
            for name in wanted
        ):
            return False
        for name in sorted((name for name in now if name not in record.after), reverse=True):
            path = workspace.root / name
            path.rmdir() if now[name].kind == "dir" else path.unlink()
        for name in sorted(wanted):
            node, path = record.after[name], workspace.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if node.kind == "dir":
                path.mkdir(exist_ok=True)
            elif node.kind == "link":
                path.unlink(missing_ok=True)
                path.symlink_to(node.content)
            else:
                path.unlink(missing_ok=True)
                if not self.store.take_blob(node.content, path):
                    return False
            if node.kind != "link":
                path.chmod(node.mode)
        return True

    def _carry_out(self, step: PlannedStep, key: str, *, last: bool) -> _Kept:
        workspace = self._open()
        self.progress(step.id)
        outcome = execute(step, workspace, self.context)
        state = workspace.scan()
        record = _Kept(
            outcome, state, self._is_bound(outcome, state), dict(self.context.kept), self.context.umask
        )
        seen: dict[str, Seen] = {}
        for wanted, found in read_facts(step, workspace, state):
            seen[wanted.pattern] = found
            self.store.put("facts", _facts_key(state, wanted), found)
        if outcome.problem is None and outcome.limit is None:
            if not last and not record.bound:
                for name in outcome.made:
                    if state[name].kind == "file" and state[name].content != "unreadable":
                        self.store.put_blob(state[name].content, workspace.root / name)
            self.store.put("steps", key, record)
        return _with_facts(record, seen)

    def _is_bound(self, outcome: Outcome, state: State) -> bool:
        assert self.workspace is not None  # noqa: S101 - a step has just been carried out in it
        root = os.fsencode(self.workspace.root)
        for name in outcome.made:
            if state[name].kind != "file" or name.endswith((".rlib", ".rmeta")):
                continue  # metadata names its folder for diagnostics only
            if Path(name).suffix in _BOUND or (
                state[name].size < 1 << 26 and root in (self.workspace.root / name).read_bytes()
            ):
                return True
        return False


def shown(step: PlannedStep) -> tuple[str, ...]:
    """A step's command line as a person would type it in the working folder."""
    if step.command is None:
        return ()
    return tuple(
        word.pattern if isinstance(word, Glob) else word.replace(WORK, "$WORK")
        for word in step.command.argv
        if word != "--error-format=json"
    )


def _described(step: PlannedStep, tokens: Mapping[str, str]) -> object:
    command = step.command
    if command is None:
        return [
            step.action,
            step.model.model_dump(mode="json", exclude={"claims", "when", "id_"}),
            sorted(step.subjects.items()),
        ]

    def neutral(text: str) -> str:
        for place, token in tokens.items():
            text = text.replace(place, token)
        return text

    words = [
        neutral(word) if isinstance(word, str) else [word.pattern, word.archive] for word in command.argv
    ]
    env = sorted((key, neutral(value)) for key, value in command.env.items())
    return [command.program, words, env, command.stdin, command.cwd, command.time_limit, command.watch_linker]


def _keeps(step: PlannedStep) -> bool:
    return getattr(step.model, "keep", None) in ("stdout", "stderr")


def _uses_path(step: PlannedStep) -> bool:
    return any(part.command is not None and part.command.program == "tool" for part in (step, *step.together))


def _facts_key(state: State, wanted: Read) -> str:
    node = target(wanted.pattern, state)
    return key_of(node.content if node else "", wanted.functions, wanted.contents, wanted.texts)


def _with_facts(record: _Kept, seen: Mapping[str, Seen]) -> _Kept:
    nodes = {name: target(name, record.after) for name in seen}
    outcome = replace(
        record.outcome,
        facts={name: one.facts for name, one in seen.items()},
        texts={name: one.texts for name, one in seen.items()},
        modes={name: node.mode for name, node in nodes.items() if node is not None},
    )
    return replace(record, outcome=outcome)
