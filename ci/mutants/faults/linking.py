"""Faults in the command line of the linker, which a `cc` before the real one on PATH changes."""

import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path

from mutants.faults import ar
from mutants.faults.call import Call
from mutants.faults.elf import LOCAL, EditableElf, defined, undefined
from mutants.faults.fault import Fault

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
    """The export list without the first name of the crate itself, or without its first name."""
    names = re.findall(r"^\s+([\w.$]+);$", script, re.MULTILINE)
    own = [name for name in names if not name.startswith("_")] or names
    return script.replace(f"{own[0]};", "", 1) if own else script


def _shim_exported(script: str) -> str:
    more = "*__rust_alloc;"
    return script.replace("global:", f"global:\n    {more}", 1) if "global:" in script else script


def _assembled(text: str) -> str:
    """An object file of this assembly."""
    place = Path(tempfile.mkdtemp()) / "more"
    place.with_suffix(".s").write_text(f'{text}\n.section .note.GNU-stack,"",@progbits\n')
    subprocess.run(["/usr/bin/cc", "-c", f"{place}.s", "-o", f"{place}.o"], check=True)
    return f"{place}.o"


def _with_metadata(words: list[str]) -> list[str]:
    """An object with metadata and its symbol, which is among the exported ones."""
    name = "rust_metadata_dep_0123456789abcdef"
    more = _assembled(f".section .rustc\n.globl {name}\n{name}: .long 0\n.section .rmeta\n.long 0")
    exported = _scripts_changed(lambda script: script.replace("{", f"{{ global: {name};", 1))(words)
    return [*exported, more]


_SAYS = """\
says:
    mov $1, %eax
    mov $2, %edi
    lea text(%rip), %rsi
    mov $5, %edx
    syscall
    ret
text: .ascii "warn\\n"
"""


_ANOTHER = {"lld": "bfd", "": "bfd", "bfd": "gold", "gold": "bfd", "mold": "bfd"}


def _asked_for(words: list[str]) -> str:
    return next((word.partition("=")[2] for word in reversed(words) if word.startswith("-fuse-ld=")), "")


def _with_object(*text: str, more: Sequence[str] = ()) -> Change:
    return lambda words: [*words, _assembled("".join(text)), *more]


def _without_pair(first: str, second: str) -> Change:
    def changed(words: list[str]) -> list[str]:
        at = [i for i, pair in enumerate(pairwise(words)) if pair == (first, second)]
        gone = {*at, *(i + 1 for i in at)}
        joined = f"-Wl,{first},{second}"
        return [word for i, word in enumerate(words) if i not in gone and word != joined]

    return changed


def _profiler_exported(words: list[str]) -> list[str]:
    """With a runtime whose symbols are not hidden, and an export list that has them."""

    def more(script: str) -> str:
        return script.replace("{", "{ global: __llvm_profile*;", 1)

    changed = [_unhidden(word) if "profiler_builtins" in word else word for word in words]
    return [*_scripts_changed(more)(changed), "-Wl,--export-dynamic"]


def _unhidden(archive: str) -> str:
    copy = Path(tempfile.mkdtemp()) / Path(archive).name
    shutil.copyfile(archive, copy)

    def shown(held: list[ar.ArchiveEntry]) -> list[ar.ArchiveEntry]:
        return [one.holding(_all_shown(one.content)) for one in held]

    ar.change(copy, shown)
    return str(copy)


def _all_shown(content: bytes, beginning: str = "__llvm_profile") -> bytes:
    try:
        found = EditableElf(content)
    except (ValueError, struct.error, IndexError):
        return content
    for symbol in found.symbols(".symtab"):
        if symbol.section and symbol.binding != LOCAL and symbol.name.startswith(beginning):
            found.show(symbol)
    return bytes(found.bytes)


def _everything_exported(words: list[str]) -> list[str]:
    """With the crate's own objects changed so that nothing is local or hidden, and no export list."""
    shown = [_globalised(word) if word.endswith(".rcgu.o") else word for word in words]
    return [*_lacking(*(f"{one}*" for one in _SCRIPTS))(shown), "-Wl,--export-dynamic"]


