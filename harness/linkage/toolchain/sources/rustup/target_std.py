"""The std of a target in a toolchain of the harness's own: from rustup, else compiled from `rust-src`."""

from collections.abc import Mapping
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.toolchain.sources import rust_src, std_build
from linkage.toolchain.sources.rust_src import RustSource
from linkage.toolchain.sources.rustup import folders, installation
from linkage.toolchain.sources.staging import Say, staging


def install(name: str, target: str, folder: Path, env: Mapping[str, str], say: Say) -> None:
    """Install the std of a target, unless it is there; if rustup has none, compile it.

    Raises ToolchainError, also for a toolchain of the user's own rustup, which is never changed.
    """
    if _has(name, target, folder, env):
        say(f"{name}: std for {target} is already installed")
        return
    if not folder.is_relative_to(installation.own_home(env, name)):
        raise ToolchainError(
            f"{folder} was not installed by linkage, and has no std for {target}",
            where=f"toolchain {name}",
            help=f"rustup target add --toolchain {name} {target}, "
            "or name a version that your rustup does not have, which linkage then installs for itself",
        )
    say(f"{name}: installing std for {target} with rustup")
    try:
        installation.add(name, ("target", "add", target), folder, env)
    except ToolchainError as error:
        why = f"rustup cannot install std for {target}: {error.what}"
    else:
        return
    say(f"{name}: {why}: it is compiled here")
    source = _source(name, folder, env, why)
    compiler = rust_src.compiler_of(folders.rustc_of(folder), env, name)
    with staging(installation.own_home(env, name), name, say) as staged:
        std_build.install(compiler, source, target, staged, env, say, who=name)


def _has(name: str, target: str, folder: Path, env: Mapping[str, str]) -> bool:
    """Whether it has the std, or the core, of a target; a compiled one only of this compiler."""
    place = folder / "lib" / "rustlib" / target
    if (place / std_build.RECORD).exists():
        return std_build.usable(rust_src.compiler_of(folders.rustc_of(folder), env, name), target)
    return any((place / "lib").glob("libcore-*.rlib"))


def _source(name: str, folder: Path, env: Mapping[str, str], why: str) -> RustSource:
    """The sources in the toolchain, or that rustup puts there. Raises ToolchainError."""
    if beside := rust_src.in_sysroot(folder):
        return beside
    try:
        installation.add(name, ("component", "add", "rust-src"), folder, env)
        reason = f"no {folder / rust_src.IN_SYSROOT}"
    except ToolchainError as error:
        reason = error.what
    if added := rust_src.in_sysroot(folder):
        return added
    raise ToolchainError(
        f"{why}, nor rust-src to compile it: {reason}",
        where=f"toolchain {name}",
        help=f"put the sources of the same version into {folder / rust_src.IN_SYSROOT}",
    )
