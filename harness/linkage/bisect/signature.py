"""The signature of a failure, by which it is recognized on another compiler. Pure.

A signature has the failure's step, its claim, rustc's error codes, and the words that say what is
wrong, without paths, hashes, numbers and command lines, which differ between compilers. Two failures of
one claim are the same if they share enough of these words.
"""

import re
from dataclasses import dataclass
from typing import Literal

from linkage.artifact.demangle import demangled_path
from linkage.judge.verdict import Failure, Verdict, VerdictKind

Match = Literal["text", "claim", "step"]
"""What must be equal: step, claim and text; step and claim; only the step."""

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_CODE = re.compile(r"\b(E\d{4})\b")
_KEY_LINE = re.compile(
    r"error|undefined|multiple definition|duplicate|cannot|could not|can't|panicked|assert|fatal|not found"
    r"|unresolved|relocation|unknown|invalid|mismatch|signal|was killed|overflow|expected|found",
    re.IGNORECASE,
)
_SAYS_NOTHING = re.compile(
    r"aborting due to|could not compile|linking with .* failed|ld returned \d|linker command failed"
    r"|^\s*(?:= )?note: (?:\S+=\S+ )*\"|For more information about|some errors have detailed"
    r"|running on |built from a source|please attach|this is a bug|query stack|compiler flags:|full-bt",
    re.IGNORECASE,
)
_HASHES = (
    (re.compile(r"17h[0-9a-f]{16}E"), "E"),
    (re.compile(r"Cs[0-9A-Za-z]{6,14}_(?=\d)"), "C"),
    (re.compile(r"-[0-9a-f]{16}(?=\.)"), ""),
    (re.compile(r"(?<![0-9A-Za-z])(?:0x)?[0-9a-f]{8,}(?![0-9A-Za-z])"), ""),
    (re.compile(r"\brustc \d\S*(?: \([^)]*\))?"), "rustc"),
    (re.compile(r"\S*/(\w+\.rs):\d+:\d+"), r"\1"),
    (re.compile(r"[\w.+-]+\.rcgu\.\w+|[\w.+-]*\.cgu\.\d+"), "object"),
    (re.compile(r"(?:\$WORK|\.{0,2}/)[^\s:'\"`,()]*/"), ""),
)
_MANGLED = re.compile(r"(?<!\w)_(?:ZN|R)\w+")
_WORD = re.compile(r"[A-Za-z]{2,}")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "in of to the an is as at by it and for with was not no error undefined reference symbol function "
        "exit status found expected line note help usr bin ld cc collect rust lib object file "
        "thread rustc also missing more names nothing there has lacks",
    )
)
_UNDEFINED = re.compile(
    r"undefined (?:reference to|symbol|symbols?:|hidden symbol:)[ :]*(?:[`'\"]?)([^\s`'\"(]+)['\"]?"
    r"|multiple definition of [`']([^`']+)'|duplicate symbol: (\S+)"
)
"""Undefined or duplicate symbols, in the words of GNU ld and lld."""
_ENOUGH = {"exit": 0.5, "": 0.5}
_ENOUGH_OF_A_CLAIM = 0.3
_LINES = 12
_CLAIMED = frozenset({"all", "any", "order", "contains", "matches", "within", "except"})


