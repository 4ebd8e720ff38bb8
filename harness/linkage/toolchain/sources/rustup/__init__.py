"""Toolchains of rustup: those of the user, and those in a rustup folder of the harness."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.toolchain.sources.protocol import InstallOptions, not_installable
from linkage.toolchain.sources.rustup import folders, installation, target_std
from linkage.toolchain.sources.staging import Say

NAME = "rustup"
_WORD = re.compile(r"[^.~/\\][^/\\]*")


def claims(spec: str, env: Mapping[str, str]) -> bool:
    """Whether it is a channel, a version or a dated nightly, or a name that the user gave a toolchain."""
    if folders.channel_name(spec):
        return True
    return _WORD.fullmatch(spec) is not None and folders.find(spec, env) is not None


def locate(spec: str, env: Mapping[str, str]) -> tuple[str, Path]:
    """The toolchain in the user's rustup folder, else in the harness's own."""
    folder = folders.find(spec, env)
    if folder is None:
        names = ", ".join(folders.installed(env)) or "none"
        advice = f"linkage toolchains install {spec}"
        raise ToolchainError(
            f"not installed; found: {names}",
            where=f"toolchain {spec}",
            help=f"{advice}, or write ./{spec}" if os.path.lexists(spec) else advice,
        )
    return folders.short_name(folder.name, folders.machine_host()), folders.rustc_of(folder)


def discover(env: Mapping[str, str], _found: Mapping[str, Path]) -> dict[str, Path]:
    """Every toolchain that is installed."""
    return {name: folders.rustc_of(folder) for name, folder in folders.installed(env).items()}


def check(spec: str) -> None:
    """What rustup's servers may have; not the name of a linked toolchain."""
    if not folders.channel_name(spec):
        raise not_installable(spec)


def install(spec: str, options: InstallOptions, env: Mapping[str, str], say: Say) -> None:
    """Let rustup install it into the harness's own folder, unless the user has it; and the std of targets."""
    if folder := folders.find(spec, env):
        say(f"{spec}: already installed: {folders.rustc_of(folder)}")
    else:
        say(f"{spec}: installing with rustup, profile minimal")
        folder = installation.install(spec, env, say)
        say(f"{spec}: installed: {folders.rustc_of(folder)}")
    for target in options.targets:
        target_std.install(spec, target, folder, env, say)


def remove(spec: str, env: Mapping[str, str], say: Say) -> None:
    """Remove it from the harness's own folder."""
    installation.remove(spec, env, say)
