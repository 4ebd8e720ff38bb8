"""The output of a command as a picture: `ci/picture` draws docs/run.svg with it.

FORCE_COLOR=1 linkage run … | python ci/picture.py TITLE FILE.svg
"""

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from linkage.errors import ExitCode

WIDTH = 110
"""Columns of the picture; the command must be run with as many."""

_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_REMOTE = re.compile(
    r"""(?:href|src)\s*=\s*["']((?:https?:)?//[^"']+)|(?:url\(|@import)\s*["']?((?:https?:)?//[^"')]+)"""
)


def picture(output: str, title: str) -> str:
    """An SVG of a terminal that shows this output in colour; it loads nothing from a network.

    The user's home folder is shown as `~`: a picture is published.
    """
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    output = output.replace(f"{Path.home()}/", "~/")
    for line in output.strip("\n").splitlines():
        console.print(Text.from_ansi(line), overflow="fold")
    # The reader's own monospaced font is good enough: the SVG states the width of each text.
    return _FONT_FACE.sub("", console.export_svg(title=title, theme=MONOKAI, unique_id="linkage"))


def remote_references(svg: str) -> list[str]:
    """Addresses that showing the picture would load."""
    return [match[1] or match[2] for match in _REMOTE.finditer(svg)]


def main(arguments: list[str]) -> int:
    """Draw standard input into a file."""
    if len(arguments) != 2:  # noqa: PLR2004 - the title and the file
        print("picture: usage: COMMAND | python ci/picture.py TITLE FILE.svg", file=sys.stderr)
        return ExitCode.USAGE
    title, target = arguments
    output = sys.stdin.read()
    if not output.strip():
        print("picture: the command printed nothing", file=sys.stderr)
        return ExitCode.FAILED
    svg = picture(output, title)
    try:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).write_text(svg, encoding="utf-8")
    except OSError as error:
        print(f"picture: {target}: cannot be written: {error.strerror}", file=sys.stderr)
        return ExitCode.USAGE
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
