"""The claim about a number that stands in a text, alone or in percent of another. Pure."""

import re
from collections.abc import Iterator

from linkage.case.claims import Number
from linkage.judge.name_set import Mismatch, compare


def check_number(claim: Number, text: str) -> Iterator[Mismatch]:
    """What of the claim does not hold; a text without such a number is a miss, too."""
    number = _found(claim.matches, text)
    if number is None:
        yield Mismatch("number", f"a number where /{claim.matches}/ says", "there is none")
        return
    if claim.percent_of is None:
        if not compare(claim.is_, number):
            yield Mismatch("number", f"number {claim.is_}", str(number))
        return
    whole = _found(claim.matches, claim.percent_of)
    if not whole:
        found = "there is none" if whole is None else "it is 0"
        yield Mismatch("number", f"a number where /{claim.matches}/ says, in the text to compare with", found)
    elif not compare(_of(claim.is_, whole), number * 100):
        yield Mismatch(
            "number",
            f"number {claim.is_} % of {whole}",
            f"{number}, which is {number * 100 / whole:.2f} %",
        )


def _found(regex: str, text: str) -> int | None:
    match = re.search(regex, text, re.MULTILINE)
    digits = (match[1] or "").replace(",", "") if match else ""
    return int(digits) if re.fullmatch("[0-9]{1,18}", digits) else None


def _of(comparison: str, whole: int) -> str:
    """The comparison of a percentage as one of whole numbers, so that nothing is rounded."""
    return re.sub(r"\d+", lambda percent: str(int(percent[0]) * whole), comparison)
