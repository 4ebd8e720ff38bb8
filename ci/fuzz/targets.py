"""What is fuzzed: one row for each reader. A target takes any bytes, and raises nothing but LinkageError."""

import gzip
import hashlib
import io
import tempfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from linkage.artifact import read_bytes
from linkage.artifact.demangle import demangle, demangled_path
from linkage.artifact.facts import Facts
from linkage.bisect import journal, nightlies, rollup, signature_file
from linkage.bisect.contents import ToolchainContents
from linkage.bisect.download import FailedError
from linkage.bisect.request import Request
from linkage.case.claims import ArtifactClaims
from linkage.case.crate_attributes import crate_attributes
from linkage.case.reader import parse_case
from linkage.case.recipe_file import recipes_for
from linkage.compare import snapshot
from linkage.compare.expectations import parse_expected
from linkage.errors import ArtifactError, CaseErrors, LinkageError
from linkage.fuzz import fuzz_log
from linkage.judge.artifact import check_artifact
from linkage.judge.results import KeptResult
from linkage.judge.view import View
from linkage.run import cargo, export_lists, linker_wrapper
from linkage.run.executor import rustc_messages
from linkage.run.kept_facts import FileFacts
from linkage.store.history import read_nights
from linkage.store.store import decoded
from linkage.toolchain import cache_file
from linkage.toolchain.model import Capabilities
from linkage.toolchain.release import RustcVersion
from linkage.toolchain.sources.debian import apt_sources, installed, packages
from linkage.toolchain.version import VersionRange

FUNCTIONS = ("count_shapes", "caller", "inside", "answer", "main")
SECTIONS = (
    ".text", ".comment", ".debug_str", ".strtab", ".bss", ".rustc", ".data", "CODE", "__TEXT,__text",
)  # fmt: skip


def artifact(data: bytes) -> None:
    """Everything that is read of a file, and what is decoded later."""
    facts = read_bytes(data, references=FUNCTIONS, member_file=lambda name: _member(data, name))
    read_bytes(data, contents=SECTIONS, for_comparison=True)
    kinds = (facts.object, facts.archive, facts.bitcode, facts.metadata, facts.other)
    assert sum(one is not None for one in kinds) == (facts.error is None and facts.kind != "empty")
    objects = [facts.object] if facts.object else []
    members = list(facts.archive.members) if facts.archive else []
    objects += [member.object for member in members if member.object]
    for one in objects:
        assert [section.name for section in one.sections] == one.sections.listed()
        for table in (one.symbols, one.dynamic_symbols):
            assert table is None or len(list(table)) == len(table) == len(table.bindings())
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=Facts) == facts
    list(check_artifact(_every_claim(), View(facts), _VERSION, {}))


_VERSION = RustcVersion((1, 95, 0))


@cache
def _every_claim() -> ArtifactClaims:
    names = {"all": "main", "none": ["x*", "path:core::*", r"/^_\d/"], "count": ">=0"}
    keys = (
        "defines", "undefined", "unresolved", "exports", "imports", "weak", "local", "global", "hidden",
        "absolute", "duplicates", "needed", "soname", "runpath", "interpreter", "gnu-properties", "build-id",
        "symbol-versions", "sections", "members", "crates", "index",
    )  # fmt: skip
    return ArtifactClaims.model_validate(
        {**dict.fromkeys(keys, names), "pie": True, "relro": "full", "tls": True}
    )


def _member(data: bytes, name: str) -> memoryview:
    """What a thin archive refers to: a part of the file, or nothing."""
    start = name.encode("utf-8", "surrogateescape")[:1]
    if not start or start[0] & 1:
        raise ArtifactError("the thin archive refers to a file that is missing")
    return memoryview(data)[start[0] :]


def names(data: bytes) -> None:
    for name in data.decode("utf-8", "surrogateescape").split("\n"):
        demangle(name)
        demangled_path(name)


def case(data: bytes) -> None:
    try:
        found = parse_case(data.decode("utf-8", "replace"), Path("/nowhere/case.yaml"), "case.yaml")
    except CaseErrors as error:
        for one in error.errors:
            assert str(one).isprintable(), f"not one printable line: {one!s}"
            assert one.where is not None, f"no place: {one!s}"
        return
    assert len(found.ids) == len(set(found.ids))
    assert found.excluded is not None


def session(data: bytes) -> None:
    found = journal.load(_file(data), resume=False)
    Request.read(found.start, "session")


def signature(data: bytes) -> None:
    signature_file.load(str(_file(data)), "case.yaml")


def snapshots(data: bytes) -> None:
    """As a file; and as what is compressed in one, which no mutation of a file would give."""
    packed = data[1:] if data[:1] == b"\x1f" else gzip.compress(data, 1, mtime=0)
    snapshot.decoded(io.BytesIO(packed if data[:1] != b"\x1f" else data), "x.snapshot")


def expectations(data: bytes) -> None:
    parse_expected(data.decode("utf-8", "replace"), "expected.yaml")


