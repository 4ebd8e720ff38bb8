"""All that a bisection may meet, on this machine: a mirror, GitHub, CI's artifacts, and their faults.

Nightlies of 2026-02-01 to 2026-02-16, of which three are missing; three changes among them:

- `allocator.yaml` fails since one of eight merges between two nightlies, a rollup; one of its pull requests
  alone has the effect;
- `linker.yaml` fails since the nightlies link with their own LLD;
- `flaky.yaml` fails on the newer nightlies until somebody has written that down.
"""

import contextlib
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.github_server import GitHubServer, Refusal, serve_github
from support.large_toolchains import REAL, LargeNightlies
from support.nightly_server import serving_nightlies
from support.rust_history import HOST, RustHistory, make_history
from support.scripted_rustc import FAILS

ORIGIN = "https://static.rust-lang.org"
MISSING = ("02", "08", "15")
"""Days without a nightly, both ends of the range among them."""
ENDS = ("--good", "2026-02-02", "--bad", "2026-02-15")
LOG = "mine.log"
CULPRIT, ROLLUP = 12, 1212
_OLD_LINKER_UNTIL, _FLAKY_SINCE = 5, 18
"""The numbers of the first merges that link with LLD, and that are flaky."""
MEMBERS = {"1" * 40: False, "2" * 40: True}
"""The builds of the rollup's pull requests, and whether they fail."""
COMMENT = "Perf builds for each rolled up PR:\n\n|PR#|Message|Sha|\n" + "".join(
    f"|#{number}|x|`{commit}`|\n" for number, commit in zip((1107, 1108), MEMBERS, strict=True)
)
_CASE = """\
summary: {summary}
sources:
  {name}.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! {{ loop {{}} }}
    #[no_mangle] pub extern "C" fn answer() -> i32 {{ 42 }}
steps:
  - rustc: {name}.rs
    id: lib
    crate-type: cdylib
    panic: abort
    claims:
      lib.cdylib: {claim}
"""
_EXPORTS = "{exports: {all: [answer]}}"
CASES = {
    "allocator": ("The library has what it needs", _EXPORTS),
    "linker": ("The linker leaves no name", '{section: {.comment: {not-contains: ["Linker: LLD"]}}}'),
    "flaky": ("The same each time", _EXPORTS),
}


@dataclass
class BisectWorld:
    """The folder in which to bisect, and what is served."""

    folder: Path
    history: RustHistory
    real: Path
    """A rustc of this machine, of a toolchain of rustup."""
    full: bool
    nightlies: LargeNightlies = field(init=False)
    github: GitHubServer = field(init=False)

    def __post_init__(self) -> None:
        sysroot = self.real.parent.parent
        self.nightlies = LargeNightlies(sysroot, HOST, self.rustc_on, self.rustc_of, full=self.full)
        self.nightlies.origin = ORIGIN
        for name, (summary, claim) in CASES.items():
            text = _CASE.format(name=name, summary=summary, claim=claim)
            (self.folder / f"{name}.yaml").write_text(text)

    def rustc_on(self, day: str) -> str | None:
        """The compiler of a nightly: eight merges are between those of the 9th and the 10th."""
        month, _, number = day.rpartition("-")
        if month != "2026-02" or number in MISSING or not 1 <= int(number) <= 16:
            return None
        return self._script(int(number) - 1 + (7 if int(number) >= 10 else 0), int(number) - 1)

    def rustc_of(self, commit: str) -> str | None:
        """The compiler of a merge, or of a pull request of the rollup."""
        if commit in MEMBERS:
            return self._script(CULPRIT - 1, 9, commit, fails=MEMBERS[commit])
        if commit not in self.history.commits:
            return None
        number = self.history.commits.index(commit)
        return self._script(number, min(number, 9) if number <= 16 else number - 7)

    def _script(self, number: int, day: int, commit: str = "", *, fails: bool = False) -> str:
        commit = commit or self.history.commits[number]
        version = f"1.97.0-nightly ({commit[:9]} 2026-02-{day:02})"
        told = {"commit-hash": commit, "commit-date": f"2026-02-{day:02}", "release": "1.97.0-nightly"}
        edits = [
            f"s/^rustc .*/rustc {version}/",
            *(f"s/^{key}: .*/{key}: {value}/" for key, value in told.items()),
        ]
        fails = fails or number >= CULPRIT
        written = f"grep -q '^bad nightly-.* flaky.yaml ' {self.folder / LOG}"
        flaky = f"{written} || {{ {FAILS}; }}" if number >= _FLAKY_SINCE else ":"
        start = f'"$own/{REAL}"' if self.full else f"'{self.real}' --sysroot \"$own\""
        linker = "-Clink-arg=-fuse-ld=bfd" if number < _OLD_LINKER_UNTIL else ""
        return f"""#!/bin/sh
own=$(readlink -f "$0"); own=${{own%/bin/rustc}}
if [ "$*" = -vV ]; then {start} -vV | sed '{";".join(edits)}'; exit; fi
case "$*" in
*allocator.rs*) {FAILS if fails else ":"} ;;
*flaky.rs*) {flaky} ;;
esac
exec {start} {linker} "$@"
"""

    def disturb(self, choose: random.Random) -> None:
        """What the servers do next: downloads break off and stall, both are busy, GitHub has limits."""
        faults = self.nightlies.faults
        faults.cut = {"/rust-std-": 1}
        faults.stalled = {"2026-02-09/rustc-": 1}
        faults.busy, faults.busy_with = {"/rustc-": 1}, (429, "1")
        reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{time.time() + 1:.0f}"}
        refusals = [Refusal(429, {"Retry-After": "1"}), Refusal(403, reset), Refusal(502)]
        self.github.refusals = choose.sample(refusals, 2)  # a third one would be the last

    def answer(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "answer.json").read_text())
        return found


@contextlib.contextmanager
def bisect_world(folder: Path, real: Path, *, full: bool) -> Iterator[BisectWorld]:
    """A world around an empty folder."""
    clone = folder / "rust"
    clone.mkdir()
    world = BisectWorld(folder, make_history(clone, 23, CULPRIT), real, full)
    with serving_nightlies(world.nightlies), serve_github(clone) as world.github:
        world.github.comments[ROLLUP] = [("rust-timer", COMMENT)]
        yield world
