"""Faults in a copy of the sources: rustc compiles the copy."""

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from mutants.faults.call import Call
from mutants.faults.fault import Fault

_ATTRIBUTE = "#[global_allocator]"
_CHANGES: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"\.\.(n|count|\d+)\)", lambda found: f"..{found[1]} + 1)"),
    (r"(?<=[{=(+*>] )\d+(?=[ ;})])|(?<=\()\d+(?=\))", lambda found: str(int(found[0]) + 1)),
    (r"\.to_string\(\)\.len\(\)", lambda found: f"{found[0]} + 1"),
    (r"\*Box::from_raw\((\w+)\)", lambda found: f"(*Box::from_raw({found[1]}) + 1)"),
    (r"unsafe \{ (?!abort)(\w+\(\)) \}", lambda found: f"unsafe {{ {found[1]} + 1 }}"),
    (
        r'(?<=print!\(")[A-Za-z]|(?<=println!\(")[A-Za-z]|(?<=panic!\(")[A-Za-z]',
        lambda found: found[0].swapcase(),
    ),
    (r'(?<=print!\(")(?=\{)|(?<=println!\(")(?=\{)', lambda _: "?"),
)
"""Changes that need no knowledge of types: to values, and to printed text."""


def changed_source(change: Callable[[str], str]) -> Callable[[Call], list[str]]:
    """Compile a changed copy of the sources, if the change affects the root module."""

    def argv(call: Call) -> list[str]:
        source = Path(call.source or "")
        old = source.read_text(encoding="utf-8") if source.is_file() else ""
        if change(old) == old:
            return list(call.words)
        folder = Path(tempfile.mkdtemp(prefix="linkage-fault-"))
        shutil.copytree(source.parent, folder, dirs_exist_ok=True, symlinks=True)
        place = folder / source.name
        place.write_text(change(old), encoding="utf-8")
        words = [str(place) if word == call.source else word for word in call.words]
        return [*words, f"--remap-path-prefix={folder}={source.parent}"]

    return argv


def _without_allocator(text: str) -> str:
    return text.replace(_ATTRIBUTE, "")


def _other_values(text: str) -> str:
    for pattern, change in _CHANGES:
        text = re.sub(pattern, change, text)
    return text


def has_source(call: Call) -> bool:
    return call.compiles and call.source not in (None, "-")


FAULTS = (
    Fault(
        "global-allocator-ignored",
        "rust-lang/rust#100781: std's allocator is used instead of the global allocator",
        has_source,
        ("stdout", "defines"),
        argv=changed_source(_without_allocator),
    ),
    Fault(
        "used-ignored",
        "rust-lang/rust#47384: a `#[used]` static is dropped",
        has_source,
        ("section", "sections", "exit", "defines", "local"),
        argv=changed_source(lambda text: re.sub(r"#\[used(\(\w+\))?\]", "", text)),
    ),
    Fault(
        "no-builtins-ignored",
        "rust-lang/rust#35540: a `no_builtins` crate is optimised like any other",
        has_source,
        ("references", "crates"),
        argv=changed_source(lambda text: re.sub(r"#!\[(cfg_attr\([^]]*, )?no_builtins\)?\]", "", text)),
    ),
    Fault(
        "value-changed",
        "a miscompilation: code computes or prints something else",
        has_source,
        ("stdout", "stderr", "exit"),
        argv=changed_source(_other_values),
    ),
)
