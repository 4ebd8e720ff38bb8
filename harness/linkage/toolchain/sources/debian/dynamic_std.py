"""A compiler with a dynamic std, made of an unpacked one: Debian's packages have none from 1.85 on.

rustc compiles the `std` of the package `rust-src` as a dylib and an rlib, against the package's own rlibs of
all that std depends on, and then `proc_macro`, which depends on std. The result is a compiler of its own,
`debian:1.85-dynamic`, beside the one that it is made of, because a compiler cannot tell two stds apart. It
has no `test`, so it compiles nothing with `--test`.
"""

import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from linkage.errors import ToolchainError
from linkage.toolchain.query import ask
from linkage.toolchain.release import verbose_keys
from linkage.toolchain.sources.debian import apt_sources, installed
from linkage.toolchain.sources.debian.apt import Apt, require_programs
from linkage.toolchain.sources.debian.foreign_std import found_in, suites
from linkage.toolchain.sources.debian.installed import UnpackedCompiler
from linkage.toolchain.sources.debian.packages import folder_name
from linkage.toolchain.sources.protocol import InstallOptions
from linkage.toolchain.sources.staging import Say, staging, take_away

FLAVOUR = "rustc-dynamic"
"""In place of the package's name in a record."""
_BUILT = ("std", "proc_macro")
_REPLACED = (*_BUILT, "test", "getopts", "unicode_width", "rustc_std_workspace_std", "sysroot")
"""Crates that depend on std: with another std they cannot be used."""
_FEATURES = ("addr2line", "backtrace", "miniz_oxide", "object", "panic-unwind")
_TIME_LIMIT = 3600.0


def install(
    compiler: UnpackedCompiler, text: str, options: InstallOptions, env: Mapping[str, str], say: Say
) -> None:
    """Make the compiler with a dynamic std, unless it is there. Raises ToolchainError with the reason."""
    record, home = compiler.record, compiler.folder.parent
    target = home / folder_name(FLAVOUR, record.release)
    if found := installed.read(target):
        say(f"{text}: already installed: {found.name}: {found.rustc}")
        return
    host = verbose_keys(ask([compiler.rustc, "-vV"], env, who=text).stdout).get("host", "")
    lib = Path("usr/lib/rustlib", host, "lib")
    if any((compiler.folder / lib).glob("libstd-*.so")):
        raise ToolchainError(f"{compiler.name} has a dynamic std", where=f"toolchain {text}")
    require_programs(text, env)
    mirrors = apt_sources.mirrors(env, who=text, mirror=options.mirror, keyrings=options.keyrings)
    with staging(home, text, say) as staged:
        apts = (
            Apt(home / "apt", suite, mirrors, env, who=text, unsigned=options.unsigned)
            for suite in suites(record)
        )
        apt, (package,) = found_in(["rust-src"], record, apts, text, say)
        say(f"{text}: {package.name} {package.version}, {package.size >> 20} MiB")
        deb = apt.download(package, staged)
        apt.unpack(deb, staged / "src")
        deb.unlink()
        library = next((staged / "src").glob("usr/src/*/library"), None)
        if library is None:
            raise ToolchainError(f"{package.name} has no library", where=f"toolchain {text}")
        root = staged / target.name
        shutil.copytree(compiler.folder, root, symlinks=True, copy_function=os.link)
        for crate in _REPLACED:
            for old in (root / lib).glob(f"lib{crate}-*"):
                old.unlink()
        for crate in _BUILT:
            say(f"{text}: compiling {crate}")
            _compile(compiler, library, crate, root / lib, host, env, text)
        unpacked = record.unpacked | {package.name: package.version}
        made = msgspec.structs.replace(record, package=FLAVOUR, suites=(), unpacked=unpacked)
        installed.write(made, root)
        if target.exists():  # damaged
            take_away(target)
        root.rename(target)
    say(f"{text}: installed {UnpackedCompiler(target, made).name}, with a dynamic std built from rust-src")


def _compile(
    compiler: UnpackedCompiler,
    library: Path,
    crate: str,
    lib: Path,
    host: str,
    env: Mapping[str, str],
    text: str,
) -> None:
    """Compile a crate of the library into the new folder of libraries."""
    manifest = tomllib.loads((library / crate / "Cargo.toml").read_text("utf-8"))
    kinds = ("dylib", "rlib") if crate == "std" else ("rlib",)
    features = _FEATURES if crate == "std" else ()
    words: list[str | Path] = [
        compiler.rustc, library / crate / "src/lib.rs", f"--crate-name={crate}",
        f"--edition={manifest['package']['edition']}", *(f"--crate-type={kind}" for kind in kinds),
        "-Cprefer-dynamic", "-Cmetadata=linkage", "-Cextra-filename=-linkage", "-Copt-level=1",
        "-Cembed-bitcode=yes", "-Zforce-unstable-if-unmarked", "-Zunstable-options", "--cap-lints=allow",
        f"--remap-path-prefix={library.parent}=/usr/src/{library.parent.name}",
        *(word for feature in features for word in ("--cfg", f'feature="{feature}"')),
        "--cfg", "backtrace_in_libstd", *extern_arguments(manifest, lib), "-L", lib, "--out-dir", lib,
    ]  # fmt: skip
    said = {"RUSTC_BOOTSTRAP": "1", "STD_ENV_ARCH": host.partition("-")[0], "CFG_RELEASE_CHANNEL": "stable"}
    answer = ask(words, {**env, **said}, who=text, time_limit=_TIME_LIMIT, cwd=lib.parent, bootstrap=True)
    if answer.status != 0 or not all(
        any(lib.glob(f"lib{crate}-*.{'so' if kind == 'dylib' else kind}")) for kind in kinds
    ):
        raise ToolchainError(f"{crate} cannot be compiled: {answer.complaint}", where=f"toolchain {text}")


def extern_arguments(manifest: Mapping[str, Any], lib: Path) -> Iterator[str]:
    """The crates that a crate depends on and that are there, as rustc's arguments: most are private to it.

    Newer rlibs of Debian hold only a stub of their metadata: the .rmeta beside one counts, too.
    """
    tables = [manifest.get("dependencies", {})]
    tables += [one.get("dependencies", {}) for one in manifest.get("target", {}).values()]
    for name, facts in sorted({name: facts for table in tables for name, facts in table.items()}.items()):
        crate = name.replace("-", "_")
        public = crate in ("alloc", "core", "std") or (isinstance(facts, dict) and facts.get("public"))
        for file in sorted(lib.glob(f"lib{crate}-*.r*")):
            yield "--extern"
            yield f"{'' if public else 'priv:'}{crate}={file}"
