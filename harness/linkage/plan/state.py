"""The state of a working folder by content, and what paths and globs mean in it. Pure."""

import fnmatch
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from linkage.artifact.digest import digest_of

UNREADABLE = "unreadable"
"""Stands for the content of a file whose mode forbids reading."""

FIFO = "FIFO"
FOLDER = "a folder"

_LINKS = 8  # symlinks that are followed before it counts as a loop


@dataclass(frozen=True, slots=True)
class Node:
    """What is at a path of a working folder, by content. `mode` holds the permission bits."""

    kind: str  # "file", "dir", "link", "special"
    content: str  # a file's digest; a link's target; "FIFO", "socket", "device"
    mode: int
    size: int = 0

    @property
    def stored(self) -> str | None:
        """The digest under which the store keeps the file's bytes; None if it cannot."""
        return self.content if self.kind == "file" and self.content != UNREADABLE else None


State = Mapping[str, Node]
"""The content of the folder, by relative path."""


def initial(sources: Mapping[str, bytes]) -> State:
    """The state of a folder with only a case's sources."""
    state: dict[str, Node] = {}
    for name, content in sources.items():
        for parent in list(PurePosixPath(name).parents)[:-1]:
            state[str(parent)] = Node("dir", "", 0o755)
        digest = digest_of(content)
        state[name] = Node("file", digest, 0o644, len(content))
    return state


def is_glob(pattern: str) -> bool:
    """Whether a text is a glob; `*` matches across folders."""
    return any(char in pattern for char in "*?")


_LITERAL = re.compile(r"\[([*?[])\]")


def is_escaped(text: str) -> bool:
    """Whether all of a text's wildcards are escaped, as fnmatch has it: `[*]` and `[?]`; a `[` is `[[]`."""
    return is_glob(text) and not is_glob(_LITERAL.sub("", text))


def unescaped(text: str) -> str:
    """A text with the characters themselves in place of the escaped ones."""
    return _LITERAL.sub(r"\1", text)


def fits(name: str, pattern: str) -> bool:
    """Whether a path or a glob matches a path."""
    if is_glob(pattern):
        return fnmatch.fnmatchcase(name, pattern)
    return name == posixpath.normpath(pattern)


def matching(names: Iterable[str], pattern: str) -> list[str]:
    """The paths that a path or a glob matches, sorted."""
    if not is_glob(pattern) and isinstance(names, Mapping):
        name = posixpath.normpath(pattern)
        return [name] if name in names else []
    return sorted(name for name in names if fits(name, pattern))


def selected(pattern: str, state: State) -> list[str]:
    """The files of a state that a path or a glob matches; a link to a file counts as one."""
    return [
        name for name in matching(state, pattern) if (node := target(name, state)) and node.kind == "file"
    ]


def other_than_files(pattern: str, state: State) -> dict[str, str]:
    """What a path or a glob matches that is neither a file nor a link to one, and its kind."""
    found = {}
    for name in matching(state, pattern):
        node, end = state[name], target(name, state)
        if end is not None and end.kind == "file":
            continue
        if end is None:
            found[name] = f"a symbolic link to {node.content}, which is not in the working folder"
        else:
            found[name] = FOLDER if end.kind == "dir" else f"a {end.content}"
    return found


def target(name: str, state: State) -> Node | None:
    """The target of a path, through symlinks inside the folder."""
    for _ in range(_LINKS):
        node = state.get(name)
        if node is None or node.kind != "link":
            return node
        name = posixpath.normpath(posixpath.join(posixpath.dirname(name), node.content))
    return None
