"""The command `linkage`: a table of its subcommands, each a module of `linkage.commands`.

A module is imported when its subcommand is called: `linkage --help` imports none.
"""

import argparse
import difflib
import os
import re
import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from typing import Any, NoReturn

from linkage.dependencies import check_dependencies, explain_import_error
from linkage.errors import ExitCode, LinkageError
from linkage.host.interruption import NO_ANSWER, interruption
from linkage.host.standard_streams import OutputLostError, StandardStreams
from linkage.host.terminal import escape, escape_lines

COMMANDS = {
    "run": "compile the cases, check their claims, and report the verdicts",
    "list": "list the cases and their variants",
    "explain": "print the command lines and claims of a case, without compiling",
    "repro": "write a shell script that reproduces a variant with rustc and cc alone",
    "inspect": "print the symbols, sections and dependencies of artifacts",
    "table": "print the recorded verdicts as a table of cases by compilers",
    "report": "write the recorded verdicts as a page: static files that open in a browser",
    "compare": "build the cases with two toolchains and report how the outputs differ",
    "snapshot": "record what a toolchain builds, for a later `linkage compare`",
    "fuzz": "generate crate graphs whose outputs check each other, and report what fails",
    "bisect": "find the compiler that introduced or fixed a failure",
    "probe": "test one case with one compiler, for `git bisect run`",
    "toolchains": "list, install and remove toolchains",
    "store": "inspect and prune the cache",
    "schema": "print the JSON Schema of the case format",
    "completion": "print a completion script for a shell",
}
"""Each subcommand with its summary; `linkage.commands` has a module of the same name."""

_EPILOG = """\
`linkage help COMMAND` prints the options of a command.
`linkage completion SHELL` prints a script that completes them in bash, zsh or fish.

exit status:
  0  every variant came out as expected
  1  at least one variant failed
  2  interrupted
  4  wrong usage, or a case that cannot be read
  5  no variant was run"""

_JUDGE = ("run", "compare", "snapshot", "fuzz", "bisect", "probe")
"""The commands that do more than print."""
_LINE = 2000
"""Characters of a message that are printed."""


def program(words: Sequence[str]) -> int:
    """Run one command in a process whose signals `linkage.__main__` handles, and see to its output."""
    streams = StandardStreams()
    interruption.begin()
    try:
        status = main(words)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        # What stands between may turn KeyboardInterrupt into an exception of its own.
        if not interruption.asked and streams.error is None:
            raise
        status = interruption.status
    streams.flush()  # of --help and --version, too, which leave by SystemExit
    if interruption.asked:
        interruption.notice()
        status = interruption.status
    elif streams.error is not None:
        status = _output_lost(streams.error, words)
    streams.flush()
    if interruption.asked or streams.error is not None:
        os._exit(status)  # threads that are still at work would keep the process
    return status


def _output_lost(error: OSError, words: Sequence[str]) -> int:
    """What a command ends with that could not print everything."""
    if isinstance(error, BrokenPipeError):
        # Its reader has seen enough; whether all that was asked for was judged, nobody has.
        return _aborted(words, ExitCode.INTERRUPTED) if words[0] in _JUDGE else int(ExitCode.OK)
    print(f"linkage: standard output cannot be written: {error.strerror}", file=sys.stderr)
    return _aborted(words, ExitCode.USAGE)


def _aborted(words: Sequence[str], status: ExitCode) -> int:
    return NO_ANSWER if words[:1] == ["probe"] else int(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    name = words[0] if words else ""
    try:
        return _call(name, words)
    except LinkageError as error:
        print(f"linkage: {escape_lines(str(error))}", file=sys.stderr)
        return _aborted(words, error.exit_code)
    except OutputLostError:
        raise
    except KeyboardInterrupt:
        interruption.notice()
        print(f"linkage: {interruption.describe()}", file=sys.stderr)
        return _aborted(words, ExitCode.INTERRUPTED)


def _call(name: str, words: list[str]) -> int:
    if name in COMMANDS:
        check_dependencies()
    try:
        parser = command_line(COMMANDS if name == "completion" else [name])
        # pytest parses what follows `run`: only it knows the options of all its plugins.
        forwarded = words[1:] if name == "run" and not {"-h", "--help"} & set(words) else []
        passed_on: list[str] = []
        if name == "bisect" and "--" in words:
            at = words.index("--")
            words, passed_on = words[:at], words[at + 1 :]
        arguments, rest = parser.parse_known_args([name] if forwarded else words)
        if rest:
            arguments.parser.error(f"unrecognized arguments: {' '.join(rest)}")
        arguments.command_line, arguments.forwarded = parser, forwarded
        arguments.passed_on = passed_on
        return int(arguments.run(arguments))
    except ImportError:
        explain_import_error()
        raise


class CommandLine(argparse.ArgumentParser):
    """A parser whose errors are one line, with what was probably meant."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - argparse's own
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **settings)

    def error(self, message: str) -> NoReturn:
        """Print the error and exit."""
        what, meant = self._explained(escape(message, _LINE))
        status = NO_ANSWER if self.prog.endswith(" probe") else ExitCode.USAGE
        self.exit(int(status), f"{self.prog}: {what} (help: {meant or f'{self.prog} --help'})\n")

    def _explained(self, message: str) -> tuple[str, str | None]:
        if found := re.fullmatch(r"unrecognized arguments: (\S+).*", message, re.DOTALL):
            option = found[1].partition("=")[0]
            if not option.startswith("-"):
                return f"unexpected argument `{option}`", None
            return f"unknown option `{option}`", _nearest(option, self._option_string_actions)
        if found := re.match(r"argument COMMAND: invalid choice: '(.*?)'", message):
            return f"no such command: `{found[1]}`", _nearest(found[1], COMMANDS)
        return re.sub(r"invalid \w+ value: ('.*')", r"invalid value \1", message), None


def _nearest(word: str, known: Collection[str]) -> str | None:
    near = difflib.get_close_matches(word, known, 1)
    return f"did you mean `{near[0]}`?" if near else None


class _VersionAction(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        import platform  # noqa: PLC0415 - slow to import
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - likewise

        try:
            ours = version("rustc-linkage")
        except PackageNotFoundError:
            ours = "(not installed)"
        print(f"linkage {ours}, Python {platform.python_version()}, {platform.platform()}")
        parser.exit()


def command_line(complete: Collection[str]) -> CommandLine:
    """The parser of `linkage`; only the `complete` commands have their arguments."""
    parser = CommandLine(prog="linkage", description="Linkage regression tests for rustc.", epilog=_EPILOG)
    parser.add_argument("-V", "--version", nargs=0, action=_VersionAction, help="print the version and exit")
    commands = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", parser_class=CommandLine
    )
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name in complete:
            module = import_module(f"linkage.commands.{name}")
            module.add_arguments(command)
            command.set_defaults(run=module.run, parser=command)
    return parser
