"""Files that cannot be read as cases, and positions in those that can."""

from pathlib import Path

import pytest

from linkage.case.check.axes import spelled
from linkage.case.condition import same_cell
from linkage.case.reader import parse_case, read_case
from linkage.case.yaml_errors import mark_position
from linkage.errors import CaseErrors, Position


def errors_of(file: Path, name: str | None = None) -> list[str]:
    with pytest.raises(CaseErrors) as raised:
        read_case(file, name)
    return str(raised.value).splitlines()


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"summary: x\nsteps:\n  b\xc3\xa9\xff: 1\n", "3:5"),
        (b"\xff", "1:1"),
        (b"a\n\xff", "2:1"),
        ("x: é".encode() + b"\xc3", "1:5"),
    ],
)
def test_a_file_that_is_not_utf_8(tmp_path: Path, content: bytes, place: str) -> None:
    file = tmp_path / "case.yaml"
    file.write_bytes(content)
    message = f"{place}: the file is not valid UTF-8 (help: save it as UTF-8)"
    assert errors_of(file, "x.yaml") == [f"x.yaml:{message}"]
    assert errors_of(file) == [f"{file}:{message}"]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert errors_of(tmp_path / "gone.yaml", "x.yaml") == [
        "x.yaml: cannot be read: No such file or directory (help: check the path)"
    ]
    assert errors_of(tmp_path, "x.yaml") == ["x.yaml: cannot be read: Is a directory (help: check the path)"]


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    file.write_bytes(b"\xef\xbb\xbfsummary: x\nsources: {lib.rs: ''}\nsteps: [{rustc: lib.rs}]\n")
    assert read_case(file).model.summary == "x"


def test_the_position_of_a_key(tmp_path: Path) -> None:
    case = parse_case(
        "summary: x\nsources: {lib.rs: ''}\nsteps: [{rustc: lib.rs, panic: abort}]\n",
        tmp_path / "x",
        "x.yaml",
    )
    assert case.position(("steps", 0, "panic")) == Position("x.yaml", 3, 25)
    assert case.position(("steps", 0, "rustc")) == Position("x.yaml", 3, 10)
    assert case.position(("summary",)) == Position("x.yaml", 1, 1)


def test_an_error_without_a_mark_is_at_the_beginning() -> None:
    assert mark_position("x.yaml", None) == Position("x.yaml", 1, 1)


# --- values of an axis that are mappings


def test_a_mapping_is_shown_by_its_name() -> None:
    assert spelled({"name": "one", "NAME": "two"}) == "one"
    assert spelled([{"name": "one"}, True, None, 1, "true"]) == '[one, true, null, 1, "true"]'


def test_a_mapping_is_the_same_as_its_name() -> None:
    one, other = {"name": "one", "flags": "-g"}, {"name": "other", "flags": "-g"}
    assert same_cell({"k": one}, {"k": "one"})
    assert same_cell({"k": "one"}, {"k": one})
    assert not same_cell({"k": one}, {"k": other})
    assert not same_cell({"k": one}, {"k": one, "l": 1})
    assert same_cell({"k": one, "l": True}, {"k": one, "l": True})
    assert not same_cell({"k": one, "l": True}, {"k": one, "l": 1})
