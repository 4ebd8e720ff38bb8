"""What LLVM's tools and LIEF find in Mach-O files, in the shape of the facts, to compare with."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import lief
import pytest

_OLDEST = 19  # of LLVM: older ones do not know what rustc and today's linkers write
_FOLDERS = [Path(f"/usr/lib/llvm-{version}/bin") for version in range(40, _OLDEST - 1, -1)]
_NM = re.compile(r"(?P<value>[0-9a-f]+)?\s+\((?P<place>[^)]*)\) (?P<words>.*)")
_FROM = re.compile(r"(?P<name>.*?)(?: \((?:from (?P<library>\S+)|(?P<flat>dynamically looked up))\))?")
_WORDS = (
    "[no dead strip] ", "[symbol resolver] ", "[alt entry] ", "[cold func] ", "[referenced dynamically] ",
    "[Thumb] ", "automatically hidden ",
)  # fmt: skip


@cache
def llvm_tool(name: str) -> str:
    """The newest installed tool of this name; the test is skipped if there is none, or only an old one."""
    places = [folder / name for folder in _FOLDERS if (folder / name).is_file()]
    if places:
        return str(places[0])
    found = shutil.which(name)
    if found is not None:
        printed = subprocess.run([found, "--version"], check=False, capture_output=True, text=True).stdout
        version = re.search(r"LLVM version (\d+)", printed)
        if version is not None and int(version[1]) >= _OLDEST:
            return found
    pytest.skip(
        f"`{name}` of LLVM {_OLDEST} or later is not installed: on Debian it is in the package llvm-22"
    )


def run(tool: str, *arguments: str | Path) -> str:
    """What a tool of LLVM prints."""
    command = [llvm_tool(tool), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class NmSymbol(NamedTuple):
    """A symbol as `llvm-nm -m` prints it, its name raw."""

    name: str
    value: int
    place: str  # "undefined", "absolute", "common", "indirect", or a section's name
    binding: str
    hidden: bool
    library: str | None


def nm_symbols(path: Path) -> list[NmSymbol]:
    """Every symbol but stabs, sorted by name and value."""
    lines = run("llvm-nm", "--no-llvm-bc", "-m", "--quiet", path).splitlines()
    return sorted(_nm_symbol(line) for line in lines if line.strip() and not line.endswith(":"))


def _nm_symbol(line: str) -> NmSymbol:
    found = _NM.fullmatch(line)
    assert found, line
    words = found["words"]
    for word in _WORDS:
        words = words.replace(word, "")
    place = re.sub(r"^common\) \(alignment.*", "common", found["place"])
    words = re.sub(r"^\(alignment \S+\) ", "", words)
    hidden = any(text in words for text in ("private external ", "(was a private external) "))
    words = words.replace("(was a private external) ", "").replace("private external ", "external ")
    weak = words.startswith("weak ")
    words = words.removeprefix("weak ")
    local = words.startswith("non-external ")
    words = words.removeprefix("non-external ").removeprefix("external ")
    name, library, flat = _FROM.fullmatch(words).group("name", "library", "flat")  # type: ignore[union-attr]
    binding = "LOCAL" if local else "WEAK" if weak else "GLOBAL"
    name = name.partition(" (for ")[0]
    return NmSymbol(name, int(found["value"] or "0", 16), place, binding, hidden, library or flat)


class ObjdumpExport(NamedTuple):
    """An export as `llvm-objdump --exports-trie` prints it, its name raw."""

    name: str
    address: int | None
    flags: str
    forwarded: str | None


_EXPORT = re.compile(
    r"(?:\[(?P<re>re-export)\]|0x(?P<address>[0-9A-F]+))\s+(?P<name>\S+)(?P<flags>(?: \[[^\]]*\])*)"
    r"(?: \((?:(?P<original>\S+) )?from (?P<library>[^)]*)\))?"
)


def objdump_exports(path: Path) -> list[ObjdumpExport]:
    """The export trie, sorted by name."""
    return sorted(_objdump_exports(run("llvm-objdump", "--macho", "--exports-trie", path)))


def _objdump_exports(text: str) -> Iterator[ObjdumpExport]:
    for line in text.partition("Exports trie:")[2].splitlines():
        if not line.strip():
            continue
        found = _EXPORT.fullmatch(line.strip())
        assert found, line
        address = None if found["address"] is None else int(found["address"], 16)
        library = None if found["re"] is None else f"{found['library']}:{found['original'] or found['name']}"
        yield ObjdumpExport(found["name"], address, found["flags"].strip(), library)


def objdump_binds(path: Path) -> set[tuple[str, str, bool]]:
    """Library as objdump calls it, raw name, and whether it may be missing, of what the opcodes bind."""
    found = set()
    for option in ("bind", "lazy-bind"):
        for line in run("llvm-objdump", "--macho", f"--{option}", path).splitlines():
            words = line.replace(" (weak_import)", "\0").split()
            if len(words) >= 4 and words[2].startswith("0x"):
                library, name = words[-2:]
                found.add((library, name.removesuffix("\0"), name.endswith("\0")))
    return found


class DylibCommands(NamedTuple):
    """The names in the commands that libraries are loaded by."""

    needed: tuple[str, ...]
    optional: tuple[str, ...]
    soname: str | None
    runpath: tuple[str, ...]
    uuid: str | None


def objdump_commands(path: Path) -> DylibCommands:
    text = run("llvm-objdump", "--macho", "--private-headers", path)
    named = re.findall(
        r"cmd (LC_\w+)\n cmdsize \d+\n +(?:name|path) (.*) \(offset", re.sub(r" +(cmd\w* )", r" \1", text)
    )
    loads = [name for command, name in named if command.endswith("_DYLIB") and command != "LC_ID_DYLIB"]
    uuid = re.search(r"uuid (\S+)", text)
    return DylibCommands(
        tuple(loads),
        tuple(name for command, name in named if command == "LC_LOAD_WEAK_DYLIB"),
        next((name for command, name in named if command == "LC_ID_DYLIB"), None),
        tuple(name for command, name in named if command == "LC_RPATH"),
        uuid and uuid[1].replace("-", "").lower(),
    )


def readobj_sections(path: Path) -> list[tuple[str, int]]:
    """Every section: its name with its segment's, and its size."""
    text = run("llvm-readobj", "--sections", path)
    rows = re.findall(r"Name: (\S*) \(.*\n\s+Segment: (\S*) \(.*\n\s+Address: .*\n\s+Size: (\S+)", text)
    return [(f"{segment},{name}", int(size, 16)) for name, segment, size in rows]


