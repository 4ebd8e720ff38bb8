"""--expect: expected changes, and mistakes in the file."""

import pytest

from linkage.compare.expectations import parse_expected
from linkage.compare.model import Change, LocatedChange
from linkage.errors import CaseErrors

FILE = """\
expected:
  - change: export gone
    name: [foo, "bar_*"]
    artifact: cdylib
    variant: "*[lto=fat*"
    reason: exports were too many
  - {change: [needed new, needed gone], reason: another libm}
"""


def found(
    kind: str, name: str, subject: str = "lib.cdylib", variant: str = "x.yaml[lto=fat-a]"
) -> LocatedChange:
    return LocatedChange(variant, "lib", subject, Change(kind, name))


def test_what_is_meant_has_its_reason_and_the_rest_has_none() -> None:
    differences = [
        found("export gone", "foo"),
        found("export gone", "bar_one"),
        found("export gone", "baz"),
        found("export gone", "foo", subject="lib.dylib"),
        found("export gone", "foo", variant="x.yaml[lto=thin]"),
        found("export new", "foo"),
        found("needed new", "libm.so.6", subject="main.bin"),
    ]
    told, unmet = parse_expected(FILE, "e.yaml").apply(differences)
    reasons = [reason for _, reason in told]
    assert reasons == ["exports were too many"] * 2 + [""] * 4 + ["another libm"]
    assert unmet == []


def test_expected_change_that_does_not_occur_is_reported_with_its_position() -> None:
    told, unmet = parse_expected(FILE, "e.yaml").apply([found("needed new", "libm.so.6")])
    assert [reason for _, reason in told] == ["another libm"]
    assert unmet == ["e.yaml:2:5: export gone foo, bar_* in cdylib of *[lto=fat*"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "e.yaml:1:1: no mapping"),
        ("expected: 3", "e.yaml:1:11: `expected` must be a list"),
        (
            "expected:\n  - change: export gone\n",
            "e.yaml:2:5: missing key `reason` (help: say why the change is expected)",
        ),
        ("expected:\n  - {change: exprt gone, reason: x}\n", "`exprt gone` is not a kind of change"),
        ("expected:\n  - {change: export gone, reason: x, nam: y}\n", "unknown key `nam`"),
        ("expected: [", "unclosed bracket"),
    ],
)
def test_mistakes_in_the_file_are_reported_with_their_position(text: str, said: str) -> None:
    with pytest.raises(CaseErrors) as error:
        parse_expected(text, "e.yaml")
    assert said in str(error.value)
