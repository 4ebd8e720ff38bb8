"""`linkage inspect`: what the readers see in artifacts."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from linkage.artifact import read
from linkage.artifact.facts import Facts, ObjectFile
from linkage.errors import ArtifactError, ExitCode
from linkage.judge.name_set import escape
from linkage.render.inspect_data import FORMAT, Selection, file_data
from linkage.render.inspect_text import Printer


def inspect(
    files: Sequence[str],
    *,
    refers: Sequence[str],
    as_json: bool,
    selection: Selection,
    everything: bool,
) -> int:
    """Print each file's facts, and say on standard error what is wrong with a file; the exit status.

    USAGE where a file cannot be read at all, else FAILED where one is damaged or no artifact.
    """
    status = ExitCode.OK
    found: list[tuple[str, Facts]] = []
    for name in files:
        try:
            facts = read(Path(name), references=refers)
        except ArtifactError as error:
            _say(escape(str(error), 1000))
            status = ExitCode.USAGE
            continue
        found.append((name, facts))
        for line in _wrong(facts, refers):
            _say(f"{escape(name)}: {line}")
            status = max(status, ExitCode.FAILED)
    if as_json:
        data = {"format": FORMAT, "files": [file_data(name, facts, selection) for name, facts in found]}
        json.dump(data, sys.stdout, separators=(",", ":"))
        print()
    else:
        printer = Printer(selection, everything=everything, colour=sys.stdout.isatty())
        for name, facts in found:
            if facts.error is None and facts.kind not in ("other", "empty"):
                printer.show(name, facts)
        sys.stdout.write(printer.text())
    sys.stdout.flush()  # a closed pipe is noticed here, not when the interpreter ends
    return status


def _wrong(facts: Facts, refers: Sequence[str]) -> list[str]:
    if facts.error is not None:
        return [f"damaged ({facts.kind}, {facts.size} bytes): {escape(facts.error, 400)}"]
    if facts.kind == "empty":
        return ["an empty file"]
    if facts.other is not None:
        what = "a text" if facts.other.text is not None else "a file of no format that is known here"
        return [f"no artifact: {what}, {facts.size} bytes"]
    members = facts.archive.members if facts.archive is not None else ()
    lines = [
        f"member {escape(one.name)} is damaged: {escape(one.error, 400)}" for one in members if one.error
    ]
    objects: list[ObjectFile | None] = [facts.object, *(member.object for member in members)]
    seen = {name for one in objects if one is not None for name in one.references}
    lines += [
        f"there is no function {escape(name)} whose code can be read" for name in refers if name not in seen
    ]
    return lines


def _say(text: str) -> None:
    print(f"linkage: {text}", file=sys.stderr)
