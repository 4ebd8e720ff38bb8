"""The keys of outcomes and facts: everything that these can depend on. Pure, but reads our own files.

The harness's own code is part of a key: what a reader finds and what is recorded of a process change with
the code, whether or not somebody raises a version number.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from linkage.plan.folder_state import FolderState
from linkage.plan.plan import Plan, PlannedStep, Read
from linkage.plan.state import State, target
from linkage.plan.steps.kind import LINK_INPUTS
from linkage.plan.template import CapturedText, Template
from linkage.store.store import key_of

_LINKER = re.compile(r"(?:-C|--codegen=)?linker=(.+)")
"""The option of rustc that names a linker."""

READERS = ("linkage.artifact", "linkage.run.kept_facts")
"""Code that determines what is found in a file."""
RUNNERS = (
    "linkage.run.chain",
    "linkage.run.executor",
    "linkage.run.export_lists",
    "linkage.run.given_program",
    "linkage.run.linker_wrapper",
    "linkage.run.restore",
    "linkage.run.runner_faults",
    "linkage.run.sandbox",
    "linkage.run.shortage",
    "linkage.run.workspace",
    "linkage.host.cgroup_tree",
    "linkage.host.control_group",
    "linkage.host.limits",
    "linkage.host.opening",
    "linkage.host.plain_process",
    "linkage.host.process",
    "linkage.host.process_result",
    "linkage.host.sandbox",
    "linkage.host.sandbox_launcher",
    "linkage.host.size",
    "linkage.host.supervised_process",
    "linkage.host.supervisor",
    "linkage.host.system",
    "linkage.host.watch",
    "linkage.plan.folder_state",
    "linkage.plan.observation",
    "linkage.plan.shell",
    "linkage.plan.state",
    "linkage.plan.template",
)
"""Code that determines what is recorded of a step."""


def step_key(
    step: PlannedStep,
    machine: str,
    state: FolderState,
    captured: Mapping[str, CapturedText],
    umask: int,
    programs: Sequence[str],
    places: Sequence[Path],
) -> str:
    """The key of a step's outcome: its commands, the compilers that it depends on, and the working folder
    with its content.

    `machine` stands for the linker and the C compiler, `programs` for others that it starts by name.
    `places` are the folders whose names the outcome may contain: no search finds one
    in what a step has compressed or hashed, so that outcomes of one folder are used in no other.
    """
    parts = step.parallel or (step,)
    return key_of(
        own_code(RUNNERS),
        [one.fingerprint for one in step.toolchains],
        list(map(str, places)),
        machine,
        [_described(part) for part in parts],
        state.digest,
        sorted(captured.items()),
        umask,
        [(part.id, stream) for part in parts if (stream := getattr(part.model, "capture", None))],
        programs,
    )


def plan_key(plan: Plan, machine: str, state: State) -> str:
    """The key of everything that a variant does, in whatever folder."""
    parts = [part for step in plan.steps for part in (step.parallel or (step,))]
    fingerprints = [one.fingerprint for one in plan.variant.toolchains]
    return key_of(fingerprints, machine, list(map(_described, parts)), sorted(map(str, state.items())))


def facts_key(state: State, request: Read) -> str:
    """The key of a file's facts, and of what else is read from it."""
    node = target(request.pattern, state)
    content = node.content if node else ""
    asked = request.functions, request.contents, request.texts, request.for_comparison
    return key_of(own_code(READERS), content, *asked)


def thin_facts_key(key: str, state: State, request: Read, members: Sequence[str]) -> str | None:
    """The key of the facts of a thin archive, whose own key is `key`, and of the files that it refers to.

    None if the state does not have all of them: one is missing, outside, or behind a link.
    """
    folder = posixpath.dirname(request.pattern)
    nodes = [target(posixpath.normpath(posixpath.join(folder, name)), state) for name in members]
    contents = [node.content for node in nodes if node is not None and node.kind == "file"]
    return key_of(key, contents) if len(contents) == len(members) else None


def inputs_wanted(step: PlannedStep) -> list[str]:
    """Patterns of the names of the linker's inputs that claims at the step are about."""
    found = {group.pattern for group in step.claims if group.pattern.startswith(LINK_INPUTS)}
    return sorted(pattern.removeprefix(LINK_INPUTS) for pattern in found)


def named_programs(step: PlannedStep) -> list[str]:
    """The programs that a step looks for by their name, or takes from outside: those that it runs but for
    the compilers and the archiver, and the linkers that it names.
    """
    found: list[str] = []
    for part in step.parallel or (step,):
        if part.command is None:
            continue
        words = [str(word) for word in part.command.argv if isinstance(word, Template)]
        if part.command.program in ("tool", "run"):
            found += words[:1]
        elif part.command.program in ("cc", "cxx") and words[:1] not in (["cc"], ["c++"]):
            found += _with_parts(words[0])
        elif part.command.program == "rustc":
            named = [name[1] for word in words if (name := _LINKER.fullmatch(word))]
            found += [one for name in named for one in _with_parts(name)]
    # Others are in the working folder, and so in its state.
    return [name for name in found if "/" not in name or name.startswith("/")]


def _with_parts(program: str) -> list[str]:
    """A program, and those that a compiler for another target starts by their names."""
    prefix = next((program.removesuffix(end) for end in ("gcc", "g++") if program.endswith(f"-{end}")), None)
    return [program, *(f"{prefix}{part}" for part in ("as", "ld", "dlltool") if prefix is not None)]


def _described(step: PlannedStep) -> object:
    command, rustc = step.command, str(step.toolchain.rustc)
    if command is None:
        return step.action, step.operation

    def neutral(text: Template) -> object:
        return [part.replace(rustc, "$RUSTC") if isinstance(part, str) else [part] for part in text.parts]

    words = [
        neutral(word) if isinstance(word, Template) else [word.pattern, word.archive] for word in command.argv
    ]
    env = sorted((key, neutral(value)) for key, value in command.env.items())
    stdin = None if command.stdin is None else neutral(command.stdin)
    watched = [command.watched is not None, inputs_wanted(step)]
    limits = asdict(command.limits)
    return [command.program, words, env, stdin, command.cwd, command.timeout, limits, watched]


@cache
def own_code(modules: tuple[str, ...]) -> str:
    """A digest of the files of these modules and packages. Raises ModuleNotFoundError."""
    found = blake2b(digest_size=16)
    for name in modules:
        sources = sorted(_sources(name), key=lambda source: source[0])
        if not sources:
            raise ModuleNotFoundError(f"no module `{name}`", name=name)
        for place, file in sources:
            found.update(f"{name}/{place}\0".encode())
            found.update(file.read_bytes())
    return found.hexdigest()


def _sources(name: str) -> Iterator[tuple[str, Traversable]]:
    """A module's files, or a package's at any depth, each with its path."""
    package, _, stem = name.rpartition(".")
    inside = [one for one in files(package).iterdir() if one.name.partition(".")[0] == stem]
    pending = [(one.name, one) for one in inside]
    while pending:
        path, place = pending.pop()
        if place.is_dir():
            pending += [(f"{path}/{one.name}", one) for one in place.iterdir()]
        elif path.endswith((".py", ".sh")):
            yield path, place
