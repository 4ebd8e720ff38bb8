"""What this machine has for other targets: programs that are there, and runners that run something."""

import hashlib
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.toolchain import cache_file
from linkage.toolchain.model import Toolchain
from linkage.toolchain.query import ask
from linkage.toolchain.recipes import (
    CC,
    CXX,
    LINK,
    LINK_BARE,
    RUN,
    RUST_LLD,
    CompilerRecipe,
    Recipe,
    RunnerRecipe,
    TargetRecipes,
)
from linkage.toolchain.tools import marks

_WHAT = {
    LINK: "linker", LINK_BARE: "linker", CC: "C compiler", CXX: "C++ compiler", RUN: "runner"
}  # fmt: skip
_FIRST_START = 120.0
"""Seconds: wine makes a folder for itself when it is first started."""
_MODULE = bytes.fromhex(
    "0061736d 01000000 0104 0160 0000 0302 0100 0503 0100 01"  # a type, a function, a memory
    "0713 02 06 5f7374617274 00 00 06 6d656d6f7279 02 00"  # exports: _start, memory
    "0a04 0102 000b"  # the function's body: nothing
)
"""A WebAssembly module that does nothing, as a command: https://webassembly.github.io/spec/core/binary."""


@dataclass
class ForeignMachine:
    """Looks for the tools of foreign targets, each once."""

    recipes: TargetRecipes
    cache: Path
    environment: Mapping[str, str]
    sandbox: bool = False
    """Whether steps run in a sandbox."""
    _ran: dict[RunnerRecipe | str, str | None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, need: str, triple: str, toolchain: Toolchain) -> Recipe | str:
        """The recipe for what a step needs for this target; else why there is none, for a skip."""
        lacking: list[str] = []
        for one in self.recipes.of(need, triple):
            recipe = one.filled(self._values())
            program = recipe.cxx if isinstance(recipe, CompilerRecipe) and need == CXX else recipe.program
            if not self._has(program, toolchain):
                lacking.append(f"{program}{f' ({recipe.package})' if recipe.package else ''}")
            elif isinstance(recipe, RunnerRecipe) and self.sandbox and not recipe.in_sandbox:
                lacking.append(f"{program} does not work in a sandbox")
            elif isinstance(recipe, RunnerRecipe) and (why := self._does_not_run(recipe)) is not None:
                lacking.append(why)
            elif isinstance(recipe, RunnerRecipe):
                return recipe.model_copy(update={"folders": tuple(_existing(recipe.folders))})
            else:
                return recipe
        what = _WHAT[need]
        if not lacking:
            return (
                f"no {what} is known for {triple} (help: describe one in linkage.toml, see docs/targets.md)"
            )
        return f"no {what} for {triple}: {', '.join(dict.fromkeys(lacking))}"

    def _values(self) -> dict[str, str]:
        scripts = files("linkage.host").joinpath("wasm")
        return {"cache": str(self.cache), "python": sys.executable, "scripts": str(scripts)}

    def _has(self, program: str, toolchain: Toolchain) -> bool:
        if program == RUST_LLD and toolchain.capabilities.rust_lld is not None:
            return True
        return self._path(program) is not None

    def _path(self, program: str) -> Path | None:
        found = shutil.which(program, path=self.environment.get("PATH"))
        return Path(found) if found else None

    def _does_not_run(self, recipe: RunnerRecipe) -> str | None:
        """Why a runner does not run a program; one that does is asked once for each of its programs."""
        key = recipe.model_dump_json()
        with self._lock:
            if key not in self._ran:
                self._ran[key] = self._probe(recipe, key)
            return self._ran[key]

    def _probe(self, recipe: RunnerRecipe, key: str) -> str | None:
        program = self._path(recipe.program)
        state = f"{key}\0{marks(program) if program else ''}"
        name = hashlib.blake2b(state.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        place = self.cache / "runners" / name
        if cache_file.load(place, bool):
            return None
        with tempfile.TemporaryDirectory(prefix="linkage-runner-") as folder:
            words = [recipe.program, *recipe.arguments]
            if recipe.probe_module:
                Path(folder, "probe.wasm").write_bytes(_MODULE)
                words.append("probe.wasm")
            env = {**self.environment, **recipe.filled({"libraries": folder}).env}
            try:
                self.cache.mkdir(parents=True, exist_ok=True)
                answer = ask(
                    [*words, *recipe.probe], env, who=recipe.name, time_limit=_FIRST_START, cwd=Path(folder)
                )
            except (ToolchainError, OSError) as error:
                return f"{recipe.program} does not run here: {error}"
        if answer.status != 0:
            package = f" ({recipe.package})" if recipe.package else ""
            return f"{recipe.program} does not run a program of the target{package}: {answer.summary}"
        cache_file.save(place, value=True)
        return None


def _existing(patterns: Iterable[str]) -> Iterator[str]:
    """The folders that are there, each pattern's in order."""
    for one in patterns:
        root = Path(Path(one).anchor)
        found = root.glob(str(Path(one).relative_to(root)))
        yield from (str(folder) for folder in sorted(found) if folder.is_dir())


def runner_environment(recipe: RunnerRecipe) -> Mapping[str, str]:
    """What a runner needs in its environment that says nothing of the program."""
    return {key: value for key, value in recipe.env.items() if "${libraries}" not in value}
