"""The std of other targets for an unpacked compiler: from Debian's packages, else compiled from `rust-src`.

For another architecture of Debian it is that architecture's own std; for WebAssembly and Windows there are
packages for all architectures. All are of the compiler's version.
"""

import fnmatch
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from linkage.errors import AbsentStdError, ToolchainError
from linkage.toolchain.sources import rust_src, std_build
from linkage.toolchain.sources.debian import installed
from linkage.toolchain.sources.debian.apt import Apt
from linkage.toolchain.sources.debian.installed import CompilerRecord, UnpackedCompiler
from linkage.toolchain.sources.debian.packages import Package
from linkage.toolchain.sources.debian.version_search import VersionSearch
from linkage.toolchain.sources.protocol import InstallOptions
from linkage.toolchain.sources.staging import Say, staging

_ARCHITECTURES = {
    "x86_64-unknown-linux-gnu": "amd64", "aarch64-unknown-linux-gnu": "arm64",
    "armv7-unknown-linux-gnueabihf": "armhf", "armv5te-unknown-linux-gnueabi": "armel",
    "i686-unknown-linux-gnu": "i386", "loongarch64-unknown-linux-gnu": "loong64",
    "mips64el-unknown-linux-gnuabi64": "mips64el", "mipsel-unknown-linux-gnu": "mipsel",
    "powerpc64le-unknown-linux-gnu": "ppc64el", "riscv64gc-unknown-linux-gnu": "riscv64",
    "s390x-unknown-linux-gnu": "s390x",
}  # fmt: skip
"""Debian's architectures: https://wiki.debian.org/Multiarch/Tuples."""
_FOR_ALL = {"wasm32-*": "wasm32", "*-pc-windows-gnu": "windows"}
"""What `libstd-rust-dev-…` has, for all architectures, by target."""
_STD = "libstd-rust"


def install(
    compiler: UnpackedCompiler, text: str, options: InstallOptions, env: Mapping[str, str], say: Say
) -> None:
    """Unpack or compile the std of each target that is asked for and not there.

    Each appears when it is complete. Raises ToolchainError for a target for which Debian has none, if it can
    not be compiled either.
    """
    if not options.targets:
        return
    home = compiler.folder.parent
    with staging(home, text, say) as staged:
        search = VersionSearch(compiler.record, home, options, env, text, say)
        for target in options.targets:
            record = (installed.read(compiler.folder) or compiler).record
            if _has(compiler, target, env, text):
                say(f"{text}: std for {target} is already installed")
                continue
            try:
                apt, packages = search.find(*_packages(target, record, text))
            except AbsentStdError as none_unpacked:
                _compile(compiler, search, target, staged, env, text, say, none_unpacked)
                continue
            _put(search, apt, packages, target, compiler.folder, staged, text)
            unpacked = record.unpacked | {package.name: package.version for package in packages}
            installed.write(msgspec.structs.replace(record, unpacked=unpacked), compiler.folder)
            say(f"{text}: installed std for {target}")


def _has(compiler: UnpackedCompiler, target: str, env: Mapping[str, str], text: str) -> bool:
    """Whether it has the target's std; one that was compiled here counts only for the same compiler."""
    folder = compiler.folder / "usr/lib/rustlib" / target
    if (folder / std_build.RECORD).exists():
        return std_build.usable(rust_src.compiler_of(compiler.rustc, env, text), target)
    return any((folder / "lib").glob("libcore-*.rlib"))


def _packages(target: str, record: CompilerRecord, text: str) -> tuple[list[str], str]:
    """The packages with a target's std, and their architecture; empty if they are for all."""
    dev = next((name for name in record.unpacked if name.startswith(_STD) and name.endswith("-dev")), "")
    for pattern, name in _FOR_ALL.items():
        if dev and fnmatch.fnmatchcase(target, pattern):
            return [f"{dev}-{name}"], ""
    architecture = _ARCHITECTURES.get(target)
    if architecture is None or not dev:
        raise AbsentStdError(f"Debian has no std for {target}", where=f"toolchain {text}")
    own = [name for name in record.unpacked if name.startswith(_STD) and ":" not in name]
    names = [name for name in own if not name.endswith(tuple(_FOR_ALL.values()))]
    return [f"{name}:{architecture}" for name in names], architecture


def _compile(
    compiler: UnpackedCompiler,
    search: VersionSearch,
    target: str,
    staged: Path,
    env: Mapping[str, str],
    text: str,
    say: Say,
    none_unpacked: AbsentStdError,
) -> None:
    """Compile the std of a target for which nothing can be unpacked, for the reason that is given."""
    say(f"{text}: {none_unpacked.what}: it is compiled here")
    try:
        source = search.source(compiler.folder / "usr", staged)
    except ToolchainError as error:
        raise ToolchainError(
            f"{none_unpacked.what}, and it cannot be compiled: {error.what}",
            where=f"toolchain {text}",
            help=error.help,
        ) from error
    own = rust_src.compiler_of(compiler.rustc, env, text)
    std_build.install(own, source, target, staged, env, say, who=text)


def _put(
    search: VersionSearch,
    apt: Apt,
    packages: Sequence[Package],
    target: str,
    folder: Path,
    staged: Path,
    text: str,
) -> None:
    """Unpack packages beside the compiler, and move the target's folder into its sysroot."""
    root = staged / f"package-{target}"
    search.put(apt, packages, staged, root)
    unpacked = root / "usr/lib/rustlib" / target
    if not any((unpacked / "lib").glob("libcore-*.rlib")):
        raise ToolchainError(
            f"{packages[0].name} {packages[0].version} has no std for {target}", where=f"toolchain {text}"
        )
    # Its libraries may be links to other folders of the package: they become files.
    complete = staged / f"complete-{target}"
    shutil.copytree(unpacked, complete)
    complete.rename(folder / "usr/lib/rustlib" / target)
