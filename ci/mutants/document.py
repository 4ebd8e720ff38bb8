"""README.md of this folder: which case detects which fault, and the claims that never fail. Pure."""

from collections.abc import Iterable, Mapping
from pathlib import PurePath

from linkage.errors import LinkageError
from linkage.judge.results import KeptResult
from mutants.faults.fault import Fault
from mutants.green_claims import ALWAYS_GREEN, GreenClaim

BEGIN = "<!-- ci/mutants/run: begin -->"
END = "<!-- ci/mutants/run: end -->"
_SHOWN = 4


def written(text: str, faults: Mapping[str, Fault], results: Iterable[KeptResult], file: str) -> str:
    """The document with a new table between its marks. Raises LinkageError if it has no marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise LinkageError(
            f"lacks the marks {BEGIN} and {END}", where=file, help="put them where the table belongs"
        )
    seen: dict[str, set[str]] = {}
    for one in results:
        seen.setdefault(one.compiler.name, set()).add(_short(one.case))
    lines = [
        "",
        "| fault | what it stands for | detected by |",
        "| --- | --- | --- |",
        *(
            f"| `{one.name}` | {_cell(one.stands_for)} | {_cases(seen.get(one.name, set()))} |"
            for one in faults.values()
        ),
        "",
        "Claims that no fault makes fail, and why they are kept:",
        "",
        *(_stays(one, why) for one, why in ALWAYS_GREEN.items()),
        "",
    ]
    return before + begin + "\n".join(lines) + end + after


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _short(case: str) -> str:
    return "/".join(PurePath(case).with_suffix("").parts[-2:])


def _cases(names: set[str]) -> str:
    shown = sorted(names)[:_SHOWN]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(shown) + more


def _stays(one: GreenClaim, why: str) -> str:
    case, step, claim = one
    return f"- {_short(case)}, {step}: `{claim}`: {why}"
