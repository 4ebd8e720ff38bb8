"""Toolchains of rustup: those of the user, and those in a rustup folder of the harness."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.toolchain.sources.protocol import InstallOptions, not_installable
from linkage.toolchain.sources.rustup import folders, installation
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
    if there := folders.find(spec, env):
        say(f"{spec}: already installed: {folders.rustc_of(there)}")
        for target in options.targets:
            if has_std(there, target):
                say(f"{spec}: std for {target} is already installed")
            else:
                say(f"{spec}: installing std for {target} with rustup")
                installation.add_target(spec, target, there, env)
        return
    say(
        f"{spec}: installing with rustup, profile minimal{', with std for ' if options.targets else ''}"
        f"{', '.join(options.targets)}"
    )
    folder = installation.install(spec, env, say, options.targets)
    say(f"{spec}: installed: {folders.rustc_of(folder)}")


def has_std(toolchain: Path, target: str) -> bool:
    """Whether a toolchain's folder has the std of a target, or its core if it has no std."""
    return any((toolchain / "lib" / "rustlib" / target / "lib").glob("libcore-*.rlib"))


def remove(spec: str, env: Mapping[str, str], say: Say) -> None:
    """Remove it from the harness's own folder."""
    installation.remove(spec, env, say)