def entries(data: bytes) -> None:
    """Entries of the store whose checksum is right, of the shapes that it has."""
    place = Path("/store/facts/00/0000")
    checksum = hashlib.blake2b(b"facts/0000\0" + data, digest_size=16).digest()
    assert decoded(b"\0" * 16 + data, place, bytes) is None
    for shape in (FileFacts, KeptResult, bytes, dict[str, Facts]):
        decoded(checksum + data, place, shape)


def compiler_output(data: bytes) -> None:
    text = data.decode("utf-8", "backslashreplace")
    rustc_messages(text)
    crate_attributes(text)


def versions(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for read in (RustcVersion.parse, RustcVersion.parse_shown, VersionRange.parse):
        try:
            read(text)
        except ValueError:  # as they document
            continue


def builds(data: bytes) -> None:
    rollup.read_builds(data.decode("utf-8", "replace"), "page")


def manifest(data: bytes) -> None:
    """What a server of rustup's has; another's may have anything."""
    try:
        nightlies.archives(
            data.decode("utf-8", "replace"), ToolchainContents(("wasm32-wasip1",), ("rust-src",))
        )
    except FailedError:  # as it documents
        return


def recipes(data: bytes) -> None:
    _file(data, "linkage.toml")
    recipes_for(_folder())


def fuzz_session(data: bytes) -> None:
    _file(data, fuzz_log.NAME)
    fuzz_log.load(_folder())


def nights(data: bytes) -> None:
    """As a file; and as what is compressed in one."""
    for content in (data, zlib.compress(data, 1)):
        _file(content, "2026-05-19.json.z")
        try:
            read_nights(_folder())
        except LinkageError:
            continue


def linker_calls(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    export_lists.wasm_names(["-flavor", "wasm", *text.split()])
    for form in export_lists.FORMS:
        export_lists.file_names(form, text)
    linker_wrapper.response_words(text)


def cargo_output(data: bytes) -> None:
    cargo.made(list(cargo.messages(data.decode("utf-8", "backslashreplace"))))


def remembered(data: bytes) -> None:
    """Small files that only save time: what is wrong with one is ignored."""
    for kind in (Capabilities, tuple[str, Path], bool):
        cache_file.load(_file(data), kind)
    _file(data, installed.RECORD)
    assert installed.read(_folder()) is None


def apt_files(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    apt_sources.choose([*apt_sources.parse_list(text), *apt_sources.parse_paragraphs(text)])
    found = packages.parse(text)
    for one in found:
        packages.needed(found, one.name)
    packages.offers(text, "sid")


@cache
def _folder() -> Path:
    shared = Path("/dev/shm")  # noqa: S108 - only where the files are
    folder = tempfile.TemporaryDirectory(prefix="linkage-fuzz-", dir=shared if shared.is_dir() else None)
    _KEPT.append(folder)
    return Path(folder.name)


_KEPT: list[object] = []


def _file(data: bytes, name: str = "input") -> Path:
    file = _folder() / name
    file.write_bytes(data)
    return file


@dataclass(frozen=True, slots=True)
class FuzzTarget:
    """A reader, the largest input that it gets (bytes), and the processor time that one may take."""

    run: Callable[[bytes], None]
    longest: int = 1 << 14
    seconds: int = 10


TARGETS: Mapping[str, FuzzTarget] = {
    "elf": FuzzTarget(artifact, 1 << 16),
    "macho": FuzzTarget(artifact, 1 << 16),
    "archive": FuzzTarget(artifact, 1 << 16),
    "coff": FuzzTarget(artifact, 1 << 16),
    "pe": FuzzTarget(artifact, 1 << 16),
    "bitcode": FuzzTarget(artifact),
    "metadata": FuzzTarget(artifact),
    "foreign": FuzzTarget(artifact),
    "wasm": FuzzTarget(artifact),
    "xcoff": FuzzTarget(artifact),
    "names": FuzzTarget(names, 1 << 10),
    "case": FuzzTarget(case, 1 << 12, 60),  # 20,000 cells are allowed, and coverage makes it slow
    "session": FuzzTarget(session),
    "signature": FuzzTarget(signature),
    "snapshot": FuzzTarget(snapshots),
    "expectations": FuzzTarget(expectations, 1 << 12),
    "store": FuzzTarget(entries),
    "compiler-output": FuzzTarget(compiler_output),
    "versions": FuzzTarget(versions, 1 << 9),
    "builds": FuzzTarget(builds),
    "manifest": FuzzTarget(manifest),
    "recipes": FuzzTarget(recipes, 1 << 12),
    "fuzz-session": FuzzTarget(fuzz_session),
    "nights": FuzzTarget(nights),
    "linker-calls": FuzzTarget(linker_calls, 1 << 12),
    "cargo-output": FuzzTarget(cargo_output),
    "remembered": FuzzTarget(remembered),
    "apt": FuzzTarget(apt_files),
}
