"""Records how rustc calls the linker: a wrapper of its name precedes the real one on rustc's PATH.

Nothing else changes: rustc finds `cc`, or the linker that `-Clinker=NAME` names, on PATH, so the
choice of flavour and of a default LLD stays rustc's. A linker at a path, or the toolchain's own
`rust-lld`, is not seen; a claim about its calls then fails with that reason.
"""

import re
import shlex
import shutil
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path, PurePosixPath

from linkage.plan.observation import LinkerCall
from linkage.plan.shell import pattern

_LINKER = "-Clinker="
_NAME = re.compile(r'"?([^\s{};:"]+)"?\s*;')


def linker_name(argv: Iterable[str]) -> str:
    """The name by which rustc looks for the linker on PATH: `cc`, or what its flags say."""
    found = [word.removeprefix(_LINKER) for word in argv if word.startswith(_LINKER)]
    return found[-1] if found and "/" not in found[-1] else "cc"


def install(folder: Path, inputs: Path, kept: Sequence[str], path: str, name: str = "cc") -> Path:
    """Write the wrapper into `folder` and remove its earlier records; return the folder to put first on PATH.

    `name` is the linker's: rustc finds the wrapper by it.

    Inputs of the linker whose names match a pattern of `kept` are copied to `inputs`; the second of a
    name to `inputs/2`, and so on.
    """
    real = shutil.which(name, path=path) or f"/usr/bin/{name}"
    calls = folder / "calls"
    shutil.rmtree(calls, ignore_errors=True)
    calls.mkdir(parents=True)
    places = folder / "path"
    places.mkdir(exist_ok=True)
    script = files(__package__).joinpath("linker_wrapper.sh").read_text(encoding="utf-8")
    given = {"CALLS": calls, "INPUTS": inputs if kept else "", "REAL": real}
    values = "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in given.items())
    first, _, rest = script.replace("KEPT) ", f"{'|'.join(map(pattern, kept)) or '-'}) ").partition("\n")
    wrapper = places / name
    wrapper.write_text(f"{first}\n{values}{rest}", encoding="utf-8")
    wrapper.chmod(0o755)
    return places


def calls(folder: Path) -> tuple[LinkerCall, ...]:
    """The calls that the wrapper recorded, in order."""
    found = sorted((folder / "calls").iterdir(), key=lambda entry: int(entry.name))
    return tuple(_call(entry) for entry in found)


def hides_inputs(folder: Path) -> bool:
    """Whether a call has inputs in a response file, which the wrapper does not copy."""
    return any((folder / "calls").glob("*/response"))


def _call(folder: Path) -> LinkerCall:
    args = _text(folder / "args").split("\0")[:-1]
    response = folder / "response"
    if response.exists():
        args = [
            word
            for arg in args
            for word in (response_words(_text(response)) if arg.startswith("@") else (arg,))
        ]
    output = next((args[i + 1] for i, arg in enumerate(args[:-1]) if arg == "-o"), None)
    listed = folder / "exports"
    return LinkerCall(
        tuple(args),
        PurePosixPath(output).name if output else None,
        export_names(_text(listed)) if listed.exists() else None,
    )


def response_words(text: str) -> list[str]:
    """A response file's words: one a line as rustc writes it, quoted as GNU ld reads it."""
    return shlex.split(text, posix=True)


def export_names(script: str) -> tuple[str, ...]:
    """The global names of a version script or a dynamic list.

    https://sourceware.org/binutils/docs/ld/VERSION.html
    """
    before_local = re.split(r"\blocal\s*:", script)[0]
    return tuple(
        name for name in _NAME.findall(before_local.replace("global:", " ").replace("{", " ")) if name != "}"
    )


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "backslashreplace")
