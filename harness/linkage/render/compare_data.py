"""A comparison as JSON, and as Markdown for a pull request. Pure."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

from linkage.compare.change_groups import ChangeGroup
from linkage.compare.comparison import Comparison
from linkage.host.terminal import escape
from linkage.render.compare_text import described, evidence, notes, verdict

FORMAT = 1
"""Of the JSON; incremented when the meaning of a key changes or a key is removed."""

_SHOWN = 8
_CASES = 6
_LIMIT = 60_000
"""Characters of Markdown: GitHub accepts comments of at most 65,536."""


def as_json(result: Comparison) -> str:
    """The whole result, with every place of every change; details only at the first place."""
    data = {
        "format": FORMAT,
        "same": result.same,
        "verdict": verdict(result),
        "base": asdict(result.base),
        "head": asdict(result.head),
        "notes": list(notes(result)),
        "compared": result.compared,
        "bytes": list(result.bytes),
        "disabled_filters": list(result.disabled_filters),
        "linker": result.linker,
        "groups": [_group(group) for group in result.groups],
        "unmet": list(result.unmet),
        "not_compared": [asdict(one) for one in result.not_compared],
    }
    return json.dumps(data, indent=1) + "\n"


def _group(group: ChangeGroup) -> dict[str, object]:
    return {
        "kind": group.kind,
        "what": group.what,
        "headline": group.headline(),
        "names": list(group.names),
        "artifacts": dict(group.artifacts),
        "expected": group.expected,
        "found": [
            {
                "variant": one.variant,
                "step": one.step,
                "subject": one.subject,
                "name": one.change.name,
                "base": one.change.base,
                "head": one.change.head,
                "details": [] if number else list(one.change.details),
            }
            for places in group.found
            for number, one in enumerate(places)
        ],
    }


def as_markdown(result: Comparison) -> str:
    """The report for a pull request: the verdict, a table, and each difference folded below its headline."""
    lines = list(_head(result))
    length, left_out = sum(map(len, lines)), 0
    for group in result.groups:
        section = list(_section(group))
        length += sum(len(line) + 1 for line in section)
        if length > _LIMIT:
            left_out += 1
        else:
            lines += section
    if left_out:
        lines += [f"… and {left_out} more kinds of change: `--json` has all.", ""]
    lines += _not_compared(result)
    return "\n".join(lines) + "\n"


def _head(result: Comparison) -> Iterator[str]:
    yield f"### linkage compare: {verdict(result)}"
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| base | {_cell(described(result.base))} |"
    yield f"| head | {_cell(described(result.head))} |"
    yield f"| outputs | {result.bytes[0]:,} → {result.bytes[1]:,} bytes |"
    yield ""
    for note in notes(result):
        yield f"> {note}"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _section(group: ChangeGroup) -> Iterator[str]:
    sign = "expected: " if group.expected else ""
    yield f"<details><summary>{sign}{_html(escape(group.headline(), 300))}</summary>"
    yield ""
    if group.expected:
        yield f"Expected: {group.expected}"
        yield ""
    yield "```diff"
    for places in group.found[:_SHOWN]:
        yield from evidence(places[0])
    if len(group.found) > _SHOWN:
        yield f"… {len(group.found) - _SHOWN} more names"
    yield "```"
    yield ""
    yield where(group, _CASES)
    yield ""
    yield "</details>"
    yield ""


def where(group: ChangeGroup, limit: int) -> str:
    """The cases in which a change was found, with the number of their variants, and one of the variants."""
    cases = group.cases.most_common()
    shown = ", ".join(f"`{case}`" + (f" ({count})" if count > 1 else "") for case, count in cases[:limit])
    more = f" and {len(cases) - limit} more cases" if len(cases) > limit else ""
    variants = group.variants
    if len(variants) == 1:
        return f"In `{variants[0]}`"
    return f"In {len(variants)} variants: {shown}{more}; for one `{variants[0]}`"


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _not_compared(result: Comparison) -> Iterator[str]:
    if not result.not_compared:
        return
    yield f"Not compared: {len(result.not_compared)} variants"
    yield ""
    for reason, count in Counter(one.reason for one in result.not_compared).most_common():
        yield f"- {count}: {escape(reason, 300)}"
