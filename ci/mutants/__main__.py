"""`ci/mutants/run`: run the cases with compilers that have one fault each, and list which case sees which."""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from linkage.case.case import Case
from linkage.case.reader import read_case
from linkage.errors import ExitCode, LinkageError
from linkage.host.files import OutputFile
from linkage.host.folders import cache_folder, store_folder
from linkage.render.run_table import summary_console
from linkage.run.selection import case_files
from linkage.run.session import Session
from linkage.store.results import Results
from linkage.store.store import Store
from linkage.toolchain import Toolchain
from mutants import harness_mutants, workers
from mutants.claims import Claim, claims_of, never_red
from mutants.document import ENOUGH, short_name, unfinished, written
from mutants.faults.table import EVERY, FAULTS, PLAIN
from mutants.report import show, show_claims, show_list, show_plain, show_unbroken
from mutants.search import Limits, Report
from mutants.variants import PlannedVariant, cells
from mutants.wrappers import write_wrapper


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0 if every fault is detected, and no case fails with the wrapper that has no fault."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        if argv[:1] == ["--python"]:
            return harness_mutants.main(argv[1:])
        options = _options(argv)
        console = summary_console()
        if options.list:
            show_list(FAULTS.values(), console)
            return ExitCode.OK
        return _main(options, console)
    except LinkageError as error:
        sys.stderr.write(f"ci/mutants/run: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("ci/mutants/run: interrupted\n")
        return ExitCode.INTERRUPTED


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="ci/mutants/run",
        description="Run the cases with compilers that have one fault each.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--python", action="store_true", help="mutate the harness's own code instead: see --python --help"
    )
    parser.add_argument("paths", nargs="*", metavar="CASE", help="case files or folders (default: cases)")
    parser.add_argument(
        "--toolchain", default="nightly", metavar="SPEC", help="the real compiler (default: nightly)"
    )
    parser.add_argument("-n", type=int, default=2, metavar="N", help="number of processes (default: 2)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="FAULT", help="try only this fault; may be repeated"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="try N of the faults, drawn at random")
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="the seed of --sample (default: 0); it draws the same faults",
    )
    parser.add_argument("--all", action="store_true", help="try every variant that a fault may affect")
    parser.add_argument(
        "--unfinished",
        metavar="FILE",
        help="try the faults for which the table in this document names fewer than two cases",
    )
    parser.add_argument(
        "--witnesses",
        type=int,
        default=ENOUGH,
        metavar="N",
        help=f"cases that must detect a fault (default: {ENOUGH})",
    )
    parser.add_argument(
        "--tries",
        type=int,
        default=20,
        metavar="N",
        help="variants to try for a fault, apart from those of an earlier run (default: 20)",
    )
    parser.add_argument(
        "--folder",
        metavar="DIR",
        help="keep results and outputs of rustc in this folder; a run that was interrupted goes on",
    )
    parser.add_argument(
        "--claims", action="store_true", help="list the claims that no fault has made fail so far"
    )
    parser.add_argument(
        "--hunt", action="store_true", help="only search, claim by claim, for faults that make it fail"
    )
    parser.add_argument(
        "--per-claim",
        type=int,
        default=3,
        metavar="N",
        help="variants that --hunt tries for a claim (default: 3)",
    )
    parser.add_argument(
        "--likely", action="store_true", help="--hunt only with the faults that are likely to break a claim"
    )
    parser.add_argument(
        "--rustc-cache",
        metavar="DIR",
        help="keep the outputs of rustc in this folder (default: that of --folder, or a temporary one)",
    )
    parser.add_argument("--no-rustc-cache", action="store_true", help="run rustc again for each fault")
    parser.add_argument("--into", metavar="FILE", help="update the table between the marks of this document")
    parser.add_argument("--list", action="store_true", help="list the faults and exit")
    parser.add_argument(
        "--wrapper", metavar="FAULT", help="print the path of the rustc with this fault and exit"
    )
    parser.add_argument(
        "--store", metavar="DIR", help="the store (default: $LINKAGE_STORE, else the user's cache)"
    )
    options = parser.parse_args(argv)
    for name in [*options.only, *filter(None, [options.wrapper])]:
        if name not in EVERY:
            parser.error(f"no fault is named `{name}` (help: run `ci/mutants/run --list`)")
    if options.sample is not None and not 1 <= options.sample <= len(FAULTS):
        parser.error(f"--sample: must be from 1 to {len(FAULTS)}, the number of faults")
    if sum(map(bool, (options.sample, options.only, options.unfinished))) > 1:
        parser.error("--sample, --only and --unfinished cannot be combined")
    return options


