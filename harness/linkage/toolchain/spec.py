"""Finding the rustc that a spec names.

A spec is what one of the `sources` claims (a rustup name, a path, `debian:RELEASE`), `$RUSTC` for
such a spec in the environment, or one with a name of its own before it: `name=SPEC`.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.toolchain.sources import SOURCES, source_of

ENVIRONMENT = "$RUSTC"
_OWN_NAME = re.compile(r"([A-Za-z0-9._+-]+)=(.+)", re.DOTALL)
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._+-]+")


@dataclass(frozen=True, slots=True)
class Located:
    """A rustc that was found: its name in node ids, the spec, its path."""

    name: str
    spec: str
    rustc: Path


def resolve(spec: str, env: Mapping[str, str]) -> Located:
    """Find the rustc that the spec names, and a short name for it.

    Raises ToolchainError if there is none, or it is not executable.
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
        return replace(resolve(env["RUSTC"], env), spec=spec)
    if not spec.strip():
        raise ToolchainError("the name of the toolchain is empty", help="write stable, or a path to a rustc")
    source = source_of(spec, env)
    if source is None:
        raise ToolchainError(
            f"no such toolchain; found: {', '.join(_discovered(env)) or 'none'}",
            where=f"toolchain {spec}",
            help="write a rustup name, a path to a rustc, or debian:RELEASE",
        )
    name, rustc = source.locate(spec, env)
    if not os.access(rustc, os.X_OK):
        raise ToolchainError(
            f"{rustc} is not executable",
            where=f"toolchain {spec}",
            help=f"chmod +x {rustc}, or name another rustc",
        )
    return Located(_NOT_IN_A_NAME.sub("-", name).strip("-") or "rustc", spec, rustc)


def resolve_all(specs: Iterable[str], env: Mapping[str, str]) -> list[Located]:
    """Find every spec's rustc; one that is named twice counts once.

    Raises ToolchainError if two different ones would have the same name.
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
    """The specs that a run uses if none is given; an empty list if the machine has no rustc.

    They are $RUSTC if it is set, every toolchain of rustup (the user's, or one that the harness has
    installed), else the rustc on PATH; and what was installed from a Debian archive. A rustc counts
    once, under its rustup or Debian name.
    """
    found: dict[str, Path] = {}
    if env.get("RUSTC"):
        try:
            found[ENVIRONMENT] = resolve(ENVIRONMENT, env).rustc
        except ToolchainError:
            found[ENVIRONMENT] = Path(env["RUSTC"])  # its error is reported when it is used
    found = _discovered(env, found)
    spec_of = {rustc: spec for spec, rustc in found.items()}
    return [spec for spec, rustc in found.items() if spec_of[rustc] == spec]


def _discovered(env: Mapping[str, str], found: Mapping[str, Path] | None = None) -> dict[str, Path]:
    """What every source finds, after what was found before."""
    have = dict(found or {})
    for source in SOURCES:
        have |= source.discover(env, have)
    return have
