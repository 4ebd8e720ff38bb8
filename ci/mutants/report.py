"""The output of `ci/mutants/run`."""

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from linkage.case.case import Case
from mutants.claims import Claim
from mutants.faults.fault import Fault
from mutants.green_claims import ALWAYS_GREEN
from mutants.search import Report


def show(reports: Sequence[Report], faults: Mapping[str, Fault], console: Console) -> None:
    """Print a line for each fault, then the faults that no case detects."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("fault", "detected by", "at", "tried"):
        table.add_column(name, overflow="fold")
    for report in reports:
        first = report.caught[0] if report.caught else None
        cases = ", ".join(report.witnesses)
        seen = Text(cases) if cases else Text(_unseen(report), "bold red")
        tried = f"{report.tried} of {report.applicable}"
        table.add_row(Text(report.fault), seen, Text(first.claim if first else "", "dim"), Text(tried, "dim"))
    console.print(table)
    for report in reports:
        if not report.caught:
            console.print()
            console.print(Text(f"{report.fault}: {_unseen(report)}", "bold red"))
            console.print(Text(f"    {faults[report.fault].stands_for}"))
            for name in report.missed:
                console.print(Text(f"    passes: {name}", "dim"))
    for report in reports:
        for text in report.unsound:
            console.print(Text(f"{report.fault}: {text}", "bold red"))


def _unseen(report: Report) -> str:
    return "no case detects it" if report.applicable else "it applies to no command line of a case"


def show_plain(report: Report, console: Console) -> None:
    """Print whether the wrapper by itself changes a verdict."""
    console.print(f"plain: {report.tried} variants with the wrapper that has no fault")
    for one in report.caught:
        console.print(Text(f"    failed: {one.case}[{one.cell}]: {one.claim}", "bold red"))


def show_claims(never: Iterable[tuple[str, int, Sequence[Claim]]], console: Console) -> None:
    """Print the claims of each case that have never failed."""
    for file, count, claims in never:
        console.print(
            Text(f"{file}: {len(claims)} of {count} claims have never failed", "bold" if claims else "dim")
        )
        for claim in claims:
            console.print(Text(f"    {file}:{claim.where}: {claim.step}: {claim.name}"))


def show_unbroken(left: Iterable[tuple[Case, int, Sequence[Claim]]], console: Console) -> int:
    """Compare the claims that have never failed with the list of them; return the number of differences."""
    looked = list(left)
    found = {(short(case), one.step, one.name) for case, _, claims in looked for one in claims}
    of_these = {short(case) for case, _, _ in looked}
    gone = [one for one in ALWAYS_GREEN if one[0] in of_these and one not in found]
    for case, step, claim in gone:
        console.print(
            Text(
                f"ci/mutants/green_claims.py: {case}: {step}: {claim} has failed (help: remove it)",
                "bold red",
            )
        )
    new = len(found.difference(ALWAYS_GREEN))
    console.print(
        f"{len(found)} claims have never failed, {new} of them are not in ci/mutants/green_claims.py"
    )
    return new + len(gone)


def short(case: Case) -> str:
    """The path of a case below `cases/`."""
    return "/".join(case.file.parts[-2:])


def show_list(faults: Iterable[Fault], console: Console) -> None:
    for one in faults:
        console.print(Text.assemble((one.name, "bold"), f": {one.stands_for}"))
