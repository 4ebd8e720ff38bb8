"""A plain Rust file as a case: one step that compiles it with the flags that rustc would get."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

_KEYS = {
    "--crate-type": "crate-type",
    "--edition": "edition",
    "--target": "target",
    "--crate-name": "crate-name",
}
"""rustc's options that a step has keys for."""
_MODULE = re.compile(r"^[ \t]*(?:pub(?:\([^)]*\))?[ \t]+)?mod[ \t]+(\w+)[ \t]*;", re.MULTILINE)
_EDITION = "2015"
"""What rustc takes without --edition."""


def case_text(name: str, flags: Sequence[str], files: Sequence[str] = ()) -> str:
    """The text of the case that compiles this file with these flags; `files`: others that it needs."""
    keys, rest = _split(flags)
    step: dict[str, str | list[str]] = {"rustc": name}
    if "crate-type" in keys:
        step["crate-type"] = [kind for value in keys.pop("crate-type") for kind in value.split(",")]
    step |= {"edition": _EDITION} | {key: values[-1] for key, values in keys.items()}
    if rest:
        step["flags"] = rest
    case = {"summary": f"{name} compiles", **({"files": list(files)} if files else {}), "steps": [step]}
    # JSON is YAML, except that YAML has no pairs of surrogates.
    return json.dumps(_literal(case), ensure_ascii=False, indent=1)


def module_files(file: Path) -> list[str]:
    """The files and folders beside a source that its `mod NAME;` mean."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []  # reading the case reports it
    return sorted({found for name in _MODULE.findall(text) for found in _module(file.parent, name)})


def _module(folder: Path, name: str) -> Iterator[str]:
    if (folder / f"{name}.rs").is_file():
        yield f"{name}.rs"
    if (folder / name).is_dir():
        yield name


def _split(flags: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    """The options that a step has keys for, with their values, and all others."""
    keys: dict[str, list[str]] = {}
    rest: list[str] = []
    waiting = iter(flags)
    for word in waiting:
        option, equals, value = word.partition("=")
        if option not in _KEYS:
            rest.append(word)
        elif equals:
            keys.setdefault(_KEYS[option], []).append(value)
        else:
            keys.setdefault(_KEYS[option], []).append(next(waiting, ""))
    return keys, rest


def _literal(data: object) -> object:
    """The data with every `${` as text, not as a variable."""
    if isinstance(data, str):
        return data.replace("${", "$${")
    if isinstance(data, list):
        return [_literal(one) for one in data]
    return {key: _literal(value) for key, value in data.items()} if isinstance(data, dict) else data
