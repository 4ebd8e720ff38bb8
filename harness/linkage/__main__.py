"""The program `linkage`, also as `python -m linkage`: the command of `linkage.cli` in a process of its own.

Signals are handled before anything else is imported, first in the simplest way: what handles them better
takes a hundred times as long to import. `_signal` is in the interpreter, and its start imports `os`.
"""

import _signal  # type: ignore[import-not-found]  # that of CPython and PyPy, without stubs
import os
import sys

_PROBE = sys.argv[1:2] == ["probe"]


def _leave(_number: int, _frame: object) -> None:
    os.write(2, b"linkage: interrupted\n")
    os._exit(255 if _PROBE else 2)  # as linkage.host.interruption has it


def main() -> int:
    """Run the command that this process was started for, and return its exit status."""
    asked = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    for number in (getattr(_signal, name) for name in asked if hasattr(_signal, name)):
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, _leave)
    from linkage.host.interruption import NO_ANSWER, interruption  # noqa: PLC0415 - after the signals

    if _PROBE:
        interruption.status = NO_ANSWER
    interruption.take()
    from linkage.cli import program  # noqa: PLC0415 - likewise

    return program(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
