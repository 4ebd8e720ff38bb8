"""The attributes at the start of a crate's source that rustc reads as it reads its own options.

https://doc.rust-lang.org/reference/crates-and-source-files.html: a byte order mark, a shebang, then inner
attributes among comments. What `cfg_attr` sets is not seen: rustc refuses it for a crate's name and type.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_SHEBANG = re.compile(r"\ufeff?(#!(?!\s*\[).*)?")
_GAP = re.compile(r"(?:\s+|//[^\n]*)+")
_COMMENT = re.compile(r"/\*|\*/")
_OPENING = re.compile(r"#(?:\s|//[^\n]*\n)*!(?:\s|//[^\n]*\n)*\[")
_TOKEN = re.compile(
    r"""//[^\n]* | (?P<open>/\*) | b?r(?P<hashes>\#*)"(?P<raw>.*?)"(?P=hashes)
      | b?"(?P<text>(?:[^"\\]|\\.)*)" | '(?:[^'\\]|\\.)' | (?P<space>\s+) | (?P<word>\w+) | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class CrateAttributes:
    """What a source says of its crate."""

    name: str | None = None
    types: tuple[str, ...] = ()
    no_std: bool = False
    """Whether it says so, or may say so by a `cfg_attr`."""
    no_core: bool = False


@lru_cache(maxsize=1024)
def crate_attributes(source: str) -> CrateAttributes:
    """The attributes of the crate that this source is the root of."""
    names: list[str] = []
    types: list[str] = []
    flags: set[str] = set()
    for tokens in _inner_attributes(source):
        match tokens:
            case ["crate_name", "=", value]:
                names.append(value)
            case ["crate_type", "=", value]:
                types.append(value)
            case ["cfg_attr", *_] if "no_std" in tokens:
                flags.add("no_std")
            case [flag]:
                flags.add(flag)
    return CrateAttributes(
        next(iter(names), None), tuple(dict.fromkeys(types)), "no_std" in flags, "no_core" in flags
    )


def _inner_attributes(source: str) -> Iterator[list[str]]:
    """The tokens of each inner attribute, up to the first thing that is none."""
    start = _SHEBANG.match(source)
    at = start.end() if start else 0
    while True:
        at = _after_gap(source, at)
        opening = _OPENING.match(source, at)
        if opening is None:
            return
        tokens, at = _attribute(source, opening.end())
        yield tokens


def _after_gap(source: str, at: int) -> int:
    """The place after whitespace and comments."""
    while True:
        if found := _GAP.match(source, at):
            at = found.end()
        elif source.startswith("/*", at):
            at = _after_comment(source, at)
        else:
            return at


def _after_comment(source: str, at: int) -> int:
    """The place after a block comment, which may hold others."""
    depth = 0
    for found in _COMMENT.finditer(source, at):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    return len(source)


def _attribute(source: str, at: int) -> tuple[list[str], int]:
    """The tokens of an attribute whose `[` ends at this place, and the place after its `]`."""
    tokens: list[str] = []
    depth = 1
    while found := _TOKEN.match(source, at):
        at = found.end()
        if found["open"]:
            at = _after_comment(source, found.start())
        elif found["raw"] is not None or found["text"] is not None:
            tokens.append(found["raw"] if found["raw"] is not None else found["text"])
        elif found["word"]:
            tokens.append(found["word"])
        elif mark := found["mark"]:
            depth += (mark in "[({") - (mark in "])}")
            if depth == 0:
                return tokens, at
            tokens.append(mark)
    return [], len(source)
