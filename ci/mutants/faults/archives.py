"""Faults in the members of archives."""

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from mutants.faults import ar
from mutants.faults.ar import ArchiveEntry
from mutants.faults.call import Call
from mutants.faults.elf import defined, undefined
from mutants.faults.fault import CompilerOutputs, Fault
from mutants.faults.linking import SHIM

_METADATA = "lib.rmeta"
_STD = ("std-*", "alloc-*", "core-*", "std.*", "alloc.*", "core.*")


def _changed(
    suffix: str, edit: Callable[[list[ArchiveEntry], str], Sequence[ArchiveEntry]], *, index: bool = True
) -> Callable[[CompilerOutputs], None]:
    """Change the members of the archives with this suffix, given the name of the crate."""

    def outputs(made: CompilerOutputs) -> None:
        for file in made.named(suffix):
            ar.change_of_crate(file, edit, index=index)

    return outputs


def unchanged(made: CompilerOutputs) -> None:
    """Archives are rewritten unchanged."""
    for suffix in (".a", ".rlib"):
        _changed(suffix, lambda held, _: held)(made)


def _is_own(member: ArchiveEntry, crate: str) -> bool:
    return fnmatchcase(member.name, f"{crate}.*.o") or fnmatchcase(member.name, f"{crate}-*.o")


def _is_shim(member: ArchiveEntry, _crate: str = "") -> bool:
    return any(map(SHIM.match, defined(member.content)))


def _is_std(member: ArchiveEntry, _crate: str = "") -> bool:
    return any(fnmatchcase(member.name, one) for one in _STD)


def _is_foreign(member: ArchiveEntry, crate: str) -> bool:
    """Whether it comes from a dependency: neither from the crate nor from Rust's libraries."""
    return ".rcgu.o" in member.name and not _is_own(member, crate) and not _is_std(member)


def _is_native(member: ArchiveEntry, _crate: str = "") -> bool:
    return ".rcgu.o" not in member.name and member.name != _METADATA


def _lost(
    which: Callable[[ArchiveEntry, str], bool], *, only_first: bool = False
) -> Callable[..., list[ArchiveEntry]]:
    def edit(held: list[ArchiveEntry], crate: str) -> list[ArchiveEntry]:
        fitting = [one for one in held if which(one, crate)]
        gone = fitting[:1] if only_first else fitting
        return [one for one in held if one not in gone]

    return edit


def _doubled(which: Callable[[ArchiveEntry, str], bool]) -> Callable[..., list[ArchiveEntry]]:
    def edit(held: list[ArchiveEntry], crate: str) -> list[ArchiveEntry]:
        return [*held, *(one for one in held if which(one, crate))]

    return edit


def _metadata_added(held: list[ArchiveEntry], _crate: str) -> list[ArchiveEntry]:
    return [ArchiveEntry(_METADATA, b"rust\0\0\0\x09" + bytes(64)), *held]


def _shim_added(held: list[ArchiveEntry], crate: str) -> list[ArchiveEntry]:
    """An object that defines the allocator's symbol as the others call it."""
    names = {name for one in held for name in undefined(one.content) if SHIM.match(name)}
    return [*held, *(ArchiveEntry(f"{crate}.shim.rcgu.o", _object(name)) for name in sorted(names))]


def _metadata_object_added(held: list[ArchiveEntry], _crate: str) -> list[ArchiveEntry]:
    """What a dylib has: the metadata in a section, and its symbol."""
    return [
        *held,
        ArchiveEntry("metadata.o", _object("rust_metadata_dep_0123456789abcdef", ".section .rustc")),
    ]


def _object(symbol: str, section: str = ".text") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "shim"
        note = '.section .note.GNU-stack,"",@progbits'
        text = f"{section}\n.globl {symbol}\n.type {symbol},@function\n{symbol}: ret\n{note}\n"
        place.with_suffix(".s").write_text(text)
        subprocess.run(["cc", "-c", f"{place}.s", "-o", f"{place}.o"], check=True)
        return place.with_suffix(".o").read_bytes()


def _thin(made: CompilerOutputs) -> None:
    """An archive of references to files, as a linker's input may be and an output must not."""
    for file in made.named(".a", ".rlib"):
        held = ar.members(file.read_bytes())
        for one in held:
            (file.parent / one.name).write_bytes(one.content)
        file.unlink()
        names = list(dict.fromkeys(str(file.parent / one.name) for one in held))
        subprocess.run(["ar", "--plugin=/dev/null", "rcs", "--thin", str(file), *names], check=True)


def _reversed(made: CompilerOutputs) -> None:
    for suffix in (".a", ".rlib"):
        _changed(suffix, lambda held, _: held[::-1])(made)


def _static(call: Call) -> bool:
    return call.makes("staticlib")


def _rlib(call: Call) -> bool:
    return call.makes("rlib")


