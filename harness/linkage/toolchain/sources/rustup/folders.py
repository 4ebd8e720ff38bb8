"""The folders in which rustup keeps toolchains, read without starting rustup.

The layout is https://rust-lang.github.io/rustup/concepts/toolchains.html and
`RUSTUP_HOME/toolchains/<name>-<host>`; a toolchain made by `rustup toolchain link` is a
symbolic link with the user's own name.
"""

import os
import platform
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

_HOST = r"[a-z][a-z0-9_]*(?:-[a-z0-9_.]+){2,3}"
_CHANNEL = r"(?:stable|beta|nightly|\d+\.\d+(?:\.\d+)?(?:-beta(?:\.\d+)?)?)(?:-\d{4}-\d{2}-\d{2})?"
_NAMED = re.compile(rf"(?P<channel>{_CHANNEL})(?:-(?P<host>{_HOST}))?", re.ASCII)
EXE = ".exe" if sys.platform == "win32" else ""


def channel_name(text: str) -> str | None:
    """The channel part of a rustup name (`nightly-2026-05-19`), or None if it is not such a name."""
    found = _NAMED.fullmatch(text)
    return found["channel"] if found else None


def homes(env: Mapping[str, str]) -> list[Path]:
    """The user's rustup folder, then the harness's own."""
    found = []
    if home := env.get("RUSTUP_HOME"):
        found.append(Path(home))
    elif home := env.get("HOME"):
        found.append(Path(home) / ".rustup")
    if (private := private_home(env)) and private not in found:
        found.append(private)
    return found


def private_home(env: Mapping[str, str]) -> Path | None:
    """The harness's own rustup folder, into which it installs toolchains."""
    if cache := env.get("XDG_CACHE_HOME"):
        return Path(cache) / "linkage" / "rustup"
    return Path(env["HOME"]) / ".cache" / "linkage" / "rustup" if env.get("HOME") else None


def default_host(home: Path) -> str:
    """The host triple that `stable` means: the one in rustup's settings, else this machine's."""
    try:
        triple = tomllib.loads((home / "settings.toml").read_text("utf-8")).get("default_host_triple")
    except (OSError, ValueError):
        triple = None
    return triple if isinstance(triple, str) else machine_host()


def machine_host() -> str:
    """The triple of rustup's usual toolchain for this machine."""
    machine = {"arm64": "aarch64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    if sys.platform == "darwin":
        return f"{machine}-apple-darwin"
    if sys.platform == "win32":
        return f"{machine}-pc-windows-msvc"
    return f"{machine}-unknown-linux-{'gnu' if platform.libc_ver()[0] else 'musl'}"


def installed(env: Mapping[str, str]) -> dict[str, Path]:
    """The toolchains with a rustc, by the shortest name that rustup takes, the user's own first."""
    found: dict[str, Path] = {}
    for home in homes(env):
        host = default_host(home)
        for folder in sorted(_folders(home / "toolchains"), key=_usual_order):
            if rustc_of(folder).is_file():
                found.setdefault(short_name(folder.name, host), folder)
    return found


def short_name(folder: str, host: str) -> str:
    """`stable` for `stable-x86_64-unknown-linux-gnu` if that is the host; else the whole name."""
    channel = folder.removesuffix(f"-{host}")
    return channel if channel_name(channel) == channel else folder


def find(name: str, env: Mapping[str, str]) -> Path | None:
    """The folder of the toolchain with this rustup name, in whichever home has it."""
    return next((folder for home in homes(env) if (folder := find_in(home, name))), None)


def find_in(home: Path, name: str) -> Path | None:
    """The folder of the toolchain with this rustup name in one home."""
    toolchains = home / "toolchains"
    folders = (toolchains / name, toolchains / f"{name}-{default_host(home)}")
    return next((folder for folder in folders if rustc_of(folder).is_file()), None)


def rustc_of(folder: Path) -> Path:
    return folder / "bin" / f"rustc{EXE}"


def _folders(toolchains: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(toolchains) if entry.is_dir()]
    except OSError:
        return []


def _usual_order(folder: Path) -> tuple[int, str]:
    """Stable first, then beta, nightly, and whatever else there is."""
    for place, channel in enumerate(("stable", "beta", "nightly")):
        if folder.name.startswith(channel):
            return place, folder.name
    return 3, folder.name
