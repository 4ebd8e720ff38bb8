"""`linkage inspect`: its output for real artifacts, and its errors for wrong ones."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from linkage.artifact.facts import (
    Archive,
    ArchiveMember,
    Bitcode,
    Dynamic,
    Facts,
    Members,
    ObjectFile,
    ObjectType,
    Relro,
)
from linkage.artifact.tables import (
    Binding,
    Section,
    SectionTable,
    Symbol,
    SymbolTable,
    SymbolType,
    Visibility,
)
from linkage.render.inspect_data import Selection, file_data
from linkage.render.inspect_text import Printer
from support.command_fixtures import Linkage

WRITE = "_ZN4core3fmt5write17h0123456789abcdefE"


def symbol(name: str, **changes: object) -> Symbol:
    plain: dict[str, object] = {
        "binding": Binding.GLOBAL,
        "visibility": Visibility.DEFAULT,
        "type": SymbolType.FUNC,
        "defined": True,
        "absolute": False,
        "section": ".text",
        "value": 16,
        "size": 8,
    }
    return Symbol(name, **plain | changes)  # type: ignore[arg-type]


def object_of(*symbols: Symbol, sections: tuple[Section, ...] = ()) -> ObjectFile:
    return ObjectFile(
        "elf64-little", "x86_64", ObjectType.RELOCATABLE, SectionTable.of(sections), SymbolTable.of(symbols),
        None, None, None, pie=False, relro=Relro.NONE, bitcode=None, metadata=None,
    )  # fmt: skip


def shown(facts: Facts, selection: Selection | None = None, *, everything: bool = False) -> list[str]:
    printer = Printer(selection or Selection(), everything=everything, colour=False)
    printer.show("file.o", facts)
    return printer.text().splitlines()


def test_the_text_of_an_object() -> None:
    found = object_of(
        symbol("wanted", defined=False, section=None, type=SymbolType.NOTYPE, size=0),
        symbol(WRITE, visibility=Visibility.HIDDEN),
        symbol("mine", binding=Binding.LOCAL),
        symbol("fixed", absolute=True, section=None),
        sections=(Section(".text", 24, "PROGBITS", "AX"),),
    )
    assert shown(Facts("elf", 512, "", object=found)) == [
        "file.o: object file, elf64-little x86_64, 512 bytes",
        "  symbols, 1 local ones left out (3)",
        "    binding  visibility  type    size  section  name                                    demangled",
        f"    GLOBAL   HIDDEN      FUNC       8  .text    {WRITE}  core::fmt::write::h0123456789abcdef",
        "    GLOBAL   DEFAULT     FUNC       8  ABS      fixed",
        "    GLOBAL   DEFAULT     NOTYPE     0  UND      wanted",
        "  sections (1)",
        "    type      flags  size  name",
        "    PROGBITS  AX       24  .text",
        "",
    ]


def test_names_cannot_write_to_the_terminal() -> None:
    found = object_of(symbol("evil\x1b[2J\nname", section=".te\x07xt"))
    text = "\n".join(shown(Facts("elf", 1, "", object=found)))
    assert "evil\\x1b[2J\\nname" in text
    assert ".te\\x07xt" in text
    assert "\x1b" not in text
    member = ArchiveMember("m\x1b.o", 1, found)
    text = "\n".join(
        shown(
            Facts(
                "archive",
                1,
                "",
                archive=Archive("gnu", thin=False, members=Members.of([member]), index=("a\rb",)),
            )
        )
    )
    assert "m\\x1b.o" in text
    assert "\x1b" not in text


def test_long_tables_are_cut_with_a_count() -> None:
    facts = Facts("elf", 1, "", object=object_of(*(symbol(f"s{number}") for number in range(100))))
    text = shown(facts)
    assert "    … 60 more: --all shows them" in text
    assert "  symbols (100)" in text
    assert sum("GLOBAL" in line for line in text) == 40
    everything = shown(facts, everything=True)
    assert sum("GLOBAL" in line for line in everything) == 100
    assert not [line for line in everything if "more" in line]


def test_what_is_selected() -> None:
    found = object_of(
        symbol(WRITE),
        symbol("hidden", visibility=Visibility.HIDDEN),
        symbol("local", binding=Binding.LOCAL),
        symbol("wanted", defined=False, section=None),
        symbol("", type=SymbolType.SECTION, binding=Binding.LOCAL),
    )

    def names(**chosen: object) -> list[str]:
        data = file_data("f", Facts("elf", 1, "", object=found), Selection(**chosen))  # type: ignore[arg-type]
        return [one["name"] for one in data["object"]["symbols"]]

    assert names() == [WRITE, "hidden", "local", "wanted"]
    assert names(exports=True) == [WRITE]
    assert names(undefined=True) == ["wanted"]
    assert names(exports=True, undefined=True) == [WRITE, "wanted"]
    assert names(pattern="core::fmt::*") == names(pattern="_ZN4core*") == [WRITE]
    assert names(pattern="core::fmt::write") == [WRITE]
    assert names(pattern="l*") == ["local"]
    assert names(pattern="l*", undefined=True) == []


def test_versions_of_symbols() -> None:
    """The default version has two `@`; a symbol that stands for a version has none."""
    table = SymbolTable.of(
        [
            symbol("foo", version="V2", default_version=True),
            symbol("foo", version="V1"),
            symbol("V1", version="V1", absolute=True, section=None),
            symbol("memcpy", version="GLIBC_2.14", defined=False, section=None),
        ]
    )
    found = replace(object_of(), type=ObjectType.SHARED, symbols=None, dynamic_symbols=table)
    text = shown(Facts("elf", 1, "", object=found))
    names = [line.split()[-1] for line in text if line.startswith("    GLOBAL")]
    assert names == ["foo@@V2", "foo@V1", "V1", "memcpy@GLIBC_2.14"]
    chosen = Selection("foo@V*")
    (one,) = file_data("f", Facts("elf", 1, "", object=found), chosen)["object"]["dynamic_symbols"]
    assert (one["name"], one["version"], one["default_version"]) == ("foo", "V1", False)


def test_the_symbols_of_bitcode_and_members_that_are_not_read() -> None:
    bitcode = Bitcode("raw", 9, None, SymbolTable.of([symbol("mine")]))
    assert any("mine" in line for line in shown(Facts("bitcode", 9, "", bitcode=bitcode)))
    assert "  no symbols" in shown(Facts("bitcode", 9, "", bitcode=Bitcode("raw", 9)))
    members = Members.of(
        [
            ArchiveMember("a.o", 9, bitcode=bitcode),
            ArchiveMember("b.o", 9, unread="COFF"),
            ArchiveMember("c.o", 9, error="cut off"),
        ]
    )
    facts = Facts("archive", 1, "", archive=Archive("gnu", thin=False, members=members, index=None))
    text = shown(facts)
    assert [line.split()[0] for line in text if ".o" in line][1:3] == ["bitcode", "COFF"]
    assert [line.split() for line in text if "c.o" in line] == [
        ["not", "read", "9", "—", "c.o", "not", "read:", "cut", "off"]
    ]
    assert [line.split()[-2:] for line in text if "mine" in line] == [["mine", "a.o"]]


def test_what_an_image_asks_for() -> None:
    """Libraries with their names, what is loaded later, forwarders, raw names, options: nothing of ELF's."""
    dynamic = Dynamic(
        needed=("a.dll", "late.dll"),
        soname="x.dll",
        optional=("late.dll",),
        imports={"a.dll": ("f", "#7"), "late.dll": ("g",)},
        forwarders={"h": "b.k"},
        ordinals={"h": 12, "z": 3},
    )
    found = replace(
        object_of(),
        format="pe-i386",
        type=ObjectType.SHARED,
        symbols=None,
        dynamic=dynamic,
        name_prefix="_",
        raw_names={"f": "_f@8"},
        linker_options=("-export:h",),
        debug_file="x.pdb",
    )
    facts = Facts("pe", 1, "", object=found)
    lines = [line.split() for line in shown(facts)]
    assert "soname x.dll" in [" ".join(line) for line in lines]
    assert not {"runpath", "interpreter"} & {line[0] for line in lines if line}
    for line in (
        ["hardening", "pie", "no"], ["needed", "later", "late.dll"], ["debug", "file", "x.pdb"],
        ["before", "names", "_", "(left", "out", "here)"], ["a.dll", "#7"], ["late.dll", "later", "g"],
        ["12", "h"], ["h", "b.k"], ["f", "_f@8"], ["-export:h"],
    ):  # fmt: skip
        assert line in lines
    data = file_data("f", facts, Selection())["object"]
    assert (data["name_prefix"], data["raw_names"]) == ("_", {"f": "_f@8"})
    assert (data["linker_options"], data["debug_file"]) == (["-export:h"], "x.pdb")
    assert data["dynamic"]["ordinals"] == {"h": 12, "z": 3}
    assert data["dynamic"]["imports"] == {"a.dll": ("f", "#7"), "late.dll": ("g",)}
    narrow = shown(facts, Selection(exports=True))
    assert not any("a.dll" in line for line in narrow)


