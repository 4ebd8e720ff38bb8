"""The mutants of the harness that no test can kill, each with its reason: equivalents.toml."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PLACE = Path(__file__).with_name("equivalents.toml")


@dataclass(frozen=True)
class Equivalent:
    """A change to a line of the harness that changes nothing that a test could see."""

    file: str
    function: str
    diff: tuple[str, ...]
    """The lines that it removes and adds, each a sign, a space and the line without its indentation."""
    reason: str

    @property
    def removed(self) -> list[str]:
        return [line[2:] for line in self.diff if line.startswith("-")]


def read_equivalents(place: Path = PLACE) -> list[Equivalent]:
    listed = tomllib.loads(place.read_text(encoding="utf-8")).get("mutant", [])
    return [Equivalent(**(one | {"diff": signed(one["diff"].splitlines())})) for one in listed]


def signed(lines: Iterable[str]) -> tuple[str, ...]:
    """Lines of a diff without their indentation, which the function has and the list need not have."""
    return tuple(f"{line[0]} {line[1:].strip()}" for line in lines if line.strip())


def find(known: Iterable[Equivalent], file: str, function: str, diff: Iterable[str]) -> Equivalent | None:
    """The entry about a mutant, by its function and the lines that it removes and adds."""
    wanted = (file, function, signed(diff))
    return next((one for one in known if (one.file, one.function, one.diff) == wanted), None)


def as_entry(file: str, function: str, diff: Iterable[str], reason: str) -> str:
    """A mutant as it stands in the list: to be copied, not typed."""
    lines = (
        "[[mutant]]",
        f'file = "{file}"',
        f'function = "{function}"',
        "diff = '''",
        *signed(diff),
        "'''",
        f'reason = "{reason}"',
    )
    return "".join(f"{line}\n" for line in lines)
