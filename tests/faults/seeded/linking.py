"""Faults in how the linker is called: a `cc` before the real one changes what rustc asks of it."""

import re
import tempfile
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from seeded.call import Call
from seeded.elf import defined
from seeded.fault import Fault

Change = Callable[[list[str]], list[str]]

SHIM = re.compile(r"^(_RNvC\w+_7___rustc12_)?__rust_alloc$")
_SHARED = ("cdylib", "dylib", "proc-macro")
_SCRIPTS = ("-Wl,--version-script=", "-Wl,--dynamic-list=")


def _links(*kinds: str) -> Callable[[Call], bool]:
    return lambda call: call.makes(*kinds)


def _lacking(*patterns: str) -> Change:
    return lambda words: [word for word in words if not any(fnmatchcase(word, one) for one in patterns)]


def _with(*more: str) -> Change:
    return lambda words: [*words, *more]


def _without_shim(words: list[str]) -> list[str]:
    return [word for word in words if not _is_shim(word)]


def _is_shim(word: str) -> bool:
    place = Path(word)
    return word.endswith(".o") and place.is_file() and any(map(SHIM.match, defined(place.read_bytes())))


def _scripts_changed(change: Callable[[str], str]) -> Change:
    def changed(words: list[str]) -> list[str]:
        return [_rewritten(word, change) if word.startswith(_SCRIPTS) else word for word in words]

    return changed


def _rewritten(word: str, change: Callable[[str], str]) -> str:
    option, _, place = word.partition("=")
    with tempfile.NamedTemporaryFile("w", suffix=".list", delete=False) as file:
        file.write(change(Path(place).read_text(encoding="utf-8")))
    return f"{option}={file.name}"


def _one_less(script: str) -> str:
    """The export list without its first name of the crate's own, or without its first."""
    names = re.findall(r"^\s+([\w.$]+);$", script, re.MULTILINE)
    own = [name for name in names if not name.startswith("_")] or names
    return script.replace(f"{own[0]};", "", 1) if own else script


def _shim_exported(script: str) -> str:
    more = "*__rust_alloc;"
    return script.replace("global:", f"global:\n    {more}", 1) if "global:" in script else script


def _native_less(words: list[str]) -> list[str]:
    own = [word for word in words if word.startswith("-l") and word[2:] not in _SYSTEM]
    return [word for word in words if word not in own[:1]]


_SYSTEM = {"c", "m", "dl", "rt", "pthread", "util", "gcc_s", "gcc", "gcc_eh"}


def _fault(
    name: str,
    stands_for: str,
    kinds: Sequence[str],
    breaks: Sequence[str],
    linker: Change,
    also: Callable[[Call], bool] = lambda _: True,
) -> Fault:
    return Fault(
        name, stands_for, lambda call: call.makes(*kinds) and also(call), tuple(breaks), linker=linker
    )


FAULTS = (
    _fault(
        "export-list-ignored",
        "rust-lang/rust#145055: everything is exported",
        ("cdylib", "dylib"),
        ("exports.only", "exports.none", "exports"),
        _lacking(*(f"{one}*" for one in _SCRIPTS)),
    ),
    _fault(
        "export-list-short",
        "an exported name is left out of the export list",
        ("cdylib", "dylib"),
        ("exports", "exit", "link"),
        _scripts_changed(_one_less),
    ),
    _fault(
        "shim-exported",
        "a cdylib exports the allocator's symbols",
        ("cdylib",),
        ("exports.only", "exports.none", "exports"),
        _scripts_changed(_shim_exported),
        lambda call: "dylib" not in call.crate_types,
    ),
    _fault(
        "shim-not-linked",
        "rust-lang/rust#145962: the allocator shim is missing at the link",
        ("cdylib", "dylib", "bin"),
        ("exit", "defines"),
        _without_shim,
    ),
    _fault(
        "symbols-o-dropped",
        "rust-lang/rust#95604: symbols that only an rlib defines are not kept",
        _SHARED,
        ("exports",),
        _lacking("*symbols.o"),
    ),
    _fault(
        "soname-not-set",
        "a dylib is linked without a soname",
        ("dylib", "cdylib"),
        ("soname",),
        _lacking("-Wl,-soname*", "-Wl,-h*"),
    ),
    _fault(
        "rpath-not-set",
        "the linker is not told of the run path",
        ("dylib", "cdylib", "bin"),
        ("runpath",),
        _lacking("-Wl,-rpath*"),
        lambda call: call.has("-Crpath*"),
    ),
    _fault(
        "needed-more",
        "a library is needed that nothing refers to",
        (*_SHARED, "bin"),
        ("needed.only", "needed.none", "needed"),
        _with("-Wl,--no-as-needed", "-lm"),
    ),
    _fault("pie-off", "a program that is not position independent", ("bin",), ("pie",), _with("-no-pie")),
    _fault(
        "relro-off",
        "relocations stay writable",
        ("bin", "cdylib", "dylib"),
        ("relro", "bind-now"),
        lambda words: [
            *_lacking("-Wl,-z,relro,-z,now", "-Wl,-z,relro*", "-Wl,-z,now")(words),
            "-Wl,-z,norelro,-z,lazy",
        ],
    ),
    _fault(
        "no-eh-frame-hdr",
        "unwinding finds no frames",
        ("bin", "dylib", "cdylib"),
        ("stdout", "exit"),
        lambda words: [*_lacking("-Wl,--eh-frame-hdr")(words), "-Wl,--no-eh-frame-hdr"],
    ),
    _fault(
        "native-library-not-linked",
        "a native library does not reach the linker",
        ("bin", "cdylib", "dylib"),
        ("exit", "defines", "link"),
        _native_less,
        lambda call: call.has("-l*"),
    ),
    _fault(
        "profiler-not-linked",
        "rust-lang/rust#145965: the profiler's runtime is left out",
        ("bin", "cdylib", "dylib"),
        ("defines", "exit"),
        _lacking("*profiler_builtins*"),
        lambda call: call.has("-Cprofile-generate*", "-Cinstrument-coverage*"),
    ),
    _fault(
        "sanitizer-not-linked",
        "the sanitizer's runtime is left out",
        ("bin", "cdylib", "dylib"),
        ("exit", "defines", "stderr"),
        _lacking("*_rt.?san.a", "*_rt.asan.a", "*librustc*_rt.*"),
        lambda call: call.has("-Zsanitizer=*"),
    ),
    _fault(
        "whole-archive-not-passed",
        "the linker may drop members of a whole archive",
        ("bin", "cdylib", "dylib"),
        ("defines", "stdout"),
        _lacking("-Wl,--whole-archive", "-Wl,--no-whole-archive"),
        lambda call: call.has("-l*whole-archive*"),
    ),
    _fault(
        "strip-not-passed",
        "the linker is not told to strip",
        ("bin", "cdylib", "dylib"),
        ("sections", "defines"),
        _lacking("-Wl,--strip*", "-Wl,-s"),
        lambda call: call.has("-Cstrip=*"),
    ),
    _fault(
        "stripped",
        "the linker strips what it was not told to",
        ("bin", "cdylib", "dylib"),
        ("defines", "sections"),
        _with("-Wl,--strip-all"),
        lambda call: not call.has("-Cstrip=*"),
    ),
    _fault(
        "sections-kept",
        "dead code is linked in",
        ("bin", "cdylib"),
        ("smaller-than", "size", "defines.none"),
        _lacking("-Wl,--gc-sections", "-Wl,-O1"),
    ),
)
