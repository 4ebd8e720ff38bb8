"""`linkage list`: the cases and their variants, without compiling."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from linkage.case.reader import read_case
from linkage.errors import ExitCode, LinkageError
from linkage.run.selection import case_files, case_name


def list_cases(paths: Sequence[str]) -> int:
    """Print each case with its variants; a case that cannot be read is said and the others go on."""
    console = Console(highlight=False, soft_wrap=True)
    wrong = Console(stderr=True, highlight=False, soft_wrap=True)
    status, total = ExitCode.OK, 0
    for file in case_files(paths):
        try:
            case = read_case(file, case_name(file))
        except LinkageError as error:
            wrong.print(Text(str(error), "bold red"))
            status = ExitCode.USAGE
            continue
        total += len(case.ids)
        console.print(
            Text.assemble(
                (case.name, "bold"), ": ", case.model.summary, (f" ({len(case.ids)} variants)", "dim")
            )
        )
        for name in case.ids:
            console.print(Text(f"    {case.name}[{name}]" if name else f"    {case.name}"))
    console.print(Text(f"{total} variants on each toolchain", "dim"))
    return status
