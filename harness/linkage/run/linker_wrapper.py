"""Records how rustc calls the linker: a wrapper of its name precedes the real one on rustc's PATH.

Nothing else changes: rustc finds `cc`, or the linker that `-Clinker=NAME` names, on PATH, so the
choice of flavour and of a default LLD stays rustc's. A linker at a path, and the toolchain's own LLD, which
rustc looks for before PATH, are replaced by a wrapper of the same name, from which rustc infers the flavour.
"""

import shlex
import shutil
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path, PurePosixPath

from linkage.errors import ArtifactError
from linkage.plan.command import WatchedLinker
from linkage.plan.observation import LinkerCall
from linkage.plan.shell import pattern
from linkage.run.export_lists import FORMS, file_names, wasm_names

_LINKER = ("-Clinker=", "linker=", "--codegen=linker=")
_UTF_16 = b"\xff\xfe"
_OUTPUT = ("/out:", "-out:")


def called(argv: Iterable[str], watched: WatchedLinker) -> str:
    """The linker that rustc calls with these arguments: a name, which it looks for on PATH, or a path."""
    found = [word.partition("linker=")[2] for word in argv if word.startswith(_LINKER)]
    linker = found[-1] if found else watched.default
    return watched.own.get(linker, linker)


def redirected(argv: Sequence[str], wrapper: Path) -> list[str]:
    """The command line with the wrapper as its linker."""
    return [*argv, f"-Clinker={wrapper}"]


def install(folder: Path, inputs: Path, kept: Sequence[str], path: str, linker: str = "cc") -> Path:
    """Write the wrapper into `folder` and remove its earlier records; return the folder to put first on PATH.

    `linker` is the real one, a path or a name on `path`; the wrapper has its name.

    Inputs of the linker whose names match a pattern of `kept` are copied to `inputs`; the second of a
    name to `inputs/2`, and so on.
    """
    name = Path(linker).name
    real = shutil.which(linker, path=path) or (linker if name != linker else f"/usr/bin/{name}")
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
    """The calls that the wrapper recorded, in order. Raises ArtifactError for one that cannot be read."""
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
    output = next((arg.partition(":")[2] for arg in args if arg.lower().startswith(_OUTPUT)), output)
    return LinkerCall(tuple(args), PurePosixPath(output).name if output else None, _exports(folder, args))


def _exports(folder: Path, args: Sequence[str]) -> tuple[str, ...] | None:
    """The names that the linker is asked to export; None if it was given no list of them."""
    for form in FORMS:
        listed = folder / f"exports.{form}"
        if listed.exists():
            return file_names(form, _text(listed))
    return wasm_names(args)


def response_words(text: str) -> list[str]:
    """A response file's words: one a line as rustc writes it, quoted as GNU ld reads it.

    Raises ArtifactError if a quotation has no end.
    """
    try:
        return shlex.split(text, posix=True)
    except ValueError as error:
        raise ArtifactError(f"the linker's response file cannot be read: {error}") from None


def _text(path: Path) -> str:
    raw = path.read_bytes()
    wide = raw.startswith(_UTF_16)  # as rustc writes response files for Microsoft's linker
    return raw.decode("utf-16" if wide else "utf-8", "backslashreplace")
