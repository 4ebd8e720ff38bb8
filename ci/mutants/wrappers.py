"""The wrapper compilers: a folder for each fault, with a `rustc` and a `cc`."""

import shlex
import sys
from hashlib import blake2b
from pathlib import Path

from linkage.host.files import replace_file
from mutants.faults.fault import Fault

_FAULTS = Path(__file__).parent / "faults"


def code_digest() -> str:
    """A digest of the code of the faults: an output of a fault that has changed is not a cache hit."""
    found = blake2b(digest_size=6)
    for file in sorted(_FAULTS.glob("*.py")):
        found.update(file.read_bytes())
    return found.hexdigest()


def write_wrapper(fault: Fault, real: Path, folder: Path) -> Path:
    """Write one wrapper; its rustc can be given as `--toolchain name=path`."""
    key = blake2b(str(real).encode(), digest_size=4).hexdigest()
    place = folder / f"{code_digest()}-{key}" / fault.name
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
