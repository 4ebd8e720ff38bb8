"""Compiles the std of a target for which nobody ships one, from the compiler's own `rust-src`.

cargo does it (`-Zbuild-std`), as
https://doc.rust-lang.org/nightly/cargo/reference/unstable.html#build-std describes: for an empty crate of
ours, whose dependencies are then the target's std. It makes rlibs, no dynamic std.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from linkage.errors import ToolchainError
from linkage.host.decoding import MALFORMED
from linkage.toolchain.query import Reply, ask
from linkage.toolchain.sources.rust_src import RustSource, StdCompiler
from linkage.toolchain.sources.staging import Say, take_away

RECORD = "built-std.json"
_TIME_LIMIT = 3600.0
_PACKAGE = "std_of_a_target"
_MANIFEST = f"""[package]
name = "{_PACKAGE}"
version = "0.0.0"
edition = "2021"

[workspace]
"""
_WITH_STD = ("std", "panic_unwind", "panic_abort", "proc_macro", "test")
_WITHOUT_STD = ("core", "alloc")
_MINGW_OBJECTS = ("rsbegin", "rsend")
"""What every program for windows-gnu is linked with, up to 1.96: `library/rtstartup`."""
_CARGO_KEPT = ("CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTRIES_", "CARGO_REGISTRY_")
"""Settings that say how to reach a registry; others change what is compiled."""


class BuiltStd(msgspec.Struct, frozen=True):
    """The origin of a std that was compiled here, stored beside it."""

    compiler: str
    """The identity of the compiler; only that one can use it."""
    source: str
    crates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TargetSpecification:
    """What a compiler says of a target, as far as its std depends on it."""

    has_std: bool
    """False if it can have no std; a target of which the compiler does not know it may have one."""
    mingw_objects: bool


def usable(compiler: StdCompiler, target: str) -> bool:
    """Whether the compiler has the std of the target, and not one that another compiler made."""
    found = read(compiler, target)
    return compiler.has(target) and (found is None or found.compiler == compiler.identity)


def read(compiler: StdCompiler, target: str) -> BuiltStd | None:
    """The record of a std that was compiled here; None for one that was unpacked, or for none."""
    file = compiler.libraries(target).parent / RECORD
    try:
        return msgspec.json.decode(file.read_bytes(), type=BuiltStd)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, *MALFORMED):
        return BuiltStd("", "", ())  # damaged: of no compiler


def install(
    compiler: StdCompiler,
    source: RustSource,
    target: str,
    staged: Path,
    env: Mapping[str, str],
    say: Say,
    *,
    who: str,
) -> None:
    """Compile the std of a target and put it into the compiler's sysroot, in which it appears when complete.

    `staged` is a folder on the same file system. Of a target without std it is core and alloc. Raises
    ToolchainError if the compiler does not know the target, or something that is needed is not there.
    """
    source.require(compiler.release, who)
    specification = _ask_specification(compiler, target, env, who)
    crates = _WITH_STD if specification.has_std else _WITHOUT_STD
    say(f"{who}: compiling {' and '.join(crates[:2])} for {target} from {source.origin}")
    new = staged / f"std-{target}"
    libraries = new / "lib"
    libraries.mkdir(parents=True)
    for rlib in _compile(compiler, source, target, crates, staged / f"cargo-{target}", env, who):
        rlib.rename(libraries / rlib.name)
    if specification.mingw_objects:
        _compile_mingw_objects(compiler, source, target, libraries, env, who)
    names = tuple(
        sorted(path.name.removeprefix("lib").partition("-")[0] for path in libraries.glob("*.rlib"))
    )
    record = BuiltStd(compiler.identity, source.origin, names)
    (new / RECORD).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    place = compiler.libraries(target).parent
    if place.exists():  # of another compiler, or damaged
        take_away(place)
    new.rename(place)
    say(f"{who}: installed std for {target}, compiled here: {', '.join(names)}")


def _ask_specification(
    compiler: StdCompiler, target: str, env: Mapping[str, str], who: str
) -> TargetSpecification:
    words: list[str | Path] = [
        compiler.rustc,
        "-Zunstable-options",
        "--print",
        "target-spec-json",
        "--target",
        target,
    ]
    answer = ask(words, env, who=who, bootstrap=True)
    try:
        facts = json.loads(answer.stdout) if answer.status == 0 else None
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise ToolchainError(
            f"rustc {compiler.release} has no target {target}: {answer.complaint}", where=f"toolchain {who}"
        )
    metadata = facts.get("metadata")
    has_std = not (isinstance(metadata, dict) and metadata.get("std") is False)
    return TargetSpecification(has_std, f"{_MINGW_OBJECTS[0]}.o" in answer.stdout)


def _compile(
    compiler: StdCompiler,
    source: RustSource,
    target: str,
    crates: Sequence[str],
    folder: Path,
    env: Mapping[str, str],
    who: str,
) -> list[Path]:
    """The rlibs that cargo made of these crates and of all that they depend on."""
    package = folder / "package"
    (package / "src").mkdir(parents=True)
    (package / "Cargo.toml").write_text(_MANIFEST)
    (package / "src/lib.rs").write_text("#![no_std]\n")
    features = "panic-unwind,backtrace" if "std" in crates else "compiler-builtins-mem"
    words: list[str | Path] = [
        find_cargo(compiler, env, who), "build", "--release", "--target", target,
        "--target-dir", folder / "out", f"-Zbuild-std={','.join(crates)}",
        f"-Zbuild-std-features={features}", *_vendored(source),
    ]  # fmt: skip
    answer = ask(
        words,
        environment(compiler, source, env),
        who=who,
        time_limit=_TIME_LIMIT,
        cwd=package,
        bootstrap=True,
    )
    made = sorted((folder / "out" / target / "release/deps").glob("lib*.rlib"))
    made = [path for path in made if not path.name.startswith(f"lib{_PACKAGE}-")]
    if answer.status != 0 or not all(
        any(one.name.startswith(f"lib{name}-") for one in made) for name in crates
    ):
        raise ToolchainError(
            f"std for {target} cannot be compiled: {_first_error(answer)}",
            where=f"toolchain {who}",
            help=None if source.vendor else f"{source.origin} has no library/vendor: cargo asks crates.io",
        )
    return made


def environment(compiler: StdCompiler, source: RustSource, env: Mapping[str, str]) -> dict[str, str]:
    """The environment for cargo: nothing of the user's that changes what is compiled."""
    kept = {
        name: value
        for name, value in env.items()
        if not name.startswith(("CARGO", "RUSTC")) or name.startswith(_CARGO_KEPT)
    }
    return kept | {
        "RUSTC": str(compiler.rustc),
        "RUSTC_WRAPPER": "",  # an empty value also overrides cargo's configuration files
        "RUSTC_WORKSPACE_WRAPPER": "",
        # cargo has this for its own tests; without it the sources must be in the sysroot.
        "__CARGO_TESTS_ONLY_SRC_ROOT": str(source.library),
        # As rustc's own build has it: bitcode for LTO. The optimiser costs more time than it is worth here.
        # Not --cap-lints=allow: it hides the warnings by which cargo knows the crate types of a target.
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(
            ["-Cembed-bitcode=yes", f"--remap-path-prefix={source.library.parent}=/rust-src"]
        ),
        "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1",
        "CARGO_PROFILE_RELEASE_DEBUG": "0",
    }


