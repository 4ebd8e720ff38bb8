"""Which cells of the matrix a condition matches."""

from typing import Any

import pytest

from linkage.case.check.compilers import told_apart
from linkage.case.condition import COMPILER, LIST_AXES, Condition
from linkage.toolchain.release import RustcVersion
from support.case_texts import errors_of_small

CELL = {
    "lto": "thin",
    "prefer-dynamic": True,
    "opt-level": 1,
    "crate-type": ("staticlib", "dylib"),
    "sanitizer": {"name": "address", "flag": "-Zsanitizer=address"},
    "strip": None,
}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"lto": "thin"}, True),
        ({"lto": "fat"}, False),
        ({"lto": ["thin", "fat"]}, True),
        ({"lto": ["off", "fat"]}, False),
        ({"lto": "thin", "prefer-dynamic": True}, True),
        ({"lto": "thin", "prefer-dynamic": False}, False),
        ({"strip": None}, True),
        ({"crate-type": "dylib"}, True),
        ({"crate-type": "cdylib"}, False),
        ({"crate-type": ["staticlib", "dylib"]}, True),
        ({"crate-type": ["dylib", "staticlib"]}, False),
        ({"crate-type": ["dylib"]}, False),
        ({"crate-type": ["dylib", "staticlib", "bin"]}, False),
        ({"crate-type": [["bin"], ["staticlib", "dylib"]]}, True),
        ({"crate-type": ["bin", "dylib"]}, False),
        ({"crate-type": ["bin", "dylib", ["bin", "dylib"]]}, True),
        ({"any": [{"crate-type": "bin"}, {"crate-type": "dylib"}]}, True),
        ({"sanitizer": "address"}, True),
        ({"sanitizer": "thread"}, False),
        ("prefer-dynamic", True),
        ("lto", False),
        ({"not": {"lto": "fat"}}, True),
        ({"not": {"lto": "thin"}}, False),
        ({"not": {"lto": "thin", "opt-level": 2}}, True),
        ({"any": [{"lto": "fat"}, {"opt-level": 1}]}, True),
        ({"any": [{"lto": "fat"}, {"opt-level": 2}]}, False),
        ({"lto": "thin", "any": [{"opt-level": 2}]}, False),
        ({"lto": "thin", "not": {"any": [{"opt-level": 2}, {"prefer-dynamic": True}]}}, False),
        ({"linker": "lld"}, False),
        ({"linker": None}, False),
        ({"not": {"linker": "lld"}}, True),
    ],
)
def test_the_cells_that_it_means(condition: Any, holds: bool) -> None:  # noqa: FBT001
    context = {LIST_AXES: frozenset({"crate-type"})}
    assert Condition.model_validate(condition, context=context).holds(CELL) is holds


@pytest.mark.parametrize("wrong", [{"prefer-dynamic": 1}, {"opt-level": True}, {"opt-level": "1"}])
def test_true_is_not_one_and_a_number_no_text(wrong: dict[str, Any]) -> None:
    assert not Condition.model_validate(wrong).holds(CELL)


def test_the_axes_that_it_names_at_any_depth() -> None:
    condition = {
        "lto": "fat",
        "not": {"panic": "abort"},
        "any": [{"strip": None}, {"not": {"edition": "2015"}}],
    }
    assert Condition.model_validate(condition).names() == {"lto", "panic", "strip", "edition"}


@pytest.mark.parametrize("empty", ["{}", "{any: []}", "{not: {}}"])
def test_a_condition_that_names_no_axis(empty: str) -> None:
    place = 20 if "not" in empty else 14
    assert errors_of_small(
        f"steps:\n  - {{rustc: lib.rs}}\n  - rustc: lib.rs\n    id: b\n    when:    {empty}\n"
    ) == [f"case.yaml:7:{place}: a condition must name an axis (help: write it as `{{lto: fat}}`)"]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"toolchain": ">=1.87"}, True),
        ({"toolchain": "<1.87"}, False),
        ({"toolchain": "<1.87", "lto": "thin"}, False),
        ({"toolchain": ">=1.87", "lto": "fat"}, False),
        ({"not": {"toolchain": "<1.87"}}, True),
        ({"any": [{"toolchain": "nightly"}, {"toolchain": "1.95"}]}, True),
    ],
)
def test_the_compilers_that_it_means(condition: Any, holds: bool) -> None:  # noqa: FBT001
    cell = {**CELL, COMPILER: RustcVersion.parse("1.95.0")}
    assert Condition.model_validate(condition).holds(cell) is holds
    assert not Condition.model_validate({"toolchain": "*"}).holds(CELL)


def test_the_compilers_between_which_ranges_tell() -> None:
    names = {str(one) for one in told_apart((">=1.87", ">=1.91.1, <1.91.2"), ">=1.80")}
    assert names == {"1.80.0", "1.87.0", "1.91.1"}
    dated = told_apart((">=nightly-2026-01-10, <nightly-2026-01-11",), "nightly")
    assert sorted(str(one.nightly_date) == "2026-01-10" for one in dated) == [False, True]
