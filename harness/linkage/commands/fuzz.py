"""`linkage fuzz`: generate crate graphs whose outputs check each other, and report what fails."""

import argparse
import os
import secrets
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from linkage.commands import add_sandbox, add_toolchains
from linkage.errors import ExitCode, LinkageError
from linkage.host.interruption import interruption
from linkage.host.terminal import escape_lines
from linkage.run.options import width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linkage.case.case import Case
    from linkage.fuzz.fuzz_log import FuzzLog
    from linkage.fuzz.fuzz_session import FuzzSession
    from linkage.run.session import Session

_EPILOG = (
    "Exit status: 0: nothing new; 1: a finding that is no known bug of the shipped cases; 2: interrupted; "
    "what was found is kept; 4: wrong input; 5: no check could be run."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage fuzz`."""
    parser.epilog = _EPILOG
    add_toolchains(parser)
    parser.add_argument(
        "--minutes",
        type=_minutes,
        default=10.0,
        metavar="M",
        help="how long new graphs are checked (10)",
    )
    parser.add_argument("--graphs", type=_count, metavar="N", help="check at most N graphs")
    parser.add_argument(
        "--seed",
        type=_seed,
        metavar="N",
        help="draw the graphs of the session that printed N (default: random)",
    )
    parser.add_argument(
        "--focus", metavar="NAME", default="", help="only graphs about NAME, such as separate-link"
    )
    parser.add_argument(
        "--without", action="append", default=[], metavar="NAME",
        help="do not check this relation or invariant; may be repeated",
    )  # fmt: skip
    parser.add_argument("--save", metavar="DIR", help="keep the session and what it finds in DIR")
    parser.add_argument("--resume", action="store_true", help="continue the session in the folder of --save")
    parser.add_argument(
        "-j",
        "--jobs",
        type=width,
        metavar="N",
        help="check N graphs at once (default: the number of processors)",
    )
    parser.add_argument(
        "--list", action="store_true", help="print the relations, contents and focuses, and stop"
    )
    add_sandbox(parser)


def run(arguments: argparse.Namespace) -> int:
    """Fuzz until the time is over. Raises LinkageError for wrong input."""
    if arguments.list:
        sys.stdout.write(_listing())
        return ExitCode.OK
    _check(arguments)
    from linkage.fuzz.coverage import possible_pairs  # noqa: PLC0415 - `--help` needs none of it
    from linkage.render.fuzz_markdown import session_text  # noqa: PLC0415
    from linkage.render.progress import ProgressLine  # noqa: PLC0415

    with (
        tempfile.TemporaryDirectory(prefix="linkage-fuzz-", ignore_cleanup_errors=True) as folder,
        ProgressLine(sys.stderr) as progress,
    ):
        lock = threading.Lock()

        def say(line: str) -> None:
            with lock:
                progress.end()
                sys.stderr.write(f"{escape_lines(line)}\n")
                sys.stderr.flush()

        def show(text: str) -> None:
            with lock:
                progress.show(text)

        fuzzing, log = _fuzzing(arguments, Path(folder))
        fuzzing.say, fuzzing.show = say, show
        say(f"seed {log.start.seed}, on {', '.join(one.name for one in fuzzing.toolchains)}")
        try:
            fuzzing.run()
        finally:
            log.close()
            progress.end()
            pairs = len(fuzzing.coverage.seen), possible_pairs()
            sys.stdout.write(session_text(log, fuzzing.elapsed(), pairs, dict(fuzzing.unrepeated)))
    return _status(log)


def _status(log: "FuzzLog") -> int:
    if any(one.is_news for one in log.findings):
        return ExitCode.FAILED
    outcomes = log.outcomes()
    run = sum(count for name, count in outcomes.items() if name != "skipped")
    return ExitCode.OK if run else ExitCode.NOTHING_RUN


def _fuzzing(arguments: argparse.Namespace, folder: Path) -> "tuple[FuzzSession, FuzzLog]":
    from linkage.fuzz.fuzz_log import FuzzStart, begin, load  # noqa: PLC0415
    from linkage.fuzz.fuzz_session import FuzzLimits, FuzzSession  # noqa: PLC0415
    from linkage.fuzz.shipped_bugs import shipped_bugs  # noqa: PLC0415
    from linkage.render.fuzz_markdown import finding_text  # noqa: PLC0415
    from linkage.run.job_server import JobServer, processors  # noqa: PLC0415

    session = _session(arguments, folder)
    bugs = shipped_bugs((case, _texts(case)) for case in _shipped())  # slow: before there is anything to keep
    save = Path(arguments.save) if arguments.save else None
    log = load(save) if arguments.resume and save else None
    toolchains = session.toolchains(list(log.start.toolchains) if log else arguments.toolchain)
    if log is None:
        seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
        specs = tuple(one.spec for one in toolchains)
        log = begin(FuzzStart(seed, specs, arguments.focus, tuple(arguments.without)), save)
    at_once = arguments.jobs or processors()
    session.jobs = JobServer.make(folder, at_once)
    limits = FuzzLimits(arguments.minutes * 60, arguments.graphs, at_once)
    interruption.describe = lambda: _interrupted(arguments, log)
    return FuzzSession(session, toolchains, log, limits, folder, bugs, finding_text), log


def _session(arguments: argparse.Namespace, folder: Path) -> "Session":
    from linkage.host.folders import cache_folder  # noqa: PLC0415
    from linkage.run.sandbox import find_sandbox  # noqa: PLC0415
    from linkage.run.session import Session  # noqa: PLC0415
    from linkage.store.store import Store  # noqa: PLC0415

    env = dict(os.environ)
    program = find_sandbox(env) if arguments.sandbox else ""
    return Session(Store(folder / "store"), cache_folder(env), environment=env, sandbox=program)


def _shipped() -> "Iterator[Case]":
    from linkage.run.selection import SHIPPED, read_cases  # noqa: PLC0415

    return read_cases([SHIPPED])


def _texts(case: "Case") -> list[str]:
    """The Rust beside a case."""
    names = {getattr(step, "rustc", None) for step in case.model.steps} | set(case.model.files)
    places = [case.folder / name for name in names if isinstance(name, str) and "${" not in name]
    files = [file for place in places for file in (place.rglob("*.rs") if place.is_dir() else [place])]
    return [file.read_text("utf-8", "replace") for file in sorted(files) if file.is_file()]


def _check(arguments: argparse.Namespace) -> None:
    from linkage.case.base import suggest  # noqa: PLC0415
    from linkage.case.invariants import INVARIANTS  # noqa: PLC0415
    from linkage.fuzz.generation import FOCUS  # noqa: PLC0415
    from linkage.fuzz.relations import RELATIONS  # noqa: PLC0415

    if arguments.resume and not arguments.save:
        raise LinkageError("needs the session's folder", where="--resume", help="name it with --save")
    if arguments.resume:
        given = {"--toolchain": arguments.toolchain, "--seed": arguments.seed is not None}
        given |= {"--focus": arguments.focus, "--without": arguments.without}
        for option in (name for name, value in given.items() if value):
            raise LinkageError("cannot be changed in a session", where=option, help="leave it out")
    if arguments.focus and arguments.focus not in FOCUS:
        help = suggest(arguments.focus, list(FOCUS))
        raise LinkageError(f"no such focus: {arguments.focus}", where="--focus", help=help)
    known = [*RELATIONS, *INVARIANTS]
    for name in arguments.without:
        if name not in known:
            help = suggest(name, known)
            raise LinkageError(f"no such relation or invariant: {name}", where="--without", help=help)


def _listing() -> str:
    from linkage.case.invariants import INVARIANTS  # noqa: PLC0415
    from linkage.fuzz.contents import CONTENTS  # noqa: PLC0415
    from linkage.fuzz.generation import FOCUS  # noqa: PLC0415
    from linkage.fuzz.relations import RELATIONS  # noqa: PLC0415

    wide = max(map(len, RELATIONS))
    lines = ["relations:", *(f"  {name:<{wide}}  {one.about}" for name, one in RELATIONS.items())]
    lines += ["invariants:", *(f"  {name:<{wide}}  {about}" for name, about in INVARIANTS.items())]
    lines += [f"contents: {', '.join(CONTENTS)}", f"focuses: {', '.join(FOCUS)}"]
    return "\n".join(lines) + "\n"


def _interrupted(arguments: argparse.Namespace, log: "FuzzLog") -> str:
    text = f"interrupted: {len(log.graphs)} graphs, {len(log.findings)} findings"
    if arguments.save:
        return f"{text}, kept; continue with: linkage fuzz --resume --save {arguments.save}"
    return f"{text}; with --save they are kept"


def _minutes(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a positive number of minutes, not '{text}'")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, not '{text}'")
    return number


def _seed(text: str) -> int:
    number = int(text)
    if not 0 <= number < 1 << 63:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to {(1 << 63) - 1}, not '{text}'")
    return number
