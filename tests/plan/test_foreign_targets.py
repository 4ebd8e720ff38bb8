"""Steps for other targets than the host: names, flags, compilers and runners."""

from dataclasses import replace
from pathlib import Path

import pytest

from linkage.case.output_names import side_outputs
from linkage.case.recipe_file import shipped_recipes
from linkage.case.resolution import TrackedRow, resolve
from linkage.judge.judge import kind_of_role
from linkage.plan.foreign_needs import foreign_needs
from linkage.plan.plan import Plan, plan
from linkage.store.keys import named_programs
from linkage.toolchain.model import Toolchain
from linkage.toolchain.platform import object_format
from linkage.toolchain.recipes import CC, LINK, LINK_BARE, RUN, ForeignTools, RunnerRecipe
from linkage.toolchain.vocabulary import platforms
from support.small_cases import HOST, toolchain, variant, words

MSVC = "x86_64-pc-windows-msvc"
S390X = "s390x-unknown-linux-gnu"
GNU = "x86_64-pc-windows-gnu"
NO_CORE = "sources: {bare.rs: '#![no_core]'}\n"


def with_targets() -> Toolchain:
    """A toolchain that knows what the platforms of its targets are."""
    made = toolchain()
    known = {target.triple: target for target in made.targets}
    named = [*known.values(), replace(known[GNU], triple=MSVC), replace(known[HOST], triple=S390X)]
    found = []
    for target in named:
        platform = platforms()[target.triple]
        libdir = Path(f"/rust/lib/rustlib/{target.triple}/lib")
        same = {key: platform[key] for key in ("os", "arch", "libc")}
        found.append(replace(target, libdir=libdir, **same))  # type: ignore[arg-type]
    return replace(made, capabilities=replace(made.capabilities, targets=tuple(found)))


def planned(text: str, triple: str) -> Plan:
    """The plan of a case with this target, all of whose tools are there."""
    head = "summary: A case\nsources: {lib.rs: '', main.rs: '', bare.rs: '#![no_core]', main.c: ''}\n"
    one = variant(f"{head}matrix: {{target: [{triple}]}}\nsteps:\n{text}", made=with_targets())
    needs = foreign_needs(resolve(one.case, TrackedRow(one.cell, set())), one.toolchain)
    recipes = shipped_recipes()
    tools = {(triple, need): next(recipes.of(need, triple)) for need, triple in needs}
    return plan(replace(one, tools=ForeignTools(tools, recipes.loader_variables)))


def needs(text: str, triple: str) -> list[str]:
    head = "summary: A case\nsources: {lib.rs: '', bare.rs: '#![no_core]', main.c: ''}\n"
    one = variant(f"{head}matrix: {{target: [{triple}]}}\nsteps:\n{text}", made=with_targets())
    return [need for need, _ in foreign_needs(resolve(one.case, TrackedRow(one.cell, set())), one.toolchain)]


@pytest.mark.parametrize(
    ("step", "needed"),
    [
        ("{rustc: lib.rs, crate-type: rlib}", []),
        ("{rustc: lib.rs, crate-type: staticlib}", []),
        ("{rustc: lib.rs, crate-type: [staticlib, cdylib]}", [LINK]),
        ("{rustc: bare.rs, crate-type: cdylib}", [LINK_BARE]),
        ("{rustc: lib.rs, crate-type: cdylib, no-link: true}", []),
        ("{rustc: lib.rs, crate-type: cdylib, flags: -Clinker=mine}", []),
        ("{rustc: lib.rs, crate-type: proc-macro}", []),
        ("{cc: main.c}", [CC]),
        ("{cc: main.c, target: host}", []),
        ("{rustc: lib.rs, crate-type: cdylib, target: host}", []),
        ("{run: ./other, target: host}", []),
        ("{run: ./other}", [RUN]),
        ("{run: ./other, runner: mine}", []),
    ],
)
def test_what_a_step_needs(step: str, needed: list[str]) -> None:
    text = f"  - {step}\n  - {{rustc: lib.rs, crate-type: rlib, id: uses-the-axis}}\n"
    assert needs(text, S390X) == needed
    assert needs(text, HOST) == []


def test_the_second_half_of_a_link_is_for_the_target_of_the_first() -> None:
    text = "  - {rustc: bare.rs, crate-type: cdylib, no-link: true}\n  - {link-only: bare}\n"
    assert needs(text, MSVC) == [LINK_BARE]
    line = words(planned(text, MSVC).steps[1])
    assert f"--target={MSVC}" in line
    assert "-Clink-arg=/noentry" in line


def test_a_proc_macro_is_for_the_host() -> None:
    found = planned("  - {rustc: lib.rs, crate-type: proc-macro}\n", MSVC)
    assert not any(word.startswith("--target") for word in words(found.steps[0]))
    assert found.steps[0].roles == {"lib.proc-macro": "liblib.so"}


