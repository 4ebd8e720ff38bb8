"""Recipes for targets: which one counts, what it needs, and a user's own."""

from pathlib import Path

import pytest

from linkage.case.recipe_file import recipes_for, shipped_recipes
from linkage.errors import LinkageError
from linkage.toolchain.foreign import ForeignMachine
from linkage.toolchain.recipes import CC, LINK, LINK_BARE, RUN, LinkerRecipe, RunnerRecipe, TargetRecipes
from linkage.toolchain.vocabulary import platforms
from support.small_cases import toolchain

S390X = "s390x-unknown-linux-gnu"
RUNNER = """
[[runners]]
name = "mine"
targets = ["s390x-*"]
program = "{program}"
probe = ["{probe}"]
"""


def machine(recipes: TargetRecipes, folder: Path, path: Path) -> ForeignMachine:
    return ForeignMachine(recipes, folder / "cache", {"PATH": str(path)})


def executable(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def test_every_shipped_recipe_is_for_a_target_that_rustc_has() -> None:
    recipes = shipped_recipes()
    every = (*recipes.linkers, *recipes.compilers, *recipes.runners)
    assert {one.name for one in every if not any(map(one.for_target, platforms()))} == set()


def test_the_variables_of_a_recipe_have_values() -> None:
    with pytest.raises(ValueError, match=r"`\$\{gnu\}` has no value"):
        LinkerRecipe(name="gcc", each={"a-*": {"other": "x"}}, program="${gnu}-gcc")
    with pytest.raises(ValueError, match="either `targets` or `each`"):
        LinkerRecipe(name="gcc", program="gcc")
    with pytest.raises(ValueError, match="a runner is seen to run something"):
        RunnerRecipe(name="sh", targets=("*",), program="sh")


def test_a_linker_for_crates_without_a_library_is_for_no_others() -> None:
    recipes = shipped_recipes()
    bare = [one.name for one in recipes.of(LINK_BARE, S390X)]
    assert bare[0] == "rust-lld-elf"
    assert [one.name for one in recipes.of(LINK, S390X)] == ["gcc"]
    assert next(recipes.of(LINK, S390X)).program == "s390x-linux-gnu-gcc"


def test_what_a_step_links_determines_the_flags() -> None:
    (recipe,) = [one for one in shipped_recipes().linkers if one.name == "rust-lld-msvc"]
    library = recipe.flags(program=False, library=True)
    assert library == ("-Clinker=rust-lld", "-Clink-arg=/nodefaultlib", "-Clink-arg=/noentry")
    assert "-Clink-arg=/noentry" not in recipe.flags(program=True, library=False)
    assert recipe.flags(program=True, library=True) == library[:2]


def test_a_missing_program_is_named_with_its_package(tmp_path: Path) -> None:
    found = machine(shipped_recipes(), tmp_path, tmp_path).find(LINK, S390X, toolchain())
    assert found == f"no linker for {S390X}: s390x-linux-gnu-gcc (gcc-s390x-linux-gnu)"
    found = machine(shipped_recipes(), tmp_path, tmp_path).find(CC, "powerpc64-ibm-aix", toolchain())
    assert str(found).startswith("no C compiler is known for powerpc64-ibm-aix (help: ")


def test_the_first_program_that_is_there_counts(tmp_path: Path) -> None:
    executable(tmp_path / "bin/ld.lld-22", "")
    found = machine(shipped_recipes(), tmp_path, tmp_path / "bin").find(LINK_BARE, S390X, toolchain())
    assert isinstance(found, LinkerRecipe)
    assert found.flags(program=False, library=True) == ("-Clinker=ld.lld-22", "-Clinker-flavor=ld.lld")


@pytest.mark.parametrize(
    ("script", "why"),
    [("exit 0", None), ("exit 3", "does not run a program of the target: exit status 3")],
)
def test_a_runner_counts_if_it_runs_something(script: str, why: str | None, tmp_path: Path) -> None:
    (tmp_path / "linkage.toml").write_text(RUNNER.format(program="board", probe="hello"))
    executable(tmp_path / "bin/board", f'[ "$*" = hello ] || exit 9\n{script}')
    found = machine(recipes_for(tmp_path), tmp_path, tmp_path / "bin").find(RUN, S390X, toolchain())
    if why is None:
        assert isinstance(found, RunnerRecipe)
        assert found.name == "mine"
    else:
        assert f"board {why}" in str(found)


def test_a_runner_that_was_replaced_is_asked_again(tmp_path: Path) -> None:
    (tmp_path / "linkage.toml").write_text(RUNNER.format(program="board", probe="hello"))
    executable(tmp_path / "bin/board", "exit 0")
    recipes = recipes_for(tmp_path)
    assert not isinstance(machine(recipes, tmp_path, tmp_path / "bin").find(RUN, S390X, toolchain()), str)
    executable(tmp_path / "bin/board", "echo broken >&2; exit 1")
    assert "broken" in str(machine(recipes, tmp_path, tmp_path / "bin").find(RUN, S390X, toolchain()))


def test_the_recipes_of_a_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[[tool.linkage.targets.linkers]]\nname = "mine"\ntargets = ["s390x-*"]\nprogram = "my-ld"\n'
        '[tool.linkage.targets.loader-variables]\nhaiku = "OTHER"\n'
    )
    recipes = recipes_for(tmp_path)
    assert [one.name for one in recipes.of(LINK, S390X)] == ["mine", "gcc"]
    assert recipes.loader_variables["haiku"] == "OTHER"
    assert recipes.loader_variables["macos"] == "DYLD_LIBRARY_PATH"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[[linkers]", "linkage.toml: is not TOML: "),
        ('[[linkers]]\nname = "a"\n', "linkage.toml: linkers.0.program: Field required"),
        ('[[linker]]\nname = "a"\n', "linkage.toml: linker: Extra inputs are not permitted"),
        ('[[linkers]]\nname = "a"\nprogram = "b"\n', "needs either `targets` or `each`"),
        ("[loader-variables]\nhaiku = 1\n", "linkage.toml: loader-variables.haiku: "),
    ],
)
def test_a_wrong_file_is_reported_in_one_line(text: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "linkage.toml").write_text(text)
    with pytest.raises(LinkageError) as raised:
        recipes_for(tmp_path)
    assert what in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_runner_that_works_in_no_sandbox(tmp_path: Path) -> None:
    (tmp_path / "linkage.toml").write_text(
        f"{RUNNER.format(program='board', probe='hello')}in-sandbox = false\n"
    )
    executable(tmp_path / "bin/board", "exit 0")
    found = machine(recipes_for(tmp_path), tmp_path, tmp_path / "bin")
    assert isinstance(found.find(RUN, S390X, toolchain()), RunnerRecipe)
    found.sandbox = True
    assert "board does not work in a sandbox" in str(found.find(RUN, S390X, toolchain()))


def test_the_folders_of_a_runner_are_those_that_are_there(tmp_path: Path) -> None:
    for name in ("gcc/12", "gcc/13", "lib"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "gcc/file").write_text("")
    executable(tmp_path / "bin/wine", "exit 0")
    folders = (f"{tmp_path}/gcc/*", f"{tmp_path}/none/*", f"{tmp_path}/lib")
    wine = RunnerRecipe(name="wine", targets=("*-windows-*",), program="wine", probe=("x",), folders=folders)
    recipes = TargetRecipes(runners=(wine,))
    found = machine(recipes, tmp_path, tmp_path / "bin").find(RUN, "x86_64-pc-windows-gnu", toolchain())
    assert isinstance(found, RunnerRecipe)
    assert found.folders == tuple(f"{tmp_path}/{name}" for name in ("gcc/12", "gcc/13", "lib"))
