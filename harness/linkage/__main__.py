"""The program `linkage`, also as `python -m linkage`: the command of `linkage.cli` in a process of its own.

Signals are handled before anything else is imported.
"""

import sys

from linkage.host.interruption import interruption


def main() -> int:
    """Run the command that this process was started for, and return its exit status."""
    if sys.argv[1:2] == ["probe"]:
        interruption.status = 255  # `git bisect run` takes 1 to 127 for an answer
    interruption.take()
    from linkage.cli import program  # noqa: PLC0415 - after the signals

    return program(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
