"""`cargo build` of a whole project with a given rustc, and the files that Cargo reports.

Cargo's messages: the Cargo book, chapter "External tools", "JSON messages".
"""

import json
import os
import re
import shutil
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linkage.errors import LinkageError
from linkage.host import process
from linkage.plan.observation import Diagnostic
from linkage.toolchain.model import Toolchain

_TIME_LIMIT = 4 * 3600.0
_OUTPUT_LIMIT = 1 << 30
_NOT_OURS = ("CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "RUSTC", "RUSTC_WRAPPER", "RUSTUP_TOOLCHAIN")
_VERSION = re.compile(r"[#@ ](\d+\.\d+\.\d+[^\s)]*)")
_KINDS = {".rlib": "rlib", ".rmeta": "rmeta", ".a": "staticlib", ".so": "dylib"}
_SHARED = ("proc-macro", "cdylib", "dylib")
_TAIL = 400


@dataclass(frozen=True, slots=True)
class CargoProject:
    """What is built: a folder with a Cargo.toml, and how."""

    folder: Path
    profile: str = "dev"
    offline: bool = False
    linker: str = ""
    arguments: tuple[str, ...] = ()
    """More arguments of `cargo build`."""


@dataclass(frozen=True, slots=True)
class CargoBuilt:
    """The result of a build: its exit status, its diagnostics, and the files that it produced, by name."""

    status: int
    diagnostics: tuple[Diagnostic, ...]
    files: Mapping[str, Path]
    stderr: str


def cargo_of(toolchain: Toolchain, path: str | None) -> Path | None:
    """The Cargo of a toolchain, else the one on PATH."""
    own = toolchain.sysroot / "bin" / "cargo"
    if os.access(own, os.X_OK):
        return own
    found = shutil.which("cargo", path=path)
    return Path(found) if found else None


def cargo_build(
    project: CargoProject,
    toolchain: Toolchain,
    cargo: Path,
    target: Path,
    environment: Mapping[str, str],
    jobs: int,
) -> CargoBuilt:
    """Build a project into the folder `target`. Raises LinkageError if Cargo cannot be run."""
    manifest = project.folder / "Cargo.toml"
    if not manifest.is_file():
        raise LinkageError("no Cargo.toml", where=str(project.folder), help="name a Cargo project")
    argv: list[str | Path] = [cargo, "build", "--message-format=json", *project.arguments]
    if not any(one == "--release" or one.startswith("--profile") for one in project.arguments):
        argv.append(f"--profile={project.profile}")
    if not project.arguments and _is_workspace(manifest):
        argv.append("--workspace")  # for a member, only what it needs
    argv += [f"--jobs={jobs}", "--manifest-path", manifest.absolute(), *(["--offline"] * project.offline)]
    env = {key: value for key, value in environment.items() if key not in _NOT_OURS}
    env |= {"RUSTC": str(toolchain.rustc), "CARGO_TARGET_DIR": str(target), "CARGO_INCREMENTAL": "0"}
    env |= flags_for(project.linker, env)
    try:
        result = process.run(
            argv, env=env, cwd=project.folder, time_limit=_TIME_LIMIT, output_limit=_OUTPUT_LIMIT
        )
    except OSError as error:
        raise LinkageError(f"cannot be started: {error.strerror or error}", where=str(cargo)) from None
    stderr = result.stderr.decode("utf-8", "backslashreplace")
    if result.limit is not None:
        raise LinkageError(f"cargo exceeded a limit: {result.limit}", where=str(project.folder))
    reported = list(messages(result.stdout.decode("utf-8", "backslashreplace")))
    if result.status != 0 and not any(one.get("reason") == "compiler-message" for one in reported):
        why = " ".join(stderr.split())[-_TAIL:]
        raise LinkageError(
            f"cargo build failed before it compiled anything: {why}", where=str(project.folder)
        )
    return CargoBuilt(result.status, tuple(_diagnostics(reported)), made(reported), stderr)


def flags_for(linker: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The variable that lets Cargo link with `linker`; none if it is empty."""
    if not linker:
        return {}
    return {"RUSTFLAGS": f"{environment.get('RUSTFLAGS', '')} -Clink-arg=-fuse-ld={linker}".strip()}


def _is_workspace(manifest: Path) -> bool:
    try:
        return "workspace" in tomllib.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False  # Cargo will report what is wrong with it


def messages(stdout: str) -> Iterator[dict[str, Any]]:
    """Cargo's messages; other lines, such as a build script's output, are skipped."""
    for line in stdout.splitlines():
        if line.startswith("{"):
            try:
                data = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(data, dict):
                yield data


def made(reported: Sequence[Mapping[str, Any]]) -> dict[str, Path]:
    """The files of all targets by `NAME.KIND`, with the package's version if two have the same name.

    Raises LinkageError for a message that names none: a macro can print what looks like one.
    """
    try:
        return _named(reported)
    except (KeyError, TypeError, AttributeError):
        raise LinkageError("a message of Cargo about a compiled file does not name it") from None


def _named(reported: Sequence[Mapping[str, Any]]) -> dict[str, Path]:
    found: list[tuple[str, str, str, Path]] = []
    for one in reported:
        if one.get("reason") == "compiler-artifact":
            target = one["target"]
            for file in map(Path, one["filenames"]):
                kind = _kind(file, target["kind"])
                if kind is not None:
                    found.append((target["name"].replace("-", "_"), kind, _version(one), file))
    often = Counter(item[:2] for item in found)
    return {
        f"{name}{f'@{version}' if often[name, kind] > 1 else ''}.{kind}": file
        for name, kind, version, file in found
    }


def _kind(file: Path, kinds: Sequence[str]) -> str | None:
    if file.suffix == ".so":
        return next((kind for kind in _SHARED if kind in kinds), "dylib")
    if file.suffix in _KINDS:
        return _KINDS[file.suffix]
    if file.suffix:
        return None  # a separate file of debug information
    return "build-script" if "custom-build" in kinds else "bin"


def _version(message: Mapping[str, Any]) -> str:
    found = _VERSION.search(str(message.get("package_id", "")))
    return found[1] if found else "?"


def _diagnostics(reported: Sequence[Mapping[str, Any]]) -> Iterator[Diagnostic]:
    for one in reported:
        message = one.get("message")
        if one.get("reason") == "compiler-message" and isinstance(message, dict):
            code = message.get("code")
            yield Diagnostic(
                str(message.get("level", "")),
                str(message.get("message", "")),
                str(code["code"]) if isinstance(code, dict) and code.get("code") else None,
                str(message.get("rendered") or ""),
            )
