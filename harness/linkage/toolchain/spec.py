"""Finding the rustc that a spec names.

A spec is a rustup name (`stable`, `nightly-2026-05-19`, `1.95.0`, a full name with its host), a
path to a rustc, a sysroot or a stage folder of rust-lang/rust, `$RUSTC`, the name of a rustc on
PATH, a compiler from a Debian archive (`debian:1.63`, `debian:bookworm`, `debian:/path`), or any of
these with a name of its own before it: `name=path`.
"""

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.toolchain import rustup
from linkage.toolchain.debian import installed as debian
from linkage.toolchain.debian.spec import is_debian
from linkage.toolchain.query import ask, first_words

ENVIRONMENT = "$RUSTC"
_OWN_NAME = re.compile(r"([A-Za-z0-9._+-]+)=(.+)", re.DOTALL)
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._+-]+")
_PATH_LIKE = re.compile(r"^[.~]|[/\\]")
_SAYS_NOTHING = {"bin", "usr", "local", "lib", "opt", "libexec", "sysroot", "install", "dist", ""}
_SUFFIXES = {".exe", ".sh", ".py", ".cmd", ".bat"}
_STAGES = ("build/host/stage2", "build/host/stage1", "host/stage2", "host/stage1", "stage2", "stage1")


@dataclass(frozen=True, slots=True)
class Located:
    """A rustc that was found: what it is called in node ids, what was asked for, where it is."""

    name: str
    spec: str
    rustc: Path


def resolve(spec: str, env: Mapping[str, str]) -> Located:
    """Find the rustc that the spec names, and a short name for it.

    A rustup proxy is followed to the toolchain behind it, so that none stands between the
    harness and the compiler. Raises ToolchainError where there is none, or it is not executable.
    """
    if owned := _OWN_NAME.fullmatch(spec):
        return replace(resolve(owned[2], env), name=owned[1], spec=spec)
    if spec == ENVIRONMENT:
        if not env.get("RUSTC"):
            raise ToolchainError(
                "the environment variable RUSTC is not set",
                where=f"toolchain {spec}",
                help="export RUSTC=/path/to/rustc",
            )
        found = resolve(env["RUSTC"], env)
        return replace(found, spec=spec)
    if not spec.strip():
        raise ToolchainError("a toolchain without a name", help="write stable, or a path to a rustc")
    if is_debian(spec):
        return _located(*debian.locate(spec, env), spec, env)
    if not _PATH_LIKE.search(spec) and (folder := rustup.find(spec, env)):
        return _located(_rustup_name(folder), rustup.rustc_of(folder), spec, env)
    if _PATH_LIKE.search(spec) or os.path.lexists(spec):
        rustc = _rustc_at(Path(_expand_home(spec, env)), spec)
        return _located(None, rustc, spec, env)
    if spec.startswith("rustc") and (on_path := shutil.which(spec, path=env.get("PATH"))):
        return _located(None, Path(on_path), spec, env)
    raise _missing(spec, env)


def resolve_all(specs: Iterable[str], env: Mapping[str, str]) -> list[Located]:
    """Find every spec's rustc; one that is named twice counts once.

    Raises ToolchainError where two different ones would have the same name.
    """
    found: dict[str, Located] = {}
    for spec in specs:
        located = resolve(spec, env)
        first = found.setdefault(located.name, located)
        if first.rustc != located.rustc:
            raise ToolchainError(
                f"{first.rustc} and {located.rustc} would both be called {located.name}",
                where=f"toolchain {spec}",
                help=f"give one a name of its own: --toolchain other={spec}",
            )
    return list(found.values())


def discover(env: Mapping[str, str]) -> list[str]:
    """The specs that a run uses when none is given.

    $RUSTC where it is set, and every toolchain that rustup (the user's, or the private one that
    `ci/` installs) has; where there is neither, the rustc on PATH; and what was installed from
    a Debian archive. A rustc counts once, under its rustup or its archive's name. An empty list
    means that the machine has no rustc.
    """
    unpacked = debian.compilers(env)
    installed = rustup.installed(env)
    own = list(installed)
    known = [rustup.rustc_of(folder) for folder in installed.values()] + [one.rustc for one in unpacked]
    if env.get("RUSTC"):
        own = own if _is_one_of(known, env) else [ENVIRONMENT, *own]
    elif not own and shutil.which("rustc", path=env.get("PATH")):
        own = ["rustc"]
    return own + [one.spec for one in unpacked]


