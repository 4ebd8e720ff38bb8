"""What is wrong with text that is not YAML, in our own words.

libyaml's words and limits change from release to release, and its scanner reads ahead, so that it may speak
of a place far behind the mistake. PyYAML's own parser is slower, has no limit on depth and has had the same
words for years: what libyaml refuses is read again with it, and the message is looked up in one table.
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
    """One kind of mistake: how PyYAML names it, and what to tell the author."""

    pattern: str
    """Found in PyYAML's `context`, `problem` and what it met, joined by ` | `."""
    what: str
    help: str
    at_start: bool = False
    """Whether the place is where the construct begins; else where the parser stopped."""


_TAG = "remove the tag: a case has none"
_KEY = "a key is one line of at most 1024 characters, then `: `; look for a missing colon, quote or `- `"
UNKNOWN_ESCAPE = "an escape that stands for no character"
ESCAPE = "inside \"...\" a backslash begins an escape: write \\\\ for itself, or use '...'"
_ANCHOR = "an anchor or alias is & or * and letters or digits; a text that begins with these needs quotes"
_HEADER = (
    "after | or > comes at most one digit from 1 to 9 and one of + and -, then the text on the next line"
)
BAD_ESCAPE = (ValueError, OverflowError)
"""What PyYAML's own parser raises for an escape above U+10FFFF, where libyaml says the place."""
_CONTROL = "write it as an escape in quotes"
_BEYOND_UNICODE = re.compile(r"\\U(?!0010|000[0-9a-fA-F])")

MISTAKES = (
    YamlMistake(r"\\t", "a tab in the indentation", "YAML is indented with spaces"),
    YamlMistake(r"could not find expected ':'", "a key that has no `:`, or is too long", _KEY),
    YamlMistake(
        r"mapping values are not allowed",
        "a `:` where no value can begin",
        "look for a colon in a text that needs quotes, a key of more than 1024 characters, "
        "or a wrong indentation",
    ),
    YamlMistake(
        r"mapping keys are not allowed",
        "a `?` where no key can begin",
        "look for a text that begins with `? ` and needs quotes, or a wrong indentation",
    ),
    YamlMistake(
        r"sequence entries are not allowed",
        "a `- ` where no list can begin",
        "put the list on lines of its own; a text that begins with `- ` needs quotes",
    ),
    YamlMistake(
        r"found undefined alias",
        "an alias without an anchor",
        "an alias needs its anchor above it; a text that begins with * needs quotes",
    ),
    YamlMistake(
        r"found duplicate anchor", "an anchor that is defined twice", "give each anchor a name of its own"
    ),
    YamlMistake(r"scanning an (anchor|alias)", "an anchor or alias without a proper name", _ANCHOR),
    YamlMistake(r"quoted scalar.*unexpected end", "a quote that is never closed", "close it", at_start=True),
    YamlMistake(
        r"quoted scalar.*document separator",
        "a quote that is not closed before `---` or `...`",
        "close it",
        at_start=True,
    ),
    YamlMistake(
        r"unknown escape|hexadecimal|character escape code|scanning a double-quoted", UNKNOWN_ESCAPE, ESCAPE
    ),
    YamlMistake(
        r"flow sequence.*but got '<stream end>'", "a `[` that is never closed", "close it", at_start=True
    ),
    YamlMistake(
        r"flow mapping.*but got '<stream end>'", "a `{` that is never closed", "close it", at_start=True
    ),
    YamlMistake(
        r"flow node.*but found '<stream end>'", "a bracket that is never closed", "close it", at_start=True
    ),
    YamlMistake(
        r"flow (sequence|mapping).*expected ','",
        "no `,` between two entries, or the wrong bracket",
        "separate entries by `,` and close `[` by `]`, `{` by `}`; a text with these needs quotes",
    ),
    YamlMistake(
        r"flow node",
        "an entry is missing",
        "remove the `,` too many, or look for a text that needs quotes",
    ),
    YamlMistake(
        r"block (mapping|collection).*expected <block end>",
        "this does not continue what comes before it",
        "look at the indentation, at the quotes before this place, and for a `- ` too many or too few",
    ),
    YamlMistake(r"block scalar", "a wrong line after | or >", _HEADER),
    YamlMistake(
        r"cannot start any token", "a character that no plain text begins with", "put the text in quotes"
    ),
    YamlMistake(
        r"directive|document start|incompatible YAML",
        "a directive (%) or a document marker (---) out of place",
        "remove it",
    ),
    YamlMistake(r"scanning a tag|tag handle|parsing a tag", "a tag that is not complete", _TAG),
    YamlMistake(r"another document", "a second document", "one file holds one case"),
    YamlMistake(
        r"block node", "a value is missing or begins with the wrong character", "put the text in quotes"
    ),
)


def explain(error: Exception, text: str, file: str, read: Callable[[], None]) -> CaseError:
    """What is wrong with `text`, which a parser refused with `error` (a YAMLError or one of BAD_ESCAPE).

    `read` reads the text with PyYAML's own parser: it raises such an error, or CaseError for what is wrong
    by our rules and comes first.
    """
    try:
        read()
    except CaseError as ours:
        return ours
    except (yaml.YAMLError, *BAD_ESCAPE) as plain:
        return _told(plain if isinstance(plain, yaml.YAMLError) else error, text, file)
    return _told(error, text, file)


def _told(error: Exception, text: str, file: str) -> CaseError:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return _forbidden_character(text, file)
    words = " | ".join(filter(None, (error.context, error.problem)))
    kind = next((kind for kind in MISTAKES if re.search(kind.pattern, words)), None)
    mark = error.problem_mark
    if _tab_in_indentation(text, mark.line):
        kind = MISTAKES[0]
    if kind is None:
        help = "look at the indentation and the quotes around this place"
        return CaseError(f"this is not YAML: {error.problem}", where=mark_position(file, mark), help=help)
    start = _innermost(text, file) if kind.at_start else None
    return CaseError(kind.what, where=start or mark_position(file, mark), help=kind.help)


def _innermost(text: str, file: str) -> Position | None:
    """Where the quote begins that is still open at the end, else the innermost bracket."""
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
    return CaseError("a character that YAML does not allow", where=where, help=_CONTROL)


def mark_position(file: str, mark: object) -> Position:
    line, column = getattr(mark, "line", 0), getattr(mark, "column", 0)
    return Position(file, line + 1, column + 1)
