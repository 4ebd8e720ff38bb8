"""The pytest plugin of `linkage`: its options, and the setting `linkage_cases` that says where cases are.

pytest imports this module in every project of an environment in which rustc-linkage is installed. So it
imports nothing that costs time, and it loads the rest only for a run that has cases: a project that sets
`linkage_cases`, or a `.yaml` file among the arguments.
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linkage.dependencies import check_dependencies
from linkage.errors import LinkageError
from linkage.run.options import RUN_OPTIONS

if TYPE_CHECKING:
    from linkage.plugin.arguments import RunArguments

SETTING = "linkage_cases"
RUN = "--linkage-run"
"""`linkage run` passes it: the arguments are cases, whatever the project's settings are."""
_LINE = 2000
"""Characters of a message that are printed."""
KEYWORDS, TAGS = "--linkage-keywords", "--linkage-tags"
"""The -k and the -m of `linkage run`, which mean what they mean in its other commands."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(SETTING, "folders and files of linkage cases, which pytest collects", type="paths")
    group = parser.getgroup("linkage", "linkage cases")
    group.addoption(RUN, action="store_true", help=argparse.SUPPRESS)
    group.addoption(KEYWORDS, help=argparse.SUPPRESS)
    group.addoption(TAGS, help=argparse.SUPPRESS)
    for option in RUN_OPTIONS:
        # pytest reserves lower-case letters, but users expect -j, like -n of xdist.
        group._addoption(*option.flags, **option.settings)  # noqa: SLF001


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption(RUN) and hasattr(config, "workerinput"):
        from linkage.host.interruption import hear  # noqa: PLC0415 - only a worker of `linkage run` needs it

        hear()
    try:
        named = _named(config) if config.getoption(RUN) else None
        places = _configured(config) if named is None else named.places
        if not places and not config.getoption("--toolchain"):
            return
        check_dependencies()
        from linkage.plugin.hooks import Hooks  # noqa: PLC0415 - after the check, and only if there are cases

        config.pluginmanager.register(Hooks(config, places), "linkage-hooks")
        if named is None and getattr(config.option, "numprocesses", None) is not None:
            from linkage.plugin.arguments import check_distributed  # noqa: PLC0415 - only if there are cases

            check_distributed(config)
        if named is not None:
            named.choose(config)
    except LinkageError as error:
        from linkage.host.terminal import escape  # noqa: PLC0415 - only if there is an error

        # `linkage run` escapes what it prints itself.
        text = str(error) if config.getoption(RUN) else escape(str(error), _LINE)
        raise pytest.UsageError(text) from None


def _named(config: pytest.Config) -> "RunArguments":
    """The arguments of `linkage run`. Raises LinkageError if there are none."""
    from linkage.plugin.arguments import RunArguments  # noqa: PLC0415 - only if there are cases

    if config.args_source is pytest.Config.ArgsSource.INVOCATION_DIR:
        raise LinkageError("no directory `cases` here", help="name cases: linkage run CASE ...")
    return RunArguments.of(config.args)


def _configured(config: pytest.Config) -> list[Path]:
    """Where `linkage_cases` points, and the `.yaml` files among the arguments. Raises LinkageError.

    If pytest was started without arguments, it collects `linkage_cases` besides its `testpaths`.
    """
    found: list[Path] = config.getini(SETTING)
    for path in found:
        if not path.exists():
            raise LinkageError(
                f"{SETTING}: {path} does not exist",
                where=str(config.inipath or ""),
                help="name folders of cases, relative to this file",
            )
    named = [_path(argument) for argument in config.args]
    here = config.invocation_params.dir
    # Whoever names a toolchain and a folder that is not the project's means the cases in it.
    outside = [
        path
        for path in named
        if config.getoption("--toolchain") and path.is_dir() and not path.is_relative_to(here)
    ]
    if (
        config.args_source is not pytest.Config.ArgsSource.ARGS
        and config.invocation_params.dir == config.rootpath
    ):
        config.args += [str(path) for path in found if not any(path.is_relative_to(one) for one in named)]
    return [*found, *outside, *(path for path in named if path.suffix == ".yaml" and path.is_file())]


def _path(argument: str) -> Path:
    return Path(os.path.abspath(argument.partition("::")[0]))  # noqa: PTH100 - takes `..` out, follows no link
