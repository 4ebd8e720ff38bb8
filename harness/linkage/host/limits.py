"""What the processes of a step may use of the machine: the limits and their defaults."""

from dataclasses import dataclass

OOM_SCORE = 500
"""What is added to the score by which the kernel chooses a process to end if memory runs out."""


@dataclass(frozen=True)
class StepLimits:
    """The limits of a step's processes: for all together, but `file_size` and `open_files` for each.

    Sizes are in bytes.
    """

    memory: int = 8 << 30
    processes: int = 2000
    """Their threads are counted, too."""
    file_size: int = 2 << 30
    open_files: int = 4096
    output: int = 16 << 20
    """Of stdout and stderr together."""

    @property
    def resources(self) -> dict[str, int]:
        """The limits of setrlimit(2) for each process, by their names. No core is dumped."""
        return {
            "RLIMIT_FSIZE": self.file_size,
            "RLIMIT_NOFILE": self.open_files,
            "RLIMIT_CORE": 0,
        }
