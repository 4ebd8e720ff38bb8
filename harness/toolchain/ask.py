"""Asking a program a question: with a time limit, an output limit, and nothing left behind.

The programs are other people's compilers, broken ones among them: one that hangs, never stops
printing or leaves children with its pipes open gets its whole process group killed.
"""

import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ToolchainError

TIME_LIMIT = 60.0
OUTPUT_LIMIT = 8 << 20
_CHUNK = 1 << 16
_NOISE = ("RUSTC_BOOTSTRAP", "RUSTC_LOG", "RUST_LOG", "RUSTFLAGS", "MAKEFLAGS", "CARGO_MAKEFLAGS", "MFLAGS")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said before it ended by itself."""

    command: tuple[str, ...]
    status: int
    stdout: str
    stderr: str

    @property
    def summary(self) -> str:
        """How it ended and the first thing that it said, on one line."""
        if self.status < 0:
            end = f"was killed by {_signal_name(-self.status)}"
        else:
            end = f"exit status {self.status}"
        said = first_words(self.stderr) or first_words(self.stdout)
        return f"{end}, saying {said}" if said else f"{end}, saying nothing"


def ask(
    command: Sequence[str | Path],
    env: Mapping[str, str],
    *,
    who: str,
    time_limit: float = TIME_LIMIT,
    output_limit: int = OUTPUT_LIMIT,
    cwd: Path | None = None,
    bootstrap: bool = False,
) -> Answer:
    """Run the command without input and return its answer, whatever its exit status.

    `who` is the toolchain's name for messages; `bootstrap` lets a stable rustc answer about its
    unstable flags. Raises ToolchainError where it cannot be
    started, does not end in time, or prints more than the limit.
    """
    words = tuple(str(word) for word in command)
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=quiet(env) | ({"RUSTC_BOOTSTRAP": "1"} if bootstrap else {}),
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolchainError(
            f"`{shlex.join(words)}` cannot be started: {error.strerror or error}",
            where=f"toolchain {who}",
            mend="name the executable of a rustc that runs on this machine",
        ) from error
    try:
        stdout, stderr = _collect(process, words, who, time_limit, output_limit)
        return Answer(words, process.returncode, _text(stdout), _text(stderr))
    finally:
        _end(process)


def quiet(env: Mapping[str, str]) -> dict[str, str]:
    """The environment without what changes a compiler's answers or adds to them."""
    return {key: value for key, value in env.items() if key not in _NOISE} | {"LC_ALL": "C"}


def first_words(text: str, limit: int = 100) -> str:
    """The first line that says something, quoted and cut; empty where none does."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return repr(line[:limit] + ("…" if len(line) > limit else "")) if line else ""


def _collect(
    process: subprocess.Popen[bytes], words: tuple[str, ...], who: str, time_limit: float, output_limit: int
) -> tuple[bytes, bytes]:
    assert process.stdout  # noqa: S101 - both are pipes
    assert process.stderr  # noqa: S101
    deadline = time.monotonic() + time_limit
    taken: dict[int, bytearray] = {}
    with selectors.DefaultSelector() as selector:
        for stream in (process.stdout, process.stderr):
            taken[stream.fileno()] = bytearray()
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise _too_slow(words, who, time_limit)
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK)
                if not chunk:
                    selector.unregister(key.fileobj)
                taken[key.fd] += chunk
            if sum(map(len, taken.values())) > output_limit:
                raise ToolchainError(
                    f"`{shlex.join(words)}` printed more than {output_limit >> 20} MiB, as no rustc does",
                    where=f"toolchain {who}",
                )
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _too_slow(words, who, time_limit) from None
    return bytes(taken[process.stdout.fileno()]), bytes(taken[process.stderr.fileno()])


def _too_slow(words: tuple[str, ...], who: str, time_limit: float) -> ToolchainError:
    return ToolchainError(
        f"`{shlex.join(words)}` did not answer within {time_limit:g} s", where=f"toolchain {who}"
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group, and reap its leader."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
