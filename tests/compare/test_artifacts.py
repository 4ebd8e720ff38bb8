"""What differs between two outputs, from objects and archives that real tools made."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linkage.artifact.facts import ArchiveMember, Bitcode, Facts, SymbolTable, UnknownFile
from linkage.artifact.reader import read
from linkage.compare.artifacts import Differ, DiffOptions
from linkage.compare.noise_filters import NoiseFilters
from linkage.compare.normalization import Normalizer
from support.hand_made import archive, member, symbol

if TYPE_CHECKING:
    from linkage.compare.model import Change

SOURCE = """
int value = 3;
static int hidden_away(void) { return value; }
int (*volatile keep)(void) = hidden_away;
extern int outside(void);
int answer(void) { return outside() + keep(); }
"""


@pytest.fixture
def cc(tmp_path: Path) -> "CCompiler":
    if shutil.which("cc") is None:
        pytest.fail("these tests need a C compiler")
    return CCompiler(tmp_path)


class CCompiler:
    """The machine's, for small files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def __call__(self, source: str, *flags: str) -> Facts:
        self.count += 1
        place, made = self.folder / f"{self.count}.c", self.folder / f"{self.count}.out"
        place.write_text(source)
        subprocess.run(["cc", "-O1", *flags, str(place), "-o", str(made)], check=True)
        return read(made, for_comparison=True)


def between(
    base: Facts, head: Facts, *off: str, asked: DiffOptions | None = None
) -> list[tuple[str, str, str]]:
    rules = NoiseFilters.without(off)
    reader, differ = Normalizer(rules), Differ(rules, asked or DiffOptions())
    found: tuple[Change, ...] = differ.changes(reader.artifact(base), reader.artifact(head))
    return [(one.kind, one.name, one.what) for one in found]


OBJECT = ("-c", "-fno-asynchronous-unwind-tables")
SHARED = ("-shared", "-fPIC")


def test_the_same_object_twice_is_the_same(cc: CCompiler) -> None:
    assert between(cc(SOURCE, *OBJECT), cc(SOURCE, *OBJECT)) == []


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (("int answer", "__attribute__((weak)) int answer"), [("symbol changed", "answer", "GLOBAL → WEAK")]),
        (
            ("int answer", '__attribute__((visibility("hidden"))) int answer'),
            [("symbol changed", "answer", "DEFAULT → HIDDEN")],
        ),
        (("int value = 3", "int value = 0"), [("symbol changed", "value", ".data → .bss")]),
        (("hidden_away", "tucked_away"), [("private symbol renamed", "hidden_away → tucked_away", "")]),
        (
            ("outside() +", "elsewhere() +"),
            [
                ("symbol new", "elsewhere", ""),
                ("symbol gone", "outside", ""),
                ("reference gone", "answer → outside", ""),
                ("reference new", "answer → elsewhere", ""),
            ],
        ),
    ],
)
def test_single_change_of_an_object_is_reported_alone(
    edit: tuple[str, str], expected: list[tuple[str, str, str]], cc: CCompiler
) -> None:
    changed = SOURCE.replace(*edit).replace("extern int outside", "extern int elsewhere(void), outside")
    base = cc(SOURCE, *OBJECT)
    head = cc(changed if "elsewhere" in edit[1] else SOURCE.replace(*edit), *OBJECT)
    assert sorted(between(base, head)) == sorted(expected)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["-Wl,-soname,libx.so"], [("property", "soname", "none → libx.so")]),
        (["-Wl,-rpath,/x", "-Wl,--enable-new-dtags"], [("runpath", "", "none → /x")]),
    ],
)
def test_single_change_of_a_shared_library_is_reported_alone(
    flags: list[str], expected: list[tuple[str, str, str]], cc: CCompiler
) -> None:
    assert between(cc(SOURCE, *SHARED), cc(SOURCE, *SHARED, *flags)) == expected


def test_a_stripped_library_has_lost_its_symbol_table_and_nothing_that_others_see(cc: CCompiler) -> None:
    found = between(cc(SOURCE, *SHARED), cc(SOURCE, *SHARED, "-s"))
    assert ("property", "symbol table", "yes → no") in found
    assert not [one for one in found if one[0].startswith(("export", "import", "needed"))]


def test_sizes_and_bytes_are_reported_only_on_request(cc: CCompiler) -> None:
    base, head = cc(SOURCE, *OBJECT), cc(SOURCE.replace("= 3", "= 4"), *OBJECT)
    assert between(base, head) == []
    assert between(base, head, asked=DiffOptions(bytes=True)) == [("bytes", "", "")]
    longer = cc(SOURCE + "int text[99] = {1};", *OBJECT)
    assert ("size", "", "") in between(base, longer, asked=DiffOptions(sizes=True))


def test_an_object_in_place_of_an_archive_is_one_change(cc: CCompiler, tmp_path: Path) -> None:
    archive = tmp_path / "x.a"
    subprocess.run(["ar", "rc", "--plugin=/dev/null", str(archive)], check=True, cwd=tmp_path)
    assert between(read(archive), cc(SOURCE, *OBJECT)) == [("format", "", "archive → elf")]


def test_the_order_of_symbols_is_noise_unless_it_is_asked_for(cc: CCompiler) -> None:
    base = cc("int a(void) { return 1; }\nint b(void) { return 2; }\n", *OBJECT)
    head = cc("int b(void) { return 2; }\nint a(void) { return 1; }\n", *OBJECT, "-fno-toplevel-reorder")
    assert between(base, head) == []
    assert [one[:2] for one in between(base, head, "order")] == [("property", "order of symbols")]


