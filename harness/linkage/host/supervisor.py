"""A small process beside the harness that starts programs for it, one after the other, and ends all that
they leave behind.

Run as a program: `python -I -S supervisor.py SOCKET [HOME GROUP]...`. All programs that it starts have the
same limits, which it takes on itself before the first: if one came a moment after a program's start, it would
break those that have already asked for it (valgrind aborts). The harness puts it into the control GROUPs. At
its end it goes back to each HOME and removes them. It adopts what a program leaves behind, whatever group or
session that is in (prctl(2), PR_SET_CHILD_SUBREAPER): nothing else can be a child of it. If the harness
closes its end of the socket, or is killed, it kills the program and all that descends from it.

It reads a `StartRequest` (in Python's marshal format, after its length, which brings the program's files) and
writes lines: `started PROGRAM` or `error ERRNO`; `ended STATUS` when the program has ended; `done` when
nothing is left of it, by itself or because the harness wrote `END`.
"""

import contextlib
import errno
import marshal
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

assert sys.platform != "win32"  # linkage.host.process chooses
import fcntl
import resource

PROCESSES = "/proc"
_PR_SET_CHILD_SUBREAPER = 36
_PAUSE = 0.002
_CHUNK = 4096
_FILES = 4
"""How many open files a program gets at most: its three streams, and one more."""
_HIGH = 10
REPORT = 3
"""The number that the last of them has in the program."""
LENGTH = struct.Struct("!I")
END = LENGTH.pack(0)
"""What the harness writes if a program has to end now."""


class StartRequest(NamedTuple):
    """What is started."""

    argv: list[bytes]
    env: dict[bytes, bytes]
    cwd: bytes
    umask: int
    """-1: as it is."""
    limits: dict[int, int]
    """Of setrlimit(2), soft and hard; a limit that is lower already stays. Equal in all requests."""
    oom_score: int
    """What makes the kernel end it rather than others if memory runs out (proc_pid_oom_score_adj(5))."""


def children(pid: int) -> list[int]:
    """The children of a process; none if it has ended. One may be missed if another ends at this moment."""
    if not os.path.isdir(PROCESSES):
        return [one.pid for one in listed() if one.parent == pid]
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"{PROCESSES}/{pid}/task"):
            with (
                contextlib.suppress(OSError),
                open(f"{PROCESSES}/{pid}/task/{thread}/children", "rb") as file,
            ):
                found += map(int, file.read().split())
    return found


class ListedProcess(NamedTuple):
    """What `ps` says of a process; `resident` is in bytes."""

    pid: int
    parent: int
    resident: int


def listed() -> list[ListedProcess]:
    """All processes, on a system without /proc: macOS, the BSDs. None if there is no `ps` either."""
    import subprocess

    command = ["ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "rss="]
    with contextlib.suppress(OSError):
        printed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).stdout
        rows = [line.split() for line in printed.splitlines()]
        return [ListedProcess(int(one[0]), int(one[1]), int(one[2]) << 10) for one in rows if one[2:]]
    return []


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    if not os.path.isdir(PROCESSES):
        return [pid, *(one.pid for one in descendants(pid))]
    found = [pid]
    for one in found:
        found += children(one)
    return found


def descendants(pid: int) -> list[ListedProcess]:
    """All that descend from a process, by one list of `ps`."""
    by_parent: dict[int, list[ListedProcess]] = {}
    for one in listed():
        by_parent.setdefault(one.parent, []).append(one)
    found = list(by_parent.get(pid, ()))
    for one in found:
        found += by_parent.get(one.pid, ())
    return found