def _main(options: argparse.Namespace, console: Console) -> int:
    started = time.monotonic()
    cache = cache_folder(os.environ)
    session = Session(Store(store_folder(options.store, os.environ)), cache)
    toolchain = session.toolchains([options.toolchain])[0]
    wrappers = cache / "faults"
    folder = Path(options.folder).resolve() if options.folder else wrappers
    if options.wrapper:
        console.print(str(write_wrapper(EVERY[options.wrapper], toolchain.rustc, wrappers)))
        return ExitCode.OK
    if options.into:
        place = Path(options.into)
        known = {short_name(str(file.resolve())) for file in case_files(options.paths or ["cases"])}
        text = written(_read(place), FAULTS, Results.open(folder / "results").all(), options.into, known)
        OutputFile(options.into, "--into").write(text)
        return ExitCode.OK
    names, lacking = _names(_asked(options), toolchain)
    cases = [read_case(file, str(file)) for file in case_files(options.paths or ["cases"])]
    found = list(cells(cases, toolchain, session))
    kept = Results.open(folder / "results")
    for name in (*names, PLAIN.name):
        write_wrapper(EVERY[name], toolchain.rustc, wrappers)
    sys.stderr.write(f"{len(names)} faults, {len(cases)} cases, {len(found)} variants on {toolchain.name}\n")
    with ExitStack() as stack:
        rustc_cache = _rustc_cache(options, stack)
        limits = Limits(None, None, None) if options.all else Limits(options.witnesses, tries=options.tries)
        attempts = folder / "attempts" if options.folder else None
        workers.begin(
            workers.WorkerState(session, found, wrappers, rustc_cache, _before(kept), limits, attempts, kept)
        )
        if options.hunt:
            return _hunted(options, cases, names, kept, console)
        reports = {report.fault: report for report in workers.carried_out(names, options.n, kept)}
        plain = Report(PLAIN.name)
        if PLAIN.name in options.only or not (options.only or options.sample or options.unfinished):
            plain = workers.plain(options.n, everything=options.all)
    show([reports[name] for name in names], FAULTS, console)
    show_plain(plain, console)
    for name in lacking:
        console.print(f"{name}: skipped: {toolchain.name} has no -Z{FAULTS[name].needs}")
    if options.claims:
        never = _never(cases, found, kept, session)
        show_claims(((case.name, count, claims) for case, count, claims in never), console)
    unseen = sum(not report.caught for report in reports.values())
    alone = sum(len(report.witnesses) == 1 for report in reports.values())
    unsound = sum(len(report.unsound) for report in reports.values())
    console.print(
        f"{len(names)} faults: {len(names) - unseen} detected, {alone} of them by one case, {unseen} not; "
        f"{unsound} unsound; "
        f"{len(plain.caught)} failed with the plain wrapper; {time.monotonic() - started:.0f} s"
    )
    return ExitCode.FAILED if unseen or unsound or plain.caught else ExitCode.OK


def drawn(count: int | None, seed: int) -> list[str]:
    """Some of the faults, the same for the same seed; without a count none."""
    # Which faults are tried is no secret.
    return random.Random(seed).sample(sorted(FAULTS), count) if count is not None else []  # noqa: S311


def _asked(options: argparse.Namespace) -> Sequence[str]:
    """The names of the faults to try."""
    if options.unfinished:
        return unfinished(_read(Path(options.unfinished)), FAULTS)
    return options.only or drawn(options.sample, options.seed) or list(FAULTS)


def _read(document: Path) -> str:
    try:
        return document.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise LinkageError(f"cannot be read: {error}", where=str(document)) from None


def _names(only: Sequence[str], toolchain: Toolchain) -> tuple[list[str], list[str]]:
    """The requested faults, and those of them that this compiler cannot have."""
    names = [name for name in FAULTS if name in only]
    lacking = [
        name for name in names if FAULTS[name].needs and not toolchain.has_unstable(FAULTS[name].needs)
    ]
    return [name for name in names if name not in lacking], lacking


def _before(kept: Results) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for one in kept.all():
        found.setdefault(one.compiler.name, []).append((one.case, one.cell))
    return found


def _rustc_cache(options: argparse.Namespace, stack: ExitStack) -> Path | None:
    if options.no_rustc_cache:
        return None
    if options.rustc_cache or options.folder:
        return Path(options.rustc_cache or options.folder).resolve()
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="linkage-faults-")))


def _hunted(
    options: argparse.Namespace, cases: Sequence[Case], names: Sequence[str], kept: Results, console: Console
) -> int:
    run = workers.now()
    asked = [(case, claims) for case, _, claims in _never(cases, run.cells, kept, run.session)]
    found = list(workers.hunted(asked, names, options.per_claim, options.n, kept, likely=options.likely))
    left = list(_never(cases, run.cells, kept, run.session))
    show_claims(((case.name, count, claims) for case, count, claims in left), console)
    new = show_unbroken(left, console)
    unsound = [text for one in found for text in one.unsound]
    for text in unsound:
        console.print(text)
    return ExitCode.FAILED if unsound or new else ExitCode.OK


def _never(
    cases: Sequence[Case], found: Sequence[PlannedVariant], kept: Results, session: Session
) -> Iterator[tuple[Case, int, list[Claim]]]:
    others = Results(session.store)
    for case in cases:
        claims = claims_of(cell for cell in found if cell.case is case)
        results = [*kept.of_case(case.file), *others.of_case(case.file)]
        yield case, len(claims), never_red(case, claims, results)


if __name__ == "__main__":
    sys.exit(main())
