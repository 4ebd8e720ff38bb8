"""Runs one process to its end or to its limits, and leaves nothing of it behind.

How depends on the system: a supervisor where processes are as POSIX has them, on Windows what Python offers.
"""

import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from linkage.host.limits import StepLimits
from linkage.host.process_result import ProcessResult
from linkage.host.sandbox import Sandbox

__all__ = ["OUTPUT_LIMIT", "ProcessResult", "end_all", "run", "signal_name"]

OUTPUT_LIMIT = 16 << 20


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdin: bytes | None = None,
    time_limit: float,
    output_limit: int = OUTPUT_LIMIT,
    umask: int = -1,
    limits: StepLimits | None = None,
    sandbox: Sandbox | None = None,
) -> ProcessResult:
    """Run a command with exactly this environment.

    Times are in seconds, sizes in bytes; `output_limit` comes before that of `limits`. Raises OSError if it
    cannot be started, and ValueError for a NUL character in an argument or in the environment.
    """
    words = [str(word) for word in argv]
    if any("\0" in one for one in (*words, *env, *env.values())):
        raise ValueError("embedded null byte")
    if sys.platform == "win32":
        from linkage.host import plain_process  # noqa: PLC0415 - of this system

        return plain_process.run(
            words, env=env, cwd=cwd, stdin=stdin, time_limit=time_limit, output_limit=output_limit
        )
    from linkage.host import supervised_process  # noqa: PLC0415 - likewise

    return supervised_process.run(
        words, env=env, cwd=cwd, stdin=stdin, time_limit=time_limit, output_limit=output_limit,
        umask=umask, limits=limits, sandbox=sandbox,
    )  # fmt: skip


def end_all() -> None:
    """Kill the processes of all other threads: their calls return as if the process had been killed."""
    if sys.platform == "win32":
        from linkage.host import plain_process  # noqa: PLC0415 - of this system

        plain_process.end_all()
    else:
        from linkage.host import supervised_process  # noqa: PLC0415 - likewise

        supervised_process.end_all()


def signal_name(number: int) -> str:
    """A signal's name, as `SIGSEGV`."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
