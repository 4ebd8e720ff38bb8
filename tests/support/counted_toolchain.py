"""A toolchain whose compiler is counted."""

from dataclasses import dataclass
from pathlib import Path

from linkage.toolchain import Toolchain


@dataclass
class Counted:
    """A toolchain whose compiler writes down every call."""

    toolchain: Toolchain
    log: Path

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def new(self) -> int:
        """How many calls there were since this was last asked."""
        count = len(self.calls)
        self.log.unlink(missing_ok=True)
        return count
