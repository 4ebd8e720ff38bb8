"""Installing and removing toolchains of either kind, by their specs."""

from collections.abc import Iterable, Mapping

from linkage.errors import ToolchainError
from linkage.toolchain import rustup
from linkage.toolchain import rustup_install as by_rustup
from linkage.toolchain.debian import install as by_apt
from linkage.toolchain.debian.install import Options
from linkage.toolchain.debian.spec import is_debian, parse
from linkage.toolchain.staging import Say

__all__ = ["Options", "check", "install", "remove"]


def check(specs: Iterable[str]) -> None:
    """Raise ToolchainError for a spec that is nobody's to install, before anything is done."""
    for spec in specs:
        if is_debian(spec):
            parse(spec)
        elif not rustup.channel_name(spec):
            raise ToolchainError(
                "it is neither a rustup name nor a release or suite of Debian's",
                where=f"toolchain {spec}",
                help="write stable, nightly-2026-05-19, 1.95.0, debian:1.63 or debian:bookworm",
            )


def install(spec: str, options: Options, env: Mapping[str, str], say: Say) -> None:
    """Install a toolchain into a folder of the harness's; one that is found already is left as it is.

    `say` gets a line for each step. Raises ToolchainError with the reason in one line; nothing is
    left half made.
    """
    if is_debian(spec):
        by_apt.install(spec, options, env, say)
        return
    if there := rustup.find(spec, env):
        say(f"{spec}: already installed: {rustup.rustc_of(there)}")
        return
    say(f"{spec}: installing with rustup, profile minimal")
    folder = by_rustup.install(spec, env, say)
    say(f"{spec}: installed: {rustup.rustc_of(folder)}")


def remove(spec: str, env: Mapping[str, str], say: Say) -> None:
    """Remove a toolchain that the harness has installed; never another. Raises ToolchainError otherwise."""
    if is_debian(spec):
        by_apt.remove(spec, env, say)
    else:
        by_rustup.remove(spec, env, say)
