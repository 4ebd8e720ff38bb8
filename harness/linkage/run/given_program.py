"""A built program that a step gives to another, its runner, which has to start it."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from linkage.host.opening import OpeningWatch
from linkage.plan.command import Command
from linkage.plan.observation import Outcome
from linkage.plan.template import Template
from linkage.run.runner_faults import BuiltProgram, not_started
from linkage.run.workspace import OperationError

_SCRIPT = b"#!"


class GivenProgram:
    """Sees, while the context lasts, whether the program of a command with a runner is started."""

    def __init__(self, command: Command, cwd: Path, fill: Callable[[Template], str]) -> None:
        """Raises OperationError if its file is not there, is empty, or cannot be watched."""
        self._runner = tuple(map(str, command.runner))
        word = command.argv[len(command.runner)] if command.runner else None
        self._word = str(word)
        self._file = cwd / fill(word) if isinstance(word, Template) else None
        try:
            # execvp(3) gives an empty file to a shell, which succeeds.
            if self._file is not None and not self._file.stat().st_size:
                raise OperationError(f"cannot start `{self._word}`: it is empty")
            self._watch = OpeningWatch(self._file)
        except OSError as error:
            raise OperationError(f"cannot start `{self._word}`: {error.strerror}") from None

    def __enter__(self) -> Self:
        self._watch.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._watch.__exit__(*error)

    def not_started(self, outcome: Outcome) -> str | None:
        """Why nothing is known of the program after its runner ended so; None if it may have been started."""
        if self._file is None or outcome.status is None or outcome.limit is not None:
            return None
        program = BuiltProgram(self._word, self._watch.opened(), _begins(self._file, _SCRIPT))
        return not_started(self._runner, program, outcome.status, outcome.stderr)


def _begins(file: Path, prefix: bytes) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(len(prefix)) == prefix
    except OSError:
        return False  # the program has removed itself
