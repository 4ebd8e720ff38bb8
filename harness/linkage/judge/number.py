"""Claims about a number in a text, by itself or as a percentage of another. Pure."""

import re
from collections.abc import Iterator

from linkage.case.claims import Number
from linkage.case.regular_expression import RegularExpression
from linkage.judge.name_set import Mismatch, compare


def check_number(claim: Number, text: str) -> Iterator[Mismatch]:
    """The parts of the claim that do not hold; a text without such a number is a mismatch."""
    number = _found(claim.matches, text)
    if number is None:
        yield Mismatch("number", f"a number that matches /{claim.matches}/", "no match")
        return
    if claim.percent_of is None:
        if not compare(claim.is_, number):
            yield Mismatch("number", f"number {claim.is_}", str(number))
        return
    whole = _found(claim.matches, claim.percent_of)
    if not whole:
        found = "no match" if whole is None else "0"
        yield Mismatch("number", f"a number that matches /{claim.matches}/ in `percent-of`", found)
    elif not compare(_of(claim.is_, whole), number * 100):
        yield Mismatch(
            "number",
            f"number {claim.is_} % of {whole}",
            f"{number}, which is {number * 100 / whole:.2f} %",
        )


def _found(regex: str, text: str) -> int | None:
    match = RegularExpression(regex, multiline=True).search(text)
    digits = (match[1] or "").replace(",", "") if match else ""
    return int(digits) if re.fullmatch("[0-9]{1,18}", digits) else None


def _of(comparison: str, whole: int) -> str:
    """A comparison of a percentage as one of integers: nothing is rounded."""
    return re.sub(r"\d+", lambda percent: str(int(percent[0]) * whole), comparison)
