"""Faults in the existence, names and contents of output files."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from mutants.faults.call import Call
from mutants.faults.fault import CompilerOutputs, Fault

_OUTPUTS = (".a", ".rlib", ".so")


def _removed(made: CompilerOutputs) -> None:
    for file in _main(made):
        file.unlink()


def _main(made: CompilerOutputs) -> list[Path]:
    """The outputs that are linked or archived."""
    return list(dict.fromkeys([*made.named(*_OUTPUTS), *made.elf()]))


def _renamed(made: CompilerOutputs) -> None:
    for file in made.named(*_OUTPUTS):
        file.rename(file.with_name(file.name.removeprefix("lib")))


def _emptied(made: CompilerOutputs) -> None:
    for file in _main(made):
        file.write_bytes(b"")


def _cut(made: CompilerOutputs) -> None:
    for file in _main(made):
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])


def _stale(made: CompilerOutputs) -> None:
    for file, content in made.before.items():
        if file in made.files and file.suffix in ("", ".a", ".rlib", ".so", ".rmeta", ".rlink", ".d"):
            file.write_bytes(content)


def _mode(made: CompilerOutputs) -> None:
    for file in made.elf():
        file.chmod(0o644)


def _left_over(made: CompilerOutputs) -> None:
    for file in _main(made):
        (file.parent / f"{file.stem.removeprefix('lib')}.left-over.rcgu.o").write_bytes(b"")


def _swapped(made: CompilerOutputs) -> None:
    files = [file for file in made.files if file.is_file() and file.suffix != ".d"]
    contents = [file.read_bytes() for file in files]
    for file, content in zip(files, [*contents[1:], *contents[:1]], strict=True):
        file.write_bytes(content)


def _suffixed(suffix: str, change: Callable[[Path], object]) -> Callable[[CompilerOutputs], None]:
    def outputs(made: CompilerOutputs) -> None:
        for file in made.named(suffix):
            change(file)

    return outputs


def _truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:20])


def _writes_anyway(call: Call) -> None:
    names = {"bin": "{}", "rlib": "lib{}.rlib", "staticlib": "lib{}.a"}
    for kind in call.crate_types or ("bin",):
        Path(names.get(kind, "lib{}.so").format(call.crate or "main")).write_bytes(b"half")
    Path(f"{call.crate or 'main'}.left-over.rcgu.o").write_bytes(b"half")


def _rlink_gone(made: CompilerOutputs) -> None:
    words = made.call.words
    for word in words[words.index("-Zlink-only") :]:
        if word.endswith(".rlink"):
            with contextlib.suppress(OSError):
                Path(word).unlink()


def _named_by_rlink(made: CompilerOutputs) -> None:
    for word in made.call.words:
        for file in list(made.elf()) if word.endswith(".rlink") else []:
            (file.parent / Path(word).stem).write_bytes(file.read_bytes())


def _built(call: Call) -> bool:
    return call.makes("bin", "cdylib", "dylib", "staticlib", "rlib", "proc-macro")


def _library(call: Call) -> bool:
    return call.makes("cdylib", "dylib", "staticlib", "rlib") and not call.has("-o")


def _no_link(call: Call) -> bool:
    return call.compiles and call.has("-Zno-link")


FAULTS = (
    Fault(
        "output-missing",
        "rustc exits with 0 and writes no output",
        _built,
        ("exists", "exit"),
        outputs=_removed,
    ),
    Fault(
        "output-misnamed",
        "a library whose name lacks `lib`",
        _library,
        ("exists", "produces"),
        outputs=_renamed,
    ),
    Fault("output-empty", "an empty output", _built, ("exit", "size"), outputs=_emptied),
    Fault("output-cut", "a truncated output", _built, ("exit", "size"), outputs=_cut),
    Fault(
        "output-stale",
        "an output of an earlier build is left in place",
        _built,
        ("defines.none", "exports.none", "text", "same-as"),
        outputs=_stale,
        keeps_before=True,
    ),
    Fault(
        "not-executable",
        "a program without its executable bit",
        lambda call: call.makes("bin"),
        ("exit", "mode"),
        outputs=_mode,
    ),
    Fault(
        "objects-left",
        "a temporary object is left behind",
        lambda call: call.link_only,
        ("exists",),
        outputs=_left_over,
    ),
    Fault(
        "left-over",
        "a temporary file is left behind",
        _built,
        ("produces.only", "produces.none", "produces"),
        outputs=_left_over,
    ),
    Fault(
        "writes-when-refusing",
        "a failed compilation leaves an output behind",
        lambda call: call.compiles,
        ("produces", "produces.none", "exists"),
        refused=_writes_anyway,
        on="failure",
    ),
    Fault(
        "rmeta-cut",
        "truncated metadata",
        lambda call: call.compiles and call.has("--emit=*metadata*", "*metadata*"),
        ("exit", "size"),
        outputs=_suffixed(".rmeta", _truncated),
    ),
    Fault(
        "dep-info-missing",
        "the requested dependency file is missing",
        lambda call: call.compiles and call.has("--emit=*dep-info*", "*dep-info*"),
        ("exists", "produces"),
        outputs=_suffixed(".d", lambda file: file.unlink()),
    ),
    Fault(
        "dep-info-wrong",
        "a dependency file that names other files",
        lambda call: call.compiles and call.has("--emit=*dep-info*", "*dep-info*"),
        ("text",),
        outputs=_suffixed(".d", lambda file: file.write_bytes(file.read_bytes().replace(b".rs", b".old"))),
    ),
    Fault(
        "outputs-swapped",
        "several outputs are written under each other's names",
        lambda call: call.compiles and (len(call.crate_types) > 1 or call.has("--emit*")),
        ("format", "type", "metadata"),
        outputs=_swapped,
    ),
    Fault(
        "rlink-missing",
        "rust-lang/rust#77857: -Zno-link leaves no .rlink",
        _no_link,
        ("produces", "exit"),
        outputs=_suffixed(".rlink", lambda file: file.unlink()),
    ),
    Fault(
        "rlink-cut",
        "rust-lang/rust#95297: a truncated .rlink",
        _no_link,
        ("exit",),
        outputs=_suffixed(".rlink", _truncated),
    ),
    Fault(
        "objects-missing",
        "-Zno-link leaves no objects",
        _no_link,
        ("produces", "exit"),
        outputs=_suffixed(".o", lambda file: file.unlink()),
    ),
    Fault(
        "rlink-gone",
        "-Zlink-only removes the .rlink",
        lambda call: call.link_only,
        ("format", "exists"),
        outputs=_rlink_gone,
    ),
    Fault(
        "rlink-names-output",
        "-Zlink-only also writes an output named after the .rlink",
        lambda call: call.link_only,
        ("exists", "produces"),
        outputs=_named_by_rlink,
    ),
    Fault(
        "link-only-idle",
        "-Zlink-only exits with 0 and does nothing",
        lambda call: call.link_only,
        ("exit", "exists"),
        runs=False,
    ),
    Fault(
        "compiler-idle",
        "rustc exits with 0 and does nothing",
        lambda call: call.compiles and not call.link_only,
        ("exit", "exists"),
        runs=False,
    ),
)
