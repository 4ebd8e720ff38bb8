"""Runs one step in a working folder: a process or a file operation, and records what it produced."""

import contextlib
import errno
import fnmatch
import json
import os
import posixpath
import shutil
import socket
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from linkage.artifact.reader import read
from linkage.case import steps as model
from linkage.errors import ArtifactError
from linkage.host import process
from linkage.host.sandbox import Sandbox
from linkage.host.size import shown_size
from linkage.host.system import free_space, memory_is_limited
from linkage.plan.command import Command, Word
from linkage.plan.expectation import ended_right
from linkage.plan.observation import Diagnostic, LinkerCall, Outcome, captured_text
from linkage.plan.operations import Operation, SetUmask, Write
from linkage.plan.plan import PlannedStep
from linkage.plan.state import State
from linkage.plan.steps.kind import LINK_INPUTS
from linkage.plan.template import CapturedText, Template, placeless
from linkage.run import linker_wrapper as linker
from linkage.run.given_program import GivenProgram
from linkage.run.job_server import JobServer
from linkage.run.runner_faults import runner_fault
from linkage.run.shortage import MachineState, shortage
from linkage.run.workspace import FolderChanges, OperationError, Workspace
from linkage.store.keys import inputs_wanted
from linkage.toolchain.version import VersionRange

PASSED_ENVIRONMENT = ("PATH", "SYSTEMROOT", "SDKROOT", "DEVELOPER_DIR")
"""The variables of the harness's own environment that a step's process gets; the case sets all others."""

_KNOWS_FIFO = VersionRange.parse(">=1.74")
"""Older compilers know a job server only as two open pipes: they get none."""

_CLOCKS = 2.0
"""Seconds by which a file system's clock may be behind."""
_FATAL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is exceeded",
    errno.EMFILE: "too many open files",
}


@dataclass(slots=True)
class Context:
    """What steps leave for later ones besides files."""

    sources: Mapping[str, bytes]
    environment: Mapping[str, str]
    captured: dict[str, CapturedText]
    """What steps captured for later ones, by step id."""
    umask: int = 0o022
    jobs: JobServer | None = None
    sandbox: Sandbox | None = None
    """In which its processes run, if they are not trusted."""

    def filled(self, text: Template, workspace: Workspace) -> str:
        """A text of the plan with this working folder and what was captured in place."""
        return text.filled(str(workspace.root), self.captured)


def execute(step: PlannedStep, workspace: Workspace, context: Context) -> tuple[Outcome, FolderChanges]:
    """Run a step, and return its outcome and what it changed in the folder.

    If the step cannot be run, the outcome has a `problem`. Raises OSError only if the folder itself
    cannot be read.
    """
    before = workspace.state
    started = time.time()
    if any(inputs_wanted(part) for part in (step.parallel or (step,))):
        shutil.rmtree(workspace.root / LINK_INPUTS, ignore_errors=True)  # of an earlier step
    touched: frozenset[str] | None = None
    try:
        with context.jobs.token() if context.jobs and _starts(step) else contextlib.nullcontext():
            if step.operation is not None and not step.parallel:
                outcome, touched = _operate(step.operation, workspace, context)
            else:
                outcome = _outcome(step, workspace, context)
            if context.jobs and _died(step, outcome):
                context.jobs.lose()
    except OSError as error:
        outcome = Outcome(problem=_told(error, workspace))
    changes = workspace.update(before, touched)
    if workspace.too_large and outcome.problem is None:
        name, size = next(iter(sorted(workspace.too_large.items())))
        why = f"{name} has {shown_size(size)}, more than {shown_size(workspace.largest)}"
        outcome = replace(outcome, problem=f"{why} (help: raise `file-size` in `limits`)")
    produced = tuple(sorted(_produced(changes.written, before, workspace.state)))
    older = workspace.older(produced, started - _CLOCKS) if _starts(step) else ()
    removed = tuple(sorted(name for name in changes.gone if not f"{name}/".startswith(LINK_INPUTS)))
    outcome = replace(outcome, produced=produced, older=older, removed=removed, obtained=_now())
    return outcome, changes


def _produced(written: Collection[str], before: State, after: State) -> Iterator[str]:
    """A file that was written again with the same content counts as produced. A folder does if it is new and
    empty: otherwise the files in it count.
    """
    holding = {posixpath.dirname(name) for name in written}
    for name in written:
        if f"{name}/".startswith(LINK_INPUTS):
            continue
        if after[name].kind != "dir" or (name not in before and name not in holding):
            yield name


def _starts(step: PlannedStep) -> bool:
    """Whether it starts a process. Steps that run in parallel share one token: if each waited for its
    own, they could wait for each other.
    """
    return any(part.command is not None for part in (step.parallel or (step,)))


def _takes_tokens(step: PlannedStep) -> bool:
    """Whether it is a compiler that supports a job server in a fifo."""
    rustc = step.command is not None and step.command.program == "rustc"
    return rustc and _KNOWS_FIFO.contains(step.toolchain.version)


