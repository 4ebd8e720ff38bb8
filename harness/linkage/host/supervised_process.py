"""Runs one process under a supervisor, on systems with processes as POSIX has them.

The programs may be broken compilers: one that hangs, never stops printing, or leaves processes behind
gets all that it has started killed. The same happens if the harness is killed while it runs, as an xdist
worker is when its run is interrupted: a supervisor sees to that.
"""

import contextlib
import marshal
import os
import re
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

assert sys.platform != "win32"  # linkage.host.process chooses
import resource

from linkage.host import supervisor
from linkage.host.control_group import make_group
from linkage.host.limits import OOM_SCORE, StepLimits
from linkage.host.process_result import ProcessResult
from linkage.host.sandbox import Sandbox
from linkage.host.supervisor import END, LENGTH, REPORT, StartRequest
from linkage.host.watch import Watch

_CHUNK = 1 << 16
_SHELL_SIGNAL = 128
"""What is added to the number of a signal to tell it as an exit status."""
_GRACE = 1.0  # seconds for pipes that a surviving grandchild keeps open


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdin: bytes | None = None,
    time_limit: float,
    output_limit: int,
    umask: int = -1,
    limits: StepLimits | None = None,
    sandbox: Sandbox | None = None,
) -> ProcessResult:
    """As `linkage.host.process.run`."""
    words: Sequence[str] = argv
    given = {} if limits is None else limits.resources
    resources = {int(getattr(resource, name)): value for name, value in given.items()}
    started = time.monotonic()
    with contextlib.ExitStack() as held:
        report = _Report(held) if sandbox is not None else None
        if sandbox is not None and report is not None:
            words = sandbox.command(words, cwd, REPORT, resources)
            resources = {}
        request = StartRequest(
            [os.fsencode(word) for word in words],
            {os.fsencode(key): os.fsencode(value) for key, value in env.items()},
            os.fsencode(cwd),
            umask,
            resources,
            0 if limits is None else OOM_SCORE,
        )
        shared = None if limits is None else (limits.memory, limits.processes)
        files = [] if report is None else [report.written]
        process = held.enter_context(_Process(request, shared, stdin, files))
        watch = Watch(process.supervisor.pid, limits, process.supervisor.group)
        taken, limit = _exchange(process, stdin or b"", started + time_limit, output_limit, watch)
        status = process.end()
        reached = watch.last()
        limit = limit or reached
        stdout, stderr = map(bytes, taken)
        if report is not None and limit is None:
            status = report.status(status, stderr)
    return ProcessResult(status, stdout, stderr, time.monotonic() - started, limit)


class _Report:
    """A pipe on which the launcher in a sandbox tells how the command ended."""

    def __init__(self, held: contextlib.ExitStack) -> None:
        self._read, self.written = os.pipe()
        held.callback(os.close, self._read)
        held.callback(os.close, self.written)
        os.set_blocking(self._read, False)

    def status(self, status: int, stderr: bytes) -> int:
        """The command's status, from what was told and bwrap's own. Raises OSError if it was not started."""
        told = b""
        with contextlib.suppress(BlockingIOError):
            told = os.read(self._read, _CHUNK)
        if found := re.match(rb"error (\d+)", told):
            raise OSError(int(found[1]), os.strerror(int(found[1])))
        if found := re.match(rb"ended (-?\d+)", told):
            return int(found[1])
        if status < 0:
            return status
        if status == _SHELL_SIGNAL + signal.SIGKILL:
            return -signal.SIGKILL  # the launcher was killed
        said = stderr.decode("utf-8", "backslashreplace").strip().splitlines()
        raise OSError(None, said[-1] if said else f"bwrap: exit status {status}")


