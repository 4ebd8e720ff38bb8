"""Differences that are meant: a file that names them, each with its reason. Read like a case, strictly."""

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from linkage.case.base import Model, Texts, suggest
from linkage.case.document import MAX_BYTES, Document, parse, position_of
from linkage.case.validation import explain
from linkage.compare.change_kinds import KINDS
from linkage.compare.model import LocatedChange
from linkage.errors import CaseError, CaseErrors, Position


class ExpectedChange(Model):
    """One difference that is meant."""

    change: Texts
    """What kind of change, as the reports' JSON names it: `export gone`."""
    name: Texts = ("*",)
    """What it is about: globs over the names in the report."""
    artifact: Texts = ("*",)
    """In which outputs: kinds (`cdylib`), roles (`lib.cdylib`) or globs; `step` for a step's own end."""
    variant: Texts = ("*",)
    """In which variants: globs over their names, in which `[` and `]` stand for themselves."""
    reason: str = Field(min_length=1)
    """Why it is meant."""

    @field_validator("change")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for kind in value:
            if kind not in KINDS:
                help = suggest(kind, list(KINDS), "one of {}")
                raise PydanticCustomError(
                    "kind", "`{kind}` is no kind of change", {"kind": kind, "help": help}
                )
        return value

    def fits(self, found: LocatedChange) -> bool:
        """Whether a difference is one that this means."""
        subjects = (found.artifact, found.subject)
        return (
            found.change.kind in self.change
            and _any(self.name, (found.change.name,))
            and _any(self.artifact, subjects)
            and _any(self.variant, (found.variant,))
        )


class ExpectationsFile(Model):
    """The file of --expect."""

    expected: tuple[ExpectedChange, ...]

    @field_validator("expected", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Expectations:
    """What is meant, each with its place in the file."""

    entries: tuple[tuple[ExpectedChange, Position], ...] = ()

    def apply(self, found: Iterable[LocatedChange]) -> tuple[list[tuple[LocatedChange, str]], list[str]]:
        """Every difference with the reason for which it is meant, or without one; and what is meant
        and did not occur.
        """
        met: set[int] = set()
        told: list[tuple[LocatedChange, str]] = []
        for one in found:
            fitting = [at for at, (entry, _) in enumerate(self.entries) if entry.fits(one)]
            met.update(fitting)
            told.append((one, self.entries[fitting[0]][0].reason if fitting else ""))
        unmet = [
            f"{place}: {', '.join(entry.change)} {_said(entry)}".rstrip()
            for at, (entry, place) in enumerate(self.entries)
            if at not in met
        ]
        return told, unmet


def _said(entry: ExpectedChange) -> str:
    parts = (("", entry.name), ("in ", entry.artifact), ("of ", entry.variant))
    return " ".join(f"{word}{', '.join(value)}" for word, value in parts if value != ("*",))


def _any(patterns: Sequence[str], names: Sequence[str]) -> bool:
    return any(
        name == pattern or fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))
        for pattern in patterns
        for name in names
    )


def read_expected(file: Path) -> Expectations:
    """Read a file of --expect. Raises CaseErrors with all that is wrong with it, in its order."""
    name = str(file)
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise CaseErrors([CaseError(f"cannot be read: {why}", where=name, help="check the path")]) from None
    return parse_expected(text, name)


def parse_expected(text: str, name: str) -> Expectations:
    """Like read_expected, from the file's text."""
    doc = parse(text, name)
    help = "write `expected:` and under it a list of differences, each with its reason"
    if not isinstance(doc.data, dict):
        raise CaseErrors([CaseError("no mapping", where=doc.value(()), help=help)])
    try:
        model = ExpectationsFile.model_validate(doc.data)
    except ValidationError as error:
        raise CaseErrors(sorted(explain(error, doc), key=position_of)) from None
    return Expectations(tuple((one, _place(doc, at)) for at, one in enumerate(model.expected)))


def _place(doc: Document, at: int) -> Position:
    return doc.value(("expected", at))