def _is_one_of(known: Iterable[Path], env: Mapping[str, str]) -> bool:
    """Whether $RUSTC is one of these; one that cannot be found is left for `resolve` to report."""
    try:
        chosen = resolve(ENVIRONMENT, env).rustc
    except ToolchainError:
        return False
    return chosen in known


def _located(name: str | None, rustc: Path, spec: str, env: Mapping[str, str]) -> Located:
    _check_executable(rustc, spec)
    rustc = _behind_proxy(rustc, spec, env) or rustc
    name = name or _name_of(rustc)
    return Located(_NOT_IN_A_NAME.sub("-", name).strip("-") or "rustc", spec, rustc)


def _check_executable(rustc: Path, spec: str) -> None:
    if not os.access(rustc, os.X_OK):
        raise ToolchainError(
            f"{rustc} is not executable",
            where=f"toolchain {spec}",
            help=f"chmod +x {rustc}, or name another rustc",
        )


def _behind_proxy(rustc: Path, spec: str, env: Mapping[str, str]) -> Path | None:
    """The rustc that a rustup proxy would start; None where it is no proxy.

    A proxy is rustup itself under another name, as a link beside it.
    """
    sibling = rustc.parent / f"rustup{rustup.EXE}"
    try:
        if not (rustc.resolve().stem == "rustup" or sibling.samefile(rustc)):
            return None
    except OSError:
        return None
    answer = ask([rustc, "--print", "sysroot"], env, who=spec)
    behind = rustup.rustc_of(Path(answer.stdout.strip()))
    if answer.status != 0 or not behind.is_file():
        raise ToolchainError(
            f"{rustc} is rustup's proxy and has no toolchain to start: {first_words(answer.stderr)}",
            where=f"toolchain {spec}",
            help="rustup toolchain install stable, or rustup default stable",
        )
    return behind


def _rustc_at(path: Path, spec: str) -> Path:
    if path.is_dir():
        for rustc in (rustup.rustc_of(path), path / f"rustc{rustup.EXE}"):
            if rustc.is_file():
                return _absolute(rustc)
        stage = next((path / stage for stage in _STAGES if rustup.rustc_of(path / stage).is_file()), None)
        raise ToolchainError(
            f"there is no rustc in the folder {path}: neither bin/rustc nor rustc",
            where=f"toolchain {spec}",
            help=f"--toolchain {stage}"
            if stage
            else "name a sysroot, a stage folder such as build/host/stage1, or a rustc",
        )
    if not path.exists():
        raise ToolchainError(
            f"there is no file {path}",
            where=f"toolchain {spec}",
            help="name a rustc, a sysroot or a stage folder",
        )
    if not path.is_file():
        raise ToolchainError(f"{path} is not a file that can be started", where=f"toolchain {spec}")
    return _absolute(path)


def _absolute(path: Path) -> Path:
    """The path from the root; a link keeps its name, by which a proxy decides what it is."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the link


def _name_of(rustc: Path) -> str:
    """A short stable name for a path: its file's, where that says something, else its folder's."""
    name = rustc.stem if rustc.suffix in _SUFFIXES else rustc.name
    if name != "rustc":
        return name
    for part in reversed(rustc.parent.parts[1:]):
        if part not in _SAYS_NOTHING:
            return _rustup_name(Path(part))
    return "rustc"


def _rustup_name(folder: Path) -> str:
    return rustup.short_name(folder.name, rustup.machine_host())


def _expand_home(spec: str, env: Mapping[str, str]) -> str:
    if spec == "~" or spec.startswith("~/"):
        return env.get("HOME", "~") + spec[1:]
    return spec


def _missing(spec: str, env: Mapping[str, str]) -> ToolchainError:
    have = [*rustup.installed(env), *(one.spec for one in debian.compilers(env))]
    names = ", ".join(have) or "none"
    help = (
        f"linkage toolchains install {spec}"
        if rustup.channel_name(spec)
        else "write a rustup name, a path to a rustc, or debian:RELEASE"
    )
    return ToolchainError(f"no toolchain {spec}; installed: {names}", where=f"toolchain {spec}", help=help)
