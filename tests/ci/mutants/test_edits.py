"""Archives and ELF files taken apart and changed: what binutils reads of them afterwards."""

import subprocess
from pathlib import Path

import pytest

from mutants.faults import ar, elf
from mutants.faults.call import Call
from mutants.faults.elf import NEEDED, NOTHING, WEAK, EditableElf
from mutants.faults.fault import CompilerOutputs
from mutants.faults.table import EVERY

SOURCE = "int outside(void);\nint answer(void) { return outside(); }\nint other(void) { return 1; }\n"


def said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with an object, an archive of it under a long name, and a shared library."""
    (tmp_path / "a.c").write_text(SOURCE)
    long = tmp_path / "a-name-of-more-than-fifteen-bytes.o"
    subprocess.run(["cc", "-c", "-fPIC", str(tmp_path / "a.c"), "-o", str(long)], check=True)
    (tmp_path / "odd.o").write_bytes(b"odd")
    subprocess.run(["ar", "rcs", str(tmp_path / "a.a"), str(long), str(tmp_path / "odd.o")], check=True)
    linked = ["-shared", "-Wl,--no-as-needed", "-Wl,-soname,liba.so", "-lm"]
    subprocess.run(["cc", *linked, str(long), "-o", str(tmp_path / "a.so")], check=True)
    return tmp_path


def test_archive_round_trip(made: Path) -> None:
    file = made / "a.a"
    held = ar.members(file.read_bytes())
    assert [(one.name, len(one.content)) for one in held][1] == ("odd.o", 3)
    assert held[0].content == (made / "a-name-of-more-than-fifteen-bytes.o").read_bytes()
    ar.change(file, lambda held: held)
    assert ar.members(file.read_bytes()) == held
    assert said("ar", "t", str(file)).split() == [one.name for one in held]
    assert "answer in a-name" in said("nm", "-s", str(file))
    ar.change(file, lambda held: held[::-1], index=False)
    assert said("ar", "t", str(file)).split() == [one.name for one in held[::-1]]
    assert "answer in a-name" not in said("nm", "-s", str(file))
    with pytest.raises(ValueError, match="not an archive"):
        ar.members(b"odd")


def test_symbols_are_undefined_hidden_and_weakened(made: Path) -> None:
    file = made / "a.so"

    def change(content: EditableElf) -> None:
        found = {one.name: one for one in content.symbols(".dynsym")}
        assert (found["answer"].is_exported, found["outside"].is_exported) == (True, False)
        content.undefine(found["answer"])
        content.hide(found["other"])

    elf.change(file, change)
    lines = [line.split() for line in said("readelf", "--dyn-syms", "-W", str(file)).splitlines()]
    found = {line[-1]: line for line in lines if line}
    assert found["answer"][6] == "UND"
    assert found["other"][5] == "HIDDEN"

    object_ = made / "a-name-of-more-than-fifteen-bytes.o"
    assert set(elf.defined(object_.read_bytes())) == {"answer", "other"}
    assert "outside" in elf.undefined(object_.read_bytes())

    def weaken(content: EditableElf) -> None:
        for one in content.symbols(".symtab"):
            if one.name == "other":
                content.bind(one, WEAK)

    elf.change(object_, weaken)
    assert " W other" in said("nm", str(object_))
    assert elf.defined(b"odd") == elf.undefined(b"\x7fELF\x02\x01") == []


def test_members_that_lto_should_have_taken_in(made: Path) -> None:
    """What the faults of `lto_move` do to an archive of a crate."""
    source = made / "top.c"
    source.write_text("int _Rused(void) { return 1; }\nint _Runused(void) { return 2; }\n")
    (made / "user.c").write_text("int _Rused(void);\nint top(void) { return _Rused(); }\n")
    for name in ("top", "user"):
        subprocess.run(
            ["cc", "-c", str(made / f"{name}.c"), "-o", str(made / f"{name}.0.rcgu.o")], check=True
        )
    objects = [str(made / "top.0.rcgu.o"), str(made / "user.0.rcgu.o")]
    file = made / "libtop.a"
    subprocess.run(["ar", "rcs", str(file), *objects], check=True)
    outputs = CompilerOutputs(Call.of(["top.rs"]), (file,), {})

    def apply(name: str) -> dict[str, bytes]:
        change = EVERY[name].outputs
        assert change is not None
        change(outputs)
        return {one.name: one.content for one in ar.members(file.read_bytes())}

    twice = apply("lto-module-twice")
    assert twice["top.lto.rcgu.o"] == twice["top.0.rcgu.o"]
    local = apply("thin-import-internalised")
    assert elf.defined(local["top.0.rcgu.o"]) == ["_Runused"]  # the one that is not imported stays
    assert "_Rused" in elf.undefined(local["user.0.rcgu.o"])


def test_a_needed_library_is_dropped(made: Path) -> None:
    file = made / "a.so"

    def change(content: EditableElf) -> None:
        for at, tag, value in list(content.dynamic()):
            if tag == NEEDED and content.dynamic_text(value).startswith("libm"):
                content.set_dynamic(at, NOTHING, 0)

    assert "[libm.so" in said("readelf", "-d", str(file))
    elf.change(file, change)
    assert "[libm.so" not in said("readelf", "-d", str(file))
    assert "[liba.so]" in said("readelf", "-d", str(file))
