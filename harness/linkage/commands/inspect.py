"""`linkage inspect`: the symbols, sections and dependencies of artifacts."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from linkage.artifact import read
from linkage.artifact.facts import Facts, ObjectFile
from linkage.errors import ArtifactError, ExitCode
from linkage.host.terminal import escape
from linkage.judge.view import described, is_foreign
from linkage.render.inspect_data import FORMAT, Selection, file_data
from linkage.render.inspect_text import Printer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage inspect`."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="an artifact: library, program, object, ...")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--symbols",
        metavar="PATTERN",
        help="only symbols whose name or demangled path matches this glob",
    )
    parser.add_argument("--undefined", action="store_true", help="only undefined symbols")
    parser.add_argument(
        "--exports", action="store_true", help="only symbols that other files can link against"
    )
    parser.add_argument("--all", action="store_true", help="include local symbols and do not shorten tables")
    parser.add_argument(
        "--refers",
        action="append",
        default=[],
        metavar="FUNCTION",
        help="list the symbols that this function refers to; may be repeated",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the facts of each file, and on standard error what is wrong with it.

    The exit status is USAGE if a file cannot be read, else FAILED if one is damaged or not an artifact.
    """
    selection = Selection(arguments.symbols, undefined=arguments.undefined, exports=arguments.exports)
    refers: list[str] = arguments.refers
    status = ExitCode.OK
    found: list[tuple[str, Facts]] = []
    for name in arguments.files:
        try:
            facts = read(Path(name), references=refers, root=Path("/"))
        except ArtifactError as error:
            _complain(escape(str(error), 1000))
            status = ExitCode.USAGE
            continue
        found.append((name, facts))
        for line in _wrong(facts, refers):
            _complain(f"{escape(name)}: {line}")
            status = max(status, ExitCode.FAILED)
    if arguments.json:
        data = {"format": FORMAT, "files": [file_data(name, facts, selection) for name, facts in found]}
        json.dump(data, sys.stdout, separators=(",", ":"))
        print()
    else:
        printer = Printer(selection, everything=arguments.all, colour=sys.stdout.isatty())
        for name, facts in found:
            if facts.error is None and facts.kind not in ("other", "empty"):
                printer.show(name, facts)
        sys.stdout.write(printer.text())
    sys.stdout.flush()  # here, and not when the interpreter exits, a closed pipe is handled
    return status


def _wrong(facts: Facts, refers: Sequence[str]) -> list[str]:
    if facts.error is not None:
        return [f"damaged ({facts.kind}, {facts.size} bytes): {escape(facts.error, 400)}"]
    if facts.kind == "empty":
        return ["the file is empty"]
    if facts.other is not None:
        what = "cannot be read" if is_foreign(facts) else "not an artifact"
        return [f"{what}: {described(facts)}, {facts.size} bytes"]
    members = facts.archive.members if facts.archive is not None else ()
    lines = [
        f"member {escape(one.name)} cannot be read: {escape(one.error, 400)}" for one in members if one.error
    ]
    objects: list[ObjectFile | None] = [facts.object, *(member.object for member in members)]
    seen = {name for one in objects if one is not None for name in one.references}
    lines += [f"no function {escape(name)} with readable code" for name in refers if name not in seen]
    return lines


def _complain(text: str) -> None:
    print(f"linkage: {text}", file=sys.stderr)
