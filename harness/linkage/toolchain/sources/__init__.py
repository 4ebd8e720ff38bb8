"""Where toolchains come from: one table, in which every source fits the same protocol.

A new source is one module or package here and one row in the table.
"""

from collections.abc import Iterable, Mapping

from linkage.toolchain.sources import debian, path, rustup
from linkage.toolchain.sources.protocol import InstallOptions, SourceModule, not_installable
from linkage.toolchain.sources.staging import Say

__all__ = [
    "SOURCES",
    "InstallOptions",
    "Say",
    "SourceModule",
    "check",
    "install",
    "remove",
    "source_of",
]

SOURCES: tuple[SourceModule, ...] = (rustup, path, debian)
"""In this order they are asked whether a spec is theirs, and what a run without `--toolchain` uses."""


def source_of(spec: str, env: Mapping[str, str]) -> SourceModule | None:
    """The source that the spec belongs to; None if no source claims it."""
    return next((source for source in SOURCES if source.claims(spec, env)), None)


def check(specs: Iterable[str], env: Mapping[str, str]) -> None:
    """Raise ToolchainError for a spec that no source can install, before anything is installed."""
    for spec in specs:
        _installer(spec, env).check(spec)


def install(spec: str, options: InstallOptions, env: Mapping[str, str], say: Say) -> None:
    """Install a toolchain into a folder of the harness; `say` gets a line for each step.

    Raises ToolchainError with the reason in one line; a failed installation leaves nothing behind.
    """
    _installer(spec, env).install(spec, options, env, say)


def remove(spec: str, env: Mapping[str, str], say: Say) -> None:
    """Remove a toolchain that the harness has installed. Raises ToolchainError for any other."""
    _installer(spec, env).remove(spec, env, say)


def _installer(spec: str, env: Mapping[str, str]) -> SourceModule:
    if source := source_of(spec, env):
        return source
    raise not_installable(spec)
