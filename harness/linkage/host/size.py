"""Sizes as users write and read them."""

import re

from linkage.errors import LinkageError

_UNITS = ("", "K", "M", "G", "T")
_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*([KMGTkmgt]?)(?:i?B)?$", re.IGNORECASE)
SIZE = _SIZE.pattern
"""What a size looks like."""
_STEP = 1024


def parse_size(text: str, where: str) -> int:
    """The bytes of a size such as `500M` or `2G`; `where` is the option that has it.

    Raises LinkageError for anything else.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise LinkageError(f"`{text}` is not a size", where=where, help="write it as 500M or 2G")
    return int(float(found[1]) * _STEP ** _UNITS.index(found[2].upper()))


def shown_size(size: int) -> str:
    """A size in the largest unit that it fills, such as `1.5 GB`."""
    value, unit = float(size), 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{value:.1f} {_UNITS[unit]}B" if unit else f"{size} B"
