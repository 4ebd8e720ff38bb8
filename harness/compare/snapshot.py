"""A snapshot: what one toolchain made of the cases, as text that a person can read and compare. Pure.

Every output is written once, under a digest of what is said of it; the variants name it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

from harness.compare.model import Built
from harness.compare.sides import Left, Side
from harness.errors import LinkageError

FORMAT = 1
"""Counted up when what stands in it changes its meaning."""

_NAMED = 6  # bytes of an output's digest


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A toolchain's builds by variant."""

    side: Side
    built: Mapping[str, Built]
    left: Mapping[str, Left]
    rules_off: tuple[str, ...] = ()
    linker: str = ""


def encoded(snapshot: Snapshot) -> str:
    """The snapshot as text: a fact a line, everything in an order of its own."""
    outputs: dict[str, Any] = {}
    variants: dict[str, Any] = {}
    for name, built in sorted(snapshot.built.items()):
        data = _bare(msgspec.to_builtins(built, order="deterministic"))
        for step in data.get("steps", ()):
            for role, artifact in step.get("artifacts", {}).items():
                artifact["size"], size = 0, artifact.get("size", 0)
                digest = artifact.pop("digest", "")
                said = _bare({key: value for key, value in artifact.items() if key != "size"})
                known = blake2b(msgspec.json.encode(said, order="sorted"), digest_size=_NAMED).hexdigest()
                outputs[known] = said
                step["artifacts"][role] = f"{known} {size} {digest}"
        variants[name] = data
    data = {
        "format": FORMAT,
        "toolchain": _bare(msgspec.to_builtins(snapshot.side)),
        "rules_off": list(snapshot.rules_off),
        "linker": snapshot.linker,
        "not built": {name: left.reason for name, left in sorted(snapshot.left.items())},
        "variants": variants,
        "outputs": {known: outputs[known] for known in sorted(outputs)},
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def decoded(text: str, file: str) -> Snapshot:
    """The snapshot that a text holds. Raises LinkageError."""
    try:
        data = json.loads(text)
        found = data["format"]
        if found != FORMAT:
            mend = "take it again with this linkage"
            raise LinkageError(f"a snapshot of format {found}, this is {FORMAT}", where=file, mend=mend)
        for built in data["variants"].values():
            for step in built.get("steps", ()):
                for role, said in step.get("artifacts", {}).items():
                    known, size, digest = said.split(" ")
                    step["artifacts"][role] = {**data["outputs"][known], "size": int(size), "digest": digest}
        variants = msgspec.convert(data["variants"], dict[str, Built])
        side = msgspec.convert({**data["toolchain"], "snapshot": file}, Side)
        left = {name: Left(name, reason) for name, reason in data["not built"].items()}
        return Snapshot(side, variants, left, tuple(data["rules_off"]), data["linker"])
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        msgspec.ValidationError,
    ) as error:
        why = f"no snapshot of linkage: {type(error).__name__}: {error}"
        raise LinkageError(why[:200], where=file, mend="linkage snapshot TOOLCHAIN -o FILE") from None


def _bare(data: Any) -> Any:  # noqa: ANN401 - what JSON can hold
    """Plain data without what is empty."""
    if isinstance(data, dict):
        kept = {key: _bare(value) for key, value in data.items()}
        return {key: value for key, value in kept.items() if value not in (None, "", [], {}, 0, False)}
    return [_bare(value) for value in data] if isinstance(data, (list, tuple)) else data
