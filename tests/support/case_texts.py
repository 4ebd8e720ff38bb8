"""Reading a case from a text, with the errors that are reported."""

from pathlib import Path
from textwrap import dedent

from linkage.case.case import Case
from linkage.case.reader import parse_case
from linkage.errors import CaseErrors

SMALL = """\
summary: A small case
sources: {lib.rs: "", main.c: ""}
"""


def read(text: str, folder: Path = Path("nowhere")) -> Case:
    """A case from its text, its sources beside it in `folder`."""
    return parse_case(dedent(text), folder / "case.yaml", "case.yaml")


def small(rest: str, folder: Path = Path("nowhere")) -> Case:
    """A case of which only the part that matters is given; it starts in line 3."""
    return read(SMALL + dedent(rest).lstrip("\n"), folder)


def errors_of(text: str, folder: Path = Path("nowhere")) -> list[str]:
    """The lines that are said of a wrong case; none of a right one."""
    try:
        read(text, folder)
    except CaseErrors as errors:
        return str(errors).splitlines()
    return []


def errors_of_small(rest: str, folder: Path = Path("nowhere")) -> list[str]:
    """Like said, for the rest of a small case; it starts in line 3."""
    return errors_of(SMALL + dedent(rest).lstrip("\n"), folder)
