"""Trials that are programs of the user: a script, or Cargo in a project.

The exit statuses of a script are those of `git bisect run`: https://git-scm.com/docs/git-bisect. The
variables are those of cargo-bisect-rustc: https://rust-lang.github.io/cargo-bisect-rustc/rustup.html.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from linkage.bisect.trial import TrialResult
from linkage.errors import LinkageError
from linkage.host import process
from linkage.host.process import ProcessResult, signal_name
from linkage.host.terminal import escape_lines
from linkage.judge.verdict import Failure, Verdict, VerdictKind
from linkage.run.cargo import cargo_of, flags_for
from linkage.run.session import Session
from linkage.run.shortage import DISK_FULL, FULL, NEARLY_FULL, NO_SPACE
from linkage.toolchain import Toolchain

TIMEOUT = 4 * 3600.0
"""Seconds that a program may take if the user gives no limit."""
_CANNOT_TELL = 125
_LAST_BAD = 127
_OUTPUT_LIMIT = 1 << 28
_LINES = 30
"""How many of the last lines are kept as evidence."""
_OURS = (
    *("CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"),
    *("RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTUP_TOOLCHAIN"),
)
_ICE = (
    "error: internal compiler error",
    "' has overflowed its stack",
    "error: the compiler unexpectedly panicked",
)
"""How a crash of rustc is recognized; cargo-bisect-rustc has the same texts."""
_CARGO_STATUS = re.compile(
    r"^\s{3,}[A-Z][a-z]+ |^warning: build failed, waiting|^Caused by:$|^rustc \(exit status: \d+\)$"
)
"""Lines that say nothing of what failed."""
_ENDED = re.compile(r"^\s*process didn't exit successfully: `.*` (\(.*\))$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ExternalRun:
    """How the user's programs are run."""

    folder: Path
    """The folder in which they are started."""
    timeout: float | None = None
    """Seconds after which one is killed."""
    target: str = ""
    """The target triple, if it is not the host."""
    show: Callable[[str], None] | None = None
    """Gets the output of each run."""


@dataclass(frozen=True, slots=True)
class ScriptTrial:
    """A program of the user that tells by its exit status whether a toolchain is good."""

    command: tuple[str, ...]
    run: ExternalRun
    holds_linker: bool = False

    def tried(self, session: Session, toolchain: Toolchain) -> TrialResult:
        own = {"RUSTUP_TOOLCHAIN": str(toolchain.sysroot.absolute())}
        return _tried(self.command, own, self.run, session, toolchain, self._verdict)

    def _verdict(self, status: int, output: str) -> Verdict:
        if status == 0:
            return Verdict(VerdictKind.PASS)
        if status == _CANNOT_TELL:
            return Verdict(VerdictKind.SKIP, f"the script cannot tell (exit status {status})")
        if not 0 < status <= _LAST_BAD:
            return Verdict(
                VerdictKind.ERROR, f"the script ended with exit status {status}, more than {_LAST_BAD}"
            )
        return _failed("script", self.command[0], status, output)


@dataclass(frozen=True, slots=True)
class CargoTrial:
    """A command of Cargo in a project, which fails or does not."""

    words: tuple[str, ...]
    """Its arguments: `build`, ..."""
    run: ExternalRun
    holds_linker: bool = True

    def tried(self, session: Session, toolchain: Toolchain) -> TrialResult:
        cargo = cargo_of(toolchain, session.environment.get("PATH"))
        if cargo is None:
            return TrialResult(Verdict(VerdictKind.SKIP, "has no cargo, and none is on PATH"))
        own = flags_for(session.linker, session.environment)
        return _tried((str(cargo), *self.words), own, self.run, session, toolchain, self._verdict)

    def _verdict(self, status: int, output: str) -> Verdict:
        if status == 0:
            return Verdict(VerdictKind.PASS)
        return _failed("cargo", str(self.run.folder / "Cargo.toml"), status, _errors(output))


def script_command(text: str, words: Sequence[str], folder: Path, path: str | None) -> tuple[str, ...]:
    """The program of --script with its arguments. Raises LinkageError if it cannot be started."""
    first = [text] if (folder / text).is_file() else text.split()
    if not first:
        raise LinkageError("is empty", where="--script", help="name a program")
    program = first[0]
    beside = folder / program
    if "/" not in program and not beside.is_file():
        if shutil.which(program, path=path) is None and program not in ("rustc", "rustdoc", "cargo"):
            raise LinkageError("no such script", where=program, help="name an executable file")
        return (program, *first[1:], *words)
    if not beside.is_file():
        why = "is a folder" if beside.is_dir() else "no such script"
        raise LinkageError(why, where=program, help="name an executable file")
    if not os.access(beside, os.X_OK):
        raise LinkageError("is not executable", where=program, help=f"chmod +x {program}")
    return (str(beside.absolute()), *first[1:], *words)


