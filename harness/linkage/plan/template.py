"""Texts of a plan with placeholders for what is known only when a step runs. Pure."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from linkage.case.variables import REFERENCE

CapturedText = str | tuple[str, ...]
"""What a step captured for later ones: a stream, or words."""


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """Stands for the variant's working folder, whose name can differ between runs."""

    def __str__(self) -> str:
        return "$WORK"


@dataclass(frozen=True, slots=True)
class Captured:
    """Stands for what an earlier step captured."""

    step: str

    def __str__(self) -> str:
        return f"${{captured.{self.step}}}"


WORK = WorkFolder()
TEMPORARY = "$TMP"
"""The folder around the working folder, where processes put what they need for themselves."""
LITERAL_WORK = re.compile(r"\$WORK(?!\w)")
"""What is not to be taken for the working folder in a text that has it literally."""
Part = str | WorkFolder | Captured


@dataclass(frozen=True, slots=True)
class Template:
    """A text in parts: literal texts and placeholders."""

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, *parts: "Part | Template") -> Self:
        """Join parts."""
        joined: list[Part] = []
        for part in parts:
            for one in part.parts if isinstance(part, Template) else (part,):
                if isinstance(one, str) and joined and isinstance(joined[-1], str):
                    joined[-1] += one
                elif one != "":
                    joined.append(one)
        return cls(tuple(joined))

    @classmethod
    def parse(cls, text: str, variables: Mapping[str, str]) -> Self:
        """A text of the case with the values of variables filled in; `$${` stands for `${`."""
        pieces = REFERENCE.split(text)
        literals = (literal.replace("$${", "${") for literal in pieces[::2])
        values = [*(_value(name, variables) for name in pieces[1::2]), ""]
        return cls.of(*(part for pair in zip(literals, values, strict=True) for part in pair))

    @classmethod
    def neutral(cls, text: str) -> Self:
        """A text in which `$WORK` means the working folder, such as the output of a step."""
        first, *rest = text.split(str(WORK))
        return cls.of(first, *(part for literal in rest for part in (WORK, literal)))

    def __str__(self) -> str:
        """The text for a reader: with `$WORK` for the working folder."""
        return "".join(map(str, self.parts))

    @property
    def literal(self) -> str | None:
        """The text if it has no placeholder."""
        return str(self) if all(isinstance(part, str) for part in self.parts) else None

    @property
    def is_absolute(self) -> bool:
        """Whether it is a path that means the same in every folder."""
        return self.parts[:1] == (WORK,) or str(self).startswith("/")

    @property
    def path(self) -> str:
        """Its path, relative to the working folder if it is in there."""
        if self.parts[:1] != (WORK,):
            return str(self)
        return "".join(map(str, self.parts[1:])).removeprefix("/") or "."

    def filled(self, work: str, captured: Mapping[str, CapturedText]) -> str:
        """The text with the captured texts, which may contain the folder, and the folder filled in."""
        return "".join(_filled(part, work, captured) for part in self.parts)

    def expanded(self, captured: Mapping[str, CapturedText] | None) -> "Template":
        """The text with the captured texts filled in; if None, it is unchanged."""
        return self if captured is None else Template.neutral(self.filled(str(WORK), captured))

    def words(self, work: str, captured: Mapping[str, CapturedText]) -> list[str]:
        """The arguments that it stands for: itself, or the captured words if it is only those."""
        match self.parts:
            case (Captured(step),) if isinstance(words := captured.get(step), tuple):
                return [word.replace(str(WORK), work) for word in words]
        return [self.filled(work, captured)]


def placeless(text: str, work: str) -> str:
    """A text with `$WORK` and `$TMP` for the working folder `work`, whose name no claim can know.

    A literal `$WORK` becomes `$'WORK'`, which is the same to a shell and is no folder to a claim.
    """
    text = LITERAL_WORK.sub("$'WORK'", text)
    return text.replace(work, str(WORK)).replace(posixpath.dirname(work), TEMPORARY)


def _value(name: str, variables: Mapping[str, str]) -> Part:
    if name == "work":
        return WORK
    if name.startswith("captured."):
        return Captured(name.removeprefix("captured."))
    return variables.get(name, f"${{{name}}}")


def _filled(part: Part, work: str, captured: Mapping[str, CapturedText]) -> str:
    match part:
        case WorkFolder():
            return work
        case Captured(step) if step in captured:
            text = captured[step]
            return (text if isinstance(text, str) else " ".join(text)).replace(str(WORK), work)
    return str(part)