class _SupervisorConnection:
    """A process beside this one that starts programs, all with the same limits; it runs one at a time."""

    def __init__(self, limits: Mapping[int, int], shared: tuple[int, int] | None) -> None:
        """`limits` are those of setrlimit(2), `shared` is what its programs may have together: bytes of
        memory, and processes. Raises OSError if it cannot be started.
        """
        self.kind = _kind(limits, shared)
        self.group = None if shared is None else make_group(*shared)
        self.socket, theirs = socket.socketpair()
        groups = () if self.group is None else self.group.arguments
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", supervisor.__file__, str(theirs.fileno()), *groups],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self.pid = process.pid
        self._process = process
        self._told = b""
        if self.group is not None:
            try:
                self.group.add(self.pid)  # it has started nothing yet
            except OSError:
                self.group.remove()
                self.group = None

    def request(self, request: StartRequest, files: Sequence[int]) -> None:
        """Have a program started that gets these open files. Raises OSError if the supervisor is gone."""
        data = marshal.dumps(tuple(request))
        socket.send_fds(self.socket, [LENGTH.pack(len(data))], files)
        self.socket.sendall(data)

    def line(self, seconds: float | None = None) -> list[bytes] | None:
        """The words of the next line; none if the supervisor is gone, None if there is no line so soon."""
        while b"\n" not in self._told:
            if seconds is not None and not select.select([self.socket], [], [], max(0.0, seconds))[0]:
                return None
            chunk = b""
            with contextlib.suppress(ConnectionResetError):
                chunk = self.socket.recv(_CHUNK)
            if not chunk:
                return []
            self._told += chunk
        line, _, self._told = self._told.partition(b"\n")
        return line.split()

    def stop(self) -> None:
        """Let go of it: it kills what it has started, and ends."""
        self.socket.close()
        self._process.wait()
        if self.group is not None:
            self.group.remove()  # if it was killed: else it has done so itself


_Kind = tuple[frozenset[tuple[int, int]], tuple[int, int] | None]


def _kind(limits: Mapping[int, int], shared: tuple[int, int] | None) -> _Kind:
    """Which programs a supervisor starts: those that have the same limits."""
    return frozenset(limits.items()), shared


class _SupervisorPool:
    """Those that have nothing to do, by the limits of what they start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[_Kind, list[_SupervisorConnection]] = {}
        self._owner = 0

    def take(self, limits: Mapping[int, int], shared: tuple[int, int] | None) -> _SupervisorConnection:
        """One for a program. Raises OSError if none can be started."""
        with self._lock:
            if self._owner != os.getpid():  # those of the process that we were forked from
                self._idle, self._owner = {}, os.getpid()
            if idle := self._idle.get(_kind(limits, shared)):
                return idle.pop()
        return _SupervisorConnection(limits, shared)

    def give_back(self, one: _SupervisorConnection) -> None:
        """It can be used again."""
        with self._lock:
            self._idle.setdefault(one.kind, []).append(one)


_supervisors = _SupervisorPool()


class _Process:
    """A program that was started; leaving the context kills all that is left of it."""

    def __init__(
        self,
        request: StartRequest,
        shared: tuple[int, int] | None,
        stdin: bytes | None,
        files: Sequence[int],
    ) -> None:
        """`shared` as of `_SupervisorConnection`. Raises OSError if it cannot be started."""
        self._held = contextlib.ExitStack()
        self._status: int | None = None
        self._done = False
        self.pid = 0
        self.stdin: int | None = None
        with contextlib.ExitStack() as failing, contextlib.ExitStack() as passed:
            failing.callback(self._held.close)
            if stdin is None:
                streams = [os.open(os.devnull, os.O_RDONLY)]
            else:
                read, self.stdin = os.pipe()
                self._held.callback(self.close_stdin)
                streams = [read]
            passed.callback(os.close, streams[0])
            self.stdout, written = self._pipe(passed)
            streams.append(written)
            self.stderr, written = self._pipe(passed)
            streams.append(written)
            self._start(request, shared, [*streams, *files])
            failing.pop_all()

    def _pipe(self, passed: contextlib.ExitStack) -> tuple[int, int]:
        read, written = os.pipe()
        self._held.callback(os.close, read)
        passed.callback(os.close, written)
        return read, written

    def _start(self, request: StartRequest, shared: tuple[int, int] | None, files: Sequence[int]) -> None:
        self.supervisor = _supervisors.take(request.limits, shared)
        self._held.callback(self._let_go)
        try:
            self.supervisor.request(request, files)
        except OSError:  # somebody has killed it
            self.supervisor.stop()
            self.supervisor = _SupervisorConnection(request.limits, shared)
            self.supervisor.request(request, files)
        match self.supervisor.line():
            case [b"started", pid]:
                self.pid = int(pid)
                _running.add(self.pid)
                self._held.callback(_running.remove, self.pid)
            case [b"error", number]:
                self._done = True
                raise OSError(int(number), os.strerror(int(number)))
            case _:
                raise OSError(None, "the process that starts others was killed")

    def _let_go(self) -> None:
        """The supervisor is used again only if it has said that it is done with the program."""
        if self._done:
            _supervisors.give_back(self.supervisor)
        else:
            self.supervisor.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.end()
        finally:
            self._held.close()

    def close_stdin(self) -> None:
        """Tell the program that there is no more input."""
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None

    def wait(self, seconds: float) -> bool:
        """Whether the program has ended; waits for it so long."""
        if self._status is None:
            match self.supervisor.line(seconds):
                case None:
                    return False
                case [b"ended", status]:
                    self._status = int(status)
                case _:  # it has killed its supervisor, and itself with it
                    self._status = -signal.SIGKILL
        return True

    def end(self) -> int:
        """Kill what is left of the program, and wait until all of it is gone; its status."""
        asked = False
        while not self._done:
            match self.supervisor.line(0 if not asked else None):
                case None:
                    asked = True
                    with contextlib.suppress(OSError):
                        self.supervisor.socket.sendall(END)
                case [b"ended", status]:
                    self._status = int(status)
                case [b"done"]:
                    self._done = True
                case _:  # without its supervisor, only its group is known
                    with contextlib.suppress(OSError):
                        os.killpg(self.pid, signal.SIGKILL)
                    break
        return -signal.SIGKILL if self._status is None else self._status


def end_all() -> None:
    """Kill the processes of all other threads: their calls return as if the process had been killed."""
    for group in _running.groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


class _Running:
    """The process groups that run now. Each leader's number is its own until its supervisor has reaped it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: set[int] = set()

    @property
    def groups(self) -> tuple[int, ...]:
        with self._lock:
            return tuple(self._groups)

    def add(self, group: int) -> None:
        with self._lock:
            self._groups.add(group)

    def remove(self, group: int) -> None:
        with self._lock:
            self._groups.discard(group)


