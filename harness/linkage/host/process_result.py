"""How a process ended."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a process ended. `limit` is "time", "output", "memory" or "processes" if it was killed for that."""

    status: int
    """The exit status; negative: the signal that killed it."""
    stdout: bytes
    stderr: bytes
    seconds: float
    limit: str | None = None
