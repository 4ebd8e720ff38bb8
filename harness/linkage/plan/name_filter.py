"""Choosing variants by words in their names, as pytest's -k does. Pure."""

import re

from linkage.errors import LinkageError

_WORD = re.compile(r"\s*(\(|\)|[^\s()]+)")


def selected(expression: str | None, name: str) -> bool:
    """Whether an expression of words, `and`, `or`, `not` and brackets selects a name; case does not matter.

    Raises LinkageError for an invalid expression.
    """
    if expression is None:
        return True
    words = _WORD.findall(expression)
    parser = _FilterParser(words, name.lower(), expression)
    found = parser.any()
    if parser.at != len(words):
        raise parser.wrong()
    return found


class _FilterParser:
    def __init__(self, words: list[str], name: str, expression: str) -> None:
        self.words, self.name, self.expression = words, name, expression
        self.at = 0

    def wrong(self) -> LinkageError:
        return LinkageError(
            f"`{self.expression}` is not an expression", where="-k", help="write it as `cdylib and not thin`"
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
        return self.words[self.at - 1].lower() in self.name

    def _take(self, word: str) -> bool:
        if self.at < len(self.words) and self.words[self.at] == word:
            self.at += 1
            return True
        return False
