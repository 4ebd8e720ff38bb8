"""The trials of a request, by name: variants of cases, or one program of the user."""

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from linkage.bisect.external import CargoTrial, ExternalRun, ScriptTrial, script_command
from linkage.bisect.regress_option import OUTCOMES
from linkage.bisect.regression import Ask, OutcomeTrial, PromptedTrial
from linkage.bisect.request import Request
from linkage.bisect.rust_source import case_text, module_files
from linkage.bisect.trial import CaseTrial, Trial
from linkage.case.case import Case
from linkage.case.reader import parse_case, read_case
from linkage.errors import CaseError, CaseErrors, LinkageError
from linkage.run.selection import (
    ChosenCase,
    case_files,
    case_name,
    fitting,
    located,
    split,
    without_limits,
)
from linkage.toolchain import resolve_all

RUST = ".rs"


def trials_of(request: Request, show: Callable[[str], None] | None = None) -> dict[str, Trial]:
    """What is tried, by name. `show` gets the output of programs. Raises LinkageError for wrong input."""
    if request.script is None and request.cargo is None:
        found = dict(_of_cases(request))
        if not found:
            raise LinkageError("no case given", where="bisect", help="name a case, or use --failed")
        return found
    if request.script is not None:
        run = ExternalRun(Path(request.folder), request.timeout, _target(request), show)
        command = script_command(request.script, request.arguments, run.folder, os.environ.get("PATH"))
        return {shlex.join([request.script, *request.arguments]): ScriptTrial(command, run)}
    project = Path(request.folder, request.cargo or ".")
    if not (project / "Cargo.toml").is_file():
        raise LinkageError("no Cargo.toml", where=str(request.cargo), help="name a Cargo project")
    words = request.arguments or ("build",)
    run = ExternalRun(project, request.timeout, _target(request), show)
    return {shlex.join(["cargo", *words]): CargoTrial(words, run)}


def judged_by(trials: Mapping[str, Trial], request: Request, ask: Ask | None) -> dict[str, Trial]:
    """The trials, with what the request searches instead of a failure."""
    found = dict(trials)
    if request.regress in OUTCOMES:
        found = {name: OutcomeTrial(one, request.regress) for name, one in found.items()}
    if request.prompt:
        if ask is None:
            raise LinkageError("standard input is not a terminal", where="--prompt", help="leave it out")
        found = {name: PromptedTrial(name, one, ask) for name, one in found.items()}
    return found


def _of_cases(request: Request) -> Iterator[tuple[str, Trial]]:
    folder = Path(request.folder)
    for text in request.cases:
        place, _, cell = split(text, folder)
        for read in _cases(place, folder, request):
            case = _with_others(fitting(read, cell), request)
            rows = dict(zip(case.ids, case.rows, strict=True))
            for one in ChosenCase(case.file, None, cell).rows(case):
                yield f"{case.name}[{one}]" if one else case.name, CaseTrial(case, rows[one])


def _with_others(case: Case, request: Request) -> Case:
    """The case with the other toolchains that its steps need. Raises LinkageError if none is named."""
    if not case.pairs_toolchains:
        return case
    names = [one.name for one in resolve_all(request.others, os.environ)]
    if not names:
        help = "name it with --other-toolchain SPEC: it stays the same, whatever compiler is tried"
        raise LinkageError("its steps need another toolchain", where=case.name, help=help)
    return case.with_others(names)


def _cases(place: str, folder: Path, request: Request) -> Iterator[Case]:
    if place.endswith(RUST) and not located(place, folder).is_dir():
        file = located(place, folder)
        name = case_name(file.absolute(), folder)
        if not file.is_file():
            raise LinkageError("no such file", where=name, help="check the path")
        try:
            yield parse_case(case_text(file.name, request.arguments, module_files(file)), file, name)
        except CaseErrors as found:
            # A place in the text of this case is not one in the file.
            raise CaseErrors(
                [CaseError(one.what, where=f"{name} with these flags", help=one.help) for one in found.errors]
            ) from None
        return
    for file in case_files([place], folder):
        case = read_case(file, case_name(file.absolute(), folder))
        yield without_limits(case) if request.ignore_limits else case


def _target(request: Request) -> str:
    return request.targets[0] if len(request.targets) == 1 else ""
