"""What differs in what a variant made on two compilers: symbols, exports, needed libraries. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.artifact.facts import Facts
from harness.build.observation import Observation
from harness.judge.view import View

_HASHES = (
    (re.compile(r"17h[0-9a-f]{16}E"), "17h…E"),
    (re.compile(r"(?<=Cs)[0-9A-Za-z]{6,14}_"), "…_"),
    (re.compile(r"(?<=[-.])[0-9a-f]{16}(?=[-.]|$)"), "*"),
    (re.compile(r"(?<=rust_metadata_)(\w+?)_[0-9a-f]{16}"), r"\1_*"),
    (re.compile(r"(?<=\.)[0-9a-z]{16,}(?=-cgu|\.)"), "*"),
    (re.compile(r"\.llvm\.\d+"), ".llvm.*"),
    (re.compile(r"@@?[A-Z]+[\w.]*$"), ""),
)


@dataclass(frozen=True, slots=True)
class Change:
    """What one of a file's tables has gained and lost."""

    file: str
    what: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]


def changes(before: Observation, after: Observation) -> list[Change]:
    """The differences, file by file, hashes in names left out of account."""
    old, new = _files(before), _files(after)
    found = []
    made = _difference("", "files", _made(before), _made(after))
    if made is not None:
        found.append(made)
    for file in sorted(old.keys() & new.keys()):
        had, has = dict(_tables(old[file])), dict(_tables(new[file]))
        for what in had.keys() | has.keys():
            change = _difference(file, what, had.get(what, ()), has.get(what, ()))
            if change is not None:
                found.append(change)
    return sorted(found, key=lambda one: (one.file, one.what))


def _difference(file: str, what: str, had: Iterable[str], has: Iterable[str]) -> Change | None:
    old, new = ({_plain(name) for name in names} for names in (had, has))
    if old == new:
        return None
    return Change(file, what, tuple(sorted(new - old, key=_telling)), tuple(sorted(old - new, key=_telling)))


def _telling(name: str) -> tuple[bool, int, str]:
    """Names that somebody chose before mangled ones, short ones before long ones."""
    return name.startswith(("_ZN", "_R")), len(name), name


def _files(observation: Observation) -> Mapping[str, Facts]:
    """Each file as it was read last, under its name without hashes."""
    found: dict[str, Facts] = {}
    for step in observation.steps:
        for part in (step.outcome, *step.outcome.parts):
            found.update({_plain(name): facts for name, facts in part.facts.items()})
    return found


def _made(observation: Observation) -> set[str]:
    return {name for step in observation.steps for name in step.outcome.made}


def _tables(facts: Facts) -> Iterator[tuple[str, Iterable[str]]]:
    view = View(facts)
    if facts.object is not None and facts.object.dynamic is not None:
        yield "needed", facts.object.dynamic.needed
        yield "exports", view.provided
    elif view.symbols is not None:
        yield "defined", view.provided
    yield "undefined", view.unresolved or ()


def _plain(name: str) -> str:
    for pattern, instead in _HASHES:
        name = pattern.sub(instead, name)
    return name
