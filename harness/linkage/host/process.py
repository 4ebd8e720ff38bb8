"""Runs one process to its end or to its limits, and leaves nothing of it behind.

The programs may be broken compilers: if one hangs, never stops printing, or leaves children that keep
its pipes open, its whole process group is killed. The same happens if the harness is killed while it
runs, as an xdist worker is when its run is interrupted.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OUTPUT_LIMIT = 16 << 20
_CHUNK = 1 << 16
_GRACE = 1.0  # seconds for pipes that a surviving grandchild keeps open

_GUARD = """\
while read -r line; do groups=$line; done
for group in $groups; do kill -s KILL -- "-$group"; done
"""


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a process ended. `limit` is "time" or "output" if it was killed for that."""

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
) -> ProcessResult:
    """Run a command with exactly this environment.

    Times are in seconds, sizes in bytes. Raises OSError if it cannot be started.
    """
    _running.ready()
    started = time.monotonic()
    process = _Start(
        lambda: subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            cwd=cwd,
            umask=umask,
            start_new_session=True,
        )
    ).process()
    try:
        taken, limit = _exchange(process, stdin or b"", started + time_limit, output_limit)
    finally:
        _end(process)
        _running.remove(process.pid)
    stdout, stderr = taken
    return ProcessResult(process.returncode, bytes(stdout), bytes(stderr), time.monotonic() - started, limit)


class _Start(threading.Thread):
    """Starts a process and tells the guard, in a thread: Ctrl-C is raised in the main thread alone, so
    it cannot come between the two and leave behind an unknown process.
    """

    def __init__(self, start: Callable[[], "subprocess.Popen[bytes]"]) -> None:
        super().__init__()
        self._start_process = start
        self._process: subprocess.Popen[bytes] | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            self._process = self._start_process()
            _running.add(self._process.pid)
        except Exception as error:  # noqa: BLE001 - raised again by process()
            self._error = error

    def process(self) -> "subprocess.Popen[bytes]":
        """The started process. Raises what starting it raises."""
        if threading.current_thread() is not threading.main_thread():
            self.run()
        else:
            self.start()
            try:
                self.join()
            except BaseException:
                self.join()
                if self._process is not None:
                    _end(self._process)
                    _running.remove(self._process.pid)
                raise
        if self._process is None:
            raise self._error or OSError("not started")
        return self._process


def end_all() -> None:
    """Kill the processes of all other threads: their calls return as if the process had been killed."""
    for group in _running.groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


class _Running:
    """The running process groups, known to a guard: a shell that kills them if we are killed.

    The guard reads from a pipe that is closed however we end. Nothing else is certain to happen when a
    process gets SIGKILL, and a signal to a parent does not reach its grandchildren.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: set[int] = set()
        self._guard: subprocess.Popen[bytes] | None = None
        self._owner = 0

    @property
    def groups(self) -> tuple[int, ...]:
        with self._lock:
            return tuple(self._groups)

    def ready(self) -> None:
        """Start the guard, if there is none, before the first process."""
        with self._lock, contextlib.suppress(OSError):  # runs work without it
            if self._guard is None or self._owner != os.getpid():
                self._guard, self._owner = self._start(), os.getpid()

    def add(self, group: int) -> None:
        with self._lock:
            self._groups.add(group)
            self._tell()

    def remove(self, group: int) -> None:
        with self._lock:
            self._groups.discard(group)
            self._tell()

    def _tell(self) -> None:
        if self._guard is None or self._guard.stdin is None:
            return
        line = " ".join(map(str, sorted(self._groups)))
        with contextlib.suppress(OSError):
            os.write(self._guard.stdin.fileno(), f"{line}\n".encode())

    @staticmethod
    def _start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["/bin/sh", "-c", _GUARD],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )


_running = _Running()


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
    """Read the pipes until they close; return the limit that was reached first, if any."""
    while selector.get_map():
        left = deadline - time.monotonic()
        if left <= 0:
            return "time"
        ended = process.poll() is not None
        # Its end does not wake the selector while a child keeps the pipes open: check from time to time.
        ready = selector.select(min(left, _GRACE))
        if not ready and ended:
            return None  # a child keeps the pipes open; it is killed with the group
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
    assert process.stdin is not None  # noqa: S101 - it is registered only if it is a pipe
    try:
        pending = pending[os.write(process.stdin.fileno(), pending[:_CHUNK]) :]
    except BrokenPipeError:
        pending = pending[:0]
    if not pending:
        selector.unregister(process.stdin)
        process.stdin.close()
    return pending


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the rest of the group, and reap its leader."""
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
