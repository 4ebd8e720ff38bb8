"""Teeth: changes of a case, each of which must turn one claim red.

They stand in the case's own file, as comments under the line that they change:

    needed: [libc.so.6]
    #~ [libz.so.1] => lib.cdylib.needed.all => libc.so.6

The line's value (what follows its first `: `) is replaced; then exactly the claim named must fail,
in at least one variant, and what was found must contain the text. Several claims are divided by
` + `. A claim that cannot be judged is named `STEP!`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MARK = "#~ "


@dataclass(frozen=True)
class Tooth:
    """One change of a case, and the claim that it must turn red."""

    file: Path
    line: int
    """Of the tooth itself, counted from 1."""
    text: str
    """The changed case."""
    claims: frozenset[str]
    found: str

    def __str__(self) -> str:
        return f"{self.file.stem}:{self.line}-{'+'.join(sorted(self.claims))}"


def teeth(file: Path) -> Iterator[Tooth]:
    """The teeth of a case, in the file's order. Raises ValueError for one that is malformed."""
    lines = file.read_text(encoding="utf-8").splitlines()
    target = -1
    for index, line in enumerate(lines):
        if not line.lstrip().startswith(_MARK):
            target = index
            continue
        parts = line.strip().removeprefix(_MARK).split(" => ")
        key, colon, _ = lines[target].partition(": ")
        if len(parts) != 3 or not colon:
            raise ValueError(f"{file}:{index + 1}: a tooth is `#~ NEW => CLAIM => FOUND` under `key: value`")
        value, claims, found = (part.strip() for part in parts)
        changed = [*lines[:target], f"{key}: {value}", *lines[target + 1 :]]
        yield Tooth(file, index + 1, "\n".join(changed) + "\n", frozenset(claims.split(" + ")), found)