def test_an_import_librarys_member() -> None:
    dynamic = Dynamic(needed=("a.dll",), imports={"a.dll": ("#3",)}, ordinals={"f": 3})
    found = replace(object_of(), format="coff-import-x86_64", dynamic=dynamic)
    members = Members.of([ArchiveMember("a.dll", 9, found)])
    facts = Facts("archive", 1, "", archive=Archive("coff", thin=False, members=members, index=None))
    (line,) = [line for line in shown(facts) if "imports" in line]
    assert line.endswith("a.dll  imports #3 from a.dll as f")


def test_real_artifacts(linkage: Linkage, artifacts: dict[str, Path]) -> None:
    done = linkage("inspect", *artifacts.values())
    assert (done.returncode, done.stderr) == (0, "")
    shared = done.stdout.partition(f"{artifacts['shared']}: shared library")[2]
    for line in (
        "  needed            none\n",
        "  soname            libc-lib.so.1\n",
        "  runpath           /some/where\n",
    ):
        assert line in shared
    static = done.stdout.partition(f"{artifacts['staticlib']}: archive (gnu) of ")[2].partition("\n\n")[0]
    assert "  tiny   " in static.partition("symbol index")[0]
    assert "core::panicking" in static
    assert "rustc metadata version" in done.stdout
    assert f"{artifacts['bitcode']}: bitcode (raw, " in done.stdout