def _vendored(source: RustSource) -> Iterator[str]:
    """Arguments that make cargo use the crates in `rust-src`, and nothing else, if it has them."""
    if vendor := source.vendor:
        yield "--offline"
        yield from ("--config", "source.crates-io.replace-with='vendored-sources'")
        yield from ("--config", f"source.vendored-sources.directory={json.dumps(str(vendor))}")


def find_cargo(compiler: StdCompiler, env: Mapping[str, str], who: str) -> Path:
    """The cargo beside the compiler, else the one on PATH. Raises ToolchainError if there is none."""
    beside = compiler.rustc.with_name("cargo" + compiler.rustc.suffix)
    if beside.is_file():
        return beside
    if found := shutil.which("cargo", path=env.get("PATH")):
        return Path(found)
    raise ToolchainError(
        "std is compiled by cargo, and there is no cargo on PATH",
        where=f"toolchain {who}",
        help="install rustup, or the distribution's package cargo",
    )


def _compile_mingw_objects(
    compiler: StdCompiler, source: RustSource, target: str, libraries: Path, env: Mapping[str, str], who: str
) -> None:
    for name in _MINGW_OBJECTS:
        output = libraries / f"{name}.o"
        words: list[str | Path] = [
            compiler.rustc, source.library / f"rtstartup/{name}.rs", f"--target={target}", "--emit=obj",
            "--crate-type=lib", "-L", libraries, "-o", output,
        ]  # fmt: skip
        answer = ask(words, env, who=who, time_limit=_TIME_LIMIT, bootstrap=True)
        if answer.status != 0 or not output.is_file():
            raise ToolchainError(
                f"{name}.o for {target} cannot be compiled: {_first_error(answer)}", where=f"toolchain {who}"
            )


def _first_error(answer: Reply) -> str:
    """The line of the first error, with its reason: cargo gives it below `Caused by:` at times."""
    lines = [line.strip() for line in answer.stderr.splitlines() if line.strip()]
    start = next((number for number, line in enumerate(lines) if line.startswith("error")), None)
    if start is None:
        return answer.summary
    causes = [
        lines[number + 1]
        for number, line in enumerate(lines[:-1])
        if number >= start and line == "Caused by:"
    ]
    return ": ".join([lines[start], *causes[-1:]])
