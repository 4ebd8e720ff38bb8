"""A build as lines of text, a fact each. Pure.

The words of a line are separated by tabs. `export` and `import` are names that the dynamic table and the
symbol table both have, of the same kind; GLOBAL and DEFAULT, and LOCAL of a private one, go without saying.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from linkage.artifact.facts import Binding, Visibility
from linkage.compare.model import Artifact, Built, Part, Step
from linkage.compare.reduction import THE_TOOLCHAINS
from linkage.compare.tables import ALL

Head = tuple[str, ...]
"""What lines are about: `("variant",)`, `("step", ID)` or `("output", ID, ROLE)`."""

AND = " | "
BINDINGS = frozenset(one.name for one in Binding)
VISIBILITIES = frozenset(one.name for one in Visibility)
IN_ORDER = ("needed", "runpath", "rpath")
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_PLAIN = {text[1]: char for char, text in _ESCAPES.items()}
_ESCAPED = re.compile(r"\\(?:([\\tnr])|([0-9a-f]{1,6});)")
WELL = "exit status 0"
_ALL_OF_CRATE = "all of its crate's"


def line(*words: str) -> str:
    """Words as a line."""
    return "\t".join(map(_escaped, words))


def words(text: str) -> list[str]:
    """The words of a line."""
    return [_unescaped(one) if "\\" in one else one for one in text.split("\t")]


def _escaped(text: str) -> str:
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(
        _ESCAPES.get(char) or (char if char.isprintable() else f"\\{ord(char):x};") for char in text
    )


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda one: _PLAIN[one[1]] if one[1] else chr(int(one[2], 16)), text)


def build_lines(built: Built) -> dict[Head, frozenset[str]]:
    """All that is said of a build."""
    found: dict[Head, frozenset[str]] = {("variant",): frozenset(_variant(built))}
    for step in built.steps:
        found["step", step.id] = frozenset(_step(step))
        for role, artifact in sorted(step.artifacts.items()):
            found["output", step.id, role] = frozenset(_artifact(artifact))
    return found


def _variant(built: Built) -> Iterator[str]:
    yield line("steps", *(step.id for step in built.steps))
    if built.bootstrap:
        yield "bootstrap"


def _step(step: Step) -> Iterator[str]:
    yield line("runs", step.program)
    if step.ended != WELL:
        yield line("ends", step.ended)
    yield from (line("says", one, *_times(count)) for one, count in Counter(step.diagnostics).items())
    if sorted(step.artifacts) != list(step.outputs):
        yield from (line("makes", one, *_times(count)) for one, count in Counter(step.outputs).items())
    for stream in ("stdout", "stderr"):
        text = getattr(step, stream)
        lines = text.split("\n") if text else ()
        yield from (line(stream, f"{number:03}", one) for number, one in enumerate(lines))
    if step.native_static_libs:
        yield line("native-static-libs", *step.native_static_libs)


def _times(count: int) -> tuple[str, ...]:
    return (f"*{count}",) if count > 1 else ()


def _artifact(one: Artifact) -> Iterator[str]:
    yield line("kind", one.kind)
    yield from (line("is", *item) for item in one.plain.items())
    for name, values in one.lists.items():
        if name in IN_ORDER:
            yield from (line(name, f"{number:02}", value) for number, value in enumerate(values))
        else:
            yield from (line("has", name, value) for value in values)
    yield from _linked(one) if not one.members else ()
    for crate, part in one.parts.items():
        yield from _part(f"@{crate}" if crate else "", part, told=not one.members)
    yield from _members(one)
    yield from (line("index", name) for name in one.index or ())
    for function, targets in one.references.items():
        summed = {name for name in targets if THE_TOOLCHAINS in name}
        yield line("calls", function, *sorted(targets - summed))
        yield from (line("calls", function, name) for name in summed)
    if one.text is not None:
        yield line("text", one.text)


def _linked(one: Artifact) -> Iterator[str]:
    """The dynamic table, and the public names of the symbol table."""
    symbols = dict(one.parts[""].symbols) if "" in one.parts else {}
    for word, table in (("export", one.exports or {}), ("import", one.imports or {})):
        for name, values in table.items():
            both = name in symbols and without_version(values) == tuple(symbols[name])
            if both:
                del symbols[name]
            yield _row(word if both else f"dynamic-{word}", name, values)
    yield from (_row("symbol", *item) for item in symbols.items())


def without_version(values: Sequence[str]) -> tuple[str, ...]:
    """What stands under an imported name, the version of the symbol left out."""
    return tuple(" ".join(value.split(" ")[:4]) for value in values)


def _part(of: str, part: Part, *, told: bool) -> Iterator[str]:
    tables = {"private": part.private} if told else {"symbol": part.symbols, "private": part.private}
    for word, table in tables.items():
        yield from (_row(f"{word}{of}", *item) for item in table.items())
    yield from (line(f"section{of}", name, _joined(values)) for name, values in part.sections.items())
    yield from (line(f"mangling{of}", scheme) for scheme in part.schemes)


def _row(word: str, name: str, values: Iterable[str]) -> str:
    local = word.startswith("private")
    if not name.endswith(ALL):
        values = (_shortened(value, "LOCAL" if local else "GLOBAL") for value in values)
    return line(word, name, _joined(values))


def _shortened(value: str, usual: str) -> str:
    kind, binding, visibility, place = value.split(" ", 3)
    if place.split(" ")[0] in BINDINGS | VISIBILITIES:
        return value
    said = (kind, "" if binding == usual else binding, "" if visibility == "DEFAULT" else visibility, place)
    return " ".join(filter(None, said))


def _joined(values: Iterable[str]) -> str:
    counts = Counter(values)
    return AND.join(f"{value} *{count}" if count > 1 else value for value, count in sorted(counts.items()))


def _members(one: Artifact) -> Iterator[str]:
    crates = Counter(member.crate for member in one.members)
    for number, member in enumerate(one.members):
        at = f"{number:03}"
        crate = member.crate or ""
        own = frozenset(name for name in one.parts.get(crate, Part()).symbols if not name.endswith(ALL))
        whole = bool(own) and crates[member.crate] == 1 and own <= member.symbols
        yield line("member", at, member.name, member.kind, crate, *([_ALL_OF_CRATE] if whole else []))
        yield from (line("holds", at, name) for name in member.symbols - (own if whole else frozenset()))
