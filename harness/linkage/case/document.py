"""YAML text to plain data, with the position of every key and value.

YAML 1.1 would make `lto: off` false, `2026-05-19` a date, `1.70` a number, and would keep
the last of two equal keys. A case is read by stricter rules: a plain scalar is `true`,
`false`, `null`, a decimal integer, or text. Keys are text and unique.
https://yaml.org/spec/1.1/#id858600 lists what is left out.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from linkage.case.yaml_errors import BAD_ESCAPE, ESCAPE, UNKNOWN_ESCAPE, explain, mark_position
from linkage.errors import CaseError, CaseErrors, Position

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML without libyaml: slower, the same answers
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

KeyPath = tuple[str | int, ...]
Data = bool | int | str | list["Data"] | dict[str, "Data"] | None

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_NODES = 50_000

_SURROGATE = re.compile("[\ud800-\udfff]")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")
_ATTRIBUTE = re.compile(r"[ \t]+(#[\[!])")
_CONSTANTS: dict[str, Data] = {"true": True, "false": False, "null": None, "~": None, "": None}


def is_plain(text: str) -> bool:
    """Whether a text is read as itself without quotes."""
    return text not in _CONSTANTS and not _INTEGER.match(text)


def position_of(error: CaseError) -> Position:
    """The position of an error, to sort several in the file's order."""
    return error.where if isinstance(error.where, Position) else Position(str(error.where or ""), 0, 0)


@dataclass(frozen=True, slots=True)
class Document:
    """A case file's data and the position of each part."""

    file: str
    data: Data
    values: dict[KeyPath, Position]
    keys: dict[KeyPath, Position]

    def value(self, path: KeyPath) -> Position:
        """The position of the value at `path`, or of the nearest thing around it that exists."""
        return self.values[self.real(path)]

    def key(self, path: KeyPath) -> Position:
        """The position of the key at `path`; for an element of a list, of its value."""
        real = self.real(path)
        named = self.keys.get(real) if real[-1:] == path[-1:] else None
        return named or self.values[real]

    def at(self, path: KeyPath) -> Data:
        """The data at `path`, or the nearest data around it that exists."""
        data = self.data
        for part in self.real(path):
            data = data[part]  # type: ignore[index]
        return data

    def real(self, path: KeyPath) -> KeyPath:
        """The parts of a path that are in the file.

        Validation adds parts that are not (a union's tag, a shorthand's long form): they are
        skipped, so that the rest of the path still leads to the place.
        """
        here: KeyPath = ()
        for part in path:
            if (*here, part) in self.values:
                here = (*here, part)
        return here


@dataclass(slots=True)
class _Builder:
    file: str
    values: dict[KeyPath, Position] = field(default_factory=dict)
    keys: dict[KeyPath, Position] = field(default_factory=dict)
    errors: list[CaseError] = field(default_factory=list)

    def build(self, node: yaml.Node, path: KeyPath) -> Data:
        position = mark_position(self.file, node.start_mark)
        # The value of an alias has the position of its anchor: the key around it is where it expands.
        around = self.keys.get(path[:1], position)
        if len(path) > MAX_DEPTH:
            raise _too_deep(around)
        self.values[path] = position
        if len(self.values) > MAX_NODES:
            raise CaseError(
                f"more than {MAX_NODES} values after its aliases are expanded",
                where=around,
                help="use fewer aliases, or split the case",
            )
        if isinstance(node, yaml.ScalarNode):
            if _SURROGATE.search(node.value):  # libyaml refuses the escape, PyYAML's own parser takes it
                raise CaseError(UNKNOWN_ESCAPE, where=position, help=ESCAPE)
            return _scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, index)) for index, child in enumerate(node.value)]
        return self.mapping(node, path)

    def mapping(self, node: yaml.Node, path: KeyPath) -> Data:
        result: dict[str, Data] = {}
        for key, value in node.value:
            position = mark_position(self.file, key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                self.errors.append(
                    CaseError("a key must be plain text", where=position, help="write it as `key: value`")
                )
                continue
            name = str(key.value)
            if name in result:
                self.errors.append(
                    CaseError(
                        f"duplicate key `{name}`",
                        where=position,
                        help=f"it is first defined at {self.keys[*path, name]}; remove one of them",
                    )
                )
                continue
            self.keys[*path, name] = position
            result[name] = self.build(value, (*path, name))
        return result


def _scalar(node: yaml.ScalarNode) -> Data:
    text = str(node.value)
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return int(text) if _INTEGER.match(text) else text


def _too_deep(where: Position) -> CaseError:
    help = "look for a stray bracket, or for an alias that contains itself"
    return CaseError(f"nested more than {MAX_DEPTH} levels deep", where=where, help=help)


def parse(text: str, file: str, loader: type[Any] = Loader) -> Document:
    """Read one YAML document; `file` is its name in messages.

    Raises CaseErrors for text that is not YAML, is too large or too deep, expands to too many
    values, or has duplicate keys.
    """
    if len(text) > MAX_BYTES:
        where = Position(file, 1, 1)
        raise CaseErrors(
            [CaseError(f"the file is larger than {MAX_BYTES} bytes", where=where, help="split the case")]
        )
    builder = _Builder(file)
    try:
        builder.errors += _check_events(text, file, loader)
        node = yaml.compose(text, loader)
        if node is None:
            return Document(file, None, {(): Position(file, 1, 1)}, {})
        data = builder.build(node, ())
    except (yaml.YAMLError, *BAD_ESCAPE) as error:
        raise CaseErrors([explain(error, text, file, lambda: _read_plainly(text, file))]) from None
    except CaseError as error:
        raise CaseErrors([*builder.errors, error]) from None
    if builder.errors:
        raise CaseErrors(sorted(builder.errors, key=position_of))
    return Document(file, data, builder.values, builder.keys)


def _read_plainly(text: str, file: str) -> None:
    _check_events(text, file, yaml.SafeLoader)
    yaml.compose(text, yaml.SafeLoader)


def _check_events(text: str, file: str, loader: type[Any]) -> list[CaseError]:
    """Check what the node tree does not show: tags, cut-off text, nesting too deep to compose."""
    # Composers recurse: a file of ten thousand brackets must be refused before it is composed.
    depth = 0
    errors: list[CaseError] = []
    lines = text.removeprefix("\ufeff").splitlines() if _ATTRIBUTE.search(text) else []
    for event in yaml.parse(text, loader):
        where = mark_position(file, event.start_mark)
        tag = getattr(event, "tag", None)
        if tag is not None:
            short = str(tag).replace("tag:yaml.org,2002:", "!!")
            errors.append(CaseError(f"the tag {short} is not allowed", where=where, help="remove it"))
        if lines and isinstance(event, yaml.ScalarEvent) and not event.style:
            errors += _cut_off(mark_position(file, event.end_mark), lines)
        if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            depth += 1
            if depth > MAX_DEPTH:
                raise _too_deep(where)
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            depth -= 1
    return errors


def _cut_off(end: Position, lines: list[str]) -> list[CaseError]:
    """The error of a plain scalar that ends at `end`, before `#[` or `#!`.

    No comment begins so: it is an attribute of Rust, or the first line of a script.
    """
    line = lines[end.line - 1] if end.line <= len(lines) else ""
    found = _ATTRIBUTE.match(line, end.column - 1)
    if not found:
        return []
    what = f"`{found[1]}` begins a comment in YAML, so the text before it is cut off"
    where = Position(end.file, end.line, found.start(1) + 1)
    return [CaseError(what, where=where, help="put the text in quotes")]
