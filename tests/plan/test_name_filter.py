"""Which names an expression such as `cdylib and not thin` selects."""

import pytest

from linkage.errors import LinkageError
from linkage.plan.name_filter import selected


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        (None, ["a", "ab", "b", "c"]),
        ("a", ["a", "ab"]),
        ("A", ["a", "ab"]),
        ("a and b", ["ab"]),
        ("a or c", ["a", "ab", "c"]),
        ("not a", ["b", "c"]),
        ("not not a", ["a", "ab"]),
        ("not a and not b", ["c"]),
        ("c or a and b", ["ab", "c"]),
        ("(c or a) and b", ["ab"]),
        ("not (a or b)", ["c"]),
        ("(a)and(b)", ["ab"]),
        ("android", []),
    ],
)
def test_what_an_expression_means(expression: str | None, names: list[str]) -> None:
    assert [name for name in ("a", "ab", "b", "c") if selected(expression, name)] == names


@pytest.mark.parametrize("expression", ["", " ", "and", "a and", "a b", "not", "(a", "a)", "()", "or a"])
def test_an_expression_that_is_none(expression: str) -> None:
    with pytest.raises(LinkageError) as raised:
        selected(expression, "a")
    assert str(raised.value).startswith(f"-k: `{expression}` is not an expression")
    assert raised.value.help == "write it as `cdylib and not thin`"
