"""What `linkage run` prints at its end.

rich lays out columns. All other lines are printed unfolded: the terminal folds them, and a log is searched
line by line.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from linkage.host.terminal import escape, escape_lines
from linkage.judge.verdict import VerdictKind
from linkage.render.evidence import explain_run
from linkage.render.run_data import VariantReport

STYLES = {
    VerdictKind.PASS: "green", VerdictKind.FAIL: "bold red",
    VerdictKind.KNOWN: "yellow", VerdictKind.FIXED: "bold magenta",
    VerdictKind.SKIP: "dim", VerdictKind.ERROR: "bold red",
}  # fmt: skip
_EVIDENCE_SHOWN = 12
"""Blocks of evidence that are printed; of the others only the variants are listed."""
_LOG_WIDTH = 140
"""Columns of a table if the output is not a terminal."""
_NO_BREAK = "\ue000"  # a private character: rich folds at every kind of space


def print_summary(
    records: Sequence[VariantReport],
    unreadable: Sequence[str],
    seconds: float,
    broken: Sequence[str] = (),
    collected: int = 0,
    console: Console | None = None,
) -> None:
    """The table, the known bugs, the skips, the failures with their evidence, and the totals in one line."""
    console = console or summary_console()
    if records:
        console.print(_Table(_table(records)))
        _print_toolchains(records, console)
    _print_bugs(records, console)
    _print_skips(records, console)
    _print_failures(records, console)
    for title, texts in (("case files that could not be read", unreadable), ("without a verdict", broken)):
        if texts:
            _heading(title, "bold red", console)
        for text in texts:
            console.print(Text(escape_lines(text)))
    console.print()
    console.print(_closing(records, unreadable, broken, seconds, collected))


def summary_console(color: str = "auto") -> Console:
    """Standard output; wider than rich's default if it is not a terminal. `color`: yes, no or auto."""
    force = {"yes": True, "no": False}.get(color)
    console = Console(highlight=False, soft_wrap=True, force_terminal=force)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _LOG_WIDTH
    return console


def _heading(text: str, style: str, console: Console) -> None:
    console.print()
    console.print(Text.assemble(("── ", "dim"), (text, style)))


def _table(records: Sequence[VariantReport]) -> Table:
    toolchains = list(dict.fromkeys(record.toolchain for record in records))
    cells: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for record in records:
        cells[record.case, record.toolchain][record.outcome] += 1
        cells["all", record.toolchain][record.outcome] += 1
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("case", overflow="fold")
    for name in toolchains:
        table.add_column(Text(escape(name)), overflow="fold")
    cases = sorted({record.case for record in records})
    for case in cases:
        table.add_row(Text(escape(case)), *(_cell(cells[case, name]) for name in toolchains))
    if len(cases) > 1:
        table.add_row(Text("all", "bold"), *(_cell(cells["all", name]) for name in toolchains))
    return table


class _Table:
    """A table whose cells are folded only at commas."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.table, options):
            yield segment._replace(text=segment.text.replace(_NO_BREAK, " "))


def _cell(counted: Counter[str], space: str = _NO_BREAK) -> Text:
    parts = [
        Text(f"{counted[outcome]}{space}{outcome}", style)
        for outcome, style in STYLES.items()
        if counted[outcome]
    ]
    return Text(", ").join(parts) if parts else Text("—", "dim")


def _print_toolchains(records: Sequence[VariantReport], console: Console) -> None:
    versions = {record.toolchain: record.version for record in records}
    width = max(map(len, versions))
    console.print()
    for name, version in versions.items():
        console.print(Text(f"{escape(name).ljust(width)}  {escape(version)}", "dim"))


def _print_bugs(records: Sequence[VariantReport], console: Console) -> None:
    seen: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for record in records:
        if record.outcome == VerdictKind.KNOWN:
            # A bug that a case describes by several signatures occurs once in a variant.
            for name, note in {(bug.name, bug.note or record.summary) for bug in record.bugs}:
                seen[name, note][record.toolchain] += 1
    if seen:
        _heading("known bugs", "yellow", console)
    for (name, note), counted in sorted(seen.items()):
        where = ", ".join(f"{count} on {toolchain}" for toolchain, count in sorted(counted.items()))
        console.print(Text.assemble((escape(name), "yellow"), f": {where}: ", (escape(note, 2000), "dim")))


def _print_skips(records: Sequence[VariantReport], console: Console) -> None:
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        if record.outcome == VerdictKind.SKIP:
            reasons[record.reason][record.toolchain] += 1
    if reasons:
        _heading("skipped", "dim", console)
    for reason, counted in sorted(reasons.items(), key=lambda item: -item[1].total()):
        where = ", ".join(f"{count} on {toolchain}" for toolchain, count in sorted(counted.items()))
        console.print(Text(f"{where}: {escape(reason, 2000)}", "dim"))


def _print_failures(records: Sequence[VariantReport], console: Console) -> None:
    blocks = list(explain_run(records))
    for block in blocks[:_EVIDENCE_SHOWN]:
        _heading(block.headline, STYLES[VerdictKind(block.report.outcome)], console)
        console.print(Text(block.text))
    rest = blocks[_EVIDENCE_SHOWN:]
    if rest:
        _heading(f"{len(rest)} more", "bold red", console)
        for block in rest:
            console.print(Text(block.headline))


def _closing(
    records: Sequence[VariantReport],
    unreadable: Sequence[str],
    broken: Sequence[str],
    seconds: float,
    collected: int,
) -> Text:
    counted = Counter(record.outcome for record in records)
    plural = "s" if max(len(records), collected) != 1 else ""
    number = f"{len(records)} of {collected}" if len(records) < collected else str(len(records))
    text = Text(f"{number} variant{plural}: " if records else "no variant was run", "bold")
    if records:
        text.append_text(_cell(counted, " "))
    if unreadable:
        text.append(f"; case files that could not be read: {len(unreadable)}", "bold red")
    if broken:
        text.append(f"; without a verdict: {len(broken)}", "bold red")
    stored = sum(record.stored for record in records)
    source = f", {stored} cached" if stored else ""
    return text.append(" ").append(f"in {seconds:.1f} s{source}", "dim")
