"""Runs that are killed: processes that carry a case's variants out, two at once, each killed at a random
moment until that many were at work then.

    killed_runs.py CASE STORE CACHE RUSTC HOW-MANY SEED

They are forked where all is imported, so that no moment is spent on the start of an interpreter.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from linkage.case.case import Case
from linkage.case.reader import read_case
from linkage.plan.plan import Variant
from linkage.run.session import Session
from linkage.store.store import Store
from linkage.toolchain import Toolchain


def forked(case: Case, toolchain: Toolchain, store: Path, cache: Path) -> int:
    """A process that does what a run does, in another order each time."""
    child = os.fork()
    if child:
        return child
    rows = list(case.rows)
    random.Random(os.getpid()).shuffle(rows)  # noqa: S311
    kept = Store(store)
    kept.sweep()
    session = Session(kept, cache)
    for row in rows:
        session.verdict(Variant(case, row, toolchain))
    os._exit(0)


def main() -> None:
    case_file, store, cache, rustc, count, seed = sys.argv[1:]
    choose = random.Random(int(seed))  # noqa: S311 - to be repeated
    case = read_case(Path(case_file), Path(case_file).name)
    (toolchain,) = Session(Store(Path(store)), Path(cache)).toolchains([f"here={rustc}"])
    killed, latest = 0, 0.3  # seconds
    while killed < int(count):
        children = [forked(case, toolchain, Path(store), Path(cache)) for _ in range(2)]
        for child in children:
            time.sleep(choose.uniform(0.0, latest))
            os.kill(child, signal.SIGKILL)  # it cannot be gone: nobody has waited for it
            at_work = os.WIFSIGNALED(os.waitpid(child, 0)[1])
            killed += at_work
            latest *= 1.0 if at_work else 0.9  # the more the store has, the sooner they end


main()
