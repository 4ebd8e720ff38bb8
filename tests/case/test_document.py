"""YAML to data: strict scalars, positions, and whatever else may stand in a file."""

import json

from hypothesis import given
from hypothesis import strategies as st

from harness.case.document import MAX_DEPTH, MAX_NODES, Data, parse
from harness.errors import CaseErrors, Position


def data(text: str) -> Data:
    return parse(text, "c.yaml").data


def said(text: str) -> list[str]:
    try:
        parse(text, "c.yaml")
    except CaseErrors as errors:
        return str(errors).splitlines()
    return []


def test_a_plain_scalar_is_what_it_looks_like() -> None:
    text = "[true, false, null, ~, 0, -7, 18, 999999999999999999]"
    assert data(text) == [True, False, None, None, 0, -7, 18, 999999999999999999]


def test_whatever_yaml_would_make_of_it_the_rest_is_text() -> None:
    texts = ["off", "yes", "NO", "True", "NULL", "1.70", "2026-05-19", "0x1f", "0o17", "017", "1_000", "+1"]
    texts += ["1e3", ".inf", "12:30:45", "<<", "=", "1234567890123456789", "1.95.0"]
    assert data(f"[{', '.join(texts)}]") == texts


def test_what_stands_in_quotes_is_text() -> None:
    assert data("""['true', "1", 'null', "", '']""") == ["true", "1", "null", "", ""]
    assert data("a: |\n  7\nb: >-\n  true\n") == {"a": "7\n", "b": "true"}


def test_a_key_is_text() -> None:
    assert data("1: a\ntrue: b\nnull: c\n") == {"1": "a", "true": "b", "null": "c"}


def test_an_alias_stands_for_its_anchor() -> None:
    assert data("a: &x [1, {b: c}]\nd: *x\n") == {"a": [1, {"b": "c"}], "d": [1, {"b": "c"}]}


def test_every_key_and_value_has_its_position() -> None:
    found = parse("a:\n  - b: c\n  - {d:   e}\n", "c.yaml")
    assert found.key(("a",)) == Position("c.yaml", 1, 1)
    assert found.value(("a",)) == Position("c.yaml", 2, 3)
    assert found.key(("a", 0, "b")) == Position("c.yaml", 2, 5)
    assert found.value(("a", 0, "b")) == Position("c.yaml", 2, 8)
    assert found.key(("a", 1)) == Position("c.yaml", 3, 5)
    assert found.value(("a", 1, "d")) == Position("c.yaml", 3, 11)


def test_parts_of_a_path_that_are_not_in_the_file_are_passed_over() -> None:
    found = parse("a: {b: c}\n", "c.yaml")
    assert found.real(("a", "a union's tag", "b", 0)) == ("a", "b")
    assert found.value(("a", "a union's tag", "b", 0)) == found.value(("a", "b"))
    assert found.at(("a", 0, "b")) == "c"


def test_an_empty_file_is_no_data() -> None:
    assert data("") is None
    assert data("# only a comment\n") is None


def test_a_key_that_stands_twice() -> None:
    twice = "stands here a second time (help: the first is at"
    assert said("a: 1\nb: {c: 1, c: 2}\na: 3\n") == [
        f"c.yaml:2:11: the key `c` {twice} c.yaml:2:5; keep one of them)",
        f"c.yaml:3:1: the key `a` {twice} c.yaml:1:1; keep one of them)",
    ]


def test_a_key_that_is_no_text() -> None:
    assert said("? [a]\n: b\n") == ["c.yaml:1:3: a key must be plain text (help: write it as `key: value`)"]


def test_tabs() -> None:
    tab = "a tab in the indentation (help: YAML is indented with spaces)"
    assert said("a:\n\t- b\n") == [f"c.yaml:2:1: {tab}"]
    assert said("\ta: b\n") == [f"c.yaml:1:1: {tab}"]
    assert data("a: b\tc\n") == {"a": "b\tc"}


