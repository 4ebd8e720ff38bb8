"""What every source of toolchains can do: find, install and remove the toolchains that its specs name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from linkage.errors import ToolchainError
from linkage.toolchain.sources.staging import Say


@dataclass(frozen=True, slots=True)
class InstallOptions:
    """What a user may ask for: another mirror, keys beside the machine's, no check of signatures."""

    mirror: str | None = None
    keyrings: tuple[Path, ...] = ()
    unsigned: bool = False
    targets: tuple[str, ...] = ()
    """The targets whose std is installed, too."""


class SourceModule(Protocol):
    """A module that knows toolchains of one kind. As PEP 544 says, `self` does not count for a module."""

    NAME: str

    def claims(self, spec: str, env: Mapping[str, str], /) -> bool:
        """Whether the spec names a toolchain of this source, installed or not."""

    def locate(self, spec: str, env: Mapping[str, str], /) -> tuple[str, Path]:
        """The toolchain's name for node ids, and its rustc. Raises ToolchainError if it is not there."""

    def discover(self, env: Mapping[str, str], found: Mapping[str, Path], /) -> dict[str, Path]:
        """The toolchains that a run without `--toolchain` uses: their specs, and the rustc of each.

        `found` holds those of the sources that come before this one.
        """

    def check(self, spec: str, /) -> None:
        """Raise ToolchainError if the spec does not name a toolchain that can be installed and removed."""

    def install(self, spec: str, options: InstallOptions, env: Mapping[str, str], say: Say, /) -> None:
        """Install the toolchain into a folder of the harness; one that is there already is left as it is.

        Raises ToolchainError with the reason in one line; a failed installation leaves nothing behind.
        """

    def remove(self, spec: str, env: Mapping[str, str], say: Say, /) -> None:
        """Remove a toolchain that the harness has installed. Raises ToolchainError for any other."""


def not_installable(spec: str) -> ToolchainError:
    """The error for a spec that no source can install."""
    return ToolchainError(
        "cannot be installed: it is neither a rustup toolchain nor a release or suite of Debian",
        where=f"toolchain {spec}",
        help="write stable, nightly-2026-05-19, 1.95.0, debian:1.63 or debian:bookworm",
    )
