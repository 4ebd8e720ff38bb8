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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from linkage.errors import ToolchainError
from linkage.toolchain.query import ask
from linkage.toolchain.sources import rust_src
from linkage.toolchain.sources.debian import installation, installed
from linkage.toolchain.sources.debian.installed import CompilerRecord, UnpackedCompiler
from linkage.toolchain.sources.debian.packages import folder_name
from linkage.toolchain.sources.debian.spec import DYNAMIC
from linkage.toolchain.sources.debian.version_search import VersionSearch
from linkage.toolchain.sources.protocol import InstallOptions
from linkage.toolchain.sources.rust_src import RustSource, StdCompiler
from linkage.toolchain.sources.staging import Say, staging, take_away

_BUILT = ("std", "proc_macro")
_REPLACED = (*_BUILT, "test", "getopts", "unicode_width", "rustc_std_workspace_std", "sysroot")
"""Crates that depend on std: with another std they cannot be used."""
_FEATURES = ("addr2line", "backtrace", "miniz_oxide", "object", "panic-unwind")
_TIME_LIMIT = 3600.0


@dataclass(frozen=True, slots=True)
class BaseCompiler:
    """The unpacked compiler that it is made of: its folder, how it is started, and its origin."""

    folder: Path
    rustc: Path
    record: CompilerRecord | None
    """None for a folder that the user unpacked."""


def install(
    base: BaseCompiler, home: Path, text: str, options: InstallOptions, env: Mapping[str, str], say: Say
) -> UnpackedCompiler:
    """Make the compiler with a dynamic std, unless it is there and made of this one.

    Raises ToolchainError with the reason.
    """
    compiler = rust_src.compiler_of(base.rustc, env, text)
    target = home / folder_name(DYNAMIC, compiler.release)
    if found := installed.read(target):
        if found.record.made_of == compiler.identity:
            say(f"{text}: already installed: {found.name}: {found.rustc}")
            return found
        say(f"{text}: {found.name} was made of another compiler, and is made anew")
    lib = compiler.libraries(compiler.host).relative_to(compiler.sysroot)
    if any((compiler.sysroot / lib).glob("libstd-*.so")):
        raise ToolchainError(f"{base.folder} has a dynamic std", where=f"toolchain {text}")
    with staging(home, text, say) as staged:
        record = base.record or CompilerRecord(
            DYNAMIC, compiler.release, compiler.release, (), {}, verified=False
        )
        source = VersionSearch(record, home, options, env, text, say).source(compiler.sysroot, staged)
        source.require(compiler.release, text)
        root = staged / target.name
        shutil.copytree(base.folder, root, symlinks=True, copy_function=_link)
        _replace_std(compiler, source, root / "usr" / lib, env, text, say)
        made = msgspec.structs.replace(
            record, package=DYNAMIC, suites=(), source=source.origin, made_of=compiler.identity
        )
        installation.make_usable(root, made, env, text)
        if target.exists():
            take_away(target)
        root.rename(target)
    done = UnpackedCompiler(target, made)
    say(f"{text}: installed {done.name}, with a dynamic std built from {source.origin}: {done.rustc}")
    return done


def _link(file: str, copy: str) -> None:
    """A second name for a file; a copy of one on another disk."""
    try:
        os.link(file, copy)
    except OSError:
        shutil.copy2(file, copy)


def _replace_std(
    compiler: StdCompiler, source: RustSource, lib: Path, env: Mapping[str, str], text: str, say: Say
) -> None:
    """Put our std in place of the package's, and take away what depends on that."""
    for crate in _REPLACED:
        for old in lib.glob(f"lib{crate}-*"):
            old.unlink()
    for crate in _BUILT:
        say(f"{text}: compiling {crate}")
        _compile(compiler, source.library, crate, lib, env, text)


def _compile(
    compiler: StdCompiler, library: Path, crate: str, lib: Path, env: Mapping[str, str], text: str
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
    arch = compiler.host.partition("-")[0]
    said = {"RUSTC_BOOTSTRAP": "1", "STD_ENV_ARCH": arch, "CFG_RELEASE_CHANNEL": "stable"}
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
