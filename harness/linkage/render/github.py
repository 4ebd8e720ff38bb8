"""The results of a run for GitHub Actions: annotations at the claims, and the summary of a job. Pure.

The form of workflow commands and their escapes: "Workflow commands for GitHub Actions" in GitHub's
documentation, and `packages/core/src/command.ts` of actions/toolkit.
"""

import html
import os.path
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from linkage.host.terminal import escape
from linkage.judge.name_set import plural
from linkage.judge.verdict import FAILING, VerdictKind
from linkage.render.evidence import EvidenceBlock, explain_run
from linkage.render.run_data import VariantReport

_ANNOTATIONS = 10
"""GitHub shows this many errors of a step."""
_MESSAGE = 4000
_ID = 400
SUMMARY_LIMIT = 1 << 20
"""Bytes of the summary of one step: GitHub shows nothing of a longer one."""
_LEFT = 2000
"""Bytes that are left for what was left out."""
_CASES = 40
"""Rows of the table: of more cases, only those in which something failed are shown."""
_POSITION = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<col>\d+)")


def annotations(
    reports: Sequence[VariantReport], unreadable: Sequence[str], here: PurePath, checkout: PurePath
) -> Iterator[str]:
    """A workflow command for each failure, at the line of its claim; at most as many as GitHub shows.

    `here` is the folder that paths are relative to, `checkout` the one that GitHub's are.
    """
    commands = [
        *(_unreadable(text, here, checkout) for text in unreadable),
        *(_failure(block, here, checkout) for block in explain_run(reports)),
    ]
    most = _ANNOTATIONS if len(commands) <= _ANNOTATIONS else _ANNOTATIONS - 1
    yield from commands[:most]
    if len(commands) > most:
        yield _command("", f"{len(commands) - most} more failures are in the log", title="linkage")


def _failure(block: EvidenceBlock, here: PurePath, checkout: PurePath) -> str:
    report = block.report
    where = report.failures[0].where if report.failures else report.case
    return _command(
        _place(where, here, checkout), block.text, title=f"{report.outcome}: {escape(report.id, _ID)}"
    )


def _unreadable(text: str, here: PurePath, checkout: PurePath) -> str:
    return _command(_place(text, here, checkout), escape(text, _MESSAGE), title="a case that cannot be read")


def _place(where: str, here: PurePath, checkout: PurePath) -> str:
    """`file=…,line=…,col=…` of a text that begins with a position; without one, the file alone."""
    found = _POSITION.match(where)
    path = PurePath(os.path.normpath(here / (found["file"] if found else where.partition("\n")[0])))
    if not path.is_relative_to(checkout) or (found is None and path.suffix != ".yaml"):
        return ""
    file = _property(path.relative_to(checkout).as_posix())
    return f"file={file},line={found['line']},col={found['col']}" if found else f"file={file}"


def _command(place: str, message: str, *, title: str) -> str:
    properties = ",".join(part for part in (place, f"title={_property(title)}") if part)
    text = message if len(message) <= _MESSAGE else message[:_MESSAGE] + "…"
    return f"::error {properties}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def job_summary(reports: Sequence[VariantReport], unreadable: Sequence[str], broken: Sequence[str]) -> str:
    """Markdown: the totals, a table of cases by toolchain, and each failure with its evidence."""
    parts = ["\n".join(_table(reports)) + "\n"]
    failures = [
        *(("a case that cannot be read", text) for text in unreadable),
        *(("without a verdict", text) for text in broken),
        *((block.headline, block.text) for block in explain_run(reports)),
    ]
    size = len(parts[0].encode())
    for number, (title, text) in enumerate(failures):
        part = "\n".join(_folded(title, text)) + "\n"
        size += len(part.encode())
        if size > SUMMARY_LIMIT - _LEFT:
            parts.append(f"{len(failures) - number} more failures are in the log.\n")
            break
        parts.append(part)
    return "\n".join(parts)


def _table(reports: Sequence[VariantReport]) -> Iterator[str]:
    counted: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for report in reports:
        counted[report.case, report.toolchain][report.outcome] += 1
    versions = {report.toolchain: report.version for report in reports}
    yield "## linkage"
    yield ""
    yield f"{_total(reports)}."
    bad = {report.case for report in reports if report.outcome in FAILING}
    cases = sorted({report.case for report in reports})
    shown = [case for case in cases if case in bad] if len(cases) > _CASES else cases
    if not shown:
        return
    yield ""
    yield f"| case | {' | '.join(_code(name) for name in versions)} |"
    yield f"|---|{'---|' * len(versions)}"
    for case in shown:
        yield f"| {_code(case)} | {' | '.join(_cell(counted[case, name]) for name in versions)} |"
    yield ""
    yield " · ".join(f"{_code(name)} is {escape(version)}" for name, version in versions.items())


def _total(reports: Sequence[VariantReport]) -> str:
    number = plural(len(reports), "variant")
    return f"{number}: {_cell(Counter(one.outcome for one in reports))}" if reports else "No variant was run"


def _cell(counted: Counter[str]) -> str:
    words = [
        f"**{counted[kind]} {kind}**" if kind in FAILING else f"{counted[kind]} {kind}"
        for kind in VerdictKind
        if counted[kind]
    ]
    return ", ".join(words) or "—"


def _folded(title: str, text: str) -> Iterator[str]:
    text = "\n".join(escape(line, _MESSAGE) for line in text.splitlines())
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text) or [""]))
    yield f"<details open><summary>{html.escape(title, quote=False)}</summary>"
    yield ""
    yield f"{fence}text"
    yield text
    yield fence
    yield "</details>"


def _code(text: str) -> str:
    """A text in a cell of a table, as it is."""
    marked = html.escape(escape(text, _ID), quote=False)
    return f"<code>{marked.replace('|', '&#124;').replace('`', '&#96;')}</code>"
