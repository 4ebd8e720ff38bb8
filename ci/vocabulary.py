"""Write down what rustc knows: `harness/linkage/toolchain/vocabulary.json`.

A requirement that a toolchain does not meet skips a variant; one that no compiler can meet is a mistake in
the case. The file tells them apart: it has every `-Z` and `-C` flag and every target that some rustc knows.

    python ci/vocabulary.py RUSTC…       add what these compilers know, for each new release
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from linkage.errors import ExitCode

FILE = Path(__file__).parents[1] / "harness/linkage/toolchain/vocabulary.json"
_FLAG = re.compile(r"^ +-[ZC] +([a-z0-9][a-z0-9_-]*)(?:=| |$)", re.MULTILINE)
_CFG = re.compile(r'^target_(os|arch|env)="(.*)"$', re.MULTILINE)
Vocabulary = dict[str, Any]


def ask(rustc: str, *arguments: str) -> str:
    """What rustc prints, on stderr too; an older one may refuse the question."""
    env = {**os.environ, "RUSTC_BOOTSTRAP": "1"}
    command = [rustc, *arguments]
    answer = subprocess.run(command, env=env, input="", capture_output=True, text=True, check=False)
    return answer.stdout + answer.stderr


def known(rustc: str, before: Vocabulary) -> Vocabulary:
    """What a compiler knows; the platforms of targets in `before` are not asked for again."""
    targets = ask(rustc, "--print", "target-list").split()
    platforms = dict(_platforms(rustc, [one for one in targets if one not in before["targets"]]))
    return {
        "compilers": [ask(rustc, "-V").split()[1]],
        "unstable-flags": _flags(rustc, "-Z"),
        "codegen-flags": _flags(rustc, "-C"),
        "targets": platforms,
    }


def _flags(rustc: str, option: str) -> list[str]:
    return [flag.replace("_", "-") for flag in _FLAG.findall(ask(rustc, option, "help"))]


def _platforms(rustc: str, targets: list[str]) -> Iterator[tuple[str, str]]:
    """Each target's operating system, architecture and libc, in this order."""
    for triple in targets:
        cfg = dict(_CFG.findall(ask(rustc, "--print", "cfg", "--target", triple)))
        yield triple, " ".join(cfg.get(key, "") for key in ("os", "arch", "env"))


def merged(before: Vocabulary, more: Vocabulary) -> Vocabulary:
    """All that either has, sorted."""
    return {
        key: dict(sorted({**value, **more[key]}.items()))
        if isinstance(value, dict)
        else sorted({*value, *more[key]})
        for key, value in before.items()
    }


def main(compilers: list[str]) -> int:
    """Add what the compilers know to the file."""
    if not compilers:
        print(__doc__, file=sys.stderr)
        return ExitCode.USAGE
    empty: Vocabulary = {"compilers": [], "unstable-flags": [], "codegen-flags": [], "targets": {}}
    found = json.loads(FILE.read_text("utf-8")) if FILE.exists() else empty
    for rustc in compilers:
        found = merged(found, known(rustc, found))
    FILE.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
