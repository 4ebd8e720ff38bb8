"""README.md of this folder: which case detects which fault, and the claims that never fail. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePath

from linkage.errors import LinkageError
from linkage.judge.results import KeptResult
from mutants.faults.fault import Fault
from mutants.green_claims import ALWAYS_GREEN, GreenClaim
from mutants.lone_witnesses import ONE_PLACE

BEGIN = "<!-- ci/mutants/run: begin -->"
END = "<!-- ci/mutants/run: end -->"
ENOUGH = 2
"""Cases that must detect a fault."""
_SHOWN = 4
_ROW = re.compile(r"^\| `([^`]+)` \| .* \| ([^|]*) \|$", re.MULTILINE)
_MORE = re.compile(r" and (\d+ )?more$")


def written(
    text: str,
    faults: Mapping[str, Fault],
    results: Iterable[KeptResult],
    file: str,
    cases: Collection[str] | None = None,
) -> str:
    """The document with a new table between its marks, the detections that it had before included.

    `cases`: the names of those that there are; what others detected is left out. Raises LinkageError if it
    has no marks.
    """
    before, begin, rest = text.partition(BEGIN)
    table, end, after = rest.partition(END)
    if not begin or not end:
        raise LinkageError(
            f"lacks the marks {BEGIN} and {END}", where=file, help="put them where the table belongs"
        )
    seen = detections(table)
    for one in results:
        seen.setdefault(one.compiler.name, set()).add(short_name(one.case))
    known = {name: {case for case in seen.get(name, ()) if cases is None or case in cases} for name in faults}
    lines = [
        "",
        *_summary(known),
        "",
        "| fault | what it stands for | detected by |",
        "| --- | --- | --- |",
        *(
            f"| `{one.name}` | {_cell(one.stands_for)} | {_cases(known[one.name])} |"
            for one in faults.values()
        ),
        "",
        "Faults that only one case can detect, and why:",
        "",
        *(f"- `{name}`: {why}" for name, why in ONE_PLACE.items()),
        "",
        "Claims that no fault makes fail, and why they are kept:",
        "",
        *(_stays(one, why) for one, why in ALWAYS_GREEN.items()),
        "",
    ]
    return before + begin + "\n".join(lines) + end + after


def detections(text: str) -> dict[str, set[str]]:
    """The cases that a table names for each fault: at most those that it shows."""
    return {
        name: set(filter(None, _MORE.sub("", shown.strip()).split(", ")))
        for name, shown in _ROW.findall(text)
    }


def unfinished(text: str, faults: Mapping[str, Fault]) -> list[str]:
    """The faults for which a table names fewer cases than must detect it, those that it lacks included."""
    seen = detections(text)
    return [name for name in faults if len(seen.get(name, ())) < ENOUGH and name not in ONE_PLACE]


def _summary(known: Mapping[str, Collection[str]]) -> Iterator[str]:
    """How many faults are detected, by how many cases."""
    by_one = [name for name, cases in known.items() if len(cases) == 1]
    by_none = [name for name, cases in known.items() if not cases]
    enough = len(known) - len(by_one) - len(by_none)
    percent = 100 * enough / len(known) if known else 0
    yield (
        f"{len(known)} faults: {len(known) - len(by_none)} detected, {enough} ({percent:.0f} %) by two cases"
        f" or more, {len(by_one)} by one, {len(by_none)} by none."
    )
    for what, names in (("By one", by_one), ("By none", by_none)):
        if names:
            yield ""
            yield f"{what}: {', '.join(f'`{name}`' for name in names)}."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def short_name(case: str) -> str:
    """A case as the table names it: its topic and its file without the suffix."""
    return "/".join(PurePath(case).with_suffix("").parts[-2:])


def _cases(names: set[str]) -> str:
    shown = sorted(names)[:_SHOWN]
    more = " and more" if len(names) > _SHOWN else ""
    return ", ".join(shown) + more


def _stays(one: GreenClaim, why: str) -> str:
    case, step, claim = one
    return f"- {short_name(case)}, {step}: `{claim}`: {why}"
