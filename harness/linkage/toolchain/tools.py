"""Programs that are not Python packages: their paths, their versions, and whether they have changed."""

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.toolchain import cache_file
from linkage.toolchain.fingerprint import is_script
from linkage.toolchain.query import ask

TIME_LIMIT = 30.0
ABSENT = "absent"
_NO_VERSION = "prints no version"
_ABSOLUTE = re.compile(rb"/[^\s\"'$;|&<>()`\\]+")
_SCRIPT_LIMIT = 1 << 16
_SCRIPTS_DEEP = 3
_LINE_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Tool:
    """A program, and the line in which it prints its version."""

    name: str
    path: Path | None = None
    """Of a linker that only the C compiler finds, the C compiler; None if the tool is absent."""
    version: str = ""

    @property
    def recorded(self) -> str | None:
        """Its version line, as a run records it; None if it is absent."""
        return (self.version or _NO_VERSION) if self.path else None


def tool(name: str, env: Mapping[str, str]) -> Path | None:
    """The program of this name on PATH."""
    found = shutil.which(name, path=env.get("PATH"))
    return Path(found) if found else None


def ask_version(command: Iterable[str | Path], env: Mapping[str, str], cwd: Path | None = None) -> str:
    """The first line that a program prints about its version; empty if it prints none or fails."""
    words = list(command)
    try:
        answer = ask(words, env, who=Path(words[0]).name, time_limit=TIME_LIMIT, cwd=cwd)
    except ToolchainError:
        return ""
    lines = (line.strip() for line in answer.stdout.splitlines()) if answer.status == 0 else ()
    line = next((line[:_LINE_LIMIT] for line in lines if line), "")
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)


def ask_rustup(cache_dir: Path, env: Mapping[str, str]) -> Tool:
    """The rustup on PATH and its version; asked once for each rustup program."""
    path = tool("rustup", env)
    if path is None:
        return Tool("rustup")
    state = marks(path)
    remembered = cache_dir / "rustup.msgpack"
    known = cache_file.load(remembered, tuple[str, Tool])
    if known is None or known[0] != state:
        # From the root, where no `rust-toolchain.toml` makes it look for or install a toolchain.
        quiet = {**env, "RUSTUP_AUTO_INSTALL": "0"}
        known = (state, Tool("rustup", path, ask_version([path, "--version"], quiet, Path("/"))))
        cache_file.save(remembered, known)
    return known[1]


def marks(path: Path, deep: int = _SCRIPTS_DEEP, *, portable: bool = False) -> str:
    """A text that changes when the program does; `portable`: and is the same on machines installed alike.

    For a script, also when a program changes that it names by absolute path: a wrapper of a linker
    stays the same when the linker is updated.
    """
    try:
        found = path.stat()
        here = "" if portable else f":{found.st_ctime_ns}:{found.st_ino}"
        text = f"{path}:{found.st_size}:{found.st_mtime_ns}{here}"
        if not deep or not is_script(path):
            return text
        with path.open("rb") as file:
            words = {Path(os.fsdecode(word)) for word in _ABSOLUTE.findall(file.read(_SCRIPT_LIMIT))}
        named = sorted(word for word in words - {path} if word.is_file() and os.access(word, os.X_OK))
    except (OSError, ValueError):
        return f"{path}:unreadable"
    return "\0".join([text, *(marks(word, deep - 1, portable=portable) for word in named)])
