"""Mistakes that moving LTO from code generation into linking can make.

https://github.com/rust-lang/compiler-team/issues/908
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from mutants.faults import ar
from mutants.faults.ar import ArchiveEntry
from mutants.faults.call import Call
from mutants.faults.elf import defined, undefined
from mutants.faults.fault import CompilerOutputs, Fault
from mutants.faults.linking import SHIM

Change = Callable[[list[str]], list[str]]

_LINKED = ("bin", "cdylib", "dylib", "proc-macro")
_LTO = ("-Clto=fat", "-Clto=thin")
_MANGLED = r"^\s+(_R|_ZN)\S+;\n"
_SCRIPT = "-Wl,--version-script="
_TEMPORARY = re.compile(r"/rustc\w{6}/lib[^/]*\.(rlib|a)$")
"""A copy of a library that rustc makes for the linker, without what LTO has taken in."""


def _lto(*kinds: str, also: Callable[[Call], bool] = lambda _: True) -> Callable[[Call], bool]:
    return lambda call: call.makes(*kinds) and call.has(*_LTO) and also(call)


def _is_mixed(call: Call) -> bool:
    return len(call.crate_types) > 1


def _link_only(*kinds: str) -> Callable[[Call], bool]:
    return lambda call: call.link_only and call.makes(*kinds)


def _archives(
    suffix: str, edit: Callable[[list[ArchiveEntry], str], Sequence[ArchiveEntry]]
) -> Callable[[CompilerOutputs], None]:
    def outputs(made: CompilerOutputs) -> None:
        for file in made.named(suffix):
            ar.change_of_crate(file, edit)

    return outputs


def _objects(archive: Path) -> list[ArchiveEntry]:
    return [one for one in ar.members(archive.read_bytes()) if ".rcgu.o" in one.name and defined(one.content)]


def _upstream_kept(made: CompilerOutputs) -> None:
    """The objects of the user's rlibs, which LTO has taken in."""
    rlibs = [Path(one.rpartition("=")[2]) for one in made.call.values("--extern")]
    used = dict.fromkeys([*rlibs, *Path().glob("*.rlib")])
    kept = [one for rlib in used if rlib.suffix == ".rlib" and rlib.is_file() for one in _objects(rlib)]
    _archives(".a", lambda held, _: [*held, *kept])(made)


def _upstream_linked(words: list[str]) -> list[str]:
    own = Path(next((after for word, after in pairwise(words) if word == "-o"), "")).stem
    rlibs = [str(one) for one in Path().glob("*.rlib") if one.stem.removeprefix("lib") not in own]
    return [*words, "-Wl,--whole-archive", *rlibs, "-Wl,--no-whole-archive"] if rlibs else words


def _module_twice(held: list[ArchiveEntry], crate: str) -> list[ArchiveEntry]:
    own = [one for one in held if one.name.startswith(f"{crate}.")]
    largest = sorted(own, key=lambda one: len(one.content))[-1:]
    return [*held, *(ArchiveEntry(f"{crate}.lto.rcgu.o", one.content) for one in largest)]


def _shim_beside(held: list[ArchiveEntry], crate: str) -> list[ArchiveEntry]:
    """An object with the function that std calls to allocate."""
    libraries = Path(sys.argv[3]).resolve().parent.parent / "lib" / "rustlib"
    for alloc in sorted(libraries.glob("*/lib/liballoc-*.rlib")):
        names = {name for one in _objects(alloc) for name in undefined(one.content) if SHIM.match(name)}
        if names:
            content = _assembled("".join(f".globl {one}\n{one}: ret\n" for one in sorted(names)))
            return [*held, ArchiveEntry(f"{crate}.shim.rcgu.o", content.read_bytes())]
    return held


def _assembled(text: str) -> Path:
    place = Path(tempfile.mkdtemp()) / "more"
    place.with_suffix(".s").write_text(f'{text}\n.section .note.GNU-stack,"",@progbits\n')
    subprocess.run(["/usr/bin/cc", "-c", f"{place}.s", "-o", f"{place}.o"], check=True)
    return place.with_suffix(".o")


def _scripts(change: Callable[[str], str]) -> Change:
    def rewritten(word: str) -> str:
        with tempfile.NamedTemporaryFile("w", suffix=".list", delete=False) as file:
            file.write(change(Path(word.removeprefix(_SCRIPT)).read_text(encoding="utf-8")))
        return f"{_SCRIPT}{file.name}"

    return lambda words: [rewritten(word) if word.startswith(_SCRIPT) else word for word in words]


def _with_export(*names: str) -> Callable[[str], str]:
    more = "".join(f"\n    {name};" for name in names)
    return lambda script: script.replace("global:", f"global:{more}", 1)


