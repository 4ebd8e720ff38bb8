"""Symbols of a large static library: our readers against those of others."""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path

from bench import subjects
from bench.runs import Bench
from bench.timing import Figure, Measurement, against, called, timed
from linkage.artifact import ar
from linkage.artifact.elf.file import ElfFile
from linkage.artifact.elf.numbers import SHT_SYMTAB
from linkage.artifact.reader import read


def _ours(data: bytes) -> int:
    elf = ElfFile(memoryview(data))
    table = elf.first(SHT_SYMTAB)
    return 0 if table is None else len(elf.symbols(table).bindings())


def _lief(data: bytes, *, least: bool = False) -> int:
    import lief  # noqa: PLC0415 - of the group `test`

    lief.logging.disable()
    config = lief.ELF.ParserConfig()
    if least:
        config.parse_relocations = config.parse_notes = config.parse_dyn_symbols = False
        config.parse_symbol_versions = config.parse_overlay = False
    binary = lief.ELF.parse(BytesIO(data), config)  # held while its symbols are looked at
    if binary is None:
        return 0
    return len([(one.name, one.binding) for one in binary.symtab_symbols]) - 1


def _elftools(data: bytes) -> int:
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - of the group `test`
    from elftools.elf.sections import SymbolTableSection  # noqa: PLC0415 - likewise

    table = ELFFile(BytesIO(data)).get_section_by_name(".symtab")
    if not isinstance(table, SymbolTableSection):
        return 0
    return sum(1 for one in table.iter_symbols() if one.name or one["st_info"]["bind"]) - 1


def _members(file: Path) -> Iterator[bytes]:
    """The ELF members' bytes: what the others are given, so that only their parsing is measured."""
    content = file.read_bytes()
    at = 8
    while at + 60 <= len(content):
        size = int(content[at + 48 : at + 58])
        data = content[at + 60 : at + 60 + size]
        if data.startswith(b"\x7fELF"):
            yield data
        at += 60 + size + size % 2


def symbols(bench: Bench) -> Iterator[Figure]:
    """All names and bindings of a staticlib that carries std."""
    file = subjects.large_archive(bench.folder / "large", bench.toolchains[0].rustc)
    members = list(_members(file))
    count = _all(_ours, members)
    said = f"{file.stat().st_size / 1e6:.0f} MB, {count:,} symbols"
    goals = [
        (*_library("LIEF, its defaults", _lief, members, count), 30),
        (*_library("LIEF, parsing the least", partial(_lief, least=True), members, count), 30),
        (*_library("pyelftools", _elftools, members, count), 100),
        (*_llvm(bench, file, count), 3),
    ]
    for name, other, seen, goal in goals:
        note = "; ".join(filter(None, (said, seen)))
        if other is None:
            yield Figure("symbols of a staticlib", name, f"{goal} times faster", None, None, note=note)
            continue
        ratio, cpu, noise, _, _ = against(bench.rounds, other, lambda: called(lambda: _all(_ours, members)))
        yield Figure(
            "symbols of a staticlib", name, f"{goal} times faster", ratio, ratio.median >= goal, cpu,
            noise, note, unit=" times",
        )  # fmt: skip
    for name, again in (("all facts of a staticlib", False), ("those of the toolchain's next", True)):
        ratio, cpu, noise, _, _ = against(
            bench.rounds,
            partial(called, partial(_facts, file, again=again)),
            lambda: called(lambda: _all(_ours, members)),
        )
        said = "std's members are known again by their contents" if again else "every member is read"
        yield Figure(
            name, "the symbols of one alone", "-", ratio, None, cpu, noise,
            f"{said}; packed for the store; the file's digest is known from the folder's scan", unit=" times",
        )  # fmt: skip


def _facts(file: Path, *, again: bool) -> None:
    if not again:
        ar._known.clear()  # noqa: SLF001 - what the process has read before
    read(file, digest="known")


def _all(parse: Callable[[bytes], int], members: Sequence[bytes]) -> int:
    return sum(map(parse, members))


def _library(
    name: str, parse: Callable[[bytes], int], members: Sequence[bytes], count: int
) -> tuple[str, Callable[[], Measurement] | None, str]:
    try:
        found = _all(parse, members)
    except ImportError as error:
        return name, None, f"not installed: {error.name}"
    return name, lambda: called(lambda: _all(parse, members)), "" if found == count else f"it sees {found:,}"


def _llvm(bench: Bench, file: Path, count: int) -> tuple[str, Callable[[], Measurement] | None, str]:
    nm = shutil.which("llvm-nm")
    if nm is not None and _lines([nm, str(file)]) >= count * 0.9:
        return "llvm-nm", lambda: timed([nm, file], bench.folder), ""
    readelf = shutil.which("llvm-readelf") or shutil.which("readelf")
    if readelf is None:
        return "llvm-nm", None, "neither an llvm-nm that reads it nor a readelf is installed"
    why = "no llvm-nm is installed" if nm is None else "the llvm-nm here cannot read its newer bitcode"
    return Path(readelf).name, lambda: timed([readelf, "-sW", file], bench.folder), f"{why}"


def _lines(argv: list[str]) -> int:
    done = subprocess.run(argv, capture_output=True, check=False)
    return done.stdout.count(b"\n")