def _died(step: PlannedStep, outcome: Outcome) -> bool:
    """Whether a compiler may have died with tokens of the job server."""
    parts = zip(step.parallel or (step,), outcome.parts or (outcome,), strict=False)
    return any(
        _takes_tokens(part) and (one.limit is not None or one.ice or (one.status or 0) < 0)
        for part, one in parts
    )


def _outcome(step: PlannedStep, workspace: Workspace, context: Context) -> Outcome:
    if step.parallel:
        return _together(step, workspace, context)
    return _part(step, workspace, context)


def arguments(command: Command, workspace: Workspace, context: Context) -> list[str]:
    """The arguments of a command with this folder's paths filled in. Raises OperationError."""
    return [word for part in command.argv for word in _words(part, command.cwd, workspace, context)]


def _words(word: Word, cwd: str, workspace: Workspace, context: Context) -> list[str]:
    if isinstance(word, Template):
        return word.words(str(workspace.root), context.captured)
    if word.archive is None and word.pattern.startswith("/"):
        return workspace.outside(word.pattern)
    if word.archive is None:
        return [os.path.relpath(path, workspace.root / cwd) for path in _files(word.pattern, workspace)]
    archive = read(workspace.inside(word.archive)).archive
    names = [member.name for member in archive.members] if archive else []
    found = fnmatch.filter(names, word.pattern)
    if not found:
        raise OperationError(f"no member of {word.archive} matches `{word.pattern}`")
    return found


def _files(pattern: str, workspace: Workspace) -> list[Path]:
    try:
        return workspace.matching(pattern)
    except OperationError as error:
        raise OperationError(f"{error} (help: `[*]` and `[?]` stand for the characters)") from None


def _process(step: PlannedStep, command: Command, workspace: Workspace, context: Context) -> Outcome:
    try:
        argv = arguments(command, workspace, context)
    except (OperationError, ArtifactError) as error:
        return Outcome(problem=str(error))
    env = environment(command, workspace, context)
    if context.jobs is not None and _takes_tokens(step):
        env.setdefault("MAKEFLAGS", context.jobs.makeflags)
    watched = workspace.linker / step.id  # parallel steps have one each
    kept = inputs_wanted(step)
    if command.watched is not None:
        called = linker.called(argv, command.watched)
        first = linker.install(watched, workspace.root / LINK_INPUTS, kept, env["PATH"], called)
        env["PATH"] = f"{first}{os.pathsep}{env['PATH']}"
        argv = linker.redirected(argv, first / Path(called).name) if "/" in called else argv
    if command.program in ("ar", "tool", "cc", "cxx"):
        found = shutil.which(argv[0], path=env["PATH"])
        if found is None:
            return Outcome(problem=f"program `{argv[0]}` is not on PATH")
    outcome = _started(step, command, argv, env, workspace, context)
    if outcome.status is None:
        return outcome
    if command.watched is not None:
        outcome = _with_calls(outcome, watched, workspace, kept=bool(kept))
        if outcome.problem is not None:
            return outcome
    if isinstance(step.model, model.ProcessStep) and step.model.capture is not None:
        context.captured[step.id] = captured_text(outcome, step.model.capture)
    return outcome


def _with_calls(outcome: Outcome, watched: Path, workspace: Workspace, *, kept: bool) -> Outcome:
    """The outcome of a compiler with its calls of the linker; `kept`: their inputs are wanted, too."""
    if kept and linker.hides_inputs(watched):
        return replace(outcome, problem="rustc passed the linker's inputs in a file: they cannot be seen")
    try:
        calls = linker.calls(watched)
    except ArtifactError as error:
        return replace(outcome, problem=str(error))
    return replace(outcome, linker_calls=tuple(_neutral_call(call, workspace) for call in calls))


def _started(
    step: PlannedStep,
    command: Command,
    argv: list[str],
    env: dict[str, str],
    workspace: Workspace,
    context: Context,
) -> Outcome:
    """Start a command, and tell how it ended."""
    cwd = workspace.inside(command.cwd)
    try:
        with GivenProgram(command, cwd, lambda text: context.filled(text, workspace)) as given:
            result = process.run(
                argv,
                env=env,
                cwd=cwd,
                stdin=None if command.stdin is None else context.filled(command.stdin, workspace).encode(),
                time_limit=command.timeout,
                output_limit=command.limits.output,
                umask=context.umask,
                limits=command.limits,
                sandbox=context.sandbox,
            )
            outcome = _ended(result, step, command, workspace)
            return replace(outcome, problem=outcome.problem or given.not_started(outcome))
    except OperationError as error:
        return Outcome(problem=str(error))
    except (OSError, ValueError) as error:  # ValueError: what a step captured has a NUL character
        why = (isinstance(error, OSError) and error.strerror) or error
        return Outcome(problem=f"cannot start `{argv[0]}`: {why}")


def environment(command: Command, workspace: Workspace, context: Context) -> dict[str, str]:
    """The whole environment of a step's process."""
    env = {key: context.environment[key] for key in PASSED_ENVIRONMENT if key in context.environment}
    env.setdefault("PATH", os.defpath)
    env |= {"LC_ALL": "C", "TMPDIR": str(workspace.temporary), "HOME": str(workspace.temporary)}
    env["PATH"] = os.pathsep.join((*command.path, env["PATH"]))
    env |= {key: context.filled(value, workspace) for key, value in command.env.items()}
    return env