_running = _Running()


def _exchange(
    process: _Process, stdin: bytes, deadline: float, output_limit: int, watch: Watch
) -> tuple[tuple[bytearray, bytearray], str | None]:
    taken = (bytearray(), bytearray())
    with selectors.DefaultSelector() as selector:
        for stream, buffer in zip((process.stdout, process.stderr), taken, strict=True):
            selector.register(stream, selectors.EVENT_READ, buffer)
        if process.stdin is not None:
            os.set_blocking(process.stdin, False)
            selector.register(process.stdin, selectors.EVENT_WRITE)
        limit = _pump(process, selector, taken, memoryview(stdin), deadline, output_limit, watch)
    while limit is None and not process.wait(min(deadline, watch.next) - time.monotonic()):
        limit = "time" if time.monotonic() >= deadline else watch.exceeded()
    return taken, limit


def _pump(
    process: _Process,
    selector: selectors.BaseSelector,
    taken: tuple[bytearray, bytearray],
    pending: memoryview,
    deadline: float,
    output_limit: int,
    watch: Watch,
) -> str | None:
    """Read the pipes until they close; return the limit that was reached first, if any."""
    silent_since: float | None = None
    while selector.get_map():
        now = time.monotonic()
        if deadline <= now:
            return "time"
        silent_since = (silent_since or now) if process.wait(0) else None
        if silent_since is not None and now - silent_since >= _GRACE:
            return None  # a child keeps the pipes open; it is killed with the others
        # Its end does not wake the selector while a child keeps the pipes open: check from time to time.
        ready = selector.select(max(0.0, min(deadline - now, _GRACE, watch.next - now)))
        if ready:
            silent_since = None
        if limit := watch.exceeded():
            return limit
        for key, _ in ready:
            if key.fd == process.stdin:
                pending = _feed(process, selector, pending)
            else:
                _take(selector, key)
        if len(taken[0]) + len(taken[1]) > output_limit:
            return "output"
    return None


def _take(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    if chunk := os.read(key.fd, _CHUNK):
        key.data.extend(chunk)
    else:
        selector.unregister(key.fileobj)


def _feed(process: _Process, selector: selectors.BaseSelector, pending: memoryview) -> memoryview:
    assert process.stdin is not None
    try:
        pending = pending[os.write(process.stdin, pending[:_CHUNK]) :]
    except BrokenPipeError:
        pending = pending[:0]
    if not pending:
        selector.unregister(process.stdin)
        process.close_stdin()
    return pending
