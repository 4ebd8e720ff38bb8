"""Runs of the command on small cases without std, each in a process with its own store."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_SECONDS = 120  # a run takes a few


@dataclass
class Runs:
    """A folder with a case, and a user with empty caches who runs it."""

    folder: Path
    cache: Path
    rustc: Path
    """The compiler of every run, or a script that stands for it."""
    env: dict[str, str] = field(default_factory=dict)

    def case(self, text: str, **files: str) -> None:
        (self.folder / "case.yaml").write_text(text)
        for name, content in files.items():
            (self.folder / name.replace("_", ".")).write_text(content)

    @property
    def environment(self) -> dict[str, str]:
        left_out = ("PYTEST_", "COV_", "LINKAGE_", "RUSTFLAGS", "RUSTC")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
        path = f"{ROOT / 'harness'}:{os.environ.get('PYTHONPATH', '')}"
        return kept | {
            "LINKAGE_CACHE": str(self.cache),
            "PYTHONPATH": path,
            "PYTEST_ADDOPTS": "-p no:hypothesispytest -p no:cacheprovider",
            **self.env,
        }

    def words(self, *words: str, store: str | None = "store") -> list[str]:
        """The command line of a run of the case."""
        chosen = ["--store", str(self.folder / store)] if store else []
        return [
            sys.executable, "-m", "linkage", "run", "case.yaml", "--toolchain", f"here={self.rustc}",
            *chosen, *words,
        ]  # fmt: skip

    def start(self, *words: str, store: str | None = "store") -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.words(*words, store=store),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str, store: str | None = "store") -> "Ran":
        place = self.folder / f"out-{time.monotonic_ns()}.json"
        process = self.start(*words, "--json", str(place), store=store)
        said = process.communicate(timeout=_SECONDS)[0]
        return Ran(process.returncode, said, read_json(place))

    def command(self, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """Another word of `linkage`."""
        return subprocess.run(
            [sys.executable, "-m", "linkage", *words],
            cwd=self.folder,
            env=self.environment | env,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )


@dataclass(frozen=True)
class Ran:
    """How a run ended, what it printed, and each variant as its JSON has it."""

    status: int
    said: str
    variants: dict[str, dict[str, Any]]

    @property
    def verdicts(self) -> dict[str, Any]:
        """What came out, whenever and however it was obtained."""
        left_out = ("obtained", "stored", "rechecked", "seconds", "evidence")
        return {
            name: {key: value for key, value in one.items() if key not in left_out}
            for name, one in self.variants.items()
        }

    @property
    def stored(self) -> int:
        """How many variants were cached."""
        return sum(one["stored"] for one in self.variants.values())


def read_json(place: Path) -> dict[str, dict[str, Any]]:
    """The variants of a run by their ids; none where it did not write its results."""
    if not place.exists():
        return {}
    return {one["id"]: one for one in json.loads(place.read_text())["variants"]}


def at_work_in(folder: Path) -> Iterator[str]:
    """The processes whose working folder lies below a folder."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            cwd = (process / "cwd").readlink()
            if cwd.is_relative_to(folder):
                yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue


def leftovers(store: Path) -> list[Path]:
    """What runs that ended should not have left in a store."""
    return [*store.glob("v*/work/*"), *store.glob("v*/new/*")]


def cells(count: int) -> str:
    """A case of so many variants without std: a shared crate, a static library, a C program, a run.

    One claim does not hold in one of them.
    """
    return f"""\
summary: Many cells on one library
matrix: {{number: [{", ".join(map(str, range(count)))}]}}
sources:
  dep.rs: '#![no_std] #[inline(never)] pub fn dep() -> i32 {{ 40 }}'
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! {{ loop {{}} }}
    #[no_mangle] pub extern "C" fn answer() -> i32 {{ dep::dep().wrapping_add(${{number}}) }}
files: [main.c]
steps:
  - {{rustc: dep.rs, crate-type: rlib, panic: abort}}
  - rustc: lib.rs
    crate-type: staticlib
    panic: abort
    extern: {{dep: dep.rlib}}
    claims: {{lib.staticlib: {{defines: [answer]}}}}
  - {{cc: main.c, link-with: [lib.staticlib], system-libraries: false}}
  - {{run: main, stdout: {{not-contains: "43"}}}}
"""


MAIN = """\
#include <stdio.h>
int answer(void);
int main(void) { printf("%d\\n", answer()); return 0; }
"""
