"""Words and files as a POSIX shell writes them, whatever characters they have."""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from linkage.plan.template import Captured, Part, Template, WorkFolder

_WILDCARD = re.compile(r"[*?]+")


def identifier(name: str) -> str:
    """A step's id as a part of a variable's name."""
    return re.sub(r"[^A-Za-z0-9]", "_", name)


def quoted(text: Template, places: Mapping[str, str]) -> str:
    """A text of the plan as one word; `places` are paths in it that stand in a variable.

    The longest place wins, for a compiler lies in its sysroot.
    """
    match text.parts:
        case (Captured(step),):  # words are divided by the shell, a stream is one word
            return f'${{WORDS_{identifier(step)}-"$CAPTURED_{identifier(step)}"}}'
    return "".join(word for part in text.parts for word in _quoted(part, places)) or "''"


def _quoted(part: Part, places: Mapping[str, str]) -> Iterator[str]:
    match part:
        case WorkFolder():
            yield '"$WORK"'
        case Captured(step):
            yield f'"$CAPTURED_{identifier(step)}"'
        case str():
            marks = sorted(filter(None, places), key=len, reverse=True)
            pieces = re.split(f"({'|'.join(map(re.escape, marks))})", part) if marks else [part]
            for index, piece in enumerate(pieces):
                if piece:
                    yield f'"${places[piece]}"' if index % 2 else shlex.quote(piece)


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


def text_printed(text: Template, places: Mapping[str, str]) -> str:
    """The command that prints exactly this text."""
    if text.literal is not None and not any(place in text.literal for place in places if place):
        return printed(text.literal.encode())
    return f"printf %s {quoted(text, places)}"


def _plain(content: bytes) -> str | None:
    """The content as text that a script can hold: no control characters but tabs and newlines."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return text if all(char in "\t\n" or char.isprintable() for char in text) else None
