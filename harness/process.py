"""One process, run to its end or to its limits, with nothing of it left behind.

The programs may be broken compilers: one that hangs, never stops printing, or leaves children
that hold its pipes open gets its whole process group killed.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OUTPUT_LIMIT = 16 << 20
_CHUNK = 1 << 16
_GRACE = 2.0  # seconds for pipes that a surviving grandchild holds open


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended. `limit` is "time" or "output" where it was killed for that."""

    status: int
    """The exit status; negative: the signal that killed it."""
    stdout: bytes
    stderr: bytes
    seconds: float
    limit: str | None = None


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdin: bytes | None = None,
    time_limit: float,
    output_limit: int = OUTPUT_LIMIT,
    umask: int = -1,
) -> Ended:
    """Run a command with exactly this environment.

    Times are in seconds, sizes in bytes. Raises OSError where it cannot be started.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        [str(word) for word in argv],
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(env),
        cwd=cwd,
        umask=umask,
        start_new_session=True,
    )
    try:
        taken, limit = _exchange(process, stdin or b"", started + time_limit, output_limit)
    finally:
        _end(process)
    stdout, stderr = taken
    return Ended(process.returncode, bytes(stdout), bytes(stderr), time.monotonic() - started, limit)


def _exchange(
    process: subprocess.Popen[bytes], stdin: bytes, deadline: float, output_limit: int
) -> tuple[tuple[bytearray, bytearray], str | None]:
    taken = (bytearray(), bytearray())
    with selectors.DefaultSelector() as selector:
        for stream, buffer in zip((process.stdout, process.stderr), taken, strict=True):
            assert stream is not None  # noqa: S101 - both are pipes
            selector.register(stream, selectors.EVENT_READ, buffer)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE)
        limit = _pump(process, selector, taken, memoryview(stdin), deadline, output_limit)
    if limit is None:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            limit = "time"
    return taken, limit


def _pump(
    process: subprocess.Popen[bytes],
    selector: selectors.BaseSelector,
    taken: tuple[bytearray, bytearray],
    pending: memoryview,
    deadline: float,
    output_limit: int,
) -> str | None:
    """Move what the pipes hold until they close; the limit that was hit first, if one was."""
    while selector.get_map():
        left = deadline - time.monotonic()
        if left <= 0:
            return "time"
        ended = process.poll() is not None
        ready = selector.select(min(left, _GRACE) if ended else left)
        if not ready and ended:
            return None  # a child of its own holds the pipes; it is killed with the group
        for key, _ in ready:
            if key.fileobj is process.stdin:
                pending = _feed(process, selector, pending)
            elif chunk := os.read(key.fd, _CHUNK):
                key.data.extend(chunk)
            else:
                selector.unregister(key.fileobj)
        if len(taken[0]) + len(taken[1]) > output_limit:
            return "output"
    return None


def _feed(
    process: subprocess.Popen[bytes], selector: selectors.BaseSelector, pending: memoryview
) -> memoryview:
    assert process.stdin is not None  # noqa: S101 - it is registered only where it is a pipe
    try:
        pending = pending[os.write(process.stdin.fileno(), pending[:_CHUNK]) :]
    except BrokenPipeError:
        pending = pending[:0]
    if not pending:
        selector.unregister(process.stdin)
        process.stdin.close()
    return pending


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group, and reap its leader."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def signal_name(number: int) -> str:
    """A signal's name, as `SIGSEGV`."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
