"""Text from a file or a process, made safe to print: nothing in it can control a terminal. Pure."""


def escape(text: str, limit: int = 200) -> str:
    """One line of foreign text, safe to print: control characters are escaped, its length is limited."""
    safe = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text[: limit + 1]
    )
    return safe if len(text) <= limit else safe[:limit] + "…"


def escape_lines(text: str, limit: int = 2000) -> str:
    """Several lines of foreign text, safe to print."""
    return "\n".join(escape(line, limit) for line in text.split("\n"))
