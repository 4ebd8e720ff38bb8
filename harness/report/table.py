"""What `linkage run` prints at its end."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from rich.console import Console, Group
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from harness.judge.verdict import Outcome
from harness.report.record import Record

_STYLES = {
    Outcome.PASS: "green", Outcome.FAIL: "bold red", Outcome.KNOWN: "yellow", Outcome.FIXED: "bold magenta",
    Outcome.SKIP: "dim", Outcome.ERROR: "bold red",
}  # fmt: skip
_EVIDENCE_SHOWN = 12
"""Failures whose evidence is printed; the others are named."""


def print_summary(
    records: Sequence[Record], unreadable: Sequence[str], seconds: float, console: Console | None = None
) -> None:
    """The table, the known bugs, and what failed."""
    console = console or Console(highlight=False, soft_wrap=True)
    if records:
        console.print(_table(records))
    _print_bugs(records, console)
    _print_skips(records, console)
    _print_failures(records, console)
    for text in unreadable:
        console.print(Text(text, "bold red"))
    console.print(_closing(records, unreadable, seconds))


def _table(records: Sequence[Record]) -> Table:
    toolchains = list(dict.fromkeys(record.toolchain for record in records))
    versions = {record.toolchain: record.version for record in records}
    cells: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for record in records:
        cells[record.case, record.toolchain][record.outcome] += 1
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("case", overflow="fold")
    for name in toolchains:
        table.add_column(f"{name}\n[dim]{versions[name]}[/dim]", overflow="fold")
    for case in sorted({record.case for record in records}):
        table.add_row(case, *(_cell(cells[case, name]) for name in toolchains))
    totals = {
        name: sum((cells[key] for key in cells if key[1] == name), Counter[str]()) for name in toolchains
    }
    table.add_section()
    table.add_row(Text("all", "bold"), *(_cell(totals[name]) for name in toolchains))
    return table


def _cell(counted: Counter[str]) -> Text:
    parts = [
        Text(f"{counted[outcome]} {outcome}", style) for outcome, style in _STYLES.items() if counted[outcome]
    ]
    return Text(", ").join(parts) if parts else Text("—", "dim")


def _print_bugs(records: Sequence[Record], console: Console) -> None:
    seen: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for record in records:
        if record.outcome == Outcome.KNOWN:
            for bug in record.bugs:
                seen[str(bug["name"]), str(bug["note"] or record.summary)][record.toolchain] += 1
    if not seen:
        return
    console.print(Rule("known bugs, seen as described", style="yellow", align="left"))
    table = Table(box=None, pad_edge=False, show_header=False)
    for (name, note), counted in sorted(seen.items()):
        where = ", ".join(f"{count} on {toolchain}" for toolchain, count in counted.items())
        table.add_row(Text(name, "yellow"), Text(where), Text(note, "dim"))
    console.print(table)


def _print_skips(records: Sequence[Record], console: Console) -> None:
    reasons = Counter(record.reason for record in records if record.outcome == Outcome.SKIP)
    if reasons:
        console.print(Rule("skipped", style="dim", align="left"))
    for reason, count in reasons.most_common():
        console.print(Text(f"{count}: {reason}", "dim"))


def _print_failures(records: Sequence[Record], console: Console) -> None:
    bad = [record for record in records if record.outcome in (Outcome.FAIL, Outcome.FIXED, Outcome.ERROR)]
    for record in bad[:_EVIDENCE_SHOWN]:
        console.print(
            Rule(
                Text(f"{record.outcome}: {record.id}", _STYLES[Outcome(record.outcome)]),
                style="red",
                align="left",
            )
        )
        console.print(Text(record.evidence))
    if len(bad) > _EVIDENCE_SHOWN:
        console.print(Rule(f"{len(bad) - _EVIDENCE_SHOWN} more", style="red", align="left"))
        console.print(Group(*(Text(f"{record.outcome}: {record.id}") for record in bad[_EVIDENCE_SHOWN:])))


def _closing(records: Sequence[Record], unreadable: Sequence[str], seconds: float) -> Text:
    counted = Counter(record.outcome for record in records)
    text = Text(f"{len(records)} variants: ", "bold")
    text.append_text(_cell(counted))
    if unreadable:
        text.append(f"; {len(unreadable)} case files could not be read", "bold red")
    return text.append(f" in {seconds:.1f} s", "dim")