FAULTS = (
    Fault(
        "own-member-lost",
        "a codegen unit of the crate is missing from the staticlib",
        _static,
        ("defines", "exit", "members"),
        outputs=_changed(".a", _lost(_is_own, only_first=True)),
    ),
    Fault(
        "own-member-doubled",
        "an object of the crate is in the staticlib twice",
        _static,
        ("duplicates", "duplicates.none"),
        outputs=_changed(".a", _doubled(_is_own)),
    ),
    Fault(
        "shim-lost",
        "rust-lang/rust#145962: a staticlib lacks the allocator shim",
        _static,
        ("defines.all", "unresolved"),
        outputs=_changed(".a", _lost(_is_shim)),
    ),
    Fault(
        "shim-doubled",
        "rust-lang/rust#145962: a staticlib holds two allocator shims",
        _static,
        ("duplicates", "duplicates.none"),
        outputs=_changed(".a", _doubled(_is_shim)),
    ),
    Fault(
        "shim-in-rlib",
        "rust-lang/rust#145955: an rlib holds an allocator shim",
        _rlib,
        ("defines.none", "defines"),
        outputs=_changed(".rlib", _shim_added),
    ),
    Fault(
        "std-lost",
        "rust-lang/rust#56784: a staticlib lacks std",
        _static,
        ("unresolved", "crates", "exit"),
        outputs=_changed(".a", _lost(_is_std)),
    ),
    Fault(
        "std-doubled",
        "compiler-team#908: the crates of a staticlib are in it twice",
        _static,
        ("duplicates", "duplicates.none", "members"),
        outputs=_changed(".a", _doubled(_is_std)),
    ),
    Fault(
        "dependency-lost",
        "a staticlib lacks a crate that it depends on",
        _static,
        ("exit", "crates", "unresolved"),
        outputs=_changed(".a", _lost(_is_foreign)),
    ),
    Fault(
        "dependency-bundled",
        "an rlib contains the objects of another crate",
        _rlib,
        ("members", "crates"),
        outputs=_changed(".rlib", lambda held, _: [*held, ArchiveEntry("other.0.rcgu.o", held[-1].content)]),
    ),
    Fault(
        "native-member-lost",
        "a bundled native library is missing",
        lambda call: call.makes("staticlib", "rlib") and call.has("-l*"),
        ("exit", "members", "defines"),
        outputs=lambda made: (
            _changed(".a", _lost(_is_native))(made),
            _changed(".rlib", _lost(_is_native))(made),
        )[0],
    ),
    Fault(
        "native-member-doubled",
        "a bundled native library is in the archive twice",
        lambda call: call.makes("staticlib", "rlib") and call.has("-l*"),
        ("members", "duplicates"),
        outputs=lambda made: (
            _changed(".a", _doubled(_is_native))(made),
            _changed(".rlib", _doubled(_is_native))(made),
        )[0],
    ),
    Fault(
        "archive-empty",
        "a staticlib without members",
        _static,
        ("defines", "exit"),
        outputs=_changed(".a", lambda *_: []),
    ),
    Fault(
        "index-lost",
        "a staticlib without a symbol index",
        _static,
        ("index", "exit"),
        outputs=_changed(".a", lambda held, _: held, index=False),
    ),
    Fault(
        "members-reversed",
        "rust-lang/rust#93816: the metadata of an rlib is no longer its first member",
        lambda call: call.makes("staticlib", "rlib"),
        ("members", "same-as"),
        outputs=_reversed,
    ),
    Fault(
        "member-names-lost",
        "the members of an archive have meaningless names",
        _static,
        ("crates", "members", "each-member"),
        outputs=_changed(
            ".a", lambda held, _: [ArchiveEntry(f"{i}.o", one.content) for i, one in enumerate(held)]
        ),
    ),
    Fault(
        "archive-thin",
        "a thin archive, which refers to temporary files",
        lambda call: call.makes("staticlib", "rlib"),
        ("thin",),
        outputs=_thin,
    ),
    Fault(
        "metadata-member-lost",
        "an rlib without metadata",
        _rlib,
        ("metadata", "exit"),
        outputs=_changed(".rlib", _lost(lambda one, _: one.name == _METADATA)),
    ),
    Fault(
        "metadata-in-staticlib",
        "a staticlib with a crate's metadata",
        _static,
        ("metadata", "members"),
        outputs=_changed(".a", _metadata_added),
    ),
    Fault(
        "metadata-object-in-archive",
        "rust-lang/rust#141769: the metadata object of a dylib gets into an rlib or a staticlib",
        lambda call: call.makes("staticlib", "rlib"),
        ("defines.none", "sections.none", "members"),
        outputs=lambda made: (
            _changed(".a", _metadata_object_added)(made),
            _changed(".rlib", _metadata_object_added)(made),
        )[0],
    ),
    Fault(
        "rlib-objects-lost",
        "an rlib with metadata and no objects",
        _rlib,
        ("defines", "exit", "members"),
        outputs=_changed(".rlib", _lost(lambda one, _: one.name != _METADATA)),
    ),
)
