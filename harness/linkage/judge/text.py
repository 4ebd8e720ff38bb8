"""Claims about a text: a stream or a text file. Pure."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from linkage.case.claims import Text
from linkage.case.regular_expression import RegularExpression
from linkage.host.terminal import escape
from linkage.judge.name_set import Mismatch, compare, means_zero, plural, unjudged, until_unmatchable
from linkage.judge.number import check_number

_EXCERPT = 12  # lines shown in a message
_AROUND = 3  # lines before and after the nearest one
_LINE = 1000  # characters of each: a linker names an undefined symbol after two long paths

_WORD = re.compile(r"\w{3,}")
_COMPARED = 200
"""Characters of a line that are compared with what is missing."""

_MESSAGE = re.compile(
    r"^[\w.+/-]+: |\b(?:error|fatal|panicked|undefined)\b|Assertion .* failed|terminate called", re.IGNORECASE
)
"""A line that a tool prints to tell why it fails: its name comes first, or a word of that kind is in it."""
_MESSAGES = 4
"""So many of them are shown."""

NOT_EMPTY = Mismatch("", "not empty", "empty")


@until_unmatchable
def check_text(
    claim: Text, text: str, files: Mapping[str, str], other: str | None = None
) -> Iterator[Mismatch]:
    """The parts of the claim that do not hold.

    `files` holds the expected texts beside the case, `other` is the stream that `same-as` names.
    """
    for pattern, replacement in claim.normalize.items():
        expression = RegularExpression(pattern)
        text = expression.replace(replacement, text)
        other = expression.replace(replacement, other) if other is not None else None
    if claim.same_as is not None:
        yield from _same_as(claim.same_as, text, other)
        if claim.model_fields_set <= {"same_as", "normalize"}:
            return
    expected = files.get(claim.file) if claim.file is not None else claim.equals
    if claim.file is not None and expected is None:
        yield Mismatch("file", f"equals {claim.file}", f"the case has no file {claim.file}")
    wants_none = (
        claim.empty is True or expected == "" or (claim.lines is not None and means_zero(claim.lines))
    )
    if not text and not wants_none:
        yield unjudged("nothing to judge: it is empty") if _only_excludes(claim) else NOT_EMPTY
        return
    if claim.empty is not None and claim.empty != (not text):
        yield Mismatch("empty", "empty" if claim.empty else "not empty", excerpt(text))
    if expected is not None and text != expected:
        part = "file" if claim.file else "equals"
        claimed = claim.file or escape(repr(expected))
        yield Mismatch(part, f"equals {claimed}", difference(expected, text))
    if claim.lines is not None and not compare(claim.lines, len(text.splitlines())):
        yield Mismatch(
            "lines", f"lines {claim.lines}", f"{plural(len(text.splitlines()), 'line')}:\n{excerpt(text)}"
        )
    if claim.number is not None:
        yield from check_number(claim.number, text)
    yield from _parts(claim, text)


def _same_as(name: str, text: str, other: str | None) -> Iterator[Mismatch]:
    if other is None:
        yield replace(unjudged(f"step {name} has no such output"), part="same-as")
    elif not text and not other:
        yield replace(unjudged("nothing to judge: both are empty"), part="same-as")
    elif text != other:
        yield Mismatch("same-as", f"the same as that of {name}", difference(other, text))


def _only_excludes(claim: Text) -> bool:
    """Whether nothing in the claim is known to be false of an empty text."""
    lines = claim.lines is not None and not compare(claim.lines, 0)
    needs = claim.contains or claim.matches or claim.order or claim.equals or claim.file or claim.number
    return not (needs or lines or claim.empty is False)


def _parts(claim: Text, text: str) -> Iterator[Mismatch]:
    for part in claim.contains:
        if part not in text:
            yield _lacking("contains", f"contains {escape(repr(part))}", text, part)
    for unwanted in claim.not_contains:
        if unwanted in text:
            yield Mismatch(
                "not-contains", f"does not contain {escape(repr(unwanted))}", _line_of(unwanted, text)
            )
    for regex in claim.matches:
        if not RegularExpression(regex, multiline=True).search(text):
            yield _lacking("matches", f"matches /{regex}/", text, re.sub(r"\\.", " ", regex))
    start = 0
    for part in claim.order:
        place = text.find(part, start)
        if place < 0:
            claimed = f"in this order: {escape(', '.join(map(repr, claim.order)))}"
            shown = escape(repr(part))
            if part in text:
                line = text[: text.index(part)].strip("\n").count("\n")
                yield Mismatch("order", claimed, f"{shown} is out of order in:\n{excerpt(text, around=line)}")
            else:
                yield _lacking("order", claimed, text, part, f"{shown} is missing in:\n")
            break
        start = place + len(part)


def _lacking(part: str, claimed: str, text: str, missing: str, found: str = "") -> Mismatch:
    """A text lacks something: the mismatch shows the lines around the one nearest to it."""
    lines = text.strip("\n").splitlines()
    line = _nearest_line(missing, lines)
    near = (lines[line],) if line is not None else ()
    return Mismatch(part, claimed, f"{found}{excerpt(text, around=line)}", near)


def excerpt(text: str, empty: str = "(empty)", around: int | None = None) -> str:
    """The beginning and the end of a text, or the lines around one of them."""
    lines = [escape(line, _LINE) for line in text.strip("\n").splitlines()]
    if len(lines) > _EXCERPT and around is None:
        half = _EXCERPT // 2
        lines = [*lines[:half], f"… {len(lines) - 2 * half} lines …", *lines[-half:]]
    elif len(lines) > _EXCERPT and around is not None:
        start, end = max(0, around - _AROUND), min(len(lines), around + _AROUND + 1)
        before = [f"… {plural(start, 'line')} …"] if start else []
        after = [f"… {plural(len(lines) - end, 'line')} …"] if end < len(lines) else []
        lines = [*before, *lines[start:end], *after]
    return "\n".join(lines) or empty


def messages(text: str, empty: str = "(no output)") -> str:
    """The beginning and the end of what a program printed, and the first messages of tools between them."""
    lines = text.strip("\n").splitlines()
    half = _EXCERPT // 2
    if len(lines) <= _EXCERPT:
        return excerpt(text, empty)
    middle = range(half, len(lines) - half)
    kept = [number for number in middle if _MESSAGE.search(lines[number][:_COMPARED])][:_MESSAGES]
    shown, last = [], -1
    for number in (*range(half), *kept, *range(len(lines) - half, len(lines))):
        if number > last + 1:
            shown.append(f"… {plural(number - last - 1, 'line')} …")
        shown.append(escape(lines[number], _LINE))
        last = number
    return "\n".join(shown)


def difference(expected: str, found: str) -> str:
    """A unified diff of two texts; of single lines only the one that was found."""
    if "\n" not in expected.rstrip("\n") and "\n" not in found.rstrip("\n"):
        return escape(repr(found))
    lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), "expected", "found", lineterm="")
    return excerpt("\n".join(lines))


def _nearest_line(missing: str, lines: Sequence[str]) -> int | None:
    """The line that shares most with a text that is missing: most of its words, else characters."""
    words = set(_WORD.findall(missing.lower()))
    shared = [sum(map(len, words.intersection(_WORD.findall(line.lower())))) for line in lines]
    most = max(shared, default=0)
    if most and most * 2 >= sum(map(len, words)):
        return shared.index(most)
    near = difflib.get_close_matches(missing, [line[:_COMPARED] for line in lines[:2000]], n=1, cutoff=0.5)
    return next((index for index, line in enumerate(lines) if line[:_COMPARED] in near), None)


def _line_of(missing: str, text: str) -> str:
    before, _, after = text.partition(missing)
    return escape(before.rpartition("\n")[2] + missing + after.partition("\n")[0])
