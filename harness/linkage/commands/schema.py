"""`linkage schema`: the JSON Schema of the case format, for editors."""

import argparse
import sys
from pathlib import Path

from linkage.case.schema import schema_text
from linkage.commands import output
from linkage.errors import ExitCode, LinkageError
from linkage.host.terminal import escape


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage schema`."""
    parser.add_argument("-o", "--output", metavar="FILE", help="write it to FILE instead of standard output")
    parser.add_argument("--check", metavar="FILE", help="exit with status 1 if FILE is out of date")


def run(arguments: argparse.Namespace) -> int:
    """Print the schema, write it, or compare it with a file. Raises LinkageError."""
    text = schema_text()
    file = output(arguments, "--output")
    if arguments.check is not None:
        return _check(arguments.check, text)
    if file is not None:
        file.write(text)
    else:
        sys.stdout.write(text)
    return ExitCode.OK


def _check(file: str, text: str) -> int:
    try:
        current = Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise LinkageError(f"cannot be read: {error.strerror}", where=file) from None
    if current == text:
        return ExitCode.OK
    name = escape(file, 2000)
    print(f"linkage: {name}: out of date (help: linkage schema -o {name})", file=sys.stderr)
    return ExitCode.FAILED
