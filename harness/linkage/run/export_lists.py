"""The names that rustc asks a linker to export: in a file, whose form depends on the linker, or in arguments.

Formats: https://sourceware.org/binutils/docs/ld/VERSION.html (version scripts, dynamic lists),
https://learn.microsoft.com/cpp/build/reference/module-definition-dot-def-files, ld64's manual page
(`-exported_symbols_list`), AIX's of `ld` (`-bE`), LLD's (WebAssembly's `--export`).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

_SCRIPT_NAME = re.compile(r'"?([^\s{};:"]+)"?\s*;')
_DEF_NAME = re.compile(r'"([^"]*)"|([^\s"=]+)')
_DEF_STATEMENTS = {
    "LIBRARY",
    "NAME",
    "SECTIONS",
    "SEGMENTS",
    "STACKSIZE",
    "HEAPSIZE",
    "VERSION",
    "DESCRIPTION",
}
_EXPORT = "--export"


def _script(text: str) -> Iterator[str]:
    """The global names of a version script or a dynamic list."""
    before_local = re.split(r"\blocal\s*:", text)[0]
    found = _SCRIPT_NAME.findall(before_local.replace("global:", " ").replace("{", " "))
    return (name for name in found if name != "}")


def _definitions(text: str) -> Iterator[str]:
    """The exports of a module-definition file: `EXPORTS`, then a line for each, the name first."""
    exports = False
    for line in text.splitlines():
        words = line.split(";")[0].split()
        if not words:
            continue
        if words[0] == "EXPORTS":
            exports, words = True, words[1:]
        elif words[0] in _DEF_STATEMENTS:
            exports = False
        found = _DEF_NAME.match(" ".join(words)) if exports else None
        if found:
            yield found[1] if found[1] is not None else found[2]


def _apple_list(text: str) -> Iterator[str]:
    """A name a line, each with the platform's `_` before it."""
    return (name.removeprefix("_") for name in _lines(text, "#"))


def _aix_list(text: str) -> Iterator[str]:
    """A name a line; what follows it says how it is exported."""
    return (line.split()[0] for line in _lines(text, "*") if not line.startswith("#"))


def _lines(text: str, comment: str) -> Iterator[str]:
    return (line for raw in text.splitlines() if (line := raw.strip()) and not line.startswith(comment))


FORMS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "script": _script, "def": _definitions, "apple": _apple_list, "aix": _aix_list,
}  # fmt: skip
"""How a file of each form is read; the linker's wrapper gives a copy the form's name."""


def file_names(form: str, text: str) -> tuple[str, ...]:
    """The names in a file of this form, as the source spells them."""
    return tuple(FORMS[form](text))


def wasm_names(args: Sequence[str]) -> tuple[str, ...] | None:
    """The names that arguments for WebAssembly's linker export; None for another linker's."""
    if not _is_for_wasm(args):
        return None
    given = [arg.removeprefix("-Wl,") for arg in args]
    joined = [one.removeprefix(f"{_EXPORT}=") for one in given if one.startswith(f"{_EXPORT}=")]
    apart = [after for one, after in pairwise(given) if one == _EXPORT]
    return (*apart, *joined)


def _is_for_wasm(args: Sequence[str]) -> bool:
    return any(pair == ("-flavor", "wasm") for pair in pairwise(args))
