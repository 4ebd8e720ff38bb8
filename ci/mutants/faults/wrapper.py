"""A rustc with one fault, `wrapper.py FAULT rustc REAL WORDS…`, and its linker: `FAULT cc OWN WORDS…`."""

import contextlib
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a script: its folder is not on the path

from mutants.faults.call import Call
from mutants.faults.exits import WARNING
from mutants.faults.fault import CompilerOutputs, Fault
from mutants.faults.rustc_cache import ASKED, RustcCache, run
from mutants.faults.table import EVERY


def main(arguments: Sequence[str]) -> int:
    """Do what the real program does, except for the fault."""
    name, role, real, *words = arguments
    fault = EVERY[name]
    if role == "cc":
        _link(fault, real, words)
    call = Call.of(words)
    if not fault.applies(call):
        os.execv(real, [real, *words])  # noqa: S606 - as a shell would do
    return _compile(fault, real, call)


def _link(fault: Fault, own: str, words: list[str]) -> NoReturn:
    """Call the next linker on PATH."""
    folder = str(Path(own).parent)
    behind = os.pathsep.join(one for one in os.environ["PATH"].split(os.pathsep) if one != folder)
    real = shutil.which("cc", path=behind) or "/usr/bin/cc"
    changed = (fault.linker or list)(words)
    os.execve(real, [real, *changed], {**os.environ, "PATH": behind})  # noqa: S606


def _compile(fault: Fault, real: str, call: Call) -> int:
    before = _stamps(call)
    old = {place: place.read_bytes() for place in before} if fault.keeps_before else {}
    status = 0
    if fault.runs:
        argv = fault.argv(call) if fault.argv else list(call.words)
        status = _run([real, *argv], fault)
    if status == 0 and fault.outputs is not None:
        made = tuple(place for place, stamp in _stamps(call).items() if before.get(place) != stamp)
        fault.outputs(CompilerOutputs(call, made, old))
    if status != 0 and fault.refused is not None:
        fault.refused(call)
    wanted = (status != 0) == (fault.on == "failure")
    return fault.status(status) if fault.status and wanted else status


def _run(argv: list[str], fault: Fault) -> int:
    env = dict(os.environ)
    if fault.linker is not None:
        env["PATH"] = f"{os.environ['LINKAGE_FAULT']}{os.pathsep}{env['PATH']}"
    env.pop(ASKED, None)
    cache = RustcCache.here()
    key = cache.key(argv, env) if cache else None
    if fault.said is None and fault.printed is None and key is None:
        return subprocess.run(argv, env=env, check=False).returncode
    ended = cache.ended(key, argv, env) if cache and key else run(argv, env)
    printed = ended.stdout.decode("utf-8", "surrogateescape")
    if fault.printed is not None:
        printed = fault.printed(printed)
    sys.stdout.buffer.write(printed.encode("utf-8", "surrogateescape"))
    said = fault.said or str
    for line in ended.stderr.decode("utf-8", "surrogateescape").splitlines(keepends=True):
        sys.stderr.buffer.write(said(line).encode("utf-8", "surrogateescape"))
    if fault.name == "warns-without-cause":
        sys.stderr.write(f"{WARNING}\n")
    sys.stdout.flush()
    return ended.status


def _stamps(call: Call) -> dict[Path, tuple[int, int, int]]:
    """The files that rustc may write, with what shows whether it has."""
    places = {Path()}
    for option in ("--out-dir", "-o"):
        value = call.value(option)
        if value is not None:
            places.add(Path(value) if option == "--out-dir" else Path(value).parent)
    found = {}
    for place in places:
        for file in place.rglob("*") if place == Path() else place.glob("*"):
            with contextlib.suppress(OSError):
                if file.is_file() and not file.is_symlink():
                    status = file.stat()
                    found[file] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def _guarded() -> int:
    """A wrapper that itself fails must not count as a fault that was detected."""
    try:
        return main(sys.argv[1:])
    except Exception as error:  # noqa: BLE001 - whatever it is
        at = traceback.extract_tb(error.__traceback__)[-1]
        sys.stderr.write(
            f"linkage-fault: {Path(at.filename).name}:{at.lineno}: {type(error).__name__}: {error}\n"
        )
        return 97


if __name__ == "__main__":
    sys.exit(_guarded())
