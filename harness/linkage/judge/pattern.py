"""Patterns of names: exact, glob, regex, demangled path, or a symbol group. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from linkage.artifact.demangle import demangled_path
from linkage.case.regular_expression import RegularExpression, glob, own
from linkage.case.symbol_groups import RENAMED, groups
from linkage.case.variables import REFERENCE
from linkage.toolchain.version import RustcVersion

VERSION_MARK = "@"
PATH = "path:"
"""What a pattern of a demangled path starts with."""


class VersionedName(str):
    """A symbol's name with its version, `foo@@V2`; a pattern without `@` is about the name alone."""

    __slots__ = ("plain",)
    plain: str

    @classmethod
    def of(cls, plain: str, versioned: str) -> "VersionedName":
        """The name `plain` with its version."""
        name = cls(versioned)
        name.plain = plain
        return name


def plain_name(name: str) -> str:
    """A name without its version."""
    return name.plain if isinstance(name, VersionedName) else name


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern as it was written, and what it matches."""

    text: str
    exact: str | None
    """The only name that it matches; None for a glob, regex, path or group."""
    matches: Callable[[str], bool]


def compile_patterns(texts: Iterable[str], version: RustcVersion) -> tuple[Pattern, ...]:
    """Patterns for one claim and one compiler: a group matches the names that this compiler uses.

    What matches raises PatternError if it takes too long.
    """
    return tuple(_timed(text) if _is_regex(text) else _compile(text, version) for text in texts)


def _is_regex(text: str) -> bool:
    return len(text) > 1 and text.startswith("/") and text.endswith("/")


def _timed(text: str) -> Pattern:
    """A regex of a case: it is made for each claim, which has one time limit."""
    search = RegularExpression(text[1:-1]).search
    return _with_or_without_version(Pattern(text, None, lambda name: search(name) is not None))


@lru_cache(maxsize=4096)
def _compile(text: str, version: RustcVersion) -> Pattern:
    return _with_or_without_version(_of_names(text, version))


def _with_or_without_version(found: Pattern) -> Pattern:
    if VERSION_MARK in found.text:
        return found
    return Pattern(found.text, found.exact, lambda name: found.matches(plain_name(name)))


def _of_names(text: str, version: RustcVersion) -> Pattern:
    """A pattern of names as they are written, versions included."""
    reference = REFERENCE.fullmatch(text)
    if reference and reference[1] in groups():
        inner = tuple(_compile(one, version) for one in groups()[reference[1]].patterns(version))
        return Pattern(text, None, lambda name: _any(inner, RENAMED.sub("", name)))
    if _is_regex(text):  # of a group: it is ours, and needs no time limit
        search = own(text[1:-1])
        return Pattern(text, None, lambda name: search(name) is not None)
    if text.startswith(PATH):
        match = glob(text[len(PATH) :])
        return Pattern(text, None, lambda name: match(demangled_path(name)) is not None)
    if any(char in text for char in "*?[") and not text.startswith("="):
        match = glob(text)
        return Pattern(text, None, lambda name: match(name) is not None)
    exact = text.removeprefix("=")  # `=` marks a name that looks like a glob
    return Pattern(text, exact, lambda name: name == exact)


def _any(patterns: Iterable[Pattern], name: str) -> bool:
    return any(one.matches(name) for one in patterns)


def spelt(text: str, version: RustcVersion) -> str:
    """A pattern for a message: a group with the names in it."""
    reference = REFERENCE.fullmatch(text)
    if reference and reference[1] in groups():
        listed = groups()[reference[1]].patterns(version)
        return f"{text} ({', '.join(listed) or 'no names on this compiler'})"
    return text
