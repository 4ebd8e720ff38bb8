"""A folder with cases as a user has it, and the output of a pytest run in it."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLUGIN = ("-p", "linkage.plugin", "-o", "linkage_cases=.")

NO_STD = """\
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[no_mangle] pub extern "C" fn answer() -> i32 { 42 }
"""


@dataclass
class Result:
    """What a pytest run said."""

    status: int
    text: str

    def nodes(self) -> list[str]:
        """The node ids of `--collect-only -q`."""
        return [line for line in self.text.splitlines() if "::" in line]

    def of(self, outcome: str) -> list[str]:
        """The node ids that came out so, from the short summary."""
        return sorted(
            match[1] for match in re.finditer(rf"^{outcome} (\S+::[^\s]+)", self.text, re.MULTILINE)
        )


@dataclass
class Project:
    """A folder with cases, as a user has it."""

    folder: Path
    cache: Path
    rustc: Path

    def write(self, name: str, text: str) -> None:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def compiler(self, name: str, body: str) -> str:
        """A toolchain spec: a script that does `body`, then what the real compiler does."""
        script = self.folder / "compilers" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(f'#!/bin/sh\n{body.format(rustc=self.rustc)}\nexec {self.rustc} "$@"\n')
        script.chmod(0o755)
        return f"{name}={script}"

    @property
    def env(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(ROOT / "harness"), os.environ.get("PYTHONPATH")]))
        given = {"LINKAGE_STORE": str(self.folder / "store"), "LINKAGE_CACHE": str(self.cache)}
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        # What else is installed costs a second a run, and is none of our matter.
        return kept | given | {"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def command(self, *arguments: str, toolchain: str | None = None) -> list[str]:
        spec = ["--toolchain", toolchain or f"real={self.rustc}"]
        return [sys.executable, "-m", "pytest", "-p", "xdist", *PLUGIN, *spec, *arguments]

    def start(self, *arguments: str, toolchain: str | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command(*arguments, toolchain=toolchain),
            cwd=self.folder,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, *arguments: str, toolchain: str | None = None) -> Result:
        process = self.start(*arguments, toolchain=toolchain)
        text, _ = process.communicate(timeout=300)
        return Result(process.returncode, text)

    def collect(self, *selections: list[str]) -> list[list[str]]:
        """The node ids that each of these selections finds, all asked in one process."""
        spec = [*PLUGIN, "--toolchain", f"real={self.rustc}", "--collect-only", "-q"]
        calls = [f"print('--'); pytest.main({[*spec, *one]!r})" for one in selections]
        script = "\n".join(["import pytest", *calls])
        asked = subprocess.run(
            [sys.executable, "-c", script],
            cwd=self.folder,
            env=self.env,
            text=True,
            capture_output=True,
            check=True,
        )
        return [Result(0, text).nodes() for text in asked.stdout.split("--\n")[1:]]

    def work_folders(self) -> list[Path]:
        return list((self.folder / "store").glob("v*/work/*"))
