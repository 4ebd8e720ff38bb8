"""`linkage bisect`: find the compiler that introduced or fixed a failure."""

import argparse
import contextlib
import json
import os
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from linkage.bisect.search_arguments import (
    add_download_arguments,
    add_search_arguments,
    add_session_arguments,
)
from linkage.bisect.trial_arguments import (
    add_install_arguments,
    add_trial_arguments,
    answers,
    components,
)
from linkage.commands import add_keywords, add_sandbox, output
from linkage.errors import ExitCode, LinkageError
from linkage.host.files import reporting_beside
from linkage.host.terminal import escape_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from linkage.bisect.answer import Answer
    from linkage.bisect.history import History
    from linkage.bisect.journal import Journal
    from linkage.bisect.request import Request
    from linkage.bisect.rollup import Build
    from linkage.bisect.session import SessionOptions, Talk

USAGE = """linkage bisect CASE[VARIANT] ... [--good SPEC] [--bad SPEC] [options]
       linkage bisect FILE.rs [options] [-- FLAGS]
       linkage bisect --script CMD | --cargo DIR [options] [-- ARGS]
       linkage bisect --failed [options]
       linkage bisect --resume [FILE] | --replay FILE | log [FILE]"""
EXIT_STATUS = (
    "Exit status: 0: a confirmed answer for at least one variant; 1: no answer; 2: interrupted; 4: wrong "
    "input; 6: no answer, because results did not repeat."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.usage, parser.epilog = USAGE, EXIT_STATUS
    parser.add_argument(
        "cases", nargs="*", metavar="CASE[VARIANT]", help="a case file, a folder, a node id, or a .rs file"
    )
    parser.add_argument("--failed", action="store_true", help="every variant that failed in the last run")
    add_keywords(parser)
    add_trial_arguments(parser)
    add_install_arguments(parser)
    add_search_arguments(parser)
    add_sandbox(parser)
    add_session_arguments(parser)
    add_download_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Start, resume, replay or print a session. Raises LinkageError for wrong input."""
    if arguments.spread < 0:
        raise LinkageError("must not be negative", where=f"--spread {arguments.spread}")
    if not arguments.stall > 0:
        raise LinkageError("must be a positive number of seconds", where=f"--stall {arguments.stall}")
    if arguments.cases[:1] == ["log"]:
        return _print_log(next(iter(arguments.cases[1:]), None))
    if arguments.install is not None:
        return _install(arguments)
    if arguments.resume is not None or arguments.replay is not None:
        _check_resumed(arguments)
    arguments.files = output(arguments, "--output"), output(arguments, "--json")  # before the long search
    if arguments.replay is not None:
        return _replay(arguments)
    return _resume(arguments) if arguments.resume is not None else _begin(arguments)


def _begin(arguments: argparse.Namespace) -> int:
    with _talk(verbose=arguments.verbose) as talk:
        request, history = _request(arguments, talk.say)
        answer = _search(request, history, arguments, talk, _begun(arguments, request))
    return _written(answer, arguments)


def _resume(arguments: argparse.Namespace) -> int:
    from msgspec import structs  # noqa: PLC0415

    from linkage.bisect import journal  # noqa: PLC0415
    from linkage.bisect.request import Request  # noqa: PLC0415

    builds = _builds(arguments.rollup_builds)
    with journal.load(_session_file(arguments.resume)) as session, _talk(verbose=arguments.verbose) as talk:
        begun = Request.read(session.start, str(session.file))
        request = structs.replace(
            begun,
            rollup_builds=builds or begun.rollup_builds,
            rust_src=_clone(arguments) or begun.rust_src,
            github=begun.github and not arguments.no_github,
        )
        request.check()
        history = _history(request, talk.say)
        if request != begun:
            session.begin(request.line())
        answer = _search(request, history, arguments, talk, contextlib.nullcontext(session))
    return _written(answer, arguments)


def _replay(arguments: argparse.Namespace) -> int:
    from linkage.bisect.journal import load  # noqa: PLC0415
    from linkage.bisect.request import Request  # noqa: PLC0415

    log = load(Path(arguments.replay), resume=False)
    request = Request.read(log.start, arguments.replay)
    request.check()
    with _talk(verbose=arguments.verbose) as talk:
        history = _history(request, talk.say)
        answer = _search(request, history, arguments, talk, _begun(arguments, request, log))
    return _written(answer, arguments)


@contextlib.contextmanager
def _begun(
    arguments: argparse.Namespace, request: "Request", log: "Journal | None" = None
) -> "Iterator[Journal]":
    """A new session's file, with the probes of `log`, if there is one."""
    with _new_session(arguments) as journal:
        journal.begin(request.line())
        if log is not None:
            for (toolchain, variant), entry in log.entries.items():
                journal.note(toolchain, variant, entry, f"from {arguments.replay}")
            for toolchain, reason in log.missing.items():
                journal.note_missing(toolchain, reason)
        yield journal


def _print_log(place: str | None) -> int:
    from linkage.bisect.journal import load  # noqa: PLC0415

    file = _session_file(place)
    load(file, resume=False)
    sys.stdout.write(file.read_text(encoding="utf-8"))
    return ExitCode.OK


def _search(
    request: "Request",
    history: "History | None",
    arguments: argparse.Namespace,
    talk: "Talk",
    begun: "AbstractContextManager[Journal]",
) -> "Answer | None":
    """The answer; None if it was interrupted. `begun` makes the session's file when the input is known to be
    right.
    """
    from linkage.bisect.session import BisectSession, sessions  # noqa: PLC0415

    if arguments.sandbox and request.external:
        raise LinkageError("is for cases", where="--sandbox", help="start a sandbox in the script")
    options = _session_options(arguments)
    own = sessions(
        os.environ,
        no_store=arguments.no_store,
        width=arguments.jobs,
        linker=request.linker,
        sandbox=arguments.sandbox,
        others=request.others,
    )
    with own as tried_in:
        session = BisectSession(request, options, history, tried_in, talk)
        with begun as journal:
            try:
                return session.answer(journal)
            except KeyboardInterrupt:
                talk.say(f"interrupted (help: resume with: linkage bisect --resume {journal.file})")
                return None


def _written(answer: "Answer | None", arguments: argparse.Namespace) -> int:
    from linkage.render.bisect_json import answer_data  # noqa: PLC0415
    from linkage.render.bisect_markdown import answer_text  # noqa: PLC0415

    if answer is None:
        return ExitCode.INTERRUPTED
    text = answer_text(answer)
    answer_file, json_file = arguments.files
    if answer_file is not None:
        answer_file.write(text)
    else:
        with reporting_beside(json_file):
            sys.stdout.write(text)
    if json_file is not None:
        json_file.write(json.dumps(answer_data(answer), indent=1) + "\n")
    if answer.groups:
        return ExitCode.OK
    return ExitCode.FLAKY if answer.flaky else ExitCode.FAILED


def _session_options(arguments: argparse.Namespace) -> "SessionOptions":
    from linkage.bisect.ci_artifacts import SERVER  # noqa: PLC0415
    from linkage.bisect.session import SessionOptions  # noqa: PLC0415

    return SessionOptions(
        arguments.disk_limit,
        arguments.ci_server or os.environ.get("LINKAGE_CI_SERVER") or SERVER,
        arguments.stall,
        not arguments.no_prefetch,
        arguments.preserve,
        arguments.force_install,
    )


def _install(arguments: argparse.Namespace) -> int:
    """Install one toolchain and print where it is."""
    from linkage.bisect.contents import ToolchainContents  # noqa: PLC0415
    from linkage.bisect.installation import install  # noqa: PLC0415
    from linkage.bisect.session import say  # noqa: PLC0415
    from linkage.toolchain.sources.rustup.folders import machine_host  # noqa: PLC0415

    if arguments.cases or arguments.failed or arguments.script or arguments.cargo:
        raise LinkageError("tries nothing", where="--install", help="leave out the cases")
    host = arguments.host or machine_host()
    contents = ToolchainContents(tuple(arguments.target), components(arguments), host, arguments.alt)
    options = _session_options(arguments)
    print(install(arguments.install, contents, options, os.environ, say))
    return ExitCode.OK


@contextlib.contextmanager
def _talk(*, verbose: bool) -> "Iterator[Talk]":
    """Lines on standard error, and under them, on a terminal, a line of progress."""
    from linkage.bisect.session import Talk  # noqa: PLC0415
    from linkage.render.progress import ProgressLine  # noqa: PLC0415

    lock = threading.Lock()
    with ProgressLine(sys.stderr) as progress:

        def say(line: str) -> None:
            with lock:
                progress.end()
                sys.stderr.write(f"{escape_lines(line)}\n")
                sys.stderr.flush()

        def show(text: str, detail: str) -> None:
            with lock:
                progress.show(text, detail)

        yield Talk(say, show, say if verbose else None, answers(say))


def _check_resumed(arguments: argparse.Namespace) -> None:
    """Raise LinkageError for options that a session has fixed already."""
    if arguments.cases or arguments.failed or arguments.passed_on:
        raise LinkageError("the session already has its cases", where="bisect", help="leave them out")
    if arguments.resume is not None and arguments.replay is not None:
        raise LinkageError("--resume and --replay exclude each other", help="leave one of them out")
    fixed = ["good", "bad", "toolchains", "claim", "spread", "target", "ignore_limits", "no_skip", "linker"]
    fixed.append("other_toolchain")
    fixed += ["script", "cargo", "timeout", "prompt", "component", "with_src", "with_dev", "host", "alt"]
    fixed += ["rust_src", "no_github", "rollup_builds"] if arguments.replay is not None else ["session"]
    fixed.append("chosen")
    given = [name for name in fixed if getattr(arguments, name)]
    defaults = (("regress", "failed"), ("match", "text"))
    given += [name for name, default in defaults if getattr(arguments, name) != default]
    if given:
        option = "-k" if given[0] == "chosen" else f"--{given[0].replace('_', '-')}"
        raise LinkageError("cannot be changed in a session", where=option, help="leave it out")


def _request(arguments: argparse.Namespace, say: "Callable[[str], None]") -> "tuple[Request, History | None]":
    """What is asked for, complete with what is known only here and now, and where merges are looked up."""
    from msgspec import structs  # noqa: PLC0415

    from linkage.bisect.bounds import commits, end, failed_cases  # noqa: PLC0415
    from linkage.bisect.request import Request  # noqa: PLC0415

    cases, good, bad = tuple(arguments.cases), arguments.good, arguments.bad
    if arguments.failed:
        if cases or arguments.script or arguments.cargo:
            raise LinkageError("--failed and cases exclude each other", help="leave one of them out")
        cases, newest = failed_cases(os.environ)
        bad = bad or (newest if not arguments.toolchains else None)
    if arguments.chosen is not None:
        cases = _chosen(cases, arguments.chosen)
    if not arguments.toolchains:
        good, bad = end(good, os.environ), end(bad, os.environ)
    request = Request(
        cases,
        folder=str(Path.cwd()),
        today=datetime.now(UTC).date().isoformat(),
        good=good,
        bad=bad,
        toolchains=_listed(arguments.toolchains),
        regress=arguments.regress,
        claim=arguments.claim,
        match=arguments.match,
        spread=arguments.spread,
        rust_src=_clone(arguments),
        github=not arguments.no_github,
        rollup_builds=_builds(arguments.rollup_builds),
        targets=tuple(arguments.target),
        other_toolchains=tuple(arguments.other_toolchain),
        ignore_limits=arguments.ignore_limits,
        no_skip=arguments.no_skip,
        linker=arguments.linker,
        script=arguments.script,
        cargo=arguments.cargo,
        arguments=tuple(arguments.passed_on),
        timeout=arguments.timeout,
        prompt=arguments.prompt,
        components=components(arguments),
        host=arguments.host,
        alt=arguments.alt,
    )
    request.check()
    history = _history(request, say)
    if not request.toolchains:
        old, new = commits(*request.ends, history, os.environ)
        ends = {"bad": old, "good": new} if request.regress == "fixed" else {"good": old, "bad": new}
        request = structs.replace(request, **ends)
    return request, history


def _history(request: "Request", say: "Callable[[str], None]") -> "History | None":
    from linkage.bisect.github import open_history  # noqa: PLC0415

    return open_history(request.rust_src, os.environ, say, ask=request.github)


def _chosen(texts: tuple[str, ...], keywords: str) -> tuple[str, ...]:
    """The ids of the variants that -k means. Raises LinkageError if there are none."""
    from linkage.run.selection import read_cases  # noqa: PLC0415

    cases = list(read_cases(texts, keywords)) if texts else []
    found = [f"{case.name}[{name}]" if name else case.name for case in cases for name in case.ids]
    if texts and not found:
        raise LinkageError("no variant matches", where=f"-k {keywords}", help="run `linkage list`")
    return tuple(found)


def _clone(arguments: argparse.Namespace) -> str | None:
    return str(Path(arguments.rust_src).absolute()) if arguments.rust_src else None


def _new_session(arguments: argparse.Namespace) -> "Journal":
    """A session's file: the one that is named, or else a new one in the cache."""
    from linkage.bisect.journal import create  # noqa: PLC0415
    from linkage.bisect.session_files import create_in  # noqa: PLC0415

    return create(Path(arguments.session)) if arguments.session else create_in(_sessions_folder())


def _session_file(place: str | None) -> Path:
    from linkage.bisect.session_files import last_in  # noqa: PLC0415

    return Path(place) if place else last_in(_sessions_folder(), Path.cwd())


def _sessions_folder() -> Path:
    from linkage.host.folders import bisect_folder  # noqa: PLC0415

    return bisect_folder(os.environ) / "sessions"


def _listed(given: list[str]) -> tuple[str, ...]:
    """The toolchains of a list: a file's lines, without comments, or the arguments themselves."""
    from linkage.toolchain import resolve  # noqa: PLC0415
    from linkage.toolchain.sources.rustup import folders  # noqa: PLC0415

    found: list[str] = []
    for text in given:
        place = Path(text)
        if place.is_file() and not os.access(place, os.X_OK):
            found += [line.partition("#")[0].strip() for line in _read(text).splitlines()]
        else:
            if not folders.channel_name(text):
                resolve(text, os.environ)  # a toolchain in a file may be gone; one that is typed must exist
            found.append(text)
    return tuple(one for one in found if one)


def _builds(files: list[str]) -> "tuple[Build, ...]":
    """The builds of single pull requests that these files list."""
    from linkage.bisect.rollup import read_builds  # noqa: PLC0415

    return tuple(build for name in files for build in read_builds(_read(name), name))


def _read(place: str) -> str:
    try:
        return Path(place).read_text(encoding="utf-8")
    except OSError as error:
        raise LinkageError(f"cannot be read: {error.strerror}", where=place) from None
    except UnicodeDecodeError:
        raise LinkageError("cannot be read: it is not UTF-8", where=place) from None
