"""Asks a program a question: with a time limit, an output limit, and nothing left behind."""

import shlex
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.host import process
from linkage.host.waiting import announced

TIME_LIMIT = 60.0
OUTPUT_LIMIT = 8 << 20
_NOISE = ("RUSTC_BOOTSTRAP", "RUSTC_LOG", "RUST_LOG", "RUSTFLAGS", "MAKEFLAGS", "CARGO_MAKEFLAGS", "MFLAGS")


@dataclass(frozen=True, slots=True)
class Reply:
    """The exit status and the output of a program that ended by itself."""

    command: tuple[str, ...]
    status: int
    stdout: str
    stderr: str

    @property
    def summary(self) -> str:
        """How it ended and the first line of its output, on one line."""
        if self.status < 0:
            end = f"was killed by {process.signal_name(-self.status)}"
        else:
            end = f"exit status {self.status}"
        line = first_words(self.stderr) or first_words(self.stdout)
        return f"{end}: {line}" if line else f"{end}, without output"

    @property
    def complaint(self) -> str:
        """The line with the reason of a failure; rustup, pip and uv put `error:` before it."""
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.lower().startswith("error:")]
        return (errors or lines[-1:] or [self.summary])[0]


def ask(
    command: Sequence[str | Path],
    env: Mapping[str, str],
    *,
    who: str,
    time_limit: float = TIME_LIMIT,
    output_limit: int = OUTPUT_LIMIT,
    cwd: Path | None = None,
    bootstrap: bool = False,
) -> Reply:
    """Run the command without input and return its answer, whatever its exit status.

    `who` is the toolchain's name for messages; `bootstrap` lets a stable rustc answer about its
    unstable flags. Raises ToolchainError if it cannot be started, does not end in time, or prints
    more than the limit.
    """
    words = tuple(str(word) for word in command)
    try:
        # What takes longer than a question, such as an installation, reports its steps itself.
        with announced(f"`{shlex.join(words)}`", time_limit) if time_limit <= TIME_LIMIT else nullcontext():
            result = process.run(
                words,
                env=quiet(env) | ({"RUSTC_BOOTSTRAP": "1"} if bootstrap else {}),
                cwd=cwd or Path(),
                time_limit=time_limit,
                output_limit=output_limit,
            )
    except OSError as error:
        raise ToolchainError(
            f"`{shlex.join(words)}` cannot be started: {error.strerror or error}",
            where=f"toolchain {who}",
            help="name the executable of a rustc that runs on this machine",
        ) from error
    if result.limit is not None:
        why = {
            "time": f"did not answer within {time_limit:g} s",
            "output": f"printed more than {output_limit >> 20} MiB, which no rustc does",
        }[result.limit]
        raise ToolchainError(f"`{shlex.join(words)}` {why}", where=f"toolchain {who}")
    return Reply(words, result.status, _text(result.stdout), _text(result.stderr))


def quiet(env: Mapping[str, str]) -> dict[str, str]:
    """The environment without what changes a compiler's answers or adds to them."""
    return {key: value for key, value in env.items() if key not in _NOISE} | {"LC_ALL": "C"}


def first_words(text: str, limit: int = 100) -> str:
    """The first line that is not blank, quoted and cut; empty if there is none."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return repr(line[:limit] + ("…" if len(line) > limit else "")) if line else ""


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace")
