"""The options of `linkage bisect` that say what is searched, in which session, and how it is downloaded."""

import argparse

from linkage.bisect.regress_option import REGRESSIONS
from linkage.run.options import width


def add_search_arguments(parser: argparse.ArgumentParser) -> None:
    """What is searched, and where."""
    parser.add_argument(
        "--good", metavar="SPEC", help="a date, a release or a commit (default: found in growing steps back)"
    )
    parser.add_argument(
        "--bad", metavar="SPEC", help="a date, a release or a commit (default: today's nightly)"
    )
    parser.add_argument(
        "--toolchains",
        action="append",
        default=[],
        metavar="FILE|SPEC",
        help="search this list instead: a file with one toolchain per line, oldest first, or a toolchain "
        "(repeat the option for each)",
    )
    parser.add_argument(
        "--rust-src",
        metavar="DIR",
        help="a clone of rust-lang/rust in which to look up merges (default: ask GitHub, with $GITHUB_TOKEN "
        "if it is set)",
    )
    parser.add_argument(
        "--no-github", action="store_true", help="do not ask GitHub: stop at the nightly without --rust-src"
    )
    parser.add_argument(
        "--rollup-builds",
        action="append",
        default=[],
        metavar="FILE",
        help="a rollup's builds of its single pull requests, as the bot's comment lists them (default: the "
        "comment on GitHub)",
    )
    parser.add_argument(
        "--regress",
        choices=REGRESSIONS,
        default="failed",
        help="what to find: the compiler that introduced the failure (failed, error), that fixed it (fixed), "
        "or since which it succeeds (success), rustc crashes (ice) or does not (non-ice), it succeeds or "
        "rustc crashes (non-error), or the outputs differ from those of the older end (changed)",
    )
    parser.add_argument("--claim", metavar="[STEP: ]CLAIM", help="search only this failure of the bad end")
    parser.add_argument(
        "--match",
        choices=("text", "claim", "step"),
        default="text",
        help="how much of two failures must be equal for them to count as the same (default: text)",
    )
    parser.add_argument(
        "--spread",
        type=int,
        default=0,
        metavar="N",
        help="also try N toolchains spread over the range: finds failures that were fixed and came back",
    )
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="TRIPLE",
        help="also install the std of this target",
    )
    parser.add_argument(
        "--other-toolchain",
        action="append",
        default=[],
        metavar="SPEC",
        help="the toolchain for steps with `toolchain: other`, the same for every compiler that is tried; "
        "may be repeated",
    )
    parser.add_argument(
        "--linker",
        default="",
        metavar="NAME",
        help="link with bfd, lld, mold or gold on every compiler, unless the case chooses a linker",
    )
    parser.add_argument(
        "--ignore-limits", action="store_true", help="also try compilers outside the case's `toolchains`"
    )
    parser.add_argument(
        "--no-skip",
        action="store_true",
        help="treat a missing capability as a failure: finds the compiler that introduced it",
    )


def add_session_arguments(parser: argparse.ArgumentParser) -> None:
    """The session, and where its answer goes."""
    parser.add_argument(
        "--session", metavar="FILE", help="where the session is kept (default: in the user's cache)"
    )
    parser.add_argument(
        "--resume", nargs="?", const="", metavar="FILE", help="resume a session (default: the last one here)"
    )
    parser.add_argument(
        "--replay", metavar="FILE", help="start a new session with the probes of a corrected log"
    )
    parser.add_argument("--no-store", action="store_true", help="neither read nor write the cache of results")
    parser.add_argument("-j", "--jobs", type=width, metavar="N", help="try at most N variants at once")
    parser.add_argument("--json", metavar="FILE", help="also write the answer as JSON")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="where to write the answer (default: standard output)"
    )


def add_download_arguments(parser: argparse.ArgumentParser) -> None:
    """How toolchains are downloaded."""
    parser.add_argument(
        "--disk-limit",
        default="20G",
        metavar="SIZE",
        help="how much disk space the toolchains may use (default: 20G)",
    )
    parser.add_argument(
        "--ci-server",
        metavar="URL",
        help="where to get the compilers of single merges (default: $LINKAGE_CI_SERVER, else rust-lang's)",
    )
    parser.add_argument(
        "--stall",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="reconnect if a download receives nothing for this long (default: 60)",
    )
    parser.add_argument("--no-prefetch", action="store_true", help="download only what is needed next")