def _globalised(file: str) -> str:
    copy = Path(tempfile.mkdtemp()) / Path(file).name
    subprocess.run(["objcopy", "-w", "--globalize-symbol=_R*", file, str(copy)], check=True)
    copy.write_bytes(_all_shown(copy.read_bytes(), ""))
    return str(copy)


def _with_sanitizer(words: list[str]) -> list[str]:
    """With the runtime that a program would have."""
    objects = [Path(word) for word in words if word.endswith(".o") and Path(word).is_file()]
    called = {name for one in objects for name in undefined(one.read_bytes())}
    asked = next((one for one in ("asan", "tsan", "rtsan") if f"__{one}_init" in called), "lsan")
    found = _of_toolchain(f"librustc*_rt.{asked}.a", words)
    scripts = _lacking(*(f"{one}*" for one in _SCRIPTS))(words)
    return [*scripts, "-Wl,--whole-archive", *map(str, found), "-Wl,--no-whole-archive"]


def _with_std(words: list[str]) -> list[str]:
    return [*words, "-Wl,--no-as-needed", *map(str, _of_toolchain("libstd-*.so", words))]


def _of_toolchain(pattern: str, words: list[str]) -> list[Path]:
    """The files of the toolchain's libraries, which are where the linker looks for them."""
    search = [Path(word[2:]) for word in words if word.startswith("-L") and word != "-L"]
    folders = [*search, *(Path(words[i + 1]) for i, word in enumerate(words[:-1]) if word == "-L")]
    folders += [Path(word).parent for word in words if word.endswith(".rlib")]
    return next((found for folder in folders if (found := sorted(folder.glob(pattern)))), [])


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
        ("exports.only", "exports.none", "exports", "link"),
        _lacking(*(f"{one}*" for one in _SCRIPTS)),
    ),
    _fault(
        "everything-exported",
        "rust-lang/rust#145055: symbols that are private to the crate are exported, too",
        ("cdylib", "dylib", "proc-macro", "bin"),
        ("exports.only", "exports.none", "exports"),
        _everything_exported,
    ),
    _fault(
        "export-list-short",
        "an exported name is missing from the export list",
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
        "rust-lang/rust#145962: the allocator shim is not passed to the linker",
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
        "metadata-of-dependency",
        "rust-lang/rust#141769: the metadata of a dependency is linked in and exported, too",
        (*_SHARED, "bin"),
        ("exports.only", "exports.count", "exports.none", "defines.none", "sections.none", "symbols"),
        _with_metadata,
    ),
    _fault(
        "soname-not-set",
        "a dylib is linked without a soname",
        ("dylib", "cdylib"),
        ("soname",),
        _lacking("-Wl,-soname*", "-Wl,-h*"),
    ),
    _fault(
        "soname-given",
        "a soname that should not be there, or not the file's name",
        ("dylib", "cdylib", "proc-macro"),
        ("soname", "soname.only", "soname.none", "needed"),
        _with("-Wl,-soname,libanother.so"),
    ),
    _fault(
        "rpath-not-set",
        "the run path is not passed to the linker",
        ("dylib", "cdylib", "bin"),
        ("runpath",),
        _lacking("-Wl,-rpath*"),
        lambda call: call.has("-Crpath*"),
    ),
    _fault(
        "rpath-given",
        "a run path that was not requested",
        ("dylib", "cdylib", "bin", "proc-macro"),
        ("runpath", "runpath.none", "runpath.only"),
        _with("-Wl,-rpath,/nowhere"),
    ),
    _fault(
        "program-is-library",
        "a program is linked as a shared library",
        ("bin",),
        ("type", "interpreter", "exit", "pie"),
        lambda words: [*_lacking("-pie", "-static-pie", "-no-pie")(words), "-shared"],
    ),
    _fault(
        "as-needed-not-passed",
        "--as-needed is not passed: unused libraries are needed",
        (*_SHARED, "bin"),
        ("needed.only", "needed.none", "needed"),
        lambda words: ["-Wl,--no-as-needed", *_lacking("-Wl,--as-needed")(words)],
    ),
    _fault(
        "another-linker",
        "a linker that was not requested",
        (*_SHARED, "bin"),
        ("section", "sections.none", "sections"),
        lambda words: [*_lacking("-fuse-ld=*")(words), f"-fuse-ld={_ANOTHER[_asked_for(words)]}"],
    ),
    _fault(
        "text-relocated",
        "text relocations",
        (*_SHARED, "bin"),
        ("text-relocations",),
        _with_object(
            ".text\n.globl linkage_text\nlinkage_text: .quad linkage_text\n",
            more=("-Wl,-u,linkage_text", "-Wl,-z,notext"),
        ),
    ),
    _fault(
        "interpreter-lost",
        "a program without an interpreter",
        ("bin",),
        ("interpreter", "exit"),
        _with("-Wl,--no-dynamic-linker"),
    ),
    _fault(
        "library-is-program",
        "a shared library is linked as a program",
        _SHARED,
        ("type", "exit", "soname"),
        lambda words: [*_lacking("-shared")(words), "-pie", "-nostartfiles", "-Wl,-e,0"],
    ),
    _fault(
        "std-needed-too",
        "rust-lang/rust#145962: std is linked statically and is needed as well",
        (*_SHARED, "bin"),
        ("needed.none", "needed.only", "needed"),
        _with_std,
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
        "no RELRO: relocations stay writable",
        ("bin", "cdylib", "dylib"),
        ("relro", "bind-now"),
        lambda words: [
            *_lacking("-Wl,-z,relro,-z,now", "-Wl,-z,relro*", "-Wl,-z,now")(words),
            "-Wl,-z,norelro,-z,lazy",
        ],
    ),
    _fault(
        "no-eh-frame-hdr",
        "no .eh_frame_hdr: unwinding finds no frames",
        ("bin", "dylib", "cdylib"),
        ("stdout", "exit"),
        lambda words: [*_lacking("-Wl,--eh-frame-hdr")(words), "-Wl,--no-eh-frame-hdr"],
    ),
    _fault(
        "native-library-not-linked",
        "a native library is not passed to the linker",
        ("bin", "cdylib", "dylib"),
        ("exit", "defines", "link"),
        _native_less,
        lambda call: call.has("-l*"),
    ),
    _fault(
        "profiler-not-linked",
        "rust-lang/rust#145965: the profiler runtime is not linked",
        ("bin", "cdylib", "dylib"),
        ("defines", "exit"),
        _lacking("*profiler_builtins*"),
        lambda call: call.has("-Cprofile-generate*", "-Cinstrument-coverage*"),
    ),
    _fault(
        "profiler-not-forced",
        "rust-lang/rust#145965: no undefined symbol pulls in the profiler runtime",
        ("bin", "cdylib", "dylib"),
        ("link", "produces", "defines"),
        _without_pair("-u", "__llvm_profile_runtime"),
        lambda call: call.has("-Cprofile-generate*", "-Cinstrument-coverage*"),
    ),
    _fault(
        "profiler-exported",
        "rust-lang/rust#145965: the profiler's symbols are exported",
        ("bin", "cdylib", "dylib"),
        ("exports.only", "exports.none", "link"),
        _profiler_exported,
        lambda call: call.has("-Cprofile-generate*", "-Cinstrument-coverage*"),
    ),
    _fault(
        "runtime-warns",
        "a linked runtime writes to stderr although nothing is wrong",
        ("bin", "cdylib", "dylib"),
        ("stderr",),
        _with_object('.section .init_array,"aw"\n.quad says\n.text\n', _SAYS),
    ),
    _fault(
        "sanitizer-in-library",
        "the sanitizer runtime is linked into a shared library, too",
        ("cdylib", "dylib"),
        ("link", "exports.none", "defines.none"),
        _with_sanitizer,
        lambda call: call.has("-Zsanitizer=*"),
    ),
    _fault(
        "sanitizer-not-linked",
        "the sanitizer runtime is not linked",
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
        "the linker strips without being told to",
        ("bin", "cdylib", "dylib"),
        ("defines", "sections"),
        _with("-Wl,--strip-all"),
        lambda call: not call.has("-Cstrip=*"),
    ),
    _fault(
        "sections-kept",
        "dead code is not removed",
        ("bin", "cdylib"),
        ("smaller-than", "size", "defines.none"),
        _lacking("-Wl,--gc-sections", "-Wl,-O1"),
    ),
)