@dataclass(frozen=True, slots=True)
class Signature:
    """A failure as it is compared between compilers."""

    step: str
    claim: str
    codes: tuple[str, ...]
    ended: str
    """How a failed process ended; else empty."""
    words: tuple[str, ...]
    line: str
    """The most telling line, for a person."""
    symbols: bool = False
    """Whether the words are names of undefined or duplicate symbols."""
    error: bool = False
    """It could not be judged: a crash, a hang, a damaged file."""

    def same(self, other: "Signature", match: Match = "text") -> bool:
        """Whether both are the same failure, on two compilers."""
        if self.step != other.step:
            return False
        if match == "step":
            return True
        if self.claim != other.claim or self.error != other.error:
            return False
        return match == "claim" or self._alike(other)

    def _alike(self, other: "Signature") -> bool:
        if self.symbols != other.symbols or self.ended != other.ended or set(self.codes) != set(other.codes):
            return False
        mine, theirs = set(self.words), set(other.words)
        if not mine or not theirs:
            return mine == theirs
        # Long reports are cut: the shorter list of symbols should be in the longer one.
        whole = min(len(mine), len(theirs)) if self.symbols else len(mine | theirs)
        share = len(mine & theirs) / whole
        return share >= _ENOUGH.get(self.claim, _ENOUGH_OF_A_CLAIM)

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.step, self.claim) if part)
        return f"{place}: {self.line}" if place else self.line


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of a probe: its outcome and the signatures of its failures."""

    outcome: str
    reason: str = ""
    failures: tuple[Signature, ...] = ()
    reached: int = 0
    """How many commands were run: a shorter run says nothing about later steps."""
    outside_range: bool = False
    """Whether it was skipped because the case is not about this compiler."""


def probe_result(verdict: Verdict) -> ProbeResult:
    """The part of a verdict that is kept."""
    failures = tuple(dict.fromkeys(signature(failure) for failure in verdict.failures))
    return ProbeResult(
        verdict.outcome.value, verdict.reason, failures, len(verdict.commands), verdict.outside_range
    )


def lack(toolchain: str, reason: str) -> ProbeResult:
    """A missing capability as a failure, to find the toolchain that introduced it."""
    line = reason.removeprefix(f"{toolchain} ")
    return ProbeResult(
        VerdictKind.FAIL.value, failures=(Signature("needs", "toolchain", (), "", (line,), _shown(line)),)
    )


def signature(failure: Failure) -> Signature:
    """The signature of a failure."""
    text = _ANSI.sub("", failure.found)
    end, message, shown = "", text, ""
    if failure.claim.rpartition(".")[2] in _CLAIMED and not failure.error:
        # The claim has what is missing; what was found is everything else.
        message = failure.claimed
        shown = f"{failure.claimed}: {' '.join(text.split())}"
    elif failure.claim not in ("exit", "") and not failure.error:
        message = failure.wrong or text
    if failure.claim in ("exit", ""):
        first, _, message = text.partition("\n")
        end = re.sub(r"\d+", "N", first) if "\n" in text or failure.claim else ""
        message = message or first
    codes = tuple(sorted(set(_CODE.findall(text))))
    linked = [
        (found[0], _symbol(next(filter(None, found.groups())))) for found in _UNDEFINED.finditer(message)
    ]
    if linked:
        words, line = {name for _, name in linked}, linked[0][0]
    else:
        lines = _key_lines(message) or [" ".join(text.split())]
        words, line = {word for line in lines for word in _words(line)}, lines[0]
    return Signature(
        failure.step,
        failure.claim,
        codes,
        end,
        tuple(sorted(words)),
        _shown(shown or line),
        bool(linked),
        failure.error,
    )


def _symbol(name: str) -> str:
    """The last part of a symbol's demangled path."""
    return demangled_path(name.partition("@")[0]).rpartition("::")[2]


def _key_lines(text: str) -> list[str]:
    """The lines that say what is wrong; lines that every failure has only if there are no others."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if not _SAYS_NOTHING.search(line)]
    key = [line for line in telling if _KEY_LINE.search(line)]
    return (key or telling or lines)[:_LINES]


def _words(line: str) -> list[str]:
    line = _MANGLED.sub(lambda found: demangled_path(found[0]), line)
    for pattern, instead in _HASHES:
        line = pattern.sub(instead, line)
    found = [word.lower() for word in _WORD.findall(line)]
    return [word for word in found if word not in _COMMON] or found


def _shown(line: str) -> str:
    limit = 200
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
