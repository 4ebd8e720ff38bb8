"""Faults in the order and the number of the linker's arguments, and in what else it is told."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from mutants.faults.fault import Fault

Change = Callable[[list[str]], list[str]]

_LINKED = ("bin", "cdylib", "dylib", "proc-macro")
_SHARED = ("cdylib", "dylib", "proc-macro")
_LIBRARY = re.compile(r"(^-l)|\.(rlib|so|a)$")


def _is_object(word: str) -> bool:
    return word.endswith(".rcgu.o")


def _is_rlib(word: str) -> bool:
    return word.endswith(".rlib")


def _is_library(word: str) -> bool:
    return _LIBRARY.search(word) is not None and not word.startswith("-Wl,")


def _is_native(word: str) -> bool:
    return word.startswith("-l")


def _is_std(word: str) -> bool:
    return re.match(r"lib(std|core|alloc)-[0-9a-f]+\.rlib$", Path(word).name) is not None


def _is_own_rlib(word: str) -> bool:
    return _is_rlib(word) and re.search(r"-[0-9a-f]{16}\.rlib$", word) is None


def _is_dylib(word: str) -> bool:
    return word.endswith(".so") and not word.startswith("-")


def _is_script(word: str) -> bool:
    return word.startswith("-Wl,--version-script=")


def _reversed(which: Callable[[str], bool]) -> Change:
    """The arguments of a kind in the reverse order, at their places."""

    def changed(words: list[str]) -> list[str]:
        backwards = iter([word for word in reversed(words) if which(word)])
        return [next(backwards) if which(word) else word for word in words]

    return changed


def _last(which: Callable[[str], bool]) -> Change:
    return lambda words: [*(w for w in words if not which(w)), *(w for w in words if which(w))]


def _first(which: Callable[[str], bool]) -> Change:
    return lambda words: [*(w for w in words if which(w)), *(w for w in words if not which(w))]


def _twice(which: Callable[[str], bool]) -> Change:
    return lambda words: [*words, *[word for word in words if which(word)][:1]]


def _less(which: Callable[[str], bool], *, all_: bool = False) -> Change:
    def changed(words: list[str]) -> list[str]:
        found = [word for word in words if which(word)]
        gone = found if all_ else found[-1:]
        return [word for word in words if word not in gone]

    return changed


def _told(*more: str) -> Change:
    return lambda words: [*words, *more]


def _order(
    name: str, stands_for: str, kinds: Sequence[str], linker: Change, breaks: Sequence[str] = ("exit", "link")
) -> Fault:
    return Fault(name, stands_for, lambda call: call.makes(*kinds), tuple(breaks), linker=linker)


_STATES = ("exports", "defines", "needed")
_PLACES: tuple[tuple[str, str, Sequence[str], Change], ...] = (
    ("objects-last", "the crate's objects after the libraries that they need", _LINKED, _last(_is_object)),
    ("libraries-first", "libraries before what needs them", _LINKED, _first(_is_library)),
    (
        "libraries-reversed",
        "libraries in the reverse order of their dependencies",
        _LINKED,
        _reversed(_is_library),
    ),
    ("rlibs-reversed", "rlibs in the reverse order of their dependencies", _LINKED, _reversed(_is_rlib)),
    (
        "native-first",
        "rust-lang/rust#70740: native libraries before the rlib that needs them",
        _LINKED,
        _first(_is_native),
    ),
    ("object-twice", "an object is passed twice", _LINKED, _twice(_is_object)),
    ("object-dropped", "an object is not passed", _LINKED, _less(_is_object)),
    ("objects-dropped", "no object of the crate is passed", _LINKED, _less(_is_object, all_=True)),
    ("dependency-dropped", "an rlib of the user's is not passed", _LINKED, _less(_is_own_rlib)),
    ("dependencies-dropped", "no rlib of the user's is passed", _LINKED, _less(_is_own_rlib, all_=True)),
    ("std-dropped", "std, alloc and core are not passed", _LINKED, _less(_is_std, all_=True)),
    ("rlibs-dropped", "no rlib is passed, not even compiler_builtins", _LINKED, _less(_is_rlib, all_=True)),
    ("dylibs-dropped", "no dylib is passed", _LINKED, _less(_is_dylib, all_=True)),
    ("natives-dropped", "no native library is passed", _LINKED, _less(_is_native, all_=True)),
    (
        "search-paths-dropped",
        "no search path is passed",
        _LINKED,
        _less(lambda word: word.startswith("-L"), all_=True),
    ),
    (
        "script-dropped",
        "rust-lang/rust#145055: there is no version script",
        _SHARED,
        _less(_is_script, all_=True),
    ),
)
_TOLD: tuple[tuple[str, str, Sequence[str], Sequence[str], Sequence[str]], ...] = (
    ("stack-executable", "the stack is executable", _LINKED, ("-Wl,-z,execstack",), ("executable-stack",)),
    (
        "relro-partial",
        "functions are bound when they are called",
        _LINKED,
        ("-Wl,-z,lazy",),
        ("relro", "bind-now"),
    ),
    ("build-id-none", "no build id", _LINKED, ("-Wl,--build-id=none",), ("build-id", "sections")),
    (
        "start-files-dropped",
        "a program without the start files of C",
        ("bin",),
        ("-nostartfiles",),
        ("exit",),
    ),
    ("entry-lost", "a program without an entry point", ("bin",), ("-Wl,-e,0",), ("exit",)),
    (
        "static-given",
        "the C library is linked statically",
        ("bin",),
        ("-static",),
        ("interpreter", "needed", "pie"),
    ),
    (
        "archives-hidden",
        "nothing of an archive is exported",
        _SHARED,
        ("-Wl,--exclude-libs,ALL",),
        ("exports",),
    ),
    ("locals-dropped", "local symbols are dropped", _LINKED, ("-Wl,--discard-all",), ("local", "defines")),
    (
        "debug-dropped",
        "debug information is dropped",
        _LINKED,
        ("-Wl,--strip-debug",),
        ("sections", "section"),
    ),
    (
        "debug-compressed",
        "debug information is compressed",
        _LINKED,
        ("-Wl,--compress-debug-sections=zlib",),
        ("section",),
    ),
    (
        "undefined-refused",
        "a shared library may leave nothing undefined",
        _SHARED,
        ("-Wl,-z,defs",),
        ("exit",),
    ),
    ("not-loadable", "a library that dlopen refuses", _SHARED, ("-Wl,-z,nodlopen",), ("exit", "stdout")),
    (
        "symbolic",
        "a library does not see another definition of its exports",
        ("dylib",),
        ("-Wl,-Bsymbolic",),
        ("stdout",),
    ),
    ("rdynamic-given", "a program exports everything", ("bin",), ("-rdynamic",), ("exports.none", "exports")),
    (
        "interpreter-wrong",
        "an interpreter that does not exist",
        ("bin",),
        ("-Wl,--dynamic-linker=/nowhere",),
        ("interpreter", "exit"),
    ),
    ("runpath-for-rpath", "the older DT_RPATH", _LINKED, ("-Wl,--disable-new-dtags",), ("runpath",)),
    (
        "version-given",
        "symbols get a version",
        _SHARED,
        ("-Wl,--default-symver",),
        ("symbol-versions", "exports"),
    ),
)

FAULTS = (
    *(
        _order(name, stands_for, kinds, linker, (*("exit", "link"), *_STATES))
        for name, stands_for, kinds, linker in _PLACES
    ),
    *(
        _order(name, stands_for, kinds, _told(*more), (*breaks, "exit"))
        for name, stands_for, kinds, more, breaks in _TOLD
    ),
)
