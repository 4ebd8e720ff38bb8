"""Wrong usage of `linkage run`: pytest finds most of it, and `linkage` reports it in one line of its own."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from linkage.errors import LinkageError
from linkage.plugin.run_session import toolchains_of
from linkage.run.selection import one_case, split


class UsageErrors:
    """A plugin that takes pytest's usage errors before pytest prints them."""

    def __init__(self, report: Callable[[str], NoReturn]) -> None:
        self.report = report
        """Reports an error of argparse and exits."""

    @pytest.hookimpl(wrapper=True)
    def pytest_cmdline_parse(self) -> Generator[None, Any, Any]:
        try:
            return (yield)
        except pytest.UsageError as error:
            self._raise(error)

    @pytest.hookimpl(wrapper=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, Any, Any]:
        for text in _cases(config):
            _check_case(text, config.invocation_params.dir)
        try:
            return (yield)
        except pytest.UsageError as error:
            self._raise(error)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Find the node ids of other toolchains: with xdist, pytest's own search is silent."""
        for text in _cases(session.config):
            _, named, _ = split(text)
            known = [toolchain.name for toolchain in toolchains_of(session.config)] if named else []
            if named not in (None, *known):
                error = LinkageError(
                    f"this run has no toolchain `{named}`", where=text, help=f"it has {', '.join(known)}"
                )
                raise pytest.UsageError(str(error))

    def _raise(self, error: pytest.UsageError) -> NoReturn:
        text = "\n".join(map(str, error.args))
        _, by_argparse, message = text.partition(": error: ")
        if by_argparse:
            self.report(message.partition("\n")[0])
        help_ = None if "(help: " in text else "linkage run --help"
        raise LinkageError(" ".join(text.split()), help=help_) from None


def _cases(config: pytest.Config) -> Iterator[str]:
    """The cases that the user named."""
    if config.args_source is pytest.Config.ArgsSource.ARGS and not config.getoption("pyargs"):
        yield from config.args


def _check_case(text: str, folder: Path) -> None:
    """Raise LinkageError if a case or its variant does not exist."""
    file, colons, _ = text.partition("::")
    if not (folder / file).exists():
        case, bracket, cell = text.partition("[")
        if bracket and (folder / case).is_file():
            raise LinkageError(
                "a node id names the toolchain too",
                where=text,
                help=f"write {case}::TOOLCHAIN[{cell}, or select with -k",
            )
        raise LinkageError("no such case file or directory", where=file, help="run `linkage list`")
    if colons and file.endswith(".yaml"):
        one_case(text)
