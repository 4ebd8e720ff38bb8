"""The mutants of the harness that no test can kill, each with its reason: equivalents.toml."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PLACE = Path(__file__).with_name("equivalents.toml")


@dataclass(frozen=True)
class Equivalent:
    """A change to a line of the harness that changes nothing that a test could see."""

    file: str
    function: str
    line: str
    """What is changed, as it is in the function, without its indentation."""
    mutated: str
    """What it becomes, likewise."""
    reason: str


def read_equivalents(place: Path = PLACE) -> list[Equivalent]:
    listed = tomllib.loads(place.read_text(encoding="utf-8")).get("mutant", [])
    return [Equivalent(**one) for one in listed]


def find(known: Iterable[Equivalent], file: str, function: str, diff: Sequence[str]) -> Equivalent | None:
    """The entry about a mutant, by its function and the lines that it removes and adds."""
    removed = " ".join(line[1:].strip() for line in diff if line.startswith("-"))
    added = " ".join(line[1:].strip() for line in diff if line.startswith("+"))
    wanted = (file, function, removed, added)
    return next((one for one in known if (one.file, one.function, one.line, one.mutated) == wanted), None)