def _import_internalised(held: list[ArchiveEntry], _crate: str) -> list[ArchiveEntry]:
    """The first Rust function that another member of the crate's LTO imports is local."""
    called = {name for one in held if ".rcgu.o" in one.name for name in undefined(one.content)}
    for at, one in enumerate(held):
        names = [name for name in defined(one.content) if name in called and name.startswith(("_R", "_ZN"))]
        if names:
            return [*held[:at], one.holding(_objcopied(one.content, "-L", names[0])), *held[at + 1 :]]
    return held


def _objcopied(content: bytes, *options: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "member.o"
        place.write_bytes(content)
        subprocess.run(["objcopy", *options, str(place)], check=True)
        return place.read_bytes()


def _all_internalised(held: list[ArchiveEntry], _crate: str) -> list[ArchiveEntry]:
    def change(one: ArchiveEntry) -> ArchiveEntry:
        if not defined(one.content):
            return one
        return one.holding(_objcopied(one.content, "-w", "-L", "_R*", "-L", "_ZN*"))

    return [change(one) for one in held]


def _bitcode_member(held: list[ArchiveEntry], _crate: str) -> list[ArchiveEntry]:
    """The first member that has its bitcode in a section is that bitcode."""
    for at, one in enumerate(held):
        if b".llvmbc\0" in one.content and defined(one.content):
            with tempfile.TemporaryDirectory() as folder:
                place, section = Path(folder) / "member.o", Path(folder) / "bitcode"
                place.write_bytes(one.content)
                subprocess.run(["objcopy", f"--dump-section=.llvmbc={section}", str(place)], check=True)
                return [*held[:at], one.holding(section.read_bytes()), *held[at + 1 :]]
    return held


def _profiler_twice(words: list[str]) -> list[str]:
    more = [shutil.copy(word, tempfile.mkdtemp()) for word in words if "profiler_builtins" in word]
    return [*words, "-Wl,--whole-archive", *more, "-Wl,--no-whole-archive"] if more else words


def _without_unwinding(words: list[str]) -> list[str]:
    """With copies of the crate's objects that have no unwind tables."""

    def copied(word: str) -> str:
        copy = Path(tempfile.mkdtemp()) / Path(word).name
        subprocess.run(["objcopy", "-R", ".eh_frame", "-R", ".rela.eh_frame", word, str(copy)], check=True)
        return str(copy)

    return [copied(word) if word.endswith(".rcgu.o") else word for word in words]


def _removed(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink()


def _one_object_lost(made: CompilerOutputs) -> None:
    _removed(sorted(made.named(".o"))[-1:])


def _bitcode_for_object(made: CompilerOutputs) -> None:
    for file in made.named(".bc"):
        for suffix in (".o", ".rcgu.o"):
            if file.with_suffix(suffix).is_file():
                file.replace(file.with_suffix(suffix))
                break


def _bitcode_left(made: CompilerOutputs) -> None:
    for file in made.named(".a", ".so"):
        (file.parent / f"{file.stem.removeprefix('lib')}.lto.rcgu.bc").write_bytes(b"BC\xc0\xde")


def _stale(made: CompilerOutputs) -> None:
    for file, content in made.before.items():
        if file in made.files and file.suffix in ("", ".a", ".so"):
            file.write_bytes(content)


def _last_type(call: Call) -> list[str]:
    return [*call.without("--crate-type=*"), f"--crate-type={call.crate_types[-1]}"]


FAULTS = (
    Fault(
        "upstream-beside-lto",
        "compiler-team#908: a staticlib keeps the objects of the crates that LTO has taken in",
        _lto("staticlib"),
        ("members", "crates", "duplicates", "members.none"),
        outputs=_upstream_kept,
    ),
    Fault(
        "upstream-linked-beside-lto",
        "compiler-team#908: the rlibs that LTO has taken in are linked, too",
        _lto(*_LINKED),
        ("link", "defines", "exit", "exports"),
        linker=_upstream_linked,
    ),
    Fault(
        "lto-module-twice",
        "compiler-team#908: the module that LTO makes is in the staticlib twice",
        _lto("staticlib"),
        ("duplicates", "members", "exit"),
        outputs=_archives(".a", _module_twice),
    ),
    Fault(
        "shim-beside-lto",
        "compiler-team#908: the allocator's module takes no part in LTO and is added to a staticlib",
        _lto("staticlib"),
        ("members", "defines.none", "global", "duplicates"),
        outputs=_archives(".a", _shim_beside),
    ),
    Fault(
        "exports-as-a-dylib",
        "compiler-team#908: the exported symbols of a cdylib are computed for the dylib built with it",
        lambda call: call.makes("cdylib") and _is_mixed(call),
        ("exports.only", "exports.none", "exports"),
        linker=_scripts(_with_export("_R*", "_ZN*")),
    ),
    Fault(
        "exports-as-a-cdylib",
        "compiler-team#908: the exported symbols of a dylib are computed for the cdylib built with it",
        lambda call: call.makes("dylib") and _is_mixed(call),
        ("exports", "exit"),
        linker=_scripts(lambda script: re.sub(_MANGLED, "", script, flags=re.MULTILINE)),
    ),
    Fault(
        "thin-import-internalised",
        "compiler-team#908: ThinLTO imports a function that has been made local",
        lambda call: call.makes("staticlib") and call.has("-Clto=thin"),
        ("unresolved", "exit"),
        outputs=_archives(".a", _import_internalised),
    ),
    Fault(
        "no-link-object-lost",
        "compiler-team#908: the .rlink names an object that has been removed",
        lambda call: call.compiles and call.has("-Zno-link"),
        ("produces", "exists", "exit"),
        outputs=_one_object_lost,
    ),
    Fault(
        "link-only-metadata-lost",
        "compiler-team#908: -Zlink-only does not link the metadata of a dylib",
        _link_only("dylib", "proc-macro"),
        ("metadata", "exports", "sections", "exit"),
        linker=lambda words: [word for word in words if not word.endswith("/rmeta.o")],
    ),
    Fault(
        "last-type-only",
        "compiler-team#908: only the last of several crate types is linked",
        lambda call: call.compiles and _is_mixed(call) and not call.link_only,
        ("exists", "produces"),
        argv=_last_type,
    ),
    Fault(
        "split-debug-lost",
        "compiler-team#908: the debug information that is beside an output is not written",
        lambda call: call.compiles and call.has("-Csplit-debuginfo=*"),
        ("produces", "exists"),
        outputs=lambda made: _removed(made.named(".dwo", ".dwp")),
    ),
    Fault(
        "bitcode-member",
        "compiler-team#908: a member of a staticlib is the bitcode of an object",
        lambda call: call.makes("staticlib"),
        ("each-member", "format", "bitcode", "unresolved"),
        outputs=_archives(".a", _bitcode_member),
    ),
    Fault(
        "profiler-twice",
        "compiler-team#908: the profiler runtime is linked twice",
        lambda call: call.makes(*_LINKED) and call.has("-Cprofile-generate*", "-Cinstrument-coverage*"),
        ("exit", "link"),
        linker=_profiler_twice,
    ),
    Fault(
        "rlib-internalised",
        "compiler-team#908: what LTO makes local for another crate type is local in the rlib, too",
        lambda call: call.makes("rlib") and _is_mixed(call),  # rustc still refuses LTO there
        ("defines", "global", "exit"),
        outputs=_archives(".rlib", _all_internalised),
    ),
    Fault(
        "object-before-lto",
        "compiler-team#908: --emit=obj writes what goes into LTO",
        lambda call: call.compiles and call.emits("obj") and call.has(*_LTO),
        ("format", "bitcode", "defines", "type"),
        argv=lambda call: [*call.words, "--emit=llvm-bc"],
        outputs=_bitcode_for_object,
    ),
    Fault(
        "lto-left-over",
        "compiler-team#908: the bitcode that goes into LTO is left behind",
        _lto("staticlib", "cdylib", "dylib"),
        ("produces",),
        outputs=_bitcode_left,
    ),
    Fault(
        "script-before-lto",
        "compiler-team#908: the version script names a function that LTO has removed",
        _lto("cdylib", "dylib"),
        ("exit", "link"),
        linker=_scripts(_with_export("linkage_removed")),
    ),
    Fault(
        "undefined-after-lto",
        "compiler-team#908: a function that LTO has removed is still called",
        _lto("cdylib", "dylib"),
        ("undefined", "imports", "exit"),
        linker=lambda words: [*words, str(_assembled(".data\n.quad _RNvCs1234_3dep7removed\n"))],
    ),
    Fault(
        "lto-native-lost",
        "compiler-team#908: the native library of a crate that LTO has taken in is not linked",
        _lto(*_LINKED),
        ("exit", "defines", "link"),
        linker=lambda words: [word for word in words if not _TEMPORARY.search(word)],
    ),
    Fault(
        "link-only-exports-all",
        "compiler-team#908: -Zlink-only does not know what is exported",
        _link_only("cdylib", "dylib", "proc-macro"),
        ("exports.only", "exports.none", "exports"),
        linker=lambda words: [word for word in words if not word.startswith(_SCRIPT)],
    ),
    Fault(
        "incremental-lto-stale",
        "compiler-team#908: an incremental compilation takes the result of an earlier LTO",
        _lto("bin", "staticlib", "cdylib", "dylib", also=lambda call: call.has("-Cincremental=*")),
        ("stdout", "same-as", "defines"),
        outputs=_stale,
        keeps_before=True,
    ),
    Fault(
        "lto-without-unwinding",
        "compiler-team#908: the module that LTO makes has no unwind tables",
        _lto(*_LINKED),
        ("stdout", "exit", "sections"),
        linker=_without_unwinding,
    ),
)
