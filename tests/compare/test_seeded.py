"""A real compiler against itself with one change: exactly that change is reported."""

import re

import pytest

from support.changed_library import AFTER, BEFORE, CASE, changes
from support.comparison_project import ComparisonProject


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", []),
        (
            BEFORE.format("--cfg more"),
            [("export new", "cdylib", "more"), ("symbol new", "staticlib", "more")],
        ),
        (AFTER.format("objcopy --weaken-symbol=answer liblib.so"), [("symbol changed", "cdylib", "answer")]),
        (
            BEFORE.format("-Clink-arg=-Wl,--no-as-needed -Clink-arg=-lm"),
            [("needed new", "cdylib", "libm.so.6")],
        ),
        (AFTER.format("ar d --plugin=/dev/null liblib.a two.o"), [("member gone", "staticlib", "two.o")]),
        (AFTER.format("objcopy -R .comment liblib.so"), [("section gone", "cdylib", ".comment")]),
        (
            AFTER.format("ar mb --plugin=/dev/null two.o liblib.a three.o"),
            [("member order", "staticlib", "")],
        ),
        (
            BEFORE.format("--cfg other"),
            [("private symbol renamed", "cdylib, staticlib", "lib::private → lib::other")],
        ),
    ],
    ids=["nothing", "export", "weakened", "library", "member", "section", "swapped", "renamed"],
)
def test_one_seeded_change_is_all_that_is_reported(
    body: str, expected: list[tuple[str, str, str]], comparison: ComparisonProject
) -> None:
    result = comparison.compare(comparison.compiler("changed", body), comparison.case(CASE))
    assert changes(result) == expected, [one.found[0][0].change for one in result.groups]
    assert (result.compared, result.not_compared, result.same) == (1, (), not expected)


def test_what_was_swapped_and_what_went_is_named(comparison: ComparisonProject) -> None:
    gone = comparison.compare(
        comparison.compiler("less", AFTER.format("ar d --plugin=/dev/null liblib.a two.o")),
        comparison.case(CASE),
    )
    assert re.fullmatch(r"object, \d+ bytes, with two", gone.groups[0].found[0][0].change.base)
    order = comparison.compare(
        comparison.compiler("swap", AFTER.format("ar mb --plugin=/dev/null two.o liblib.a three.o")),
        comparison.case(CASE),
    )
    change = order.groups[0].found[0][0].change
    names = {re.sub(r"\d+\. ", "", side) for side in (change.base, change.head)}
    assert names <= {"two.o", "three.o"}