def _ended(
    result: process.ProcessResult, step: PlannedStep, command: Command, workspace: Workspace
) -> Outcome:
    stdout = _text(result.stdout, workspace)
    stderr = _text(result.stderr, workspace)
    diagnostics: tuple[Diagnostic, ...] = ()
    ice = False
    if command.program == "rustc":
        stderr, diagnostics = rustc_messages(stderr)
        ice = result.status == 101 or "internal compiler error" in stderr  # noqa: PLR2004 - rustc's status for a panic
    outcome = Outcome(
        result.status, stdout, stderr, diagnostics, ice, result.limit, seconds=round(result.seconds, 3)
    )
    if result.status == 0 and result.limit is None:
        return outcome
    why = shortage(
        command.program,
        result,
        _machine_state(workspace),
        command.limits,
        command.timeout,
        expected=ended_right(step, outcome),
    )
    others = command.argv[:1] if command.program == "tool" else command.runner
    return replace(outcome, problem=why or runner_fault(map(str, others), stderr))


_OVERCOMMIT = Path("/proc/sys/vm/overcommit_memory")


def _machine_state(workspace: Workspace) -> MachineState:
    disk, limited = free_space(workspace.temporary), memory_is_limited()
    with contextlib.suppress(OSError):
        limited = limited or _OVERCOMMIT.read_text().strip() == "2"
    return MachineState(disk.size, disk.files, limited)


def _neutral_call(call: LinkerCall, workspace: Workspace) -> LinkerCall:
    return replace(call, args=tuple(placeless(word, str(workspace.root)) for word in call.args))


def rustc_messages(stderr: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """Read rustc's JSON messages: the text that a user would have seen, and the diagnostics."""
    seen: list[str] = []
    diagnostics: list[Diagnostic] = []
    for line in stderr.splitlines(keepends=True):
        message = _message(line)
        if message is None:
            seen.append(line)
            continue
        diagnostics.append(message)
        seen.append(message.rendered)
    return "".join(seen), tuple(diagnostics)


def _message(line: str) -> Diagnostic | None:
    if not line.startswith("{"):
        return None
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not isinstance(data.get("message"), str):
        return None
    code = data.get("code")
    text = data.get("rendered")
    return Diagnostic(
        str(data.get("level", "")),
        data["message"],
        str(code["code"]) if isinstance(code, dict) and code.get("code") else None,
        text if isinstance(text, str) else data["message"] + "\n",
    )


def _text(stream: bytes, workspace: Workspace) -> str:
    return placeless(stream.decode("utf-8", "backslashreplace"), str(workspace.root))


def _operate(
    operation: Operation, workspace: Workspace, context: Context
) -> tuple[Outcome, frozenset[str] | None]:
    """The outcome, and the paths that may have changed; None if it may be any."""
    if isinstance(operation, SetUmask):
        context.umask = int(operation.umask, 8)
        return Outcome(status=0), frozenset()
    if isinstance(operation, Write) and isinstance(operation.content, Template):
        operation = replace(operation, content=context.filled(operation.content, workspace).encode())
    try:
        return Outcome(status=0), workspace.operate(operation, context.sources, context.umask)
    except OperationError as error:
        return Outcome(problem=str(error)), None
    except OSError as error:
        if error.errno in _FATAL:
            raise
        return Outcome(problem=_told(error, workspace)), None


def _told(error: OSError, workspace: Workspace) -> str:
    """What failed, and of which files, in whatever folder it was."""
    why = _FATAL.get(error.errno or 0) or error.strerror or str(error)
    named = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
    below = [os.path.relpath(name, workspace.root) if name.startswith("/") else name for name in named]
    shown = " to ".join(name if name.startswith("..") else f"`{name}`" for name in below)
    return f"{shown or 'the step'}: {why}"


def _together(step: PlannedStep, workspace: Workspace, context: Context) -> Outcome:
    """Run all parts at the same time; the outcome is that of the first that failed, or of the last."""
    with ThreadPoolExecutor(len(step.parallel)) as pool:
        try:
            outcomes = list(pool.map(lambda part: _part(part, workspace, context), step.parallel))
        except BaseException:
            process.end_all()  # interrupted: the pool waits for what is still running
            raise
    for part, outcome in zip(step.parallel, outcomes, strict=True):
        if outcome.problem or outcome.limit:
            return replace(outcome, problem=outcome.problem and f"{part.id}: {outcome.problem}")
    return Outcome(status=0, parts=tuple(outcomes))


def _part(step: PlannedStep, workspace: Workspace, context: Context) -> Outcome:
    if step.operation is not None:
        return _operate(step.operation, workspace, context)[0]
    assert step.command is not None  # noqa: S101 - a step is one of both, or has parts
    return _process(step, step.command, workspace, context)


def _now() -> str:
    return f"{datetime.now(UTC).isoformat(timespec='seconds')} on {socket.gethostname()}"
