"""Explains why a text is not YAML, in our own words.

libyaml's messages and limits change between releases, and its scanner reads ahead, so that it may report
a place far behind the mistake. PyYAML's own parser is slower, has no limit on depth, and its messages have
been the same for years: it reads again what libyaml refuses, and one table translates its messages.
https://yaml.org/spec/1.1/ has the rules; https://github.com/yaml/pyyaml, lib/yaml/scanner.py and
parser.py the words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import yaml
from yaml.reader import Reader

from linkage.errors import CaseError, Position


@dataclass(frozen=True, slots=True)
class YamlMistake:
    """One kind of mistake: how PyYAML reports it, and our message."""

    pattern: str
    """A regex over PyYAML's `context` and `problem`, joined by ` | `."""
    what: str
    help: str
    at_start: bool = False
    """Whether the error is where the construct begins, and not where the parser stopped."""


_TAG = "remove it: tags are not allowed"
_KEY = "a key is one line of at most 1024 characters, then `: `; look for a missing colon, quote or `- `"
UNKNOWN_ESCAPE = "invalid escape"
ESCAPE = "write \\\\ for a backslash inside \"...\", or use '...'"
_ANCHOR = "write letters or digits after & or *, or quote a text that begins with these"
_HEADER = "write at most one digit from 1 to 9 and one of + and - there, and the text on the next line"
BAD_ESCAPE = (ValueError, OverflowError)
"""What PyYAML's own parser raises for an escape above U+10FFFF; libyaml reports its place."""
_CONTROL = "write it as an escape in quotes"
_BEYOND_UNICODE = re.compile(r"\\U(?!0010|000[0-9a-fA-F])")

MISTAKES = (
    YamlMistake(r"\\t", "a tab in the indentation", "indent with spaces"),
    YamlMistake(r"could not find expected ':'", "a key without `:`, or a key that is too long", _KEY),
    YamlMistake(
        r"mapping values are not allowed",
        "unexpected `:`",
        "look for a colon in a text that needs quotes, a key of more than 1024 characters, "
        "or a wrong indentation",
    ),
    YamlMistake(
        r"mapping keys are not allowed",
        "unexpected `?`",
        "look for a text that begins with `? ` and needs quotes, or a wrong indentation",
    ),
    YamlMistake(
        r"sequence entries are not allowed",
        "unexpected `- `",
        "put the list on lines of its own; a text that begins with `- ` needs quotes",
    ),
    YamlMistake(
        r"found undefined alias",
        "undefined alias",
        "define its anchor above it, or quote a text that begins with *",
    ),
    YamlMistake(r"found duplicate anchor", "duplicate anchor", "give each anchor a different name"),
    YamlMistake(r"scanning an (anchor|alias)", "invalid name of an anchor or alias", _ANCHOR),
    YamlMistake(
        r"quoted scalar.*unexpected end", "unterminated quote", "add the closing quote", at_start=True
    ),
    YamlMistake(
        r"quoted scalar.*document separator",
        "unterminated quote before `---` or `...`",
        "add the closing quote",
        at_start=True,
    ),
    YamlMistake(
        r"unknown escape|hexadecimal|character escape code|scanning a double-quoted", UNKNOWN_ESCAPE, ESCAPE
    ),
    YamlMistake(
        r"flow sequence.*but got '<stream end>'", "unclosed `[`", "add the closing `]`", at_start=True
    ),
    YamlMistake(
        r"flow mapping.*but got '<stream end>'", "unclosed `{`", "add the closing `}`", at_start=True
    ),
    YamlMistake(
        r"flow node.*but found '<stream end>'", "unclosed bracket", "add the closing bracket", at_start=True
    ),
    YamlMistake(
        r"flow (sequence|mapping).*expected ','",
        "missing `,`, or mismatched bracket",
        "separate entries with `,`, close `[` with `]` and `{` with `}`, and quote a text with these",
    ),
    YamlMistake(
        r"flow node",
        "missing entry",
        "remove the extra `,`, or look for a text that needs quotes",
    ),
    YamlMistake(
        r"block (mapping|collection).*expected <block end>",
        "expected another entry, or the end of the block",
        "check the indentation, the quotes before this place, and the `- ` of lists",
    ),
    YamlMistake(r"block scalar", "invalid text after | or >", _HEADER),
    YamlMistake(
        r"cannot start any token", "plain text cannot begin with this character", "put the text in quotes"
    ),
    YamlMistake(
        r"directive|document start|incompatible YAML",
        "misplaced directive (%) or document marker (---)",
        "remove it",
    ),
    YamlMistake(r"scanning a tag|tag handle|parsing a tag", "incomplete tag", _TAG),
    YamlMistake(r"another document", "a second document", "move each case to a file of its own"),
    YamlMistake(r"block node", "missing or invalid value", "put the text in quotes"),
)


def explain(error: Exception, text: str, file: str, read: Callable[[], None]) -> CaseError:
    """Explain `text`, which a parser refused with `error` (a YAMLError or one of BAD_ESCAPE).

    `read` reads the text with PyYAML's own parser: it raises such an error, or CaseError if the text breaks
    one of our own rules first.
    """
    try:
        read()
    except CaseError as ours:
        return ours
    except (yaml.YAMLError, *BAD_ESCAPE) as plain:
        return _explained(plain if isinstance(plain, yaml.YAMLError) else error, text, file)
    return _explained(error, text, file)


def _explained(error: Exception, text: str, file: str) -> CaseError:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return _forbidden_character(text, file)
    words = " | ".join(filter(None, (error.context, error.problem)))
    kind = next((kind for kind in MISTAKES if re.search(kind.pattern, words)), None)
    mark = error.problem_mark
    if _tab_in_indentation(text, mark.line):
        kind = MISTAKES[0]
    if kind is None:
        help = "check the indentation and the quotes around this place"
        return CaseError(f"invalid YAML: {error.problem}", where=mark_position(file, mark), help=help)
    start = _innermost(text, file) if kind.at_start else None
    return CaseError(kind.what, where=start or mark_position(file, mark), help=kind.help)


def _innermost(text: str, file: str) -> Position | None:
    """Where the quote, or else the innermost bracket, begins that is still open at the end."""
    starts: list[Position] = []
    try:
        for event in yaml.parse(text, yaml.SafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                starts.append(mark_position(file, event.start_mark))
            elif isinstance(event, yaml.CollectionEndEvent):
                starts.pop()
    except yaml.MarkedYAMLError as error:
        if "quoted" in (error.context or ""):
            return mark_position(file, error.context_mark)
    return starts[-1] if starts else None


def _tab_in_indentation(text: str, number: int) -> bool:
    lines = text.splitlines()
    line = lines[number] if number < len(lines) else ""
    return "\t" in line[: len(line) - len(line.lstrip())]


def _forbidden_character(text: str, file: str) -> CaseError:
    found = Reader.NON_PRINTABLE.search(text)
    escape = found or _BEYOND_UNICODE.search(text)
    before = text[: escape.start()] if escape else ""
    where = Position(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    if not found:
        return CaseError(UNKNOWN_ESCAPE, where=where, help=ESCAPE)
    return CaseError("YAML does not allow this character", where=where, help=_CONTROL)


def mark_position(file: str, mark: object) -> Position:
    line, column = getattr(mark, "line", 0), getattr(mark, "column", 0)
    return Position(file, line + 1, column + 1)
