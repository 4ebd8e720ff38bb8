"""Expected changes: a file that lists them, each with its reason. Read as strictly as a case."""

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
    """An expected change."""

    change: Texts
    """The kind of change, as in the JSON report: `export gone`."""
    name: Texts = ("*",)
    """The names that changed, as globs."""
    artifact: Texts = ("*",)
    """The outputs: kinds (`cdylib`), roles (`lib.cdylib`) or globs; `step` for the step itself."""
    variant: Texts = ("*",)
    """The variants, as globs in which `[` and `]` are literal."""
    reason: str = Field(min_length=1)
    """Why it is expected."""

    @field_validator("change")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for kind in value:
            if kind not in KINDS:
                help = suggest(kind, list(KINDS), "one of {}")
                raise PydanticCustomError(
                    "kind", "`{kind}` is not a kind of change", {"kind": kind, "help": help}
                )
        return value

    def fits(self, found: LocatedChange) -> bool:
        """Whether a change is the expected one."""
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
    """Expected changes, each with its position in the file."""

    entries: tuple[tuple[ExpectedChange, Position], ...] = ()

    def apply(self, found: Iterable[LocatedChange]) -> tuple[list[tuple[LocatedChange, str]], list[str]]:
        """Every change, with the reason if it is expected; and the expected changes that did not occur."""
        met: set[int] = set()
        changes: list[tuple[LocatedChange, str]] = []
        for one in found:
            fitting = [at for at, (entry, _) in enumerate(self.entries) if entry.fits(one)]
            met.update(fitting)
            changes.append((one, self.entries[fitting[0]][0].reason if fitting else ""))
        unmet = [
            f"{place}: {', '.join(entry.change)} {_said(entry)}".rstrip()
            for at, (entry, place) in enumerate(self.entries)
            if at not in met
        ]
        return changes, unmet


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
    """Read a file of --expect. Raises CaseErrors with all faults, in the file's order."""
    name = str(file)
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise CaseErrors([CaseError(f"cannot be read: {why}", where=name, help="check the path")]) from None
    return parse_expected(text, name)


def parse_expected(text: str, name: str) -> Expectations:
    """Like read_expected, from text."""
    doc = parse(text, name)
    help = "write `expected:` with a list of changes, each with its reason"
    if not isinstance(doc.data, dict):
        raise CaseErrors([CaseError("no mapping", where=doc.value(()), help=help)])
    try:
        model = ExpectationsFile.model_validate(doc.data)
    except ValidationError as error:
        raise CaseErrors(sorted(explain(error, doc), key=position_of)) from None
    return Expectations(tuple((one, _place(doc, at)) for at, one in enumerate(model.expected)))


def _place(doc: Document, at: int) -> Position:
    return doc.value(("expected", at))