def test_broken_yaml() -> None:
    look = "(help: look at the indentation and the quotes around this place)"
    quotes = "(help: a text that begins with this character needs quotes)"
    colon = "(help: look for a colon in a text that needs quotes, or for a wrong indentation)"
    alias = "(help: an alias needs its anchor above it; a text that begins with * or & needs quotes)"
    assert said("a: [b\n") == [f"c.yaml:2:1: broken YAML: did not find expected ',' or ']' {look}"]
    assert said("a: 'b\n") == [f"c.yaml:2:1: broken YAML: found unexpected end of stream {look}"]
    assert said("a: @b\n") == [
        f"c.yaml:1:4: broken YAML: found character that cannot start any token {quotes}"
    ]
    assert said("a: b: c\n") == [
        f"c.yaml:1:5: broken YAML: mapping values are not allowed in this context {colon}"
    ]
    assert said("a: *b\n") == [f"c.yaml:1:4: broken YAML: found undefined alias {alias}"]


def test_a_second_document() -> None:
    assert said("a: b\n---\nc: d\n") == [
        "c.yaml:2:1: broken YAML: but found another document (help: one file holds one case)"
    ]


def test_a_character_that_is_no_text() -> None:
    expected = "a character that YAML does not allow (help: write it as an escape in quotes)"
    assert said("é: ä\nb: \x07\n") == [f"c.yaml:2:4: {expected}"]


def test_tags_mean_nothing_and_are_said() -> None:
    assert said("a: !foo [!!int '1']\nb: !!python/name:os.system x\n") == [
        "c.yaml:1:4: the tag !foo has no meaning here (help: remove it)",
        "c.yaml:1:10: the tag !!int has no meaning here (help: remove it)",
        "c.yaml:2:4: the tag !!python/name:os.system has no meaning here (help: remove it)",
    ]


def test_aliases_that_explode() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 20)]
    what = "more than 50000 values once its aliases are resolved"
    mend = "(help: write fewer aliases, or split the case)"
    assert said("\n".join(lines)) == [f"c.yaml:5:1: {what} {mend}"]
    assert MAX_NODES == 50_000


DEEP = "nested more than 32 deep (help: look for a stray bracket, or an alias inside of itself)"


def test_what_is_nested_too_deep() -> None:
    assert said("[" * MAX_DEPTH + "]" * MAX_DEPTH) == []
    assert said("[" * 100_000) == [f"c.yaml:1:33: {DEEP}"]
    assert said("\n".join(" " * i + "a:" for i in range(40))) == [f"c.yaml:33:33: {DEEP}"]


def test_aliases_in_aliases_are_no_deeper_than_anything_else() -> None:
    chain = [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 3000)]
    assert said("\n".join(["a0: &a0 x", *chain])) == [f"c.yaml:33:1: {DEEP}"]
    assert said("a: &a [*a]\n") == [f"c.yaml:1:1: {DEEP}"]


def test_a_file_that_is_too_large() -> None:
    assert said("a: " + "b" * (1 << 20)) == ["c.yaml:1:1: larger than 1048576 bytes (help: split the case)"]


YAML_PIECES = st.sampled_from(
    [*"abc012:-?[]{},&*!|>'\"%@`#~ \n\t.", "- ", ": ", "\n  ", "&a ", "*a", "---\n", "!!str ", "<<: ", "\x00"]
)


@given(st.one_of(st.text(), st.lists(YAML_PIECES, max_size=60).map("".join)))
def test_any_text_is_a_document_or_an_error_of_the_case(text: str) -> None:
    lines = said(text)
    assert all(line.startswith("c.yaml:") for line in lines)
    if not lines:
        assert len(parse(text, "c.yaml").values) <= MAX_NODES


TEXTS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=20)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
def test_data_written_as_yaml_is_read_back(value: Data) -> None:
    assert data(_written(value)) == value


def _written(value: Data) -> str:
    if isinstance(value, str):
        return json.dumps(value)  # JSON's texts are YAML's
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, dict):
        pairs = (f"{_written(key)}: {_written(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    return "null" if value is None else str(value).lower()
