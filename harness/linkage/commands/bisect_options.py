"""The options of `linkage bisect`, and what they ask for."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from linkage.errors import LinkageError

if TYPE_CHECKING:
    from linkage.bisect.rollup import Build
    from linkage.bisect.work import Words

_SERVER = "https://ci-artifacts.rust-lang.org"


def add_bisect_options(bisect: argparse.ArgumentParser) -> None:
    """The words of the command."""
    bisect.usage = (
        "linkage bisect CASE[VARIANT] ... [--good SPEC] [--bad SPEC] [options]\n"
        "       linkage bisect --failed [options]\n"
        "       linkage bisect --resume [FILE] | --replay FILE | log [FILE]"
    )
    bisect.epilog = (
        "Exit status: 0 an answer was found for some case, 1 for none, 2 interrupted, 4 wrong input."
    )
    bisect.add_argument(
        "cases", nargs="*", metavar="CASE[VARIANT]", help="a case file, a folder, or a node id"
    )
    bisect.add_argument("--failed", action="store_true", help="all that failed in the last run")
    bisect.add_argument(
        "--good", metavar="SPEC", help="a date, a release, a commit (default: found by growing steps back)"
    )
    bisect.add_argument("--bad", metavar="SPEC", help="likewise (default: today's nightly)")
    bisect.add_argument(
        "--toolchains",
        action="append",
        default=[],
        metavar="FILE|SPEC",
        help="search this list instead: a file with a toolchain a line, oldest first, or the toolchains "
        "themselves, given several times",
    )
    bisect.add_argument(
        "--rust-src", metavar="DIR", help="a clone of rust-lang/rust: go on from the nightly to the merge"
    )
    bisect.add_argument(
        "--rollup-builds",
        action="append",
        default=[],
        metavar="FILE",
        help="a bot's comment in a rollup, which lists a build of each pull request alone: go on to that",
    )
    bisect.add_argument(
        "--regress", choices=("failed", "fixed"), default="failed", help="what broke it, or what mended it"
    )
    bisect.add_argument("--claim", metavar="[STEP: ]CLAIM", help="only this failure of the failing end")
    bisect.add_argument(
        "--match",
        choices=("text", "claim", "step"),
        default="text",
        help="how much makes a failure the same one (default: text)",
    )
    bisect.add_argument(
        "--spread",
        type=int,
        default=0,
        metavar="N",
        help="also try N toolchains spread over the range: finds what broke and was mended again",
    )
    bisect.add_argument(
        "--target", action="append", default=[], metavar="TRIPLE", help="install its std, too"
    )
    bisect.add_argument(
        "--ignore-limits", action="store_true", help="also where the case's `toolchains` says it is not about"
    )
    bisect.add_argument(
        "--lack-fails",
        action="store_true",
        help="what a toolchain lacks is a failure and not a skip: since when does it have it?",
    )
    _running(bisect)


def _running(bisect: argparse.ArgumentParser) -> None:
    bisect.add_argument("--session", metavar="FILE", help="where the session is kept (default: the cache)")
    bisect.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="FILE",
        help="go on with it (default: the last one here)",
    )
    bisect.add_argument("--replay", metavar="FILE", help="begin anew with the answers of a corrected log")
    bisect.add_argument("--json", metavar="FILE", help="write the answer for a machine to read")
    bisect.add_argument("-o", "--output", metavar="FILE", help="where to write it (default: standard output)")
    bisect.add_argument(
        "--disk-limit", default="20G", metavar="SIZE", help="what its toolchains may take (default: 20G)"
    )
    bisect.add_argument(
        "--ci-server",
        default=os.environ.get("LINKAGE_CI_SERVER", _SERVER),
        metavar="URL",
        help=f"where compilers of single merges come from (default: $LINKAGE_CI_SERVER, else {_SERVER})",
    )
    bisect.add_argument(
        "--stall",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="a download that is silent for so long is taken up again (default: 60)",
    )
    bisect.add_argument("--no-ahead", action="store_true", help="fetch nothing before it is needed")


def run_bisect(arguments: argparse.Namespace) -> int:
    """Do what the words say. Raises LinkageError for wrong input."""
    from linkage.bisect.work import Words  # noqa: PLC0415
    from linkage.commands import bisect as command  # noqa: PLC0415 - `--help` needs none of it

    if arguments.spread < 0:
        raise LinkageError("is less than nothing", where=f"--spread {arguments.spread}")
    if not arguments.stall > 0:
        raise LinkageError("is no time to wait", where=f"--stall {arguments.stall}")
    words = Words(
        arguments.session,
        arguments.json,
        arguments.output,
        arguments.disk_limit,
        arguments.ci_server,
        arguments.stall,
        not arguments.no_ahead,
    )
    if arguments.cases[:1] == ["log"]:
        return command.log(next(iter(arguments.cases[1:]), None))
    if arguments.resume is not None or arguments.replay is not None:
        _check_going_on(arguments)
        if arguments.replay is not None:
            return command.replay(arguments.replay, words)
        builds = _builds(arguments.rollup_builds)
        return command.resume(arguments.resume or None, words, builds, _clone(arguments))
    return _begin(arguments, words)


def _check_going_on(arguments: argparse.Namespace) -> None:
    """Raise LinkageError for words that ask for something else than the session does."""
    if arguments.cases or arguments.failed:
        raise LinkageError("a session has its cases already", where="bisect", help="leave them out")
    if arguments.resume is not None and arguments.replay is not None:
        raise LinkageError("--resume and --replay exclude each other", help="leave one of them out")
    begins = ["good", "bad", "toolchains", "claim", "spread", "target", "ignore_limits", "lack_fails"]
    begins += ["rust_src", "rollup_builds"] if arguments.replay is not None else ["session"]
    given = [name for name in begins if getattr(arguments, name)]
    given += [
        name
        for name, usual in (("regress", "failed"), ("match", "text"))
        if getattr(arguments, name) != usual
    ]
    if given:
        raise LinkageError(
            "a session says that already", where=f"--{given[0].replace('_', '-')}", help="leave it out"
        )


def _clone(arguments: argparse.Namespace) -> str | None:
    return str(Path(arguments.rust_src).absolute()) if arguments.rust_src else None


def _begin(arguments: argparse.Namespace, words: "Words") -> int:
    from linkage.bisect.bounds import end, failed_cases  # noqa: PLC0415
    from linkage.bisect.request import Request  # noqa: PLC0415
    from linkage.commands import bisect as command  # noqa: PLC0415

    cases, bad = tuple(arguments.cases), arguments.bad
    if arguments.failed:
        if cases:
            raise LinkageError("--failed and cases exclude each other", help="leave one of them out")
        cases, newest = failed_cases(os.environ)
        bad = bad or (newest if not arguments.toolchains else None)
    good = arguments.good
    if not arguments.toolchains:
        good, bad = end(good, os.environ), end(bad, os.environ)
    request = Request(
        cases,
        good=good,
        bad=bad,
        toolchains=_listed(arguments.toolchains),
        regress=arguments.regress,
        claim=arguments.claim,
        match=arguments.match,
        spread=arguments.spread,
        rust_src=_clone(arguments),
        rollup_builds=_builds(arguments.rollup_builds),
        targets=tuple(arguments.target),
        ignore_limits=arguments.ignore_limits,
        lack_fails=arguments.lack_fails,
    )
    return command.bisect(request, words)


def _listed(given: list[str]) -> tuple[str, ...]:
    """The toolchains of a list: a file's lines, without comments, or the words themselves."""
    from linkage.toolchain import resolve  # noqa: PLC0415
    from linkage.toolchain.sources.rustup.folders import channel_name  # noqa: PLC0415

    found: list[str] = []
    for text in given:
        place = Path(text)
        if place.is_file() and not os.access(place, os.X_OK):
            try:
                lines = place.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise LinkageError(f"cannot be read: {error}", where=text) from None
            found += [line.partition("#")[0].strip() for line in lines]
        else:
            if not channel_name(text):
                resolve(
                    text, os.environ
                )  # what a file lists may be gone by now; what is typed should be there
            found.append(text)
    return tuple(one for one in found if one)


def _builds(files: list[str]) -> "tuple[Build, ...]":
    """What the files list of single pull requests' builds."""
    from linkage.bisect.rollup import read_builds  # noqa: PLC0415

    found: list[Build] = []
    for name in files:
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise LinkageError(f"cannot be read: {error}", where=name) from None
        found += read_builds(text, name)
    return tuple(found)
