r"""Regular expressions that come from a case: Python's syntax, checked when it is read, and a time limit.

Python's own engine has no time limit, and `(a|aa)+$` can keep it busy for ever; the `regex` package has one.
A pattern must be valid in both. https://docs.python.org/3/library/re.html has the syntax; what `regex` adds
to it (https://pypi.org/project/regex/) is refused, or means what it means in Python. `\w`, `\d` and `\s` are
those of the Unicode version that `regex` knows.

Only this module may match a pattern of a case. Our own patterns need no limit.
"""

import fnmatch
import re
import warnings
from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING

from linkage.errors import PatternError

if TYPE_CHECKING:
    import regex

SECONDS = 5.0
"""How long the matching of one pattern of a claim may take altogether."""
MAX_LENGTH = 4000
"""Characters of a pattern: to compile a longer one could take minutes."""
MAX_REPEATS = 20_000
"""How long the shortest match may be: `regex` unrolls what is repeated."""
MAX_RESULT = 64 << 20
"""Characters of a text after its parts are replaced."""

_SHORT = 1000
_EXPLOSIVE = "*+?{|"
_BOUNDED = re.compile(r"\{(\d*)(?:,\d*)?\}")
_TOKEN = re.compile(r"(?s)\\N\{[^}]*\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?!\d*,\d*\}|\d+\})|\(\?#[^)]*\)")
_NESTED = re.compile(r"(?s)\\.|\[")


def literal(text: str) -> str:
    """A pattern that matches this text only."""
    return re.escape(text)


def check(pattern: str) -> None:
    """Raises PatternError for a pattern that is not valid."""
    _compiled(pattern)


def check_replacement(pattern: str, replacement: str) -> None:
    """Raises PatternError for a replacement that is not valid with a valid pattern."""
    try:
        re.compile(pattern).sub(replacement, "")
    except (re.error, IndexError, OverflowError, ValueError) as error:
        raise PatternError(f"invalid replacement `{replacement}`: {error}") from None


def groups(pattern: str) -> int:
    """How many groups a valid pattern has."""
    return re.compile(pattern).groups


def glob(pattern: str) -> Callable[[str], object]:
    """Matches a whole name with a glob. Globs need no time limit."""
    return re.compile(fnmatch.translate(pattern)).match


def own(pattern: str) -> Callable[[str], object]:
    """Searches for a pattern of our own, such as a symbol group's: it needs no time limit."""
    return re.compile(pattern).search


class RegularExpression:
    """A pattern for one claim. All its matching together has one time limit.

    Raises PatternError for an invalid pattern: a text that a step captures may make it so.
    """

    def __init__(self, pattern: str, *, multiline: bool = False) -> None:
        self.pattern = pattern
        self._compiled = _compiled(pattern, multiline=multiline)
        self._left = SECONDS
        # With one repetition or alternative, the time is at most quadratic, and a time limit costs more.
        self._harmless = sum(map(pattern.count, _EXPLOSIVE)) <= 1

    def search(self, text: str) -> "regex.Match[str] | None":
        """The first match. Raises PatternError if the time limit is reached."""
        if self._harmless and len(text) <= _SHORT:
            return self._compiled.search(text)
        started = perf_counter()
        try:
            return self._compiled.search(text, timeout=max(self._left, 0.001))
        except TimeoutError:
            raise self._too_slow() from None
        finally:
            self._left -= perf_counter() - started

    def replace(self, replacement: str, text: str) -> str:
        """The text with every match replaced; `replacement` can refer to groups.

        Raises PatternError if the time limit is reached, or if the text gets too long.
        """
        started = perf_counter()
        parts: list[str] = []
        end = size = 0
        try:
            for match in self._compiled.finditer(text, timeout=max(self._left, 0.001)):
                parts += [text[end : match.start()], match.expand(replacement)]
                end = match.end()
                size += len(parts[-1])
                if size > MAX_RESULT:
                    raise PatternError(
                        f"replacing /{self.pattern}/ gives more than {MAX_RESULT >> 20} million characters",
                        help="write a pattern with fewer matches, or a shorter replacement",
                    )
        except TimeoutError:
            raise self._too_slow() from None
        finally:
            self._left -= perf_counter() - started
        return "".join((*parts, text[end:]))

    def _too_slow(self) -> PatternError:
        return PatternError(
            f"matching /{self.pattern}/ takes more than {SECONDS:.0f} s",
            help="avoid repeated parts that can match in several ways, such as `(a|aa)+`",
        )


@lru_cache(maxsize=1024)
def _compiled(pattern: str, *, multiline: bool = False) -> "regex.Pattern[str]":
    import regex  # noqa: PLC0415 - slow to import, and most cases have no pattern

    if len(pattern) > MAX_LENGTH:
        raise PatternError(
            f"a regex of {len(pattern)} characters is longer than {MAX_LENGTH}", help="split it into several"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what may change its meaning in a later Python
            re.compile(pattern)
        if _shortest(pattern) > MAX_REPEATS:
            raise PatternError(
                f"the regex `{pattern}` repeats parts more than {MAX_REPEATS} times",
                help="lower its numbers",
            )
        return regex.compile(_as_python(pattern), regex.MULTILINE if multiline else 0)
    except (re.error, regex.error, OverflowError, RecursionError, ValueError, MemoryError) as error:
        raise PatternError(f"invalid regex `{pattern}`: {error}") from None


def _as_python(pattern: str) -> str:
    """A pattern of Python as `regex` understands it.

    Else `{e}` would mean fuzzy matching, and `[:alpha:]` a class.
    """
    return _TOKEN.sub(lambda found: _token(found[0]), pattern)


def _token(text: str) -> str:
    if text == "{":
        return r"\{"
    if text.startswith("["):
        return "[" + _NESTED.sub(lambda inner: r"\[" if inner[0] == "[" else inner[0], text[1:])
    return text


def _shortest(pattern: str) -> int:
    """A length that the shortest match does not exceed by far: every part, as often as it must occur."""
    levels: list[list[int]] = [[0]]
    place = 0
    while place < len(pattern):
        token = _TOKEN.match(pattern, place) or _BOUNDED.match(pattern, place)
        text = token[0] if token else pattern[place]
        place += len(text)
        if text == "(":
            levels.append([0])
        elif text == ")" and len(levels) > 1:
            inner = sum(levels.pop())
            levels[-1].append(inner)
        elif token and token.re is _BOUNDED:
            levels[-1][-1] *= max(1, int(token[1] or 0))
        else:
            levels[-1].append(1)
    return sum(map(sum, levels))
