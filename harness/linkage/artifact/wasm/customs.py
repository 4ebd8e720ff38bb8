"""Custom sections with a format of their own: what a module needs, was made of, and has for features.

Formats: tool conventions: "Dynamic Linking" (DynamicLinking.md: `dylink.0`, and `dylink` before it),
"Producers Section", "Target Features Section" (Linking.md), "Build ID" (BuildId.md).
"""

from dataclasses import dataclass

from linkage.artifact.wasm.file import WasmFile
from linkage.artifact.wasm.leb128 import Cursor
from linkage.artifact.wasm.numbers import (  # fmt: skip
    DYLINK_EXPORTS,
    DYLINK_IMPORTS,
    DYLINK_NEEDED,
    DYLINK_RUNTIME_PATH,
    SYMBOL_TLS,
    SYMBOL_WEAK,
)

_DYLINK, _OLD_DYLINK = "dylink.0", "dylink"
_TEXT_LIMIT = 64  # bytes of a build id; real ones have 8 to 20


@dataclass(frozen=True, slots=True)
class Dylink:
    """What a module that is loaded by another asks for."""

    needed: tuple[str, ...] = ()
    runtime_path: tuple[str, ...] = ()
    tls: bool = False
    weak: frozenset[tuple[bytes, bytes]] = frozenset()
    """The module and the name of each import that may be missing."""


def read_dylink(wasm: WasmFile) -> Dylink | None:
    """What `dylink.0` or `dylink` holds; None if there is neither."""
    cursor = wasm.cursor(_DYLINK)
    if cursor is None:
        return _read_old(wasm.cursor(_OLD_DYLINK))
    needed: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    tls = False
    weak: list[tuple[bytes, bytes]] = []
    for number, content in cursor.parts():
        part = Cursor(content, f"subsection {number} of section {_DYLINK}")
        if number == DYLINK_NEEDED:
            needed = tuple(part.text() for _ in part.vector())
        elif number == DYLINK_RUNTIME_PATH:
            path = tuple(part.text() for _ in part.vector())
        elif number == DYLINK_EXPORTS:
            tls = any((part.name(), part.number())[1] & SYMBOL_TLS for _ in part.vector())
        elif number == DYLINK_IMPORTS:
            listed = [(part.name(), part.name(), part.number()) for _ in part.vector()]
            weak += [one[:2] for one in listed if one[2] & SYMBOL_WEAK]
    return Dylink(needed, path, tls, frozenset(weak))


def _read_old(cursor: Cursor | None) -> Dylink | None:
    if cursor is None:
        return None
    for _ in range(4):  # memory's and table's sizes and alignments
        cursor.skip_number()
    return Dylink(tuple(cursor.text() for _ in cursor.vector()))


def read_features(wasm: WasmFile) -> tuple[str, ...]:
    """The target features with their prefix: `+` used, `-` not allowed, `=` required; sorted."""
    cursor = wasm.cursor("target_features")
    if cursor is None:
        return ()
    found = [chr(cursor.byte()) + cursor.text() for _ in cursor.vector()]
    return tuple(sorted(one if one[0].isprintable() else ascii(one)[1:-1] for one in found))


def read_producers(wasm: WasmFile) -> bytes | None:
    """Languages and tools with their versions, a line each: `processed-by rustc 1.97.0 (...)`."""
    cursor = wasm.cursor("producers")
    if cursor is None:
        return None
    lines = []
    for _ in cursor.vector():
        field = cursor.name()
        lines += [b"%s %s %s" % (field, cursor.name(), cursor.name()) for _ in cursor.vector()]
    return b"\0".join(line.rstrip() for line in lines)


def read_build_id(wasm: WasmFile) -> str | None:
    """The build id in hexadecimal digits."""
    cursor = wasm.cursor("build_id")
    return None if cursor is None else cursor.name()[:_TEXT_LIMIT].hex()
