"""Words and files as a POSIX shell writes them, whatever characters they have."""

import re
import shlex
from collections.abc import Mapping
from pathlib import PurePosixPath

from linkage.case.variables import CAPTURED

_WILDCARD = re.compile(r"[*?]+")


def identifier(name: str) -> str:
    """A step's id as a part of a variable's name."""
    return re.sub(r"[^A-Za-z0-9]", "_", name)


def quoted(text: str, places: Mapping[str, str]) -> str:
    """A word of the plan: `places` are texts that stand for a variable; captured streams are variables.

    The longest place wins, for a compiler lies in its sysroot.
    """
    if whole := CAPTURED.fullmatch(text):  # words are divided by the shell, a stream is one word
        return f'${{WORDS_{identifier(whole[1])}-"$CAPTURED_{identifier(whole[1])}"}}'
    marks = sorted((place for place in places if place), key=len, reverse=True)
    parts = re.split("|".join([*(f"({re.escape(mark)})" for mark in marks), CAPTURED.pattern]), text)
    width = len(marks) + 2  # of a literal, one group a place, and the captured stream's name
    words: list[str] = []
    for start in range(0, len(parts), width):
        literal, *found = parts[start : start + width]
        if literal:
            words.append(shlex.quote(literal.replace("$${", "${")))
        words += [f'"${places[mark]}"' for mark, hit in zip(marks, found, strict=False) if hit]
        if found and found[-1]:
            words.append(f'"$CAPTURED_{identifier(found[-1])}"')
    return "".join(words) or "''"


def pattern(glob: str) -> str:
    """A path or glob, its wildcards left to the shell and all else quoted."""
    literals = [shlex.quote(part) if part else "" for part in _WILDCARD.split(glob)]
    wildcards = [*_WILDCARD.findall(glob), ""]
    return "".join(part for pair in zip(literals, wildcards, strict=True) for part in pair) or "''"


def written(name: str, content: bytes) -> list[str]:
    """The lines that write a file: readable where it is text, in octal where it is not."""
    target = shlex.quote(name)
    lines = [f"mkdir -p -- {shlex.quote(str(PurePosixPath(name).parent))}"] if "/" in name else []
    text = _plain(content)
    if text is None or not text.endswith("\n"):
        return [*lines, f"{printed(content)} > {target}"]
    end = "END_OF_FILE"
    while end in text:
        end += "_"
    return [*lines, f"cat > {target} <<'{end}'", text.removesuffix("\n"), end]


def printed(content: bytes) -> str:
    """The command that prints exactly these bytes."""
    text = _plain(content)
    if text is not None:
        return f"printf %s {shlex.quote(text)}"
    return "printf '" + "".join(f"\\{byte:03o}" for byte in content) + "'"


def _plain(content: bytes) -> str | None:
    """The content as text that a script can hold: no control characters but tabs and newlines."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return text if all(char in "\t\n" or char.isprintable() for char in text) else None