def test_json_of_real_artifacts(linkage: Linkage, artifacts: dict[str, Path]) -> None:
    done = linkage("inspect", "--json", *artifacts.values())
    data = json.loads(done.stdout)
    assert data.keys() == {"format", "files"}
    assert data["format"] == 1
    by_name = {Path(one["file"]).name: one for one in data["files"]}
    shared = by_name["libc-lib.so"]["object"]
    assert shared["dynamic"]["soname"] == "libc-lib.so.1"
    assert shared["dynamic"]["runpath"] == ["/some/where"]
    assert (shared["pie"], shared["type"]) == (False, "shared")
    answer = next(one for one in shared["dynamic_symbols"] if one["name"] == "answer")
    assert answer.keys() == {
        "name", "demangled", "binding", "visibility", "type", "defined", "absolute", "section", "value",
        "size", "version", "default_version", "comdat",
    }  # fmt: skip
    assert answer["section"] == ".text"
    archive = by_name["libtiny.a"]["archive"]
    assert {"answer", "asks"} <= set(archive["index"])
    tiny = archive["members"][0]
    assert (tiny["crate"], tiny["kind"], tiny["error"]) == ("tiny", "elf", None)
    states = {one["name"]: one["defined"] for one in tiny["object"]["symbols"]}
    assert (states["answer"], states["outside"]) == (True, False)
    rlib = by_name["libtiny.rlib"]["archive"]["members"]
    metadata = [one.get("metadata") or one["object"]["metadata"] for one in rlib if "rmeta" in one["name"]]
    assert metadata[0]["rustc"].startswith("rustc ")
    assert by_name["tiny.bc"]["bitcode"]["producer"].startswith("LLVM")
    assert {"answer", "outside"} <= {one["name"] for one in by_name["tiny.bc"]["bitcode"]["symbols"]}


