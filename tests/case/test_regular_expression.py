"""Regular expressions of a case mean what they mean in Python, and end."""

import re
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.case import regular_expression
from linkage.case.regular_expression import RegularExpression, check, check_replacement
from linkage.errors import PatternError

ATOMS = st.sampled_from(
    ["a", "b", ".", r"\d", r"\w", r"\s", r"\b", "^", "$", "[ab]", "[^a]", "[[:alpha:]]", "[a[:b:]]", "[]a]",
     "{", "}", "{e}", "{e<=1}", "{2}", "{1,2}", "{,1}", "{}", r"\{", r"\[", r"\1", "(?=a)", "(?!b)",
     "(?<=a)", "(?<!a)", "(?i:A)", "(?s:.)", r"\N{DIGIT ONE}", "(?#[)", "*", "+", "?", "*?", "++", "|",
     "(", ")", "(?:", " "]
)  # fmt: skip
TEXTS = st.text(alphabet="aAb1{}e<=[]: \n", max_size=12)


@given(st.lists(ATOMS, max_size=8).map("".join), TEXTS, st.booleans())
def test_a_pattern_means_what_it_means_in_python(pattern: str, text: str, multiline: bool) -> None:  # noqa: FBT001
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = re.compile(pattern, re.MULTILINE if multiline else 0)
    except re.error:
        with pytest.raises(PatternError, match="invalid regex"):
            RegularExpression(pattern)
        return
    ours = RegularExpression(pattern, multiline=multiline)
    expected, found = theirs.search(text), ours.search(text)
    assert (found and (found.span(), found.groups())) == (expected and (expected.span(), expected.groups()))
    assert ours.replace(r"<\g<0>>", text) == theirs.sub(r"<\g<0>>", text)


@given(st.text(max_size=20))
def test_a_literal_matches_itself(text: str) -> None:
    found = RegularExpression(f"^{regular_expression.literal(text)}$").search(text)
    assert found is not None
    assert found[0] == text


@pytest.mark.parametrize("pattern", ["(a|aa)+$", "^(a|a)*$"])
def test_matching_ends(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regular_expression, "SECONDS", 0.2)
    with pytest.raises(PatternError, match=r"matching /.*/ takes more than 0 s \(help: avoid repeated"):
        RegularExpression(pattern).search("a" * 60 + "b")


def test_the_time_limit_is_for_all_matching_of_a_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regular_expression, "SECONDS", 0.5)
    slow = RegularExpression("^(a|aa)+$")
    found = 0
    with pytest.raises(PatternError):  # noqa: PT012 - in one of many
        for found in range(100_000):  # noqa: B007 - how many
            slow.search("a" * 20 + "b")
    assert found, "one match alone is fast enough"


def test_replacing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regular_expression, "SECONDS", 0.2)
    with pytest.raises(PatternError, match="takes more than"):
        RegularExpression("(a|aa)+$").replace("", "a" * 60 + "b")
    monkeypatch.setattr(regular_expression, "SECONDS", 60)
    monkeypatch.setattr(regular_expression, "MAX_RESULT", 1 << 20)
    with pytest.raises(PatternError, match="gives more than 1 million characters"):
        RegularExpression("").replace("x" * 1000, "a" * 2000)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"\p{L}", "bad escape"),
        ("(?r)a", "unknown extension"),
        ("(?<=a+)b", "look-behind requires fixed-width"),
        ("(" * 2000 + ")" * 2000, "maximum recursion depth|too long|nested"),
        ("x" * 4001, "4001 characters is longer than 4000"),
        ("((((a{1000}){1000}){1000}){1000})", "more than 20000 times"),
        ("a{4294967294}", "more than 20000 times"),
        ("a{99999999999}", "too large"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_at_once(pattern: str, why: str) -> None:
    with pytest.raises(PatternError, match=why):
        check(pattern)


def test_repetitions_side_by_side_are_not_too_many() -> None:
    check("[0-9a-f]{16}" * 20 + r"(\d{4}-\d{2}-\d{2}){3}")


@pytest.mark.parametrize("replacement", [r"\2", r"\q", r"\g<x>", "\\"])
def test_a_replacement_that_does_not_fit_its_pattern_is_refused(replacement: str) -> None:
    check_replacement("(a)", r"\1\n\g<0>")
    with pytest.raises(PatternError, match="invalid replacement"):
        check_replacement("(a)", replacement)
