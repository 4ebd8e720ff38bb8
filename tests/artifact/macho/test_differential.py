"""The reader against LLVM's tools and LIEF, on what rustc and LLVM make here and on modules from PyPI."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from linkage.artifact import read, read_bytes
from linkage.artifact.facts import Archive, ObjectFile, ObjectType, Symbol
from support import macho_oracles as oracles

from .conftest import LINKED, LINKS, TARGETS


def _raw(found: ObjectFile, name: str) -> str:
    return found.raw_names.get(name, found.name_prefix + name)


def _place(symbol: Symbol) -> str:
    if not symbol.defined:
        return "undefined"
    return symbol.section or ("absolute" if symbol.absolute else symbol.type.name.lower())


def _object(path: Path) -> ObjectFile:
    facts = read(path)
    assert facts.error is None
    assert (facts.kind, facts.object is not None) == ("macho", True)
    return facts.object  # type: ignore[return-value]


def _check_symbols(path: Path, found: ObjectFile) -> None:
    """Every symbol, as llvm-nm and LIEF have them."""
    symbols = list(found.symbols or ())
    rows = [
        (
            _raw(found, one.name), one.size if one.type.name == "COMMON" else one.value, _place(one),
            one.binding.name, one.visibility.name == "HIDDEN",
        )
        for one in symbols
    ]  # fmt: skip
    assert sorted(rows) == [one[:5] for one in oracles.nm_symbols(path)]
    assert sorted(row[:2] for row in rows) == oracles.lief_symbols(path.read_bytes())


def _check_sections(path: Path, found: ObjectFile) -> None:
    assert [(one.name, one.size) for one in found.sections] == oracles.readobj_sections(path)


def _check_linkage(path: Path, found: ObjectFile) -> None:
    """Libraries, exports and imports, as llvm-objdump and LIEF have them."""
    dynamic, commands = found.dynamic, oracles.objdump_commands(path)
    assert dynamic is not None
    names = (dynamic.needed, dynamic.optional, dynamic.soname, dynamic.runpath, found.build_id)
    assert oracles.DylibCommands(*names) == commands
    exported = {_raw(found, one.name): one for one in found.dynamic_symbols or () if one.defined}
    exports = oracles.objdump_exports(path)
    assert set(exported) == {one.name for one in exports} == oracles.lief_exports(path.read_bytes())
    for one in exports:
        symbol = exported[one.name]
        if not symbol.absolute or found.type is ObjectType.SHARED:  # LLD counts it from the image's start
            assert symbol.value == (one.address or 0)
        assert ("[weak_def]" in one.flags) == (symbol.binding.name == "WEAK")
        assert ("[per-thread]" in one.flags) == (symbol.type.name == "TLS")
        assert ("[absolute]" in one.flags) == symbol.absolute
    by_library = {
        (library, _raw(found, name)) for library, names in dynamic.imports.items() for name in names
    }
    bound = oracles.lief_imports(path.read_bytes())
    special = ("flat-namespace", "this-image", "main-executable", "weak")
    assert {row for row in by_library if row[0] not in special} == {row for row in bound if row[0]}
    imported = {_raw(found, one.name) for one in found.dynamic_symbols or () if not one.defined}
    assert imported == {name for _, name in by_library}
    assert imported == {name for _, name in bound if name in imported or name not in exported}


def _check(path: Path) -> ObjectFile:
    found = _object(path)
    _check_symbols(path, found)
    _check_sections(path, found)
    if found.dynamic is not None:
        _check_linkage(path, found)
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_objects_of_rustc(apple: Callable[..., Path], target: str) -> None:
    found = _check(apple(target, "obj"))
    assert (found.format, found.type, found.dynamic) == (TARGETS[target], ObjectType.RELOCATABLE, None)
    assert found.symbols is not None
    names = {one.name: one for one in found.symbols}
    assert (names["inside"].type.name, names["COUNTER"].type.name) == ("FUNC", "OBJECT")
    assert not names["outside"].defined
    (text,), (data,) = map(found.sections.named, ("__TEXT,__text", "__DATA,__data"))
    assert (text.type, text.flags, data.type, data.flags) == ("PROGBITS", "AX", "PROGBITS", "WA")


@pytest.mark.parametrize("crate_type", ["dylib", "cdylib", "bin"])
@pytest.mark.parametrize("target", LINKED)
def test_linked_files_of_rustc(apple: Callable[..., Path], target: str, crate_type: str) -> None:
    found = _check(apple(target, crate_type))
    assert found.type is (ObjectType.EXECUTABLE if crate_type == "bin" else ObjectType.SHARED)
    assert (found.metadata is not None) == (crate_type == "dylib")
    assert found.dynamic is not None
    assert "outside" in found.dynamic.imports["flat-namespace"]
    assert found.pie == (crate_type == "bin")
    assert found.executable_stack is (False if crate_type == "bin" else None)
    assert (found.interpreter == "/usr/lib/dyld") == (crate_type == "bin")


@pytest.mark.parametrize("target", LINKED)
def test_debug_companion(apple: Callable[..., Path], target: str) -> None:
    linked = apple(target, "cdylib", "-g", "-Csplit-debuginfo=unpacked")
    folder = linked.with_suffix(".dSYM")
    oracles.run("dsymutil", linked, "-o", folder)
    (companion,) = folder.glob("Contents/Resources/DWARF/*")
    found = _check(companion)
    assert (found.type, found.dynamic, found.dynamic_symbols) == (ObjectType.DEBUG, None, None)
    assert found.build_id == _check(linked).build_id is not None
    contents = read(companion, contents=["__TEXT,__text", "__DWARF,__debug_str"]).object
    assert contents is not None
    assert contents.contents["__TEXT,__text"] == b""
    assert b"apple.rs" in contents.contents["__DWARF,__debug_str"]
    assert {one.name: one.type for one in found.sections}["__TEXT,__text"] == "NOBITS"


@pytest.mark.parametrize("crate_type", ["rlib", "staticlib"])
@pytest.mark.parametrize("target", ["aarch64-apple-darwin", "x86_64-apple-darwin", "i686-apple-darwin"])
def test_archives_of_rustc(apple: Callable[..., Path], tmp_path: Path, target: str, crate_type: str) -> None:
    path = apple(target, crate_type, "-Cembed-bitcode=yes")
    archive = read(path).archive
    assert archive is not None
    assert [member.error or member.unread for member in archive.members] == [None] * len(archive.members)
    assert archive.flavour == "bsd"
    listed = oracles.run("llvm-ar", "t", path).split()
    assert [member.name for member in archive.members] == listed
    oracles.run("llvm-ar", "x", f"--output={tmp_path}", path)
    for member in archive.members:
        _check(tmp_path / member.name)
    objects = [one.object for one in archive.members if one.object is not None]
    defined = {
        one.name
        for found in objects
        for one in found.symbols or ()
        if one.defined and one.binding.name != "LOCAL" and one.visibility.name == "DEFAULT"
    }
    assert "inside" in defined
    assert set(archive.index or ()) == defined
    code = next(one for one in objects if one.symbols is not None and one.symbols.named("inside"))
    assert (code.bitcode is not None) == (crate_type == "rlib")
    if code.bitcode is not None:
        assert (code.bitcode.form, (code.bitcode.producer or "")[:4]) == ("section", "LLVM")
    metadata = [one.metadata for one in archive.members if one.metadata is not None]
    assert [one.rustc is not None for one in metadata] == [True] * (crate_type == "rlib")


@pytest.mark.parametrize("flavour", ["darwin", "bsd"])
def test_archives_of_llvm(assembled: Mapping[str, Path], tmp_path: Path, flavour: str) -> None:
    """Names of all lengths, and contents that the archiver pads."""
    names = ("a.o", "exactly_sixteen.", "a_name_that_is_longer_than_that.o")
    for name in names:
        (tmp_path / name).write_bytes(assembled["arm64"].read_bytes())
    path = tmp_path / "lib.a"
    oracles.run("llvm-ar", f"--format={flavour}", "rcs", path, *(tmp_path / name for name in names))
    archive = read(path).archive
    assert archive is not None
    assert [member.name for member in archive.members] == list(names)
    tables = [member.object.symbols for member in archive.members if member.object is not None]
    assert tables == [_object(assembled["arm64"]).symbols] * 3
    assert archive.index is not None
    assert archive.index.count("caller") == 3
    assert {"weakly", "table", "thread"} < set(archive.index)


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_assembled_objects(assembled: Mapping[str, Path], architecture: str) -> None:
    found = _check(assembled[architecture])
    assert found.linker_options == ("-lz", "-framework Foundation")
    assert (found.init_array, found.fini_array, found.tls) == (1, 1, True)


@pytest.mark.parametrize("way", LINKS)
@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_linked_assembly(linked: Mapping[str, Path], architecture: str, way: str) -> None:
    found = _check(linked[f"{architecture}-{way}"])
    assert found.dynamic is not None
    assert found.dynamic.needed == ("/usr/lib/libother.dylib", "/usr/lib/libmore.dylib")
    assert found.dynamic.optional == ("/usr/lib/libmore.dylib",)
    libraries = {name: library for library, names in found.dynamic.imports.items() for name in names}
    flat = way == "flat"
    assert libraries["outside"] == ("flat-namespace" if flat else "/usr/lib/libother.dylib")
    assert libraries["imported"] == ("flat-namespace" if flat else "/usr/lib/libmore.dylib")
    assert found.dynamic.bind_now == (way.startswith("chained") or way == "offsets")
    weak = {one.name for one in found.dynamic_symbols or () if one.binding.name == "WEAK"}
    assert {"maybe", "later", "imported"} <= weak
    assert "outside" not in weak
    assert (found.init_array, found.fini_array, found.tls) == (1, 1, True)


def _slices(path: Path, folder: Path) -> list[tuple[str, Path]]:
    """The slices of a universal file, by architecture, as llvm-lipo extracts them; the file if it is thin."""
    names = oracles.run("llvm-lipo", "-archs", path).split()
    if len(names) == 1 and read(path).archive is None:
        return [(names[0], path)]
    found = []
    for name in names:
        target = folder / f"{name}-{path.name}"
        oracles.run("llvm-lipo", path, "-thin", name, "-output", target)
        found.append((name, target))
    return found


def test_modules_of_wheels(wheels: list[Path], tmp_path: Path) -> None:
    """Made by Apple's linkers, for two processors, in C, C++ and Rust."""
    seen: list[ObjectFile] = []
    for path in wheels:
        facts = read(path)
        assert facts.error is None
        slices = _slices(path, tmp_path)
        seen += [_check(target) for _, target in slices]
        if facts.archive is not None:
            members = [(one.name, one.object) for one in facts.archive.members]
            assert members == [(name, _object(target)) for name, target in slices]
    assert len(wheels) >= 20
    assert {one.format for one in seen} == {"macho-arm64", "macho-x86_64"}
    assert {one.type for one in seen} == {ObjectType.SHARED}
    assert any("flat-namespace" in one.dynamic.imports for one in seen if one.dynamic is not None)
    assert any("weak" in one.dynamic.imports for one in seen if one.dynamic is not None)