def test_selection_on_the_command_line(linkage: Linkage, artifacts: dict[str, Path]) -> None:
    words = ("inspect", "--json", "--exports", artifacts["shared"])
    (found,) = json.loads(linkage(*words).stdout)["files"]
    assert [one["name"] for one in found["object"]["dynamic_symbols"]] == ["answer"]
    assert "sections" not in found["object"]
    text = linkage("inspect", "--undefined", "--symbols", "out*", artifacts["shared"]).stdout
    assert [line.split()[-1] for line in text.splitlines() if "UND" in line] == ["outside"] * 2
    refers = linkage("inspect", "--refers", "asks", artifacts["object"]).stdout
    assert "  asks refers to (1)\n    name     demangled\n    outside\n" in refers


@pytest.fixture
def wrong(tmp_path: Path, artifacts: dict[str, Path]) -> Path:
    data = artifacts["object"].read_bytes()
    (tmp_path / "cut.o").write_bytes(data[: len(data) // 2])
    (tmp_path / "notes.txt").write_text("not an object\n")
    (tmp_path / "noise").write_bytes(b"\xff\xfe\0\1")
    (tmp_path / "empty.o").write_bytes(b"")
    (tmp_path / "good.o").write_bytes(data)
    subprocess.run(["ar", "rcS", "damaged.a", "good.o", "cut.o"], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("missing.o", 4, "linkage: missing.o: cannot be read: No such file or directory"),
        (".", 4, "linkage: .: not a regular file"),
        ("cut.o", 1, "linkage: cut.o: damaged (elf, "),
        ("notes.txt", 1, "linkage: notes.txt: not an artifact: a text file, 14 bytes"),
        ("noise", 1, "linkage: noise: cannot be read: a file of an unknown format, 4 bytes"),
        ("empty.o", 1, "linkage: empty.o: the file is empty"),
        ("damaged.a", 1, "linkage: damaged.a: member cut.o cannot be read: section headers at offset"),
    ],
)
def test_wrong_input_is_one_line_and_the_others_are_shown(
    linkage: Linkage, wrong: Path, name: str, status: int, said: str
) -> None:
    done = linkage("inspect", name, "good.o", cwd=wrong)
    assert done.returncode == status
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1
    assert "good.o: object file" in done.stdout
    assert json.loads(linkage("inspect", "--json", name, "good.o", cwd=wrong).stdout)["files"]


def test_the_worst_file_decides_the_status(linkage: Linkage, wrong: Path) -> None:
    assert linkage("inspect", "missing.o", "cut.o", cwd=wrong).returncode == 4
    assert linkage("inspect", "cut.o", "missing.o", cwd=wrong).returncode == 4
    done = linkage("inspect", "--refers", "nowhere", "good.o", cwd=wrong)
    assert done.stderr == "linkage: good.o: no function nowhere with readable code\n"
    assert done.returncode == 1


def test_a_closed_pipe_is_silent(artifacts: dict[str, Path], caches: dict[str, str]) -> None:
    for option in ("--all", "--json"):
        command = [
            sys.executable,
            "-m",
            "linkage",
            "inspect",
            option,
            *[str(artifacts["staticlib"])] * 4,
        ]
        with subprocess.Popen(
            command, env=caches, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.read(1)
            process.stdout.close()
            assert process.stderr.read() == ""
            assert process.wait() == 0