def crashed(output: str) -> bool:
    """Whether rustc reported an internal compiler error."""
    return any(text in output for text in _ICE)


def _tried(
    command: Sequence[str],
    own: Mapping[str, str],
    run: ExternalRun,
    session: Session,
    toolchain: Toolchain,
    judged: Callable[[int, str], Verdict],
) -> TrialResult:
    """What a program shows with a toolchain: `judged` takes its exit status and its output, if they tell
    something about the compiler. `own` are more variables of its environment.
    """
    with tempfile.TemporaryDirectory(prefix="linkage-bisect-", ignore_cleanup_errors=True) as scratch:
        env = {**_environment(session, toolchain, Path(scratch), run), **own}
        result = _run(command, env, run)
        output = _output(result, _places(toolchain, Path(scratch)), run)
        full = _is_full(result, output, (Path(scratch), run.folder))
    why = DISK_FULL if full else _unjudged(result, run)
    verdict = judged(result.status, output) if why is None else Verdict(VerdictKind.ERROR, why)
    return TrialResult(verdict, crashed(output) and not full, output)


def _environment(session: Session, toolchain: Toolchain, scratch: Path, run: ExternalRun) -> dict[str, str]:
    """The user's environment, with this toolchain in it.

    It has no RUSTUP_TOOLCHAIN: a cargo that is rustup's proxy would look for a cargo in that toolchain.
    """
    env = {key: value for key, value in session.environment.items() if key not in _OURS}
    # `rustc` is this one, also if it is not in its sysroot.
    link = scratch / "bin"
    link.mkdir()
    (link / "rustc").symlink_to(toolchain.rustc.absolute())
    folders = (str(link), str(toolchain.sysroot.absolute() / "bin"), env.get("PATH", os.defpath))
    env["PATH"] = os.pathsep.join(folders)
    env["RUSTC"] = str(toolchain.rustc.absolute())
    env["TARGET"] = run.target or toolchain.host
    env["CARGO_TARGET_DIR"] = str(scratch / "target")
    if run.target:
        env["CARGO_BUILD_TARGET"] = run.target
    return env


def _run(argv: Sequence[str], env: Mapping[str, str], run: ExternalRun) -> ProcessResult:
    try:
        return process.run(
            argv, env=env, cwd=run.folder, time_limit=run.timeout or TIMEOUT, output_limit=_OUTPUT_LIMIT
        )
    except OSError as error:
        help = "begin it with a line such as #!/bin/sh" if "format" in str(error) else None
        raise LinkageError(
            f"cannot be started: {error.strerror or error}", where=argv[0], help=help
        ) from None


def _unjudged(result: ProcessResult, run: ExternalRun) -> str | None:
    """Why a run tells nothing about the compiler."""
    if result.limit == "time":
        return f"it did not end within {run.timeout or TIMEOUT:g} s"
    if result.limit is not None:
        return "it printed too much"
    return f"it was killed by {signal_name(-result.status)}" if result.status < 0 else None


def _is_full(result: ProcessResult, output: str, places: Sequence[Path]) -> bool:
    """Whether a program failed for want of disk space. It may have removed its files by now."""
    if result.status == 0:
        return False
    free = min(shutil.disk_usage(place).free for place in places)
    return free < FULL or (free < NEARLY_FULL and NO_SPACE in output)


def _places(toolchain: Toolchain, scratch: Path) -> dict[str, str]:
    return {
        str(scratch / "target"): "$CARGO_TARGET_DIR",
        str(scratch / "bin" / "rustc"): "$RUSTC",
        str(toolchain.sysroot): "$SYSROOT",
    }


def _output(result: ProcessResult, places: Mapping[str, str], run: ExternalRun) -> str:
    text = "".join(stream.decode("utf-8", "backslashreplace") for stream in (result.stdout, result.stderr))
    for place, name in places.items():
        text = text.replace(place, name)
    if run.show is not None and text:
        run.show(escape_lines(text.rstrip("\n")))
    return text


def _errors(output: str) -> str:
    """Cargo's output from its first error on, without what it does beside."""
    # A command line differs with the compiler, and says nothing but how it ended.
    lines = _ENDED.sub(r"rustc \1", output).splitlines()
    lines = [line for line in lines if not _CARGO_STATUS.search(line)]
    first = next((index for index, line in enumerate(lines) if line.startswith("error")), 0)
    return "\n".join(lines[first:][:_LINES])


def _failed(step: str, where: str, status: int, output: str) -> Verdict:
    tail = "\n".join(output.strip().splitlines()[-_LINES:])
    found = f"exit status {status}\n{tail}" if tail else f"exit status {status}"
    return Verdict(VerdictKind.FAIL, failures=(Failure(step, "exit", where, "exit status 0", found),))
