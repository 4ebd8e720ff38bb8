"""Runs one process with what Python offers on every system: on Windows, without the limits of POSIX.

The time and the output are limited; memory, processes and open files are not. `taskkill` ends a process with
those that it has started, as far as their parents still run.
"""

import contextlib
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from linkage.host.process_result import ProcessResult
from linkage.host.system import SIGKILL

_CHUNK = 1 << 16
_PAUSE = 0.05
_GRACE = 1.0
"""Seconds for pipes that a surviving process keeps open."""

_running: dict[int, "subprocess.Popen[bytes]"] = {}


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdin: bytes | None = None,
    time_limit: float,
    output_limit: int,
) -> ProcessResult:
    """As `linkage.host.process.run`."""
    started = time.monotonic()
    given = subprocess.DEVNULL if stdin is None else subprocess.PIPE
    pipe = subprocess.PIPE
    process = subprocess.Popen(argv, env=dict(env), cwd=cwd, stdin=given, stdout=pipe, stderr=pipe)
    taken = bytearray(), bytearray()
    threads = [
        threading.Thread(target=_read, args=(stream, buffer), daemon=True)
        for stream, buffer in zip((process.stdout, process.stderr), taken, strict=True)
    ]
    if stdin is not None:
        threads.append(threading.Thread(target=_write, args=(process.stdin, stdin), daemon=True))
    _running[process.pid] = process
    limit = None
    try:
        for thread in threads:
            thread.start()
        while process.poll() is None and limit is None:
            time.sleep(_PAUSE)
            if time.monotonic() - started > time_limit:
                limit = "time"
            elif len(taken[0]) + len(taken[1]) > output_limit:
                limit = "output"
    finally:
        end_tree(process)
        _running.pop(process.pid, None)
    for thread in threads:
        thread.join(_GRACE)
    if limit is None and len(taken[0]) + len(taken[1]) > output_limit:
        limit = "output"
    status = process.returncode if limit is None else -SIGKILL
    return ProcessResult(status, bytes(taken[0]), bytes(taken[1]), time.monotonic() - started, limit)


def end_tree(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and those that it has started, if it still runs."""
    if process.poll() is None:
        command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        with contextlib.suppress(OSError):  # without it, it is killed alone
            subprocess.run(command, check=False, capture_output=True)
        process.kill()
    process.wait()


def end_all() -> None:
    """As `linkage.host.process.end_all`."""
    for process in list(_running.values()):
        end_tree(process)


def _read(stream: IO[bytes], buffer: bytearray) -> None:
    with stream:
        while chunk := stream.read1(_CHUNK):  # type: ignore[attr-defined]  # a BufferedReader
            buffer += chunk


def _write(stream: IO[bytes], content: bytes) -> None:
    with contextlib.suppress(OSError), stream:  # it has ended, or does not read it
        stream.write(content)
