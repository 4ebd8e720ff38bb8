"""`linkage completion`: what a shell needs to complete commands, options and files."""

import argparse
import sys

import shtab

from linkage.errors import ExitCode

_WHERE = """\
where the script belongs:
  bash  linkage completion bash > ~/.local/share/bash-completion/completions/linkage
  zsh   linkage completion zsh > DIRECTORY/_linkage, for a DIRECTORY in $fpath
  fish  linkage completion fish > ~/.config/fish/completions/linkage.fish"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage completion`."""
    parser.epilog = _WHERE
    parser.add_argument(
        "shell", choices=shtab.SUPPORTED_SHELLS, metavar="SHELL", help=", ".join(shtab.SUPPORTED_SHELLS)
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    sys.stdout.write(shtab.complete(arguments.command_line, arguments.shell) + "\n")
    return ExitCode.OK