class _Supervisor:
    def __init__(self, harness: socket.socket) -> None:
        self.harness = harness
        harness.set_inheritable(False)  # a program that had it would seem to be the harness
        self.umask = os.umask(0)
        self.limits: dict[int, int] = {}
        """Those that it has taken on itself."""
        _adopt_orphans()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # what the harness does about it counts
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.wakes, written = os.pipe()
        for one in (self.wakes, written):
            os.set_blocking(one, False)
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Start one program after the other, until the harness is gone."""
        while True:
            header, files, _, _ = socket.recv_fds(self.harness, LENGTH.size, _FILES)
            for one in files:
                os.set_inheritable(one, False)
            if header == END:
                continue  # the program ended at the same time
            data = self._read(LENGTH.unpack(header)[0]) if len(header) == LENGTH.size else b""
            if not data:
                return
            try:
                program = self._start(StartRequest(*marshal.loads(data)), files)
            except OSError as error:
                self._tell(b"error %d" % (error.errno or 0))
                continue
            finally:
                for one in files:
                    os.close(one)
            self._tell(b"started %d" % program)
            if not self._until_ended(program):
                _kill_group(program)  # the leader of its own
                end()
            self._tell(b"done")

    def _tell(self, line: bytes) -> None:
        self.harness.sendall(line + b"\n")

    def _read(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            chunk = self.harness.recv(size - len(found))
            if not chunk:
                return b""
            found += chunk
        return found

    def _start(self, request: StartRequest, files: Sequence[int]) -> int:
        self._limit(request.limits)
        os.umask(self.umask if request.umask < 0 else request.umask)
        os.chdir(request.cwd)
        # Above all numbers that they get, so that none is overwritten before it is copied.
        high = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, _HIGH) for one in files]
        try:
            program = os.posix_spawn(
                _found(request.argv[0], request.env),
                request.argv,
                request.env,
                file_actions=[(os.POSIX_SPAWN_DUP2, one, number) for number, one in enumerate(high)],
                setsid=True,
                setsigmask=[],
                setsigdef=_DEFAULT,
            )
        finally:
            for one in high:
                os.close(one)
            os.chdir("/")
        if request.oom_score:
            with contextlib.suppress(OSError), open(f"/proc/{program}/oom_score_adj", "w") as file:
                file.write(str(request.oom_score))
        return program

    def _limit(self, limits: dict[int, int]) -> None:
        """Take limits on this process, and with it on what it starts: neither can raise them again."""
        for what, value in limits.items():
            if self.limits.get(what) != value:
                highest = resource.getrlimit(what)[1]
                least = value if highest == resource.RLIM_INFINITY else min(value, highest)
                resource.setrlimit(what, (least, least))
                self.limits[what] = value

    def _until_ended(self, program: int) -> bool:
        """Wait until nothing is left of the program; False if the harness does not wait so long."""
        ended = False
        while True:
            with contextlib.suppress(ChildProcessError):
                pid, status = (0, 0) if ended else os.waitpid(program, os.WNOHANG)
                if pid:
                    ended = True
                    self._tell(b"ended %d" % os.waitstatus_to_exitcode(status))
            if ended and not _reap():
                return True
            ready, _, _ = select.select([self.harness.fileno(), self.wakes], [], [])
            if self.wakes in ready:
                os.read(self.wakes, _CHUNK)
            if self.harness.fileno() in ready:
                self.harness.recv(len(END))
                return False


def _found(program: bytes, env: dict[bytes, bytes]) -> bytes:
    """The program on the PATH that it gets, not on this process's own. Raises FileNotFoundError."""
    if b"/" in program:
        return program
    for folder in env.get(b"PATH", os.fsencode(os.defpath)).split(b":"):
        place = os.path.join(folder or b".", program)
        if os.access(place, os.X_OK) and os.path.isfile(place):
            return place
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


_DEFAULT = [signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ]
"""Signals that this process, or Python, treats in a way of its own."""


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap() -> bool:
    """Reap the children that have ended; whether there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def end() -> None:
    """Kill and reap all children of this process, those too that it adopts meanwhile."""
    own = os.getsid(0)
    while _reap():
        left = children(os.getpid())
        for group in {_group(one, own) for one in left}:
            _kill_group(group)
        for one in left:
            with contextlib.suppress(OSError):
                os.kill(one, signal.SIGKILL)
        time.sleep(_PAUSE)


def leave_groups(folders: Sequence[str]) -> None:
    """Go back from each control group to the one before it, and remove it."""
    for home, group in zip(folders[::2], folders[1::2], strict=True):
        with contextlib.suppress(OSError):
            with open(f"{home}/cgroup.procs", "w") as file:
                file.write("0")  # this process
            os.rmdir(group)


def _group(pid: int, own: int) -> int:
    """The group of a process in a session of its own; 0 if it has ended."""
    with contextlib.suppress(OSError):
        return os.getpgid(pid) if os.getsid(pid) != own else 0
    return 0


def _kill_group(group: int) -> None:
    if group > 1:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    try:
        _Supervisor(socket.socket(fileno=int(sys.argv[1]))).serve()
    except OSError:
        pass  # the harness is gone
    finally:
        end()
        leave_groups(sys.argv[2:])
