"""`linkage run`: pytest with the plugin, and a summary of verdicts instead of its own."""

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path

from linkage.commands import add_shipped, output
from linkage.errors import ExitCode, LinkageError
from linkage.host.files import reporting_beside
from linkage.host.interruption import interruption
from linkage.run.options import RUN_OPTIONS

_PYTEST_OPTIONS = (
    (("-k",), "EXPR", "only variants whose names match, such as `cdylib and not fat`"),
    (("-m",), "EXPR", "only cases with these tags, or with the tag `known_bug`: cases that have known bugs"),
    (("-n",), "N", "distribute the variants over N xdist workers, or `auto`"),
    (("-x",), None, "stop at the first failure"),
    (("--lf",), None, "only variants that failed in the last run"),
    (("--collect-only",), None, "list the variants without running them"),
    (("-q",), None, "print less"),
    (("-v",), None, "print more"),
    (("-rA",), None, "also print pytest's short summary of every variant"),
    (("--junitxml",), "FILE", "write the verdicts to FILE as JUnit XML"),
    (("--color",), "WHEN", "colour the output: yes, no or auto"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage run`, for its help: pytest parses them."""
    parser.usage = "linkage run [CASE ...] [options]"
    parser.epilog = (
        "Any other option of pytest works too: `pytest --help` lists them.\n"
        "A CASE may be a node id, as in 'cases/x.yaml::nightly[lto=fat]'."
    )
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help="a case file, a directory, or a node id (default: cases)"
    )
    add_shipped(parser)
    parser.add_argument("--json", metavar="FILE", help="write the verdicts to FILE as JSON")
    for option in RUN_OPTIONS:
        parser.add_argument(
            *option.flags, **{**option.settings, "help": option.settings["help"].replace("%", "%%")}
        )
    group = parser.add_argument_group("options of pytest")
    for flags, metavar, text in _PYTEST_OPTIONS:
        if metavar is None:
            group.add_argument(*flags, action="store_true", help=text)
        else:
            group.add_argument(*flags, metavar=metavar, help=text)


def run(arguments: argparse.Namespace) -> int:
    """Run cases with pytest, and return its exit status. Raises LinkageError for wrong usage."""
    options, words = _own(arguments)
    file, junit = output(options, "--json"), output(options, "--junitxml")
    _check_workers(options, words)
    import pytest  # noqa: PLC0415 - `--help` needs none of it

    from linkage.plugin import KEYWORDS, RUN, TAGS  # noqa: PLC0415
    from linkage.plugin.summary import Summary  # noqa: PLC0415
    from linkage.plugin.usage_errors import UsageErrors  # noqa: PLC0415
    from linkage.run.selection import SHIPPED, located  # noqa: PLC0415

    # A run is the same wherever it starts: no project's settings and no conftest.py take part in it.
    fixed = ["-p", "linkage.plugin", RUN, "-c", os.devnull, "--noconftest", "-o", "testpaths=cases"]
    # A case that cannot be read does not keep the others from running.
    fixed.append("--continue-on-collection-errors")
    fixed += ["-p", "no:hypothesispytest"]  # if it is installed, it takes seconds to import itself at the end
    fixed += [f"--rootdir={Path.cwd()}", f"--confcutdir={Path.cwd()}", "--no-header", "--disable-warnings"]
    for option, value in (
        (KEYWORDS, options.k),
        (TAGS, options.m),
        ("--numprocesses", options.n),
        ("--junitxml", options.junitxml),
    ):
        fixed += [f"{option}={value}"] if value is not None else []
    named = [str(located(word)) if word.startswith(SHIPPED) else word for word in words]
    shipped = [str(located(SHIPPED))] if options.shipped else []
    summary = Summary()
    interruption.describe = summary.interrupted
    plugins: list[object] = [summary, UsageErrors(arguments.parser.error)]
    with reporting_beside(file, junit):
        status = int(pytest.main([*fixed, *_quiet(words), *shipped, *named], plugins=plugins))
    if file is not None and summary.finished:
        file.write(summary.json())
    if interruption.asked:
        raise KeyboardInterrupt  # pytest has caught it
    if status == ExitCode.INTERRUPTED and summary.reports:
        status = ExitCode.FAILED  # xdist calls it interrupted when -x or --maxfail stops a run
    return int(ExitCode(status)) if status in ExitCode.__members__.values() else status


def _own(arguments: argparse.Namespace) -> tuple[argparse.Namespace, list[str]]:
    """The options that are not left to pytest, or only after they have been checked; and the other words.

    Exits for a wrong one, and raises LinkageError for an expression that is none.
    """
    from linkage.plan.name_filter import matched  # noqa: PLC0415 - `--help` needs none of it

    ours = type(arguments.parser)(prog=arguments.parser.prog, add_help=False)
    for flags in (("--json",), ("--junitxml", "--junit-xml"), ("-k",), ("-m",)):
        ours.add_argument(*flags)
    ours.add_argument("-n", "--numprocesses", dest="n", type=_workers)
    ours.add_argument("--maxfail", type=_count)
    ours.add_argument("--shipped", action="store_true")
    options, words = ours.parse_known_args(arguments.forwarded)
    if options.maxfail is not None:
        words.append(f"--maxfail={options.maxfail}")
    for option, expression in (("-k", options.k), ("-m", options.m)):
        matched(expression, option, lambda _: True)
    return options, words


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must not be negative, not '{text}'")
    return number


def _workers(text: str) -> str:
    return text if text in ("auto", "logical") else str(_count(text))


def _check_workers(options: argparse.Namespace, words: Sequence[str]) -> None:
    """Raise LinkageError if xdist cannot tell its workers what to do: it knows text of UTF-8 only."""
    if options.n in (None, "0"):
        return
    for text in (str(Path.cwd()), *words):
        if not text.isascii() and text.encode(errors="replace") != text.encode(errors="surrogatepass"):
            raise LinkageError(
                f"-n needs names that are UTF-8, which {text} is not",
                help="leave -n out: variants run in parallel without it, too",
            )


def _quiet(words: Sequence[str]) -> list[str]:
    # The summary prints what pytest would print of each failure and at the end.
    if any(word in ("--collect-only", "--co", "--markers", "--fixtures") for word in words):
        return []
    verbose = any(re.fullmatch(r"-v+|--verbose", word) for word in words)
    return [*([] if verbose else ["-qq"]), "--tb=no", "-rN"]
