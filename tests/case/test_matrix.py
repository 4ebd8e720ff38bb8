"""From axes to cells, as GitHub Actions has it, and the cells' names."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.case.matrix import expand, row_id
from linkage.case.model import Matrix
from support.case_texts import read, small


def cells(**matrix: Any) -> list[dict[str, Any]]:
    return expand(Matrix.model_validate(matrix))


def test_the_product_of_the_axes_in_the_files_order() -> None:
    assert cells(lto=["off", "fat"], n=[1, 2]) == [
        {"lto": "off", "n": 1},
        {"lto": "off", "n": 2},
        {"lto": "fat", "n": 1},
        {"lto": "fat", "n": 2},
    ]


def test_without_a_matrix_there_is_one_cell() -> None:
    assert cells() == [{}]
    assert small("steps: {rustc: lib.rs}").ids == ("",)


def test_the_example_of_actions_documentation() -> None:
    found = cells(
        fruit=["apple", "pear"],
        animal=["cat", "dog"],
        include=[
            {"color": "green"},
            {"color": "pink", "animal": "cat"},
            {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ],
    )
    assert found == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


def test_include_alone_makes_each_of_its_cells() -> None:
    assert cells(include=[{"a": 1, "b": 2}, {"a": 3}]) == [{"a": 1, "b": 2}, {"a": 3}]


def test_include_adds_to_what_exclude_has_left() -> None:
    found = cells(lto=["off", "fat"], exclude=[{"lto": "fat"}], include=[{"lto": "fat", "n": 1}])
    assert found == [{"lto": "off"}, {"lto": "fat", "n": 1}]


def test_include_remains_if_exclude_removes_all_cells() -> None:
    found = cells(
        lto=["off", "fat"], exclude=[{"lto": ["off", "fat"]}], include=[{"lto": "thin"}, {"lto": "off"}]
    )
    assert found == [{"lto": "thin"}, {"lto": "off"}]


def test_list_in_include_is_one_value() -> None:
    found = cells(
        **{"crate-type": ["cdylib", ["staticlib", "dylib"]]},
        include=[{"crate-type": "dylib", "n": 1}, {"crate-type": ["staticlib", "dylib"], "n": 2}],
    )
    assert found == [
        {"crate-type": "cdylib"},
        {"crate-type": ("staticlib", "dylib"), "n": 2},
        {"crate-type": "dylib", "n": 1},
    ]


def test_include_means_a_named_value_by_its_name() -> None:
    found = cells(
        san=[{"name": "address", "flag": "-a"}, {"name": "thread"}], include=[{"san": "thread", "n": 1}]
    )
    assert found == [{"san": {"name": "address", "flag": "-a"}}, {"san": {"name": "thread"}, "n": 1}]


def test_exclude_takes_every_cell_that_it_fits() -> None:
    found = cells(lto=["off", "thin", "fat"], n=[1, 2], exclude=[{"lto": ["thin", "fat"], "n": 1}, {"n": 2}])
    assert found == [{"lto": "off", "n": 1}]


def test_each_row_is_combined_with_the_axes_beside_it() -> None:
    assert cells(rows=[{"a": 1}, {"b": 2}], lto=["off", "fat"], include=[{"a": 1, "c": 3}]) == [
        {"a": 1, "lto": "off", "c": 3},
        {"a": 1, "lto": "fat", "c": 3},
        {"b": 2, "lto": "off"},
        {"b": 2, "lto": "fat"},
    ]


def test_equal_cells_are_one() -> None:
    assert cells(rows=[{"a": 1, "b": 2}, {"b": 2, "a": 1}]) == [{"a": 1, "b": 2}]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({}, ""),
        (
            {"crate-type": ("staticlib", "dylib"), "prefer-dynamic": True, "lto": "fat"},
            "staticlib,dylib-prefer_dynamic-lto=fat",
        ),
        ({"crate-type": "cdylib", "prefer-dynamic": False}, "cdylib"),
        ({"lto": None, "opt-level": 3}, "lto=default-opt-level=3"),
        ({"san": {"name": "address", "flag": "-Z"}}, "san=address"),
        ({"flag": "-C a::b [c]", "empty": ""}, "flag=-C_a__b__c_-empty=empty"),
        ({"name": "groß"}, "name=gro_"),
    ],
)
def test_a_cell_has_a_readable_name(row: dict[str, Any], name: str) -> None:
    assert row_id(row) == name


ALIKE = [
    {"x": "a b"}, {"x": "a:b"}, {"x": None}, {"x": "default"}, {"x": 1}, {"x": "1"}, {"x": False}, {},
    {"x": ("a", "b")}, {"x": "a,b"}, {"x": {"name": "n", "k": "1"}}, {"x": {"name": "n", "k": "2"}},
    {"x": ""}, {"x": "empty"}, {"crate-type": "x=1"}, {"x": True}, {"crate-type": "x"},
]  # fmt: skip


def test_cells_that_look_the_same_have_names_of_their_own() -> None:
    found = cells(rows=ALIKE)
    names = [row_id(row) for row in found]
    assert len(found) == len(ALIKE)
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[\w,.+=-]+", name, re.ASCII) for name in names)
    assert [name for name in names if name.startswith("x=a_b")] == [
        name for name in names if re.fullmatch(r"x=a_b-[0-9a-f]{4}", name)
    ]


def test_a_name_stays_when_other_cells_come_and_go() -> None:
    short = {row_id(row) for row in cells(rows=[{"x": "a b"}, {"x": "a:b"}])}
    long = {row_id(row) for row in cells(rows=[{"y": 1}, {"x": "a;b"}, {"x": "a:b"}, {"x": "a b"}])}
    assert len(short) == 2
    assert short < long


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(0, 2)
    | st.sampled_from(["", "a", "a b", "a:b", "1", "default", "x=1"])
)
VALUES = SCALARS | st.lists(SCALARS, max_size=2)
AXES = st.sampled_from(["x", "y", "crate-type", "x y", "x-y"])
ROWS = st.lists(st.dictionaries(AXES, VALUES, max_size=3), max_size=6)


@given(st.dictionaries(AXES, st.lists(VALUES, min_size=1, max_size=3), max_size=3), ROWS, ROWS)
def test_the_names_of_a_matrix_are_unique(axes: dict[str, Any], rows: list[Any], include: list[Any]) -> None:
    found = cells(**axes, rows=rows, include=include)
    names = [row_id(row) for row in found]
    assert len(set(names)) == len(names)
    assert names == [row_id(row) for row in cells(**axes, rows=rows, include=include)]


def test_a_case_knows_its_cells_and_their_names() -> None:
    case = read(
        """
        summary: x
        matrix: {lto: [off, fat]}
        steps: [{rustc: null, exit: any}]
        """
    )
    assert case.rows == ({"lto": "off"}, {"lto": "fat"})
    assert case.ids == ("lto=off", "lto=fat")
