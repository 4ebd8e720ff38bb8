"""Sources next to the case: present, in a folder, with a variable, and paths to outside."""

from pathlib import Path

import pytest

from linkage.case.source_files import CrateSources
from support.case_texts import errors_of

MIND = "(help: move the file into the case's folder)"
ABSENT = "(help: put it beside the case, or add it to `sources`)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A case's folder, with a file outside that links lead to."""
    (tmp_path / "outside.rs").write_text("")
    place = tmp_path / "case"
    (place / "parts" / "deep").mkdir(parents=True)
    (place / "parts" / "deep" / "a.rs").write_text("")
    (place / "lib.rs").write_text("")
    (place / "inside.rs").symlink_to("lib.rs")
    (place / "link.rs").symlink_to("../outside.rs")
    (place / "loop.rs").symlink_to("loop.rs")
    (place / "up").symlink_to("..")
    return place


def errors_of_small(steps: str, folder: Path) -> list[str]:
    return errors_of(f"summary: x\n{steps}\n", folder)


@pytest.mark.parametrize("name", ["lib.rs", "./lib.rs", "parts/deep/a.rs", "inside.rs"])
def test_a_source_beside_the_case(name: str, folder: Path) -> None:
    assert errors_of_small(f"steps: {{rustc: {name}}}", folder) == []


@pytest.mark.parametrize("name", ["link.rs", "up/outside.rs"])
def test_link_to_outside(name: str, folder: Path) -> None:
    assert errors_of_small(f"steps: {{rustc: {name}}}", folder) == [
        f"case.yaml:2:16: `{name}` is outside the case's folder {MIND}"
    ]


def test_link_to_outside_in_a_folder(folder: Path) -> None:
    assert errors_of_small("steps: {rustc: lib.rs}\nfiles: [parts, lib.rs]", folder) == []
    (folder / "parts" / "deep" / "b.rs").symlink_to("../../../outside.rs")
    assert errors_of_small("steps: {rustc: lib.rs}\nfiles: [parts]", folder) == [
        f"case.yaml:3:9: `parts/deep/b.rs` is outside the case's folder {MIND}"
    ]


def test_a_link_to_itself(folder: Path) -> None:
    (found,) = errors_of_small("steps: {rustc: loop.rs}", folder)
    assert found.startswith("case.yaml:2:16: ")


def test_the_text_of_a_source(folder: Path) -> None:
    sources = CrateSources({"inline.rs": "${a} ${a.b} ${host} $${a}"}, folder)
    assert sources.text("inline.rs", {"a": {"name": "x", "b": [1, 2]}}) == "x 1,2 ${host} ${a}"
    (folder / "lib.rs").write_text("fn f() {}")
    assert sources.text("lib.rs", {}) == "fn f() {}"
    (folder / "binary.rs").write_bytes(b"\xff\xfe")
    assert [sources.text(name, {}) for name in ("absent.rs", "parts", "binary.rs")] == ["", "", ""]


def test_folder_is_not_a_source(folder: Path) -> None:
    assert errors_of_small("steps: {rustc: parts}", folder) == [
        "case.yaml:2:16: `parts` is a folder (help: name a file in it)"
    ]


def test_the_nearest_file_is_named(folder: Path) -> None:
    assert errors_of_small("steps: {rustc: parts/deep/b.rs}\nfiles: part", folder) == [
        "case.yaml:2:16: the source `parts/deep/b.rs` does not exist (help: did you mean `parts/deep/a.rs`?)",
        f"case.yaml:3:8: the source `part` does not exist {ABSENT}",
    ]


def test_a_name_with_a_variable_is_looked_up_in_each_variant(folder: Path) -> None:
    matrix = "matrix: {name: [lib, inside, gone, link]}"
    assert errors_of_small(f"{matrix}\nsteps: {{rustc: '${{name}}.rs'}}", folder) == [
        (
            "case.yaml:3:16: the source `gone.rs` does not exist in the variant [name=gone] "
            "(help: did you mean `inside.rs`?)"
        ),
        f"case.yaml:3:16: `link.rs` is outside the case's folder in the variant [name=link] {MIND}",
    ]


def test_an_expected_text_is_beside_the_case(folder: Path) -> None:
    (folder / "out.txt").write_text("")
    steps = "steps: {rustc: lib.rs, stdout: {file: out.txt}, stderr: {file: err.txt}}"
    assert errors_of_small(steps, folder) == [f"case.yaml:2:64: the source `err.txt` does not exist {ABSENT}"]