def test_what_linkers_write_beside_an_output_has_roles() -> None:
    text = "  - {rustc: lib.rs, crate-type: [cdylib, staticlib]}\n"
    assert planned(text, GNU).steps[0].roles == {
        "lib.cdylib": "lib.dll", "lib.staticlib": "liblib.a", "lib.cdylib-import": "liblib.dll.a",
    }  # fmt: skip
    found = side_outputs("cdylib", "out/lib.dll", "windows", "msvc")
    assert found == {"cdylib-import": "out/lib.dll.lib", "cdylib-pdb": "out/lib.pdb"}
    assert side_outputs("bin", "main.exe", "windows", "msvc") == {"bin-pdb": "main.pdb"}
    assert side_outputs("bin", "main.exe", "windows", "gnu") == {}
    assert side_outputs("cdylib", "liblib.so", "linux", "gnu") == {}


def test_the_c_compiler_and_the_names_of_its_outputs_follow_the_target() -> None:
    found = planned("  - {cc: main.c}\n  - {cc: main.c, id: shared, kind: shared}\n", GNU)
    assert [words(step)[0] for step in found.steps] == ["x86_64-w64-mingw32-gcc"] * 2
    assert found.steps[1].roles == {"main.bin": "main.exe", "shared.shared": "shared.dll"}
    names = named_programs(found.steps[0])
    assert {"x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-ld", "x86_64-w64-mingw32-as"} <= set(names)


def test_a_program_of_another_target_is_given_to_its_runner() -> None:
    text = "  - {cc: main.c}\n  - {run: main, args: [x]}\n  - {run: main, id: b, library-path: false}\n"
    _, ran, without = planned(text, S390X).steps
    assert words(ran)[:4] == ["qemu-s390x", "-L", "/usr/s390x-linux-gnu", "-E"]
    assert words(ran)[4].startswith("LD_LIBRARY_PATH=$WORK:/rust/lib/rustlib/s390x")
    assert words(ran)[-2:] == ["./main", "x"]
    assert words(without) == ["qemu-s390x", "-L", "/usr/s390x-linux-gnu", "./main"]
    assert named_programs(ran) == ["qemu-s390x"]
    assert ran.command is not None
    assert "LD_LIBRARY_PATH" not in ran.command.env


def test_wine_is_told_of_libraries_in_its_environment() -> None:
    ran = planned("  - {cc: main.c}\n  - {run: main}\n", GNU).steps[1]
    assert ran.command is not None
    assert str(ran.command.env["WINEPATH"]).startswith("$WORK;/rust/")
    assert words(ran)[-2:] == ["wine64", "./main.exe"]


def test_a_runner_has_folders_with_libraries_of_its_own() -> None:
    made = with_targets()
    one = variant(
        f"summary: x\nsources: {{main.c: ''}}\nmatrix: {{target: [{GNU}]}}\n"
        "steps:\n  - {cc: main.c}\n  - {run: main}\n",
        made=made,
    )
    wine = next(shipped_recipes().of(RUN, GNU))
    assert isinstance(wine, RunnerRecipe)
    tools = {(GNU, RUN): wine.model_copy(update={"folders": ("/a", "/b")})}
    ran = plan(replace(one, tools=ForeignTools(tools, {}))).steps[1]
    assert ran.command is not None
    assert str(ran.command.env["WINEPATH"]) == f"$WORK;/rust/lib/rustlib/{GNU}/lib;/a;/b"


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        ("a.staticlib", ["archive"] * 5),
        ("a.cdylib-import", ["archive"] * 5),
        ("a.cdylib", ["elf", "pe", "macho", "wasm", "xcoff"]),
        ("a.obj", ["elf", "coff", "macho", "wasm", "xcoff"]),
        ("a.rmeta", ["metadata"] * 5),
        ("a.cdylib-pdb", [None] * 5),
    ],
)
def test_the_kind_of_file_at_a_role_follows_the_object_format(role: str, kinds: list[str | None]) -> None:
    assert [kind_of_role(role, one) for one in ("elf", "coff", "macho", "wasm", "xcoff")] == kinds
    assert kind_of_role("a.cdylib", "") is None


@pytest.mark.parametrize(
    ("triple", "expected"),
    [
        (HOST, "elf"), ("thumbv7em-none-eabi", "elf"), (MSVC, "coff"), ("x86_64-unknown-uefi", "coff"),
        ("aarch64-apple-ios", "macho"), ("wasm32-wasip1", "wasm"), ("powerpc64-ibm-aix", "xcoff"),
        ("nvptx64-nvidia-cuda", ""),
    ],
)  # fmt: skip
def test_the_object_format_of_a_target(triple: str, expected: str) -> None:
    platform = platforms()[triple]
    assert object_format(platform["os"], platform["arch"]) == platform["object-format"] == expected


def test_a_step_for_the_host_among_others() -> None:
    text = "  - {rustc: lib.rs, crate-type: cdylib, target: host}\n  - {cc: main.c, target: host}\n"
    text += "  - {rustc: lib.rs, crate-type: rlib, id: other}\n"
    found = planned(text, GNU)
    assert found.steps[0].roles == {"lib.cdylib": "liblib.so"}
    assert not any("target" in word or "linker" in word for word in words(found.steps[0]))
    assert words(found.steps[1])[0] == "cc"
    assert found.steps[1].roles["main.bin"] == "main"
    assert f"--target={GNU}" in words(found.steps[2])
