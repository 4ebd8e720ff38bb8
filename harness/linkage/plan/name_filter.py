"""Choosing variants by words in their names, as pytest's -k does, and by their tags. Pure.

Unlike in pytest, a word may hold any character but blanks and brackets: `lto=fat`.
"""

import re
from collections.abc import Callable, Iterable

from linkage.errors import LinkageError

_WORD = re.compile(r"\s*(\(|\)|[^\s()]+)")


def selected(expression: str | None, name: str, tags: Iterable[str] = ()) -> bool:
    """Whether -k means a variant: each word is part of its id or of a tag, whatever its case.

    Raises LinkageError for an invalid expression.
    """
    text = " ".join([name, *tags]).lower()
    return matched(expression, "-k", lambda word: word.lower() in text)


def matched(expression: str | None, option: str, holds: Callable[[str], bool]) -> bool:
    """The value of an expression of words, `and`, `or`, `not` and brackets; true if there is none.

    Raises LinkageError for an expression that is none.
    """
    if expression is None:
        return True
    words = _WORD.findall(expression)
    parser = _FilterParser(words, holds, expression, option)
    found = parser.any()
    if parser.at != len(words):
        raise parser.wrong()
    return found


class _FilterParser:
    def __init__(self, words: list[str], holds: Callable[[str], bool], expression: str, option: str) -> None:
        self.words, self.holds, self.expression, self.option = words, holds, expression, option
        self.at = 0

    def wrong(self) -> LinkageError:
        return LinkageError(
            f"`{self.expression}` is not an expression",
            where=self.option,
            help="write it as `cdylib and not thin`",
        )

    def any(self) -> bool:
        found = self.all()
        while self._take("or"):
            found = self.all() or found
        return found

    def all(self) -> bool:
        found = self.one()
        while self._take("and"):
            found = self.one() and found
        return found

    def one(self) -> bool:
        if self._take("not"):
            return not self.one()
        if self._take("("):
            found = self.any()
            if not self._take(")"):
                raise self.wrong()
            return found
        if self.at >= len(self.words) or self.words[self.at] in ("and", "or", ")"):
            raise self.wrong()
        self.at += 1
        return self.holds(self.words[self.at - 1])

    def _take(self, word: str) -> bool:
        if self.at < len(self.words) and self.words[self.at] == word:
            self.at += 1
            return True
        return False