# --- symbol versions, bitcode, formats that are not read


def test_a_default_version_that_nothing_can_be_linked_against_any_more(cc: CCompiler) -> None:
    (cc.folder / "map").write_text("V2 { global: foo; };")
    source = 'int foo_impl(void) { return 2; } __asm__(".symver foo_impl,foo%sV2");'
    flags = (*SHARED, f"-Wl,--version-script={cc.folder}/map")
    default, hidden = cc(source % "@@", *flags), cc(source % "@", *flags)
    assert between(default, default) == []
    assert ("export changed", "foo", "@@V2 → @V2") in between(default, hidden)


def _bitcode(*names: str, digest: str = "d") -> Facts:
    table = SymbolTable.of(symbol(name, "undefined" if name == "gone" else "") for name in names)
    made = ArchiveMember("a.o", 9, bitcode=Bitcode("raw", 9, symbols=table))
    return replace(archive(made, member("b.o", ["b"])), digest=digest)


def test_symbols_of_bitcode_members() -> None:
    assert between(_bitcode("both", "gone", digest="1"), _bitcode("both", "gone", digest="2")) == []
    found = between(_bitcode("both", "gone", digest="1"), _bitcode("both", "new", digest="2"))
    assert {("symbol gone", "gone"), ("symbol new", "new")} <= {(kind, name) for kind, name, _ in found}


def test_symbols_of_a_bitcode_file() -> None:
    one, other = (
        Facts("bitcode", 9, name, bitcode=Bitcode("raw", 9, symbols=SymbolTable.of([symbol(name)])))
        for name in "fg"
    )
    assert {kind for kind, _, _ in between(one, other)} == {"symbol gone", "symbol new"}


def test_what_is_not_read_is_never_the_same_unless_its_bytes_are() -> None:
    def goff(digest: str) -> Facts:
        return Facts("other", 9, digest, other=UnknownFile(None, "GOFF"))

    def held(digest: str, **given: str) -> Facts:
        return replace(archive(ArchiveMember("a.o", 9, **given)), digest=digest)  # type: ignore[arg-type]

    for one, same, other, why in (
        (goff("1"), goff("1"), goff("2"), "a GOFF file, which is not read"),
        (
            held("1", unread="COFF"), held("1", unread="COFF"), held("2", unread="COFF"),
            "member a.o is a COFF file, which is not read",
        ),
        (
            held("1", error="cut"), held("1", error="cut"), held("2", error="cut"),
            "member a.o is not read: cut",
        ),
    ):  # fmt: skip
        assert between(one, same) == []
        assert between(one, other) == [("not compared", "", why)]


# --- what else a linked file says of itself


@pytest.mark.parametrize(
    ("base", "head", "change"),
    [
        ("-Wl,-z,noexecstack", "-Wl,-z,execstack", ("property", "executable stack", "no → yes")),
        ("-fcf-protection=full", "-fcf-protection=none", ("property", "GNU properties", "IBT, SHSTK → none")),
        ("-Wl,--build-id=sha1", "-Wl,--build-id=none", ("property", "build id", "yes → no")),
        ("-DNONE", "-DSTART", ("property", "init array", "0 → 1")),
        ("-DNONE", "-DTLS", ("property", "thread-local storage", "no → yes")),
        ("-DN=4", "-DN=8", ("export changed", "data", "16 → 32")),
    ],
)
def test_properties_of_a_linked_file(
    cc: CCompiler, base: str, head: str, change: tuple[str, str, str]
) -> None:
    source = """
    #ifndef N
    #define N 1
    #endif
    int data[N] = {1};
    #ifdef START
    __attribute__((constructor)) static void start(void) { data[0] = 2; }
    #endif
    #ifdef TLS
    _Thread_local int local = 1;
    #endif
    """
    flags = (*SHARED, "-nostdlib")
    found = between(cc(source, *flags, base), cc(source, *flags, head))
    assert change in found
    assert between(cc(source, *flags, base), cc(source, *flags, base)) == []


# --- what only other object formats have


def test_forwarders_and_libraries_of_imports_are_compared(cc: CCompiler) -> None:
    base = cc(SOURCE, "-shared", "-fPIC")
    assert base.object is not None
    assert base.object.dynamic is not None
    dynamic = replace(
        base.object.dynamic,
        optional=("a.dll",),
        forwarders={"f": "B.g"},
        imports={"C.dll": ("h", "#7")},
    )
    found = replace(base.object, dynamic=dynamic, linker_options=("-export:f",))
    head = replace(base, digest="another", object=found)
    new = [("forwarder", "f → B.g"), ("imported from", "C.dll: #7"), ("imported from", "C.dll: h")]
    new += [("linker option", "-export:f"), ("optional library", "a.dll")]
    assert between(base, head) == [(f"{kind} new", name, "") for kind, name in new]
    assert between(head, base) == [(f"{kind} gone", name, "") for kind, name in new]


def test_linker_options_of_an_archives_members_are_compared(cc: CCompiler) -> None:
    base = cc(SOURCE, "-c")
    assert base.object is not None
    asks = replace(base.object, linker_options=("-defaultlib:msvcrt",))
    before, after = (archive(ArchiveMember("a.o", 1, object=one)) for one in (base.object, asks))
    assert between(before, after) == [("linker option new", "-defaultlib:msvcrt", "")]
