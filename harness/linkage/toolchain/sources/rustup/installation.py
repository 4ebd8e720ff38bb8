"""Installs toolchains into the harness's own rustup folder, and removes them.

rustup is the one on PATH, or comes from its wheel on the package index; RUSTUP_DIST_SERVER and the
settings of pip and uv are honoured. The user's rustup folder is never changed.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.toolchain.query import ask
from linkage.toolchain.sources.rustup import folders
from linkage.toolchain.sources.rustup.wheel import install_wheel
from linkage.toolchain.sources.staging import Say, staging, take_away

_TIME_LIMIT = 3600.0
_BY_HAND = (
    "install Rust from https://rustup.rs or your distribution's rustc package, or set RUSTC=/path/to/rustc"
)


def install(name: str, env: Mapping[str, str], say: Say | None = None) -> Path:
    """Install the rustup toolchain `name` into the harness's own rustup folder; returns its folder.

    The toolchain appears there at once, when it is complete. Raises ToolchainError with the reason.
    """
    home = own_home(env, name)
    with staging(home, name, say, help=_BY_HAND) as staged:
        folder = folders.find_in(home, name)
        if folder is None:
            new = _install_into(staged, name, env)
            folder = home / "toolchains" / new.name
            folder.parent.mkdir(exist_ok=True)
            if folder.exists():  # without a rustc, so damaged
                take_away(folder)
            new.rename(folder)
        return folder


def remove(name: str, env: Mapping[str, str], say: Say) -> None:
    """Remove the toolchain `name` from the harness's own rustup folder.

    Raises ToolchainError if it is not there; a toolchain of the user's own rustup is never removed.
    """
    home = own_home(env, name)
    if folders.find_in(home, name) is None:
        theirs = folders.find(name, env)
        raise ToolchainError(
            f"{theirs} was not installed by linkage" if theirs else "not installed",
            where=f"toolchain {name}",
            help=f"rustup toolchain uninstall {name}" if theirs else None,
        )
    with staging(home, name, say):
        if folder := folders.find_in(home, name):
            take_away(folder)
            say(f"{name}: removed {folder}")


def add(name: str, words: Sequence[str], folder: Path, env: Mapping[str, str]) -> None:
    """Let rustup add something to a toolchain of the harness's own folder: `target add T`.

    rustup puts a component into place only when it has all of it. Raises ToolchainError with its complaint.
    """
    home = own_home(env, name)
    with staging(home, name) as staged:
        program = find_rustup(env, name)
        own = _environment(env, home, staged / "cargo")
        command: list[str | Path] = [program, *words[:2], "--toolchain", folder.name, *words[2:]]
        answer = ask(command, own, who=name, time_limit=_TIME_LIMIT)
    if answer.status != 0:
        raise ToolchainError(answer.complaint, where=f"toolchain {name}")


def _environment(env: Mapping[str, str], home: Path, cargo: Path) -> dict[str, str]:
    own = {key: value for key, value in env.items() if not key.startswith(("RUSTUP_TOOLCHAIN", "CARGO_"))}
    return own | {"RUSTUP_HOME": str(home), "CARGO_HOME": str(cargo)}


def _install_into(staging: Path, name: str, env: Mapping[str, str]) -> Path:
    """Let rustup install into a folder of its own, and return the toolchain's folder in it."""
    program = find_rustup(env, name)
    own = _environment(env, staging, staging / "cargo")
    answer = ask(
        [program, "toolchain", "install", name, "--profile", "minimal", "--no-self-update"],
        own,
        who=name,
        time_limit=_TIME_LIMIT,
    )
    installed = next((staging / "toolchains").glob("*/bin/rustc*"), None)
    if answer.status != 0 or installed is None:
        raise ToolchainError(
            f"rustup cannot install {name}: {answer.complaint}", where=f"toolchain {name}", help=_BY_HAND
        )
    return installed.parent.parent


def find_rustup(env: Mapping[str, str], name: str) -> Path:
    """The rustup on PATH, or the one in its wheel."""
    if on_path := shutil.which("rustup", path=env.get("PATH")):
        return Path(on_path)
    folder = own_home(env, name) / "wheel"
    program = folder / "bin" / f"rustup{folders.EXE}"
    if not program.is_file():
        # A folder and not this environment: the wheel also brings a `rustc`, which must not get on PATH.
        try:
            install_wheel("rustup", folder, env)
        except ToolchainError as error:
            raise ToolchainError(error.what, where=f"toolchain {name}", help=_BY_HAND) from None
        if not program.is_file():
            raise ToolchainError(
                f"the wheel `rustup` has no {program}", where=f"toolchain {name}", help=_BY_HAND
            )
    return program


def own_home(env: Mapping[str, str], name: str) -> Path:
    home = folders.private_home(env)
    if home is None:
        raise ToolchainError(
            "no folder to install a rustc into: neither HOME nor XDG_CACHE_HOME is set",
            where=f"toolchain {name}",
            help=_BY_HAND,
        )
    return home
