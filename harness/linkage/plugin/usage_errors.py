"""Wrong usage of `linkage run`: pytest finds most of it, and `linkage` reports it in one line of its own."""

from collections.abc import Callable, Generator, Iterator
from typing import Any, NoReturn

import pytest

from linkage.case.reader import read_case
from linkage.errors import LinkageError
from linkage.run.selection import case_name, chosen_cases


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
            _check_case(text)
        try:
            return (yield)
        except pytest.UsageError as error:
            self._raise(error)

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


def _check_case(text: str) -> None:
    """Raise LinkageError if a case or its variant does not exist."""
    for one in chosen_cases([text]):
        if one.cell is not None:
            one.rows(read_case(one.file, case_name(one.file)))
