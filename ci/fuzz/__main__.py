"""`ci/fuzz-readers`: fuzz each target for its share of the time, one after the other."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from fuzz.seeds import ROOT, write_seeds
from fuzz.targets import TARGETS
from fuzz.worker import FuzzState
from linkage.errors import ExitCode
from linkage.host.folders import cache_folder

CORPUS = ROOT / "ci/fuzz/corpus"
_STUCK = 180
"""Seconds after which a worker that does not go on is ended: its own limits did not work."""


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz; the exit code."""
    parser = argparse.ArgumentParser(prog="ci/fuzz-readers", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="how long in all (default: 60)")
    parser.add_argument(
        "--only", action="append", choices=sorted(TARGETS), metavar="TARGET", help="only this target"
    )
    parser.add_argument("--list", action="store_true", help="list the targets and exit")
    options = parser.parse_args(argv)
    if options.list:
        print("\n".join(TARGETS))
        return ExitCode.OK
    chosen = options.only or list(TARGETS)
    learned = cache_folder(os.environ) / "fuzz"
    executions, findings, interrupted = 0, 0, False
    with tempfile.TemporaryDirectory(prefix="linkage-fuzz-") as scratch:
        seeds = Path(scratch) / "seeds"
        write_seeds(seeds)
        seconds = max(1, options.seconds // len(chosen))
        for target in chosen:
            watch = _Watch(target, Path(scratch), learned / target)
            try:
                watch.run(seconds, seeds / target)
            except KeyboardInterrupt:
                interrupted = True
            executions += watch.executions
            findings += watch.findings
            if interrupted:
                break
    state = "interrupted: " if interrupted else ""
    where = f"; see {CORPUS.relative_to(ROOT)}" if findings else ""
    print(f"{state}{executions} executions, {findings} findings{where}; what was learned is in {learned}")
    return ExitCode.INTERRUPTED if interrupted else ExitCode.FAILED if findings else ExitCode.OK


class _Watch:
    """The workers of one target: a new one takes over from one that an input ended."""

    def __init__(self, target: str, scratch: Path, learned: Path) -> None:
        self.target = target
        self.learned = learned
        self.findings = 0
        self._state_file = scratch / f"{target}.state"
        self._state = FuzzState(self._state_file)
        self._log = scratch / f"{target}.log"

    @property
    def executions(self) -> int:
        return self._state.read()[0]

    def run(self, seconds: int, seeds: Path) -> None:
        end = time.monotonic() + seconds
        self.learned.mkdir(parents=True, exist_ok=True)
        seeds.mkdir(parents=True, exist_ok=True)
        while (left := round(end - time.monotonic())) > 0:
            if self._one(left, seeds):
                break
        self.findings += self._state.read()[1]
        self._show(seconds, "\n")

    def _one(self, seconds: int, seeds: Path) -> bool:
        """One worker until its time is over; False if an input ended it."""
        started = time.monotonic()
        with self._log.open("wb") as log:
            command = [sys.executable, "-m", "fuzz.worker", self.target, str(seconds), str(self._state_file),
                       str(self.learned), str(CORPUS / self.target), str(seeds)]  # fmt: skip
            worker = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        seen, since = -1, time.monotonic()
        try:
            while worker.poll() is None:
                time.sleep(0.5)
                if self.executions != seen:
                    seen, since = self.executions, time.monotonic()
                elif time.monotonic() - since > _STUCK:
                    worker.kill()
                self._show(time.monotonic() - started, "\r" if sys.stderr.isatty() else "")
        finally:
            if worker.poll() is None:
                worker.send_signal(signal.SIGINT)
                try:
                    worker.wait(5)
                except subprocess.TimeoutExpired:
                    worker.kill()
        self._tell()
        if worker.returncode == 0:
            return True
        self._keep_input(worker.returncode)
        return False

    def _keep_input(self, status: int) -> None:
        """The worker died: of the input that it had."""
        executions, _, data = self._state.read()
        if executions == 0:
            sys.stderr.write(self._log.read_text(errors="replace")[-3000:])
            raise SystemExit(f"error: the worker of {self.target} does not start (exit status {status})")
        place = CORPUS / self.target / f"died-{blake2b(data, digest_size=4).hexdigest()}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        self.findings += 1
        sys.stderr.write(
            f"\n{place}: the process ended with {status}\n{self._log.read_text(errors='replace')[-2000:]}"
        )

    def _tell(self) -> None:
        """The findings that the worker wrote about."""
        text = self._log.read_text(errors="replace")
        start = text.find(f"\n{CORPUS}")
        if start >= 0:
            sys.stderr.write(text[start:][:8000])

    def _show(self, seconds: float, end: str) -> None:
        if not end:
            return
        width = shutil.get_terminal_size().columns - 1
        executions, found, _ = self._state.read()
        line = f"{self.target}: {executions} executions, {found} findings, {seconds:.0f} s"
        sys.stderr.write(line[:width].ljust(width if end == "\r" else 0) + end)
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