@pytest.mark.parametrize("option", ["-fat64", None])
def test_universal_files(assembled: Mapping[str, Path], tmp_path: Path, option: str | None) -> None:
    path = tmp_path / "universal"
    flags = [option] if option else []
    oracles.run("llvm-lipo", "-create", *flags, *assembled.values(), "-output", path)
    archive = read(path).archive
    assert archive is not None
    assert (archive.flavour, archive.thin, archive.index) == ("universal", False, None)
    assert {one.name: one.object for one in archive.members} == {
        name: _object(source) for name, source in assembled.items()
    }


def test_universal_archive(apple: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "universal.a"
    oracles.run("llvm-lipo", "-create", *(apple(one, "staticlib") for one in LINKED), "-output", path)
    archive = read(path).archive
    assert isinstance(archive, Archive)
    assert sorted((one.name, one.unread) for one in archive.members) == [
        ("arm64", "archive"),
        ("x86_64", "archive"),
    ]


@pytest.mark.parametrize("wide", [True, False])
def test_big_endian(
    assembled: Mapping[str, Path], apple: Callable[..., Path], tmp_path: Path, *, wide: bool
) -> None:
    """No compiler here writes one: a little-endian file in YAML, written again in the other order."""
    source = assembled["x86_64"] if wide else apple("i686-apple-darwin", "obj")
    text = oracles.run("obj2yaml", source)
    swapped = tmp_path / "big"
    (tmp_path / "yaml").write_text(text.replace("--- !mach-o\n", "--- !mach-o\nIsLittleEndian: false\n"))
    oracles.run("yaml2obj", tmp_path / "yaml", "-o", swapped)
    big, little = _object(swapped), _object(source)
    assert swapped.read_bytes()[:4] == (b"\xfe\xed\xfa\xcf" if wide else b"\xfe\xed\xfa\xce")
    assert big.symbols == little.symbols
    assert list(big.sections) == list(little.sections)
    assert big.linker_options == little.linker_options
    _check_sections(swapped, big)


def test_stripped(linked: Mapping[str, Path], tmp_path: Path) -> None:
    """Without the symbol table, the export trie and the fixups still say what crosses the border."""
    source = linked["arm64-chained"]
    stripped = tmp_path / "stripped"
    oracles.run("llvm-strip", "-x", source, "-o", stripped)
    before, after = _object(source), _check(stripped)
    assert len(list(after.symbols or ())) < len(list(before.symbols or ()))
    assert list(after.dynamic_symbols or ()) == list(before.dynamic_symbols or ())


def test_errors_name_the_place(assembled: Mapping[str, Path]) -> None:
    data = assembled["arm64"].read_bytes()
    facts = read_bytes(data[:-1])
    assert (facts.kind, facts.object) == ("macho", None)
    assert facts.error is not None
    assert "reaches beyond the end of the file" in facts.error
