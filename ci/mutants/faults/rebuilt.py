"""Faults in what is rebuilt, in the times of outputs, and in outputs of compilations that fail."""

import os
from collections.abc import Callable
from pathlib import Path

from mutants.faults.call import Call
from mutants.faults.fault import CompilerOutputs, Fault, dropped

_EPOCH = 1
_OUTPUTS = (".a", ".rlib", ".so", ".o", ".rmeta", ".rlink")
_LIBRARIES = ("cdylib", "dylib", "staticlib", "rlib", "proc-macro")


def _built(call: Call) -> bool:
    return call.makes("bin", *_LIBRARIES)


def _several(call: Call) -> bool:
    return call.compiles and (len(call.crate_types) > 1 or call.has("--emit*"))


def _all(made: CompilerOutputs) -> list[Path]:
    return list(dict.fromkeys([*made.named(*_OUTPUTS), *made.elf()]))


def _older(made: CompilerOutputs) -> None:
    """The times of outputs, which are older than those of their inputs."""
    for file in _all(made):
        os.utime(file, (_EPOCH, _EPOCH))


def _inputs(made: CompilerOutputs) -> list[Path]:
    """The libraries in the working folder that existed before."""
    return [
        file for file in Path().glob("*.r*") if file.suffix in (".rlib", ".rmeta") and file not in made.files
    ]


def _inputs_changed(change: Callable[[Path], object]) -> Callable[[CompilerOutputs], None]:
    def outputs(made: CompilerOutputs) -> None:
        for file in _inputs(made):
            change(file)

    return outputs


def _only(keep: slice) -> Callable[[CompilerOutputs], None]:
    def outputs(made: CompilerOutputs) -> None:
        files = sorted(_all(made))
        for file in files:
            if file not in files[keep]:
                file.unlink()

    return outputs


def _appended(made: CompilerOutputs) -> None:
    """What was there before is kept, and the new output is written behind it."""
    for file, content in made.before.items():
        if file in made.files and file.suffix in (".a", ".rlib", ".so"):
            file.write_bytes(content + file.read_bytes())


def _source_written(made: CompilerOutputs) -> None:
    source = Path(made.call.source or "")
    if source.is_file():
        source.write_bytes(source.read_bytes() + b"\n// written by the compiler\n")


def _linked_twice(made: CompilerOutputs) -> None:
    """Every output under a second name, too."""
    for file in _all(made):
        (file.parent / f"{file.stem}-copy{file.suffix}").write_bytes(file.read_bytes())


def _symbolic(made: CompilerOutputs) -> None:
    """Outputs that are links to files elsewhere in the folder."""
    for file in _all(made):
        hidden = file.with_name(f".{file.name}.out")
        file.rename(hidden)
        file.symlink_to(hidden.name)


def _ended(name: str, stands_for: str, status: int, *, half: bool = False) -> Fault:
    """A success that is reported as a failure, the outputs in place."""

    def cut(made: CompilerOutputs) -> None:
        for file in _all(made):
            content = file.read_bytes()
            file.write_bytes(content[: len(content) // 2])

    return Fault(
        name,
        stands_for,
        lambda call: call.compiles,
        ("exit",),
        outputs=cut if half else None,
        status=lambda _: status,
    )


FAULTS = (
    Fault(
        "output-older-than-input", "an output is older than its inputs", _built, ("same-as",), outputs=_older
    ),
    Fault(
        "inputs-removed",
        "a compilation removes the libraries that it uses",
        _built,
        ("exists", "exit"),
        outputs=_inputs_changed(Path.unlink),
    ),
    Fault(
        "inputs-emptied",
        "a compilation empties the libraries that it uses",
        _built,
        ("exit", "produces"),
        outputs=_inputs_changed(lambda file: file.write_bytes(b"")),
    ),
    Fault(
        "inputs-rewritten",
        "a compilation writes to the libraries that it uses",
        _built,
        ("produces", "exit"),
        outputs=_inputs_changed(lambda file: file.write_bytes(file.read_bytes() + b"\n")),
    ),
    Fault(
        "source-rewritten",
        "a compilation writes to its source",
        _built,
        ("produces",),
        outputs=_source_written,
    ),
    Fault(
        "output-appended",
        "an output is written behind the old one",
        _built,
        ("defines.none", "exports.none", "text", "members"),
        outputs=_appended,
        keeps_before=True,
    ),
    Fault(
        "output-copied",
        "an output is written under a second name, too",
        _built,
        ("produces",),
        outputs=_linked_twice,
    ),
    Fault(
        "output-is-link", "an output is a symbolic link", _built, ("exists", "produces"), outputs=_symbolic
    ),
    Fault(
        "first-output-only",
        "exit status 0 with the first of several outputs alone",
        _several,
        ("exists", "exit"),
        outputs=_only(slice(1)),
    ),
    Fault(
        "last-output-missing",
        "exit status 0 without the last of several outputs",
        _several,
        ("exists", "exit"),
        outputs=_only(slice(-1)),
    ),
    dropped(
        "incremental-ignored",
        "-Cincremental is ignored",
        "-Cincremental=*",
        breaks=("exists", "produces", "stderr"),
    ),
    _ended("failure-with-output", "exit status 1 although every output is there", 1),
    _ended("failure-with-half", "exit status 1 and outputs that are cut off", 1, half=True),
    _ended("success-with-half", "exit status 0 and outputs that are cut off", 0, half=True),
    _ended("crash-with-output", "a crash at the end, after every output is written", 101),
    _ended("killed-with-half", "killed while the outputs were written", 137, half=True),
    Fault(
        "failure-is-two",
        "another exit status than 1 after an error",
        lambda call: call.compiles,
        ("exit",),
        status=lambda _: 2,
        on="failure",
    ),
)
