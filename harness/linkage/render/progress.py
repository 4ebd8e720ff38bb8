"""The progress of a command: a line that is rewritten on a terminal, or an occasional line in a log."""

import time
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from linkage.host.terminal import escape


def interrupted(done: int, total: int, *, kept: bool) -> str:
    """What an interrupted command says; `kept`: what is done is in the cache."""
    if not total:
        return "interrupted: no variant was run"
    text = f"interrupted: {done} of {total} variants done"
    return f"{text}, kept; run the same command to go on" if kept else text


_SECONDS_ON_A_TERMINAL = 0.1
_SECONDS_IN_A_LOG = 10.0


class ProgressLine:
    """Shows the newest state; on a terminal it is removed at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, force_terminal=stream.isatty())
        self._live: Live | None = None
        self.counted = 0, 0
        """How many variants are done, of how many."""
        self._last = time.monotonic() if not self._console.is_terminal else 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def show(self, text: str, detail: str = "") -> None:
        """Show a state, unless one was shown just now; the detail only on a terminal."""
        now = time.monotonic()
        if now - self._last < (_SECONDS_ON_A_TERMINAL if self._console.is_terminal else _SECONDS_IN_A_LOG):
            return
        self._last = now
        if not self._console.is_terminal:
            self._console.print(Text(escape(text, 2000)), soft_wrap=True)
            return
        line = Text.assemble(
            escape(text), (escape(f" · {detail}") if detail else "", "dim"), no_wrap=True, overflow="ellipsis"
        )
        if self._live is None:
            # Others print in the meantime: pytest, and standard output if it is a file.
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.update(line, refresh=True)

    def count(self, done: int, total: int) -> None:
        """Show how many variants are done."""
        self.counted = done, total
        self.show(f"{done} of {total} variants")

    def end(self) -> None:
        """Remove the line."""
        if self._live is not None:
            self._live.stop()
            self._live = None
