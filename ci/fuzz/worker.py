"""One process that fuzzes one target, with atheris if it is installed, else without the guidance of coverage.

    python -m fuzz.worker TARGET SECONDS STATE LEARNED FINDINGS SEEDS

STATE is a file in which the parent sees how far it is, and with which input: the worker may die of it.
"""

import mmap
import random
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

try:
    import atheris
except ImportError:
    atheris = None

HEADER = struct.Struct("<QQQ")  # executions, findings, length of the input that follows
LARGEST = 1 << 20


class FuzzState:
    """What the parent sees of a worker."""

    def __init__(self, file: Path) -> None:
        if not file.exists() or file.stat().st_size < HEADER.size + LARGEST:
            file.write_bytes(bytes(HEADER.size + LARGEST))
        with file.open("r+b") as stream:
            self._map = mmap.mmap(stream.fileno(), 0)

    def read(self) -> tuple[int, int, bytes]:
        """Executions, findings and the current input."""
        executions, findings, length = HEADER.unpack_from(self._map)
        return executions, findings, self._map[HEADER.size : HEADER.size + length]

    def write(self, executions: int, findings: int, data: bytes) -> None:
        HEADER.pack_into(self._map, 0, executions, findings, len(data))
        self._map[HEADER.size : HEADER.size + len(data)] = data


def main(argv: Sequence[str]) -> None:
    """Fuzz until the time is over, or until the parent interrupts."""
    target, seconds, state, learned, findings, seeds = argv
    with _instrumented():
        from fuzz.judgement import failure, limit_memory  # noqa: PLC0415
        from fuzz.targets import TARGETS  # noqa: PLC0415
    seen = FuzzState(Path(state))
    executions, found, _ = seen.read()
    chosen = TARGETS[target]
    names: set[str] = set()

    def one(data: bytes) -> None:
        nonlocal executions, found
        executions += 1
        seen.write(executions, found, data)
        wrong = failure(chosen.run, data, chosen.seconds)
        if wrong is None or f"{wrong.error} {wrong.place}" in names:
            return
        names.add(f"{wrong.error} {wrong.place}")
        found += 1
        seen.write(executions, found, data)
        folder = Path(findings)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / wrong.name).write_bytes(data)
        sys.stderr.write(f"\n{folder / wrong.name}\n{wrong.told}")

    limit_memory()
    for file in sorted(Path(findings).glob("*")):
        one(file.read_bytes())
    if atheris is not None:
        _guided(one, chosen.longest, int(seconds), Path(learned), Path(seeds))
    else:
        _blind(one, chosen.longest, int(seconds), Path(learned), Path(seeds))


@contextmanager
def _instrumented() -> Iterator[None]:
    if atheris is None:
        yield
        return
    with atheris.instrument_imports(include=["linkage"]):
        yield


def _guided(one: Callable[[bytes], None], longest: int, seconds: int, learned: Path, seeds: Path) -> None:
    arguments = [
        sys.argv[0], f"-max_total_time={seconds}", f"-max_len={longest}", "-timeout=120", "-rss_limit_mb=0",
        "-handle_segv=0", "-handle_abrt=0", "-verbosity=0", f"-artifact_prefix={learned}/../", str(learned),
        str(seeds),
    ]  # fmt: skip
    atheris.Setup(arguments, one)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what it has learned is written at once
    atheris.Fuzz()


def _blind(one: Callable[[bytes], None], longest: int, seconds: int, learned: Path, seeds: Path) -> None:
    chance = random.Random()  # noqa: S311 - nothing secret
    from fuzz.mutation import mutated  # noqa: PLC0415

    inputs = [file.read_bytes() for folder in (learned, seeds) for file in sorted(folder.glob("*"))] or [b""]
    end = time.monotonic() + seconds
    for data in inputs:
        one(data)
    while time.monotonic() < end:
        one(mutated(chance, chance.choice(inputs), inputs, longest))


if __name__ == "__main__":
    main(sys.argv[1:])
