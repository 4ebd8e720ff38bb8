"""Commands, words and files in POSIX shell syntax, whatever characters they have."""

import itertools
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from linkage.plan.command import Command, Word
from linkage.plan.state import is_glob
from linkage.plan.template import WORK, Captured, CapturedText, Part, Template, WorkFolder

_WILDCARD = re.compile(r"\[!?\]?[\w.*?[-]+\]|[*?]+")
"""What stands for other characters in a glob, or keeps a character from it."""


def shell_word(text: str) -> str:
    """A text as one word, as shlex.quote makes it, but printf makes its control characters."""
    if _readable(text):
        return shlex.quote(text)
    parts = ((readable, "".join(part)) for readable, part in itertools.groupby(text, _readable))
    return "".join(
        shlex.quote(part)
        if readable
        else f"\"$(printf '{_octal(part.encode('utf-8', 'surrogateescape'))}')\""
        for readable, part in parts
    )


def _readable(text: str) -> bool:
    return all(char in "\t\n" or char.isprintable() for char in text)


def identifier(name: str) -> str:
    """A step's id as part of a variable's name."""
    return re.sub(r"[^A-Za-z0-9]", "_", name)


def command_line(
    command: Command, places: Mapping[str, str], captured: Mapping[str, CapturedText] | None = None
) -> str:
    """A command as it is typed in the working folder; `places` as in `quoted`.

    `captured` is what earlier steps captured, by step; if None, the shell has it in variables.
    """
    words = [part for word in command.typed for part in _arguments(word, command.cwd, places, captured)]
    folders = "".join(f"{quoted(Template.of(folder), places)}:" for folder in command.path)
    env = [f'PATH={folders}"$PATH"'] if folders else []
    env += [f"{key}={quoted(value.expanded(captured), places)}" for key, value in command.env.items()]
    line = " ".join([*([] if all(key.isidentifier() for key in command.env) else ["env"]), *env, *words])
    if command.stdin is not None:
        line = f"{text_printed(command.stdin.expanded(captured), places)} | {line}"
    return f"( cd {shell_word(command.cwd)} && {line} )" if command.cwd != "." else line


def _arguments(
    word: Word, cwd: str, places: Mapping[str, str], captured: Mapping[str, CapturedText] | None
) -> Iterator[str]:
    if isinstance(word, Template):
        each = [word] if captured is None else map(Template.neutral, word.words(str(WORK), captured))
        yield from (quoted(one, places) for one in each)
    elif word.archive is None:
        yield _files(word.pattern, cwd, places)
    else:
        chosen = f'case $member in {pattern(word.pattern)}) echo "$member" ;; esac'
        archive = shell_word(posixpath.relpath(word.archive, cwd))
        yield f"$(ar t {archive} | while read -r member; do {chosen}; done)"


def _files(glob: str, cwd: str, places: Mapping[str, str]) -> str:
    """A glob over the working folder's files, or over those of a place."""
    for place, variable in places.items():
        if glob.startswith(f"{place}/"):
            return f'"${variable}"{pattern(glob.removeprefix(place))}'
    return pattern(glob if glob.startswith("/") else posixpath.relpath(glob, cwd))


def quoted(text: Template, places: Mapping[str, str]) -> str:
    """A text of the plan as one word; `places` are paths that are in shell variables.

    The longest one is used first, because a compiler is in its sysroot.
    """
    match text.parts:
        case (Captured(step),):  # the shell splits words, a stream is one word
            return f'${{WORDS_{identifier(step)}-"$CAPTURED_{identifier(step)}"}}'
    pieces = (piece for part in text.parts for piece in _pieces(part, places))
    return "".join(shell_word(piece) if variable is None else variable for piece, variable in pieces) or "''"


def _pieces(part: Part, places: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """A part of a text in pieces, each with its variable, if it has one."""
    match part:
        case WorkFolder():
            yield str(part), '"$WORK"'
        case Captured(step):
            yield str(part), f'"$CAPTURED_{identifier(step)}"'
        case str():
            marks = sorted(filter(None, places), key=len, reverse=True)
            pieces = re.split(f"({'|'.join(map(re.escape, marks))})", part) if marks else [part]
            for index, piece in enumerate(pieces):
                if piece:
                    yield piece, f'"${places[piece]}"' if index % 2 else None


def pattern(glob: str) -> str:
    """A path or glob, quoted except for its wildcards."""
    if not is_glob(glob):
        return shell_word(glob)
    literals = [shell_word(part) if part else "" for part in _WILDCARD.split(glob)]
    wildcards = [*_WILDCARD.findall(glob), ""]
    return "".join(part for pair in zip(literals, wildcards, strict=True) for part in pair) or "''"


def written(name: str, content: bytes) -> list[str]:
    """The lines that write a file: readable if it is text, else in octal."""
    target = shell_word(name)
    lines = [f"mkdir -p -- {shell_word(str(PurePosixPath(name).parent))}"] if "/" in name else []
    text = _plain(content)
    if text is None or not text.endswith("\n"):
        return [*lines, f"{printed(content)} > {target}"]
    end = "END_OF_FILE"
    while end in text:
        end += "_"
    return [*lines, f"cat > {target} <<'{end}'", text.removesuffix("\n"), end]


def printed(content: bytes) -> str:
    """The command that prints exactly these bytes, in one line."""
    text = _plain(content)
    if text is None:
        return f"printf '{_octal(content)}'"
    return f"printf %s {shell_word(text)}" if text.isprintable() else f"printf {shell_word(_format(text))}"


def text_printed(text: Template, places: Mapping[str, str]) -> str:
    """The command that prints exactly this text."""
    if text.literal is not None and not any(place in text.literal for place in places if place):
        return printed(text.literal.encode())
    pieces = [piece for part in text.parts for piece in _pieces(part, places)]
    form = "".join(_format(piece) if variable is None else "%s" for piece, variable in pieces)
    variables = [variable for _, variable in pieces if variable is not None]
    return " ".join(["printf", shell_word(form), *variables])


def _format(text: str) -> str:
    """A text as printf's format, in one line."""
    form = text.replace("\\", "\\\\").replace("%", "%%").replace("\n", "\\n").replace("\t", "\\t")
    return "".join(
        char if char.isprintable() and (index or char != "-") else _octal(char.encode())
        for index, char in enumerate(form)
    )


def _octal(content: bytes) -> str:
    return "".join(f"\\{byte:03o}" for byte in content)


def _plain(content: bytes) -> str | None:
    """The content as text that a script can contain: no control characters except tabs and newlines."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return text if _readable(text) else None
