"""The bisection tool that called us: cargo-bisect-rustc knows no answer but yes and no, and is interrupted
instead of told something that is not known.
"""

import os
import signal
from pathlib import Path

_NAME = "cargo-bisect-rustc"
_COMM = 15
"""Linux keeps so many characters of a process's name."""


def interrupt_cargo_bisect_rustc(processes: Path = Path("/proc")) -> bool:
    """Interrupt, as Ctrl-C does, the cargo-bisect-rustc that started this process; False if there is none."""
    place = os.getppid()
    while place > 1:
        try:
            name = (processes / str(place) / "comm").read_text(errors="replace").rstrip("\n")
            # After the name, which may hold anything, come the state and the parent.
            rest = (processes / str(place) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return False
        if name == _NAME[:_COMM]:
            os.kill(place, signal.SIGINT)
            return True
        place = int(rest[1])
    return False