def _parsed(data: bytes) -> Any:
    """The only architecture in a file, and what holds it: LIEF's objects must not outlive it."""
    fat: Any = lief.MachO.parse(list(data), lief.MachO.ParserConfig.deep)
    return fat, fat.at(0)


def lief_symbols(data: bytes) -> Sequence[tuple[str, int]]:
    """Raw name and value of every symbol but stabs, sorted; without those that LIEF makes for bindings."""
    fat, binary = _parsed(data)
    table = lief.MachO.Symbol.ORIGIN.SYMTAB
    found = [one for one in binary.symbols if one.origin == table and not one.raw_type & 0xE0]
    assert fat.size == 1
    return sorted((str(one.name), one.value) for one in found)


def lief_exports(data: bytes) -> set[str]:
    """The raw names in the export trie."""
    fat, binary = _parsed(data)
    assert fat.size == 1
    trie = binary.dyld_exports_trie if binary.has_dyld_exports_trie else binary.dyld_info
    return {str(one.symbol.name) for one in trie.exports} if trie is not None else set()


def lief_imports(data: bytes) -> set[tuple[str | None, str]]:
    """Library and raw name of everything that is bound."""
    fat, binary = _parsed(data)
    assert fat.size == 1
    return {
        (str(one.library.name) if one.has_library else None, str(one.symbol.name))
        for one in binary.bindings
        if one.has_symbol
    }
