"""The std of other targets for an unpacked compiler: from Debian's packages of the same version.

For another architecture of Debian it is that architecture's own std; for WebAssembly and Windows there are
packages for all architectures.
"""

import fnmatch
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from linkage.errors import AbsentSuiteError, ToolchainError, UnverifiedError
from linkage.toolchain.sources.debian import apt_sources, installed
from linkage.toolchain.sources.debian.apt import Apt, require_programs
from linkage.toolchain.sources.debian.archive import in_order
from linkage.toolchain.sources.debian.installed import CompilerRecord, UnpackedCompiler
from linkage.toolchain.sources.debian.packages import Package
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
    """Unpack the std of each target that is asked for and not there.

    Each appears when it is complete. Raises ToolchainError for a target for which Debian has none, or not of
    the compiler's version.
    """
    wanted = [one for one in options.targets if not _has(compiler.folder, one)]
    for target in options.targets:
        if target not in wanted:
            say(f"{text}: std for {target} is already installed")
    if not wanted:
        return
    require_programs(text, env)
    mirrors = apt_sources.mirrors(env, who=text, mirror=options.mirror, keyrings=options.keyrings)
    home = compiler.folder.parent
    with staging(home, text, say) as staged:
        for target in wanted:
            names, architecture = _packages(target, compiler.record, text)
            foreign = "" if architecture == mirrors.architecture else architecture
            apt, packages = found_in(
                names,
                compiler.record,
                (
                    Apt(
                        home / "apt",
                        suite,
                        mirrors,
                        env,
                        who=text,
                        unsigned=options.unsigned,
                        foreign=foreign,
                    )
                    for suite in suites(compiler.record)
                ),
                text,
                say,
            )
            _put(apt, packages, target, compiler.folder, staged, text, say)
            record = installed.read(compiler.folder) or compiler
            unpacked = record.record.unpacked | {package.name: package.version for package in packages}
            installed.write(msgspec.structs.replace(record.record, unpacked=unpacked), compiler.folder)
            say(f"{text}: installed std for {target}")


def _has(folder: Path, target: str) -> bool:
    return any((folder / "usr/lib/rustlib" / target / "lib").glob("libcore-*.rlib"))


def _packages(target: str, record: CompilerRecord, text: str) -> tuple[list[str], str]:
    """The packages with a target's std, and their architecture; empty if they are for all."""
    dev = next((name for name in record.unpacked if name.startswith(_STD) and name.endswith("-dev")), "")
    for pattern, name in _FOR_ALL.items():
        if fnmatch.fnmatchcase(target, pattern):
            return [f"{dev}-{name}"], ""
    architecture = _ARCHITECTURES.get(target)
    if architecture is None or not dev:
        raise ToolchainError(
            f"Debian has no std for {target}",
            where=f"toolchain {text}",
            help=f"it has those for {', '.join([*_ARCHITECTURES, *_FOR_ALL])}",
        )
    own = [name for name in record.unpacked if name.startswith(_STD) and ":" not in name]
    return [
        f"{name}:{architecture}" for name in own if not name.endswith(tuple(_FOR_ALL.values()))
    ], architecture


def suites(record: CompilerRecord) -> list[str]:
    """The suites in which packages of a compiler's version are searched, in order."""
    return list(dict.fromkeys([*record.suites, *in_order(record.release)]))


def found_in(
    names: list[str], record: CompilerRecord, apts: Iterator[Apt], text: str, say: Say
) -> tuple[Apt, list[Package]]:
    """The packages in the compiler's version, and the apt of a suite that has them. Raises ToolchainError."""
    for apt in apts:
        say(f"{text}: searching {apt.suite}")
        try:
            apt.update()
        except (AbsentSuiteError, UnverifiedError):
            continue
        found = [package for name in names if (package := apt.exact(name, record.version)) is not None]
        if len(found) == len(names):
            return apt, found
    raise ToolchainError(
        f"no suite of the mirror has {' and '.join(names)} of version {record.version}",
        where=f"toolchain {text}",
        help="install the compiler anew, if its suite has a newer one",
    )


def _put(
    apt: Apt, packages: list[Package], target: str, folder: Path, staged: Path, text: str, say: Say
) -> None:
    """Unpack packages beside the compiler, and move the target's folder into its sysroot."""
    root = staged / f"std-{target}"
    for number, package in enumerate(packages, 1):
        say(f"{text}: [{number}/{len(packages)}] {package.name} {package.version}, {package.size >> 20} MiB")
        deb = apt.download(package, staged)
        apt.unpack(deb, root)
        deb.unlink()
    unpacked = root / "usr/lib/rustlib" / target
    if not any((unpacked / "lib").glob("libcore-*.rlib")):
        raise ToolchainError(
            f"{packages[0].name} {packages[0].version} has no std for {target}", where=f"toolchain {text}"
        )
    # Its libraries may be links to other folders of the package: they become files.
    complete = staged / f"complete-{target}"
    shutil.copytree(unpacked, complete)
    complete.rename(folder / "usr/lib/rustlib" / target)
