"""A snapshot: what one toolchain made of the cases, as text that a person can read and compare. Pure.

Every output and every table is written once, under a digest of what is said of it.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

from harness.compare.model import Built
from harness.compare.sides import Left, Side
from harness.errors import LinkageError

FORMAT = 1
"""Counted up when what stands in it changes its meaning."""

_AND = " | "
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
    tables = _Interned()
    variants: dict[str, Any] = {}
    for name, built in sorted(snapshot.built.items()):
        data = _bare(msgspec.to_builtins(built, order="deterministic"))
        for step in data.get("steps", ()):
            for role, artifact in step.get("artifacts", {}).items():
                artifact["size"], size = 0, artifact.get("size", 0)
                digest = artifact.pop("digest", "")
                said = _bare({key: value for key, value in artifact.items() if key != "size"})
                known = blake2b(msgspec.json.encode(said, order="sorted"), digest_size=_NAMED).hexdigest()
                outputs[known] = _tables(said, tables.name)
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
        "tables": {known: tables.known[known] for known in sorted(tables.known)},
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
                    read = _tables(data["outputs"][known], lambda name: _read(data["tables"][name]))
                    step["artifacts"][role] = {**read, "size": int(size), "digest": digest}
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


class _Interned:
    """Tables that many outputs share, each once."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}

    def name(self, table: Mapping[str, Sequence[str]]) -> str:
        written = {name: _in_a_line(values) for name, values in table.items()}
        name = blake2b(msgspec.json.encode(written, order="sorted"), digest_size=_NAMED).hexdigest()
        self.known[name] = written
        return name


def _read(table: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: _from_a_line(value) for name, value in table.items()}


def _tables(artifact: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """An output with each of its tables changed."""

    def changed(data: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
        return {key: change(value) if key in keys else value for key, value in data.items()}

    found = changed(artifact, ("exports", "imports"))
    if "parts" in found:
        parts = found["parts"].items()
        found["parts"] = {name: changed(part, ("symbols", "private", "sections")) for name, part in parts}
    return found


def _in_a_line(values: Iterable[str]) -> str:
    counts = Counter(values)
    return _AND.join(f"{value} *{count}" if count > 1 else value for value, count in sorted(counts.items()))


def _from_a_line(text: str) -> list[str]:
    found: list[str] = []
    for one in text.split(_AND):
        value, _, count = one.rpartition(" *")
        found += [value] * int(count) if value and count.isdecimal() else [one]
    return found


def _bare(data: Any) -> Any:  # noqa: ANN401 - what JSON can hold
    """Plain data without what is empty."""
    if isinstance(data, dict):
        kept = {key: _bare(value) for key, value in data.items()}
        return {key: value for key, value in kept.items() if value not in (None, "", [], {}, 0, False)}
    return [_bare(value) for value in data] if isinstance(data, (list, tuple)) else data
