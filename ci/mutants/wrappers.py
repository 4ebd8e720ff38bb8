"""The wrapper compilers: a folder for each fault, with a `rustc` and a `cc`."""

import ast
import shlex
import sys
from functools import cache
from hashlib import blake2b
from pathlib import Path

from linkage.host.files import replace_file
from mutants.faults.fault import Fault
from mutants.faults.table import MODULES

_FAULTS = Path(__file__).parent / "faults"
_RUN_BY = ("wrapper", "rustc_cache")


def code_digest(fault: Fault) -> str:
    """A digest of the code of a fault, with all that it imports: what a fault did before it was changed
    is not a cache hit, and a change of another fault makes no difference.
    """
    found = blake2b(digest_size=6)
    for name in sorted(_imported({MODULES[fault.name], *_RUN_BY})):
        found.update(_code(name))
    return found.hexdigest()


def _imported(names: set[str]) -> set[str]:
    """These modules of faults, and those that they import."""
    known: set[str] = set()
    while left := names - known:
        known |= left
        names = names | {one for name in left for one in _imports(name)}
    return known


@cache
def _code(name: str) -> bytes:
    return (_FAULTS / f"{name}.py").read_bytes()


def _imports(name: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(_code(name))):
        if isinstance(node, ast.ImportFrom) and node.module == "mutants.faults":
            found.update(one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("mutants.faults."):
            found.add(node.module.rpartition(".")[2])
    return found - {"table"}  # which imports the others by name only


def write_wrapper(fault: Fault, real: Path, folder: Path) -> Path:
    """Write one wrapper; its rustc can be given as `--toolchain name=path`."""
    key = blake2b(str(real).encode(), digest_size=4).hexdigest()
    place = folder / f"{code_digest(fault)}-{key}" / fault.name
    place.mkdir(parents=True, exist_ok=True)
    start = (
        f"exec {shlex.quote(sys.executable)} -I -S {shlex.quote(str(_FAULTS / 'wrapper.py'))} {fault.name}"
    )
    rustc, linker = place / "rustc", place / "cc"
    _script(rustc, f"export LINKAGE_FAULT={shlex.quote(str(place))}\n{start} rustc {shlex.quote(str(real))}")
    _script(linker, f"{start} cc {shlex.quote(str(linker))}")
    return rustc


def _script(place: Path, body: str) -> None:
    text = f'#!/bin/sh\n{body} "$@"\n'
    if not place.exists() or place.read_text(encoding="utf-8") != text:
        replace_file(place, text, mode=0o755)
