"""Toolchains from a Debian archive: resolved by apt and unpacked into a folder of the harness.

Distribution packagers have them at hand, and so has everyone whose network reaches a package
mirror but no server of rust-lang.org.
"""

from collections.abc import Mapping
from pathlib import Path

from linkage.host.folders import expand_home
from linkage.toolchain.sources.debian import dynamic_std, foreign_std, installation
from linkage.toolchain.sources.debian.dynamic_std import BaseCompiler
from linkage.toolchain.sources.debian.installation import remove
from linkage.toolchain.sources.debian.installed import compilers, locate
from linkage.toolchain.sources.debian.spec import PREFIX, FolderSpec, parse
from linkage.toolchain.sources.protocol import InstallOptions
from linkage.toolchain.sources.staging import Say

__all__ = ["NAME", "check", "claims", "discover", "install", "locate", "remove"]

NAME = "debian"
_DYNAMIC = "-dynamic"


def claims(spec: str, _env: Mapping[str, str]) -> bool:
    """Whether it begins with `debian:`."""
    return spec.startswith(PREFIX)


def discover(env: Mapping[str, str], _found: Mapping[str, Path]) -> dict[str, Path]:
    """Every compiler that is unpacked in the harness's folder."""
    return {one.spec: one.rustc for one in compilers(env)}


def check(spec: str) -> None:
    """A release or a suite, or a folder, for which `install` says that it need not be installed."""
    parse(spec)


def install(spec: str, options: InstallOptions, env: Mapping[str, str], say: Say) -> None:
    """Unpack it into the harness's folder, unless it is there; and the std of targets beside its own.

    `debian:1.85-dynamic` is made of `debian:1.85`, and `debian:/path-dynamic` of the folder `debian:/path`.
    """
    if spec.endswith(_DYNAMIC):
        home = installation.home_of(env, spec)
        base = _base(spec.removesuffix(_DYNAMIC), options, env, say)
        compiler = dynamic_std.install(base, home, spec, options, env, say)
    else:
        compiler = installation.install(spec, options, env, say)
    foreign_std.install(compiler, spec, options, env, say)


def _base(spec: str, options: InstallOptions, env: Mapping[str, str], say: Say) -> BaseCompiler:
    """The compiler that one with a dynamic std is made of. Raises ToolchainError if it is not there."""
    parsed = parse(spec)
    if isinstance(parsed, FolderSpec):
        _, rustc = locate(spec, env)
        root = Path(expand_home(parsed.path, env)).absolute()
        return BaseCompiler(root, rustc, None)
    one = installation.install(spec, options, env, say)
    return BaseCompiler(one.folder, one.rustc, one.record)
