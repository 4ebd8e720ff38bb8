"""The C compiler, the linkers that work and the archiver of this machine."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.toolchain import cache_file
from linkage.toolchain.query import ask
from linkage.toolchain.tools import TIME_LIMIT, Tool, ask_version, marks, tool
from linkage.toolchain.vocabulary import LINKERS

_COMPILERS = ("cc", "gcc", "clang")
_SEARCHED = ("PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX")
"""The variables that tell a C compiler where to look for a linker."""
_REVISION = 2
"""Raised when what is remembered of a machine changes."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The C compiler, the first line of its `--version`, and the linkers it can link with."""

    cc: Path | None
    cc_version: str
    linkers: frozenset[str]
    tools: tuple[Tool, ...] = ()
    """cc, the linker that it uses by default (`ld`), each linker by name, and `ar`; absent ones too."""
    programs: tuple[Path, ...] = ()
    """Where the C compiler looks for its parts and for linkers."""
    libraries: tuple[Path, ...] = ()
    """Where it looks for libraries and startup files."""

    @property
    def versions(self) -> dict[str, str]:
        """The version of each tool that is there."""
        return {tool.name: tool.recorded for tool in self.tools if tool.recorded is not None}

    def has_linker(self, linker: str) -> bool:
        """Whether `-fuse-ld=<linker>` links a program here; `cc` asks for the default linker."""
        return self.cc is not None if linker == "cc" else linker in self.linkers


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A machine, with what must be unchanged for it to be the same one."""

    state: str
    machine: Machine


def c_compiler(env: Mapping[str, str]) -> Path | None:
    """The compiler that $CC names, else the first of cc, gcc and clang on PATH."""
    names = (env["CC"],) if env.get("CC") else _COMPILERS
    found = (shutil.which(name, path=env.get("PATH")) for name in names)
    return next((Path(path) for path in found if path), None)


def examine(cache_dir: Path, env: Mapping[str, str] | None = None) -> Machine:
    """The machine's C compiler, linkers and archiver; asked once for each set of them.

    Each linker is asked to link a program, because a compiler takes `-fuse-ld=` for a linker
    that it then does not find.
    """
    env = os.environ if env is None else env
    cc = c_compiler(env)
    key = _digest([f"{_REVISION}", str(cc), *(f"{name}={env.get(name)}" for name in _SEARCHED)])
    place = cache_dir / "machine" / f"{key}.msgpack"
    known = cache_file.load(place, _Remembered)
    if known is None or known.state != _state(cc, known.machine.programs, env):
        programs, libraries = _folders(cc, env)
        # The state is read first: if something changes while we ask, the next run asks again.
        state = _state(cc, programs, env)
        machine = replace(_ask_machine(cc, programs, env), programs=programs, libraries=libraries)
        known = _Remembered(state, machine)
        cache_file.save(place, known)
    return known.machine


def _folders(cc: Path | None, env: Mapping[str, str]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Where the C compiler looks for a linker before it looks on PATH, and where for libraries."""
    if cc is None:
        return (), ()
    try:
        answer = ask([cc, "-print-search-dirs"], env, who=cc.name, time_limit=TIME_LIMIT)
    except ToolchainError:
        return (), ()
    return _listed("programs: =", answer.stdout), _listed("libraries: =", answer.stdout)


def _listed(beginning: str, answer: str) -> tuple[Path, ...]:
    line = next((line for line in answer.splitlines() if line.startswith(beginning)), beginning)
    return tuple(dict.fromkeys(Path(word) for word in line[len(beginning) :].split(os.pathsep) if word))


def _state(cc: Path | None, folders: Sequence[Path], env: Mapping[str, str]) -> str:
    """A digest that changes when the compiler, a linker that it can find, or the archiver does."""
    names = ("ld", *(f"ld.{linker}" for linker in LINKERS), *LINKERS)
    found = [cc, *(_find(name, folders, env) for name in names), tool("ar", env)]
    return _digest([marks(path) if path else "" for path in found])


def _digest(parts: Sequence[str]) -> str:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _find(name: str, folders: Sequence[Path], env: Mapping[str, str]) -> Path | None:
    """The program of this name that the C compiler would start."""
    inside = (folder / name for folder in folders)
    return next((path for path in inside if path.is_file() and os.access(path, os.X_OK)), tool(name, env))


def _ask_machine(cc: Path | None, folders: Sequence[Path], env: Mapping[str, str]) -> Machine:
    version = ""
    tools: dict[str, Tool] = {}
    if cc is not None:
        with contextlib.suppress(ToolchainError):
            version, tools = _ask_compiler(cc, folders, env)
    names = ("cc", "ld", *(f"ld.{linker}" for linker in LINKERS))
    ar = tool("ar", env)
    archiver = Tool("ar", ar, ask_version([ar, "--version"], env)) if ar else Tool("ar")
    return Machine(
        cc if tools else None,
        version,
        frozenset(linker for linker in LINKERS if f"ld.{linker}" in tools),
        (*(tools.get(name, Tool(name)) for name in names), archiver),
    )


def _ask_compiler(cc: Path, folders: Sequence[Path], env: Mapping[str, str]) -> tuple[str, dict[str, Tool]]:
    """Its version, and the tools that work; no tools if it does not link. Raises ToolchainError."""
    with tempfile.TemporaryDirectory(prefix="linkage-cc-") as folder:
        (Path(folder) / "main.c").write_text("int main(void) { return 0; }\n")
        answer = ask([cc, "--version"], env, who=cc.name, time_limit=TIME_LIMIT)
        version = next(iter(answer.stdout.splitlines()), "")
        if not _links(cc, env, Path(folder), []):
            return "", {}
        tools = {"cc": Tool("cc", cc, version), "ld": _linker(cc, "ld", [], folders, env, Path(folder))}
        for linker in LINKERS:
            flags = [f"-fuse-ld={linker}"]
            if _links(cc, env, Path(folder), flags):
                tools[f"ld.{linker}"] = _linker(cc, f"ld.{linker}", flags, folders, env, Path(folder))
    return version, tools


def _linker(
    cc: Path, name: str, flags: list[str], folders: Sequence[Path], env: Mapping[str, str], folder: Path
) -> Tool:
    """A linker that works, and the version that it prints when the C compiler starts it."""
    path = _find(name, folders, env) or _find(name.removeprefix("ld."), folders, env)
    version = ask_version([cc, *flags, "-Wl,--version"], env, folder)
    if not version and path is not None:
        version = ask_version([path, "--version"], env, folder)
    return Tool(name, path or cc, version)


def _links(cc: Path, env: Mapping[str, str], folder: Path, flags: list[str]) -> bool:
    output = folder / "main"
    output.unlink(missing_ok=True)
    answer = ask([cc, *flags, "main.c", "-o", output], env, who=cc.name, time_limit=TIME_LIMIT, cwd=folder)
    return answer.status == 0 and output.is_file()
