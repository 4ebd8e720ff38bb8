"""`linkage run`: pytest with the plugin, and a summary of verdicts instead of its own."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from linkage.commands import add_shipped
from linkage.errors import ExitCode, LinkageError
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
    import pytest  # noqa: PLC0415 - `--help` needs none of it

    from linkage.plugin import RUN  # noqa: PLC0415
    from linkage.plugin.summary import Summary  # noqa: PLC0415
    from linkage.plugin.usage_errors import UsageErrors  # noqa: PLC0415
    from linkage.run.selection import SHIPPED, located  # noqa: PLC0415

    # Not left to pytest: these options are ours alone, and xdist's workers do not know them.
    ours = type(arguments.parser)(prog=arguments.parser.prog, add_help=False)
    ours.add_argument("--json")
    ours.add_argument("--shipped", action="store_true")
    options, words = ours.parse_known_args(arguments.forwarded)
    if options.json is not None and not Path(options.json).absolute().parent.is_dir():
        raise LinkageError("no such directory", where=f"--json {options.json}", help="create it first")
    # A run is the same wherever it starts: no project's settings and no conftest.py take part in it.
    fixed = ["-p", "linkage.plugin", RUN, "-c", os.devnull, "--noconftest", "-o", "testpaths=cases"]
    # A case that cannot be read does not keep the others from running.
    fixed.append("--continue-on-collection-errors")
    fixed += [f"--rootdir={Path.cwd()}", f"--confcutdir={Path.cwd()}", "--no-header", "--disable-warnings"]
    named = [str(located(word)) if word.startswith(SHIPPED) else word for word in words]
    shipped = [str(located(SHIPPED))] if options.shipped else []
    plugins: list[object] = [Summary(options.json), UsageErrors(arguments.parser.error)]
    status = int(pytest.main([*fixed, *_quiet(words), *shipped, *named], plugins=plugins))
    return int(ExitCode(status)) if status in ExitCode.__members__.values() else status


def _quiet(words: Sequence[str]) -> list[str]:
    # The summary prints what pytest would print of each failure and at the end.
    if any(word in ("--collect-only", "--co", "--markers", "--fixtures") for word in words):
        return []
    return ["-qq", "--tb=no", "-rN"]
