"""A rustc at a path, in a sysroot or a stage folder of rust-lang/rust, or on PATH under its name."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.host.folders import expand_home
from linkage.toolchain.query import ask, first_words
from linkage.toolchain.sources.protocol import InstallOptions, not_installable
from linkage.toolchain.sources.rustup.folders import EXE, machine_host, rustc_of, short_name
from linkage.toolchain.sources.staging import Say

NAME = "path"
_PATH = re.compile(r"(?!debian:)(?:[.~]|.*[/\\])", re.DOTALL)
_MEANINGLESS = {"bin", "usr", "local", "lib", "opt", "libexec", "sysroot", "install", "dist", ""}
_SUFFIXES = {".exe", ".sh", ".py", ".cmd", ".bat"}
_STAGES = ("build/host/stage2", "build/host/stage1", "host/stage2", "host/stage1", "stage2", "stage1")


def claims(spec: str, env: Mapping[str, str]) -> bool:
    """Whether it looks like a path, or names something here or a rustc on PATH."""
    return _PATH.match(spec) is not None or os.path.lexists(spec) or _on_path(spec, env) is not None


def locate(spec: str, env: Mapping[str, str]) -> tuple[str, Path]:
    """The rustc at the path, and a short name for it.

    A rustup proxy is followed to the toolchain behind it, so that no proxy stands between the harness
    and the compiler. Raises ToolchainError if there is no rustc.
    """
    on_path = None if _PATH.match(spec) or os.path.lexists(spec) else _on_path(spec, env)
    rustc = on_path or _rustc_at(Path(expand_home(spec, env)), spec)
    rustc = _behind_proxy(rustc, spec, env) or rustc
    return _name_of(rustc), rustc


def discover(env: Mapping[str, str], found: Mapping[str, Path]) -> dict[str, Path]:
    """The rustc on PATH, if nothing else was found."""
    on_path = None if found else _on_path("rustc", env)
    return {"rustc": on_path} if on_path else {}


def check(spec: str) -> None:
    """A rustc at a path is used where it is."""
    raise not_installable(spec)


def install(spec: str, _options: InstallOptions, _env: Mapping[str, str], _say: Say) -> None:
    """Nothing is installed at a path."""
    raise not_installable(spec)


def remove(spec: str, _env: Mapping[str, str], _say: Say) -> None:
    """Nothing is removed from a path."""
    raise not_installable(spec)


def _on_path(spec: str, env: Mapping[str, str]) -> Path | None:
    found = shutil.which(spec, path=env.get("PATH")) if spec.startswith("rustc") else None
    return Path(found) if found else None


def _behind_proxy(rustc: Path, spec: str, env: Mapping[str, str]) -> Path | None:
    """The rustc that a rustup proxy would start; None if this is not a proxy.

    A proxy is rustup itself under another name, as a link beside it.
    """
    sibling = rustc.parent / f"rustup{EXE}"
    try:
        if not (rustc.resolve().stem == "rustup" or sibling.samefile(rustc)):
            return None
    except OSError:
        return None
    answer = ask([rustc, "--print", "sysroot"], env, who=spec)
    behind = rustc_of(Path(answer.stdout.strip()))
    if answer.status != 0 or not behind.is_file():
        raise ToolchainError(
            f"{rustc} is a rustup proxy without a toolchain: {first_words(answer.stderr)}",
            where=f"toolchain {spec}",
            help="rustup toolchain install stable, or rustup default stable",
        )
    return behind


def _rustc_at(path: Path, spec: str) -> Path:
    where = f"toolchain {spec}"
    if path.is_dir():
        for rustc in (rustc_of(path), path / f"rustc{EXE}"):
            if rustc.is_file():
                return _absolute(rustc)
        stage = next((path / stage for stage in _STAGES if rustc_of(path / stage).is_file()), None)
        name = "name a sysroot, a stage folder such as build/host/stage1, or a rustc"
        raise ToolchainError(
            f"no rustc in the folder {path}: neither bin/rustc nor rustc exists",
            where=where,
            help=f"--toolchain {stage}" if stage else name,
        )
    if not path.exists():
        raise ToolchainError(
            f"no such file: {path}", where=where, help="name a rustc, a sysroot or a stage folder"
        )
    if not path.is_file():
        raise ToolchainError(f"{path} is not a regular file", where=where, help="name a rustc or a sysroot")
    return _absolute(path)


def _absolute(path: Path) -> Path:
    """The absolute path; a link keeps its name, which tells a proxy what it stands for."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the link


def _name_of(rustc: Path) -> str:
    """A short stable name for a path: the file's if it is not just `rustc`, else a folder's."""
    name = rustc.stem if rustc.suffix in _SUFFIXES else rustc.name
    if name != "rustc":
        return name
    for part in reversed(rustc.parent.parts[1:]):
        if part not in _MEANINGLESS:
            return short_name(part, machine_host())
    return "rustc"
