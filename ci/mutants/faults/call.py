"""A command line of rustc, as far as faults need to know it. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import PurePath

_APART = ("-C", "-Z", "-l", "-A", "-W", "-D")
"""Flags whose value may be a separate word; here it is joined to them."""
_WITH_VALUE = ("--cfg", "--check-cfg", "--extern", "-L", "-o", "--out-dir", "--print", "--emit", "--target")
_COMPILES_TOO = ("native-static-libs", "link-args")
"""The kinds of `--print` with which rustc also compiles."""


@dataclass(frozen=True)
class Call:
    """A command line without its program."""

    words: tuple[str, ...]
    first_half: tuple[str, ...] = ()
    """With -Zlink-only: the crate types of the .rlink, if they are known."""

    @classmethod
    def of(cls, words: Sequence[str], first_half: Sequence[str] = ()) -> "Call":
        joined: list[str] = []
        for word in words:
            if joined and joined[-1] in _APART:
                joined[-1] += word
            else:
                joined.append(word)
        return cls(tuple(joined), tuple(first_half))

    def has(self, *patterns: str) -> bool:
        """Whether a word matches one of these globs."""
        return any(_fits(word, patterns) for word in self.words)

    def without(self, *patterns: str) -> list[str]:
        return [word for word in self.words if not _fits(word, patterns)]

    def without_option(self, name: str) -> list[str]:
        """The words without an option and its value, which is the next word."""
        kept: list[str] = []
        skip = False
        for word in self.words:
            if not skip and word != name:
                kept.append(word)
            skip = not skip and word == name
        return kept

    def changed(self, pattern: str, change: Callable[[str], str]) -> list[str]:
        return [change(word) if fnmatchcase(word, pattern) else word for word in self.words]

    def value(self, name: str) -> str | None:
        """The first value of an option."""
        return next(iter(self.values(name)), None)

    def values(self, name: str) -> list[str]:
        """The values of an option, written `NAME VALUE` or `NAME=VALUE`."""
        return [
            word if before == name else word.partition("=")[2]
            for before, word in zip(("", *self.words), self.words, strict=False)
            if before == name or word.startswith(f"{name}=")
        ]

    @cached_property
    def source(self) -> str | None:
        """The file that is compiled, `-` for standard input."""
        before = ""
        for word in self.words:
            if word == "-" or (
                word.endswith(".rs") and not word.startswith("-") and before not in _WITH_VALUE
            ):
                return word
            before = word
        return None

    @property
    def link_only(self) -> bool:
        return "-Zlink-only" in self.words

    @property
    def compiles(self) -> bool:
        """Whether it compiles or links, instead of only printing something."""
        asked = [word for word in (self.value("--print"),) if word is not None]
        if any(word.partition("=")[0] not in _COMPILES_TOO for word in asked):
            return False
        return self.source is not None or self.link_only

    @cached_property
    def crate_types(self) -> tuple[str, ...]:
        """As given; empty for -Zlink-only if they are not known."""
        given = [
            kind
            for before, word in zip(("", *self.words), self.words, strict=False)
            for kind in _crate_types(before, word)
        ]
        return self.first_half if self.link_only else tuple(given) or ("bin",)

    def makes(self, *kinds: str) -> bool:
        """Whether it may link an output of one of these crate types."""
        linked = "-Zno-link" not in self.words and self.emits("link")
        unknown = self.link_only and not self.first_half
        return self.compiles and linked and (unknown or any(one in self.crate_types for one in kinds))

    def emits(self, kind: str) -> bool:
        """Whether it emits this kind of output."""
        asked = [one.partition("=")[0] for value in self.values("--emit") for one in value.split(",")]
        return kind in (asked or ["link"])

    @property
    def crate(self) -> str | None:
        """The crate's name, if the command line determines it."""
        named = self.value("--crate-name")
        if named is not None or self.source in (None, "-"):
            return named
        return PurePath(self.source or "").stem.replace("-", "_")


def _crate_types(before: str, word: str) -> list[str]:
    if before == "--crate-type":
        return word.split(",")
    return word.partition("=")[2].split(",") if word.startswith("--crate-type=") else []


def _fits(word: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(word, pattern) for pattern in patterns)
