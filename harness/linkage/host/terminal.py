"""Text from a file or a process, made safe to print: nothing in it can control a terminal. Pure."""

import re

_ESCAPED = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[\\nrt])")


def escape(text: str, limit: int = 200) -> str:
    """One line of foreign text, safe to print: control characters are escaped, its length is limited."""
    safe = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text[: limit + 1]
    )
    return safe if len(text) <= limit else safe[:limit] + "…"


def escape_lines(text: str, limit: int = 2000) -> str:
    """Several lines of foreign text, safe to print."""
    return "\n".join(escape(line, limit) for line in text.split("\n"))


def printable_name(name: str) -> str:
    r"""The name of a file so that it can be printed, and typed again: `typed_name` reads it.

    What is not UTF-8 in it is a surrogate in Python, and `\udcff` here; no two names look the same.
    """
    if name.isprintable() and "\\" not in name:
        return name
    return "".join(
        char if char.isprintable() and char != "\\" else char.encode("unicode_escape").decode()
        for char in name
    )


def typed_name(text: str) -> str:
    """The name that `printable_name` made this text of."""
    return _ESCAPED.sub(lambda found: found[0].encode().decode("unicode_escape"), text)
