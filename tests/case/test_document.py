"""YAML to data: strict scalars, positions, and everything else that a file may contain."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from linkage.case.document import MAX_DEPTH, MAX_NODES, Data, parse
from linkage.case.yaml_errors import ESCAPE, MISTAKES, UNKNOWN_ESCAPE, _forbidden_character
from linkage.errors import CaseErrors, Position


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


def test_quoted_scalars_are_text() -> None:
    assert data("""['true', "1", 'null', "", '']""") == ["true", "1", "null", "", ""]
    assert data("a: |\n  7\nb: >-\n  true\n") == {"a": "7\n", "b": "true"}


def test_a_key_is_text() -> None:
    assert data("1: a\ntrue: b\nnull: c\n") == {"1": "a", "true": "b", "null": "c"}


def test_alias_has_the_value_of_its_anchor() -> None:
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


def test_empty_file_has_no_data() -> None:
    assert data("") is None
    assert data("# only a comment\n") is None


def test_duplicate_key() -> None:
    assert said("a: 1\nb: {c: 1, c: 2}\na: 3\n") == [
        "c.yaml:2:11: duplicate key `c` (help: it is first defined at c.yaml:2:5; remove one of them)",
        "c.yaml:3:1: duplicate key `a` (help: it is first defined at c.yaml:1:1; remove one of them)",
    ]


def test_key_that_is_not_text() -> None:
    what = "a key must be plain text (help: write it as `key: value`)"
    assert said("? [a]\n: b\n") == [f"c.yaml:1:3: {what}"]
    assert said("? [a]\n: b\n? {c: d}\n: e\n") == [f"c.yaml:1:3: {what}", f"c.yaml:3:3: {what}"]


LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]

DEEP = (
    "nested more than 32 levels deep (help: look for a stray bracket, or for an alias that contains itself)"
)
KEY = (
    "a key without `:`, or a key that is too long (help: a key is one line of at most 1024 characters, then "
    "`: `; look for a missing colon, quote or `- `)"
)
COLON = (
    "unexpected `:` (help: look for a colon in a text that needs quotes, "
    "a key of more than 1024 characters, or a wrong indentation)"
)
LINE = (
    "expected another entry, or the end of the block (help: check the indentation, the quotes before this "
    "place, and the `- ` of lists)"
)
ENTRY = (
    "missing `,`, or mismatched bracket (help: separate entries with `,`, close `[` with `]` and `{` with "
    "`}`, and quote a text with these)"
)
MISSING = "missing entry (help: remove the extra `,`, or look for a text that needs quotes)"
NAME = (
    "invalid name of an anchor or alias (help: write letters or digits after & or *, or quote a text that "
    "begins with these)"
)
ALIAS = "undefined alias (help: define its anchor above it, or quote a text that begins with *)"
ESCAPED = "invalid escape (help: write \\\\ for a backslash inside \"...\", or use '...')"
HEADER = (
    "invalid text after | or > (help: write at most one digit from 1 to 9 and one of + and - there, and the "
    "text on the next line)"
)
DIRECTIVE = "misplaced directive (%) or document marker (---) (help: remove it)"
TAG = "incomplete tag (help: remove it: tags are not allowed)"
QUOTE = "plain text cannot begin with this character (help: put the text in quotes)"
VALUE = "missing or invalid value (help: put the text in quotes)"
TAB = "a tab in the indentation (help: indent with spaces)"
FORBIDDEN = "YAML does not allow this character (help: write it as an escape in quotes)"

WRONG_YAML = {
    "brackets too deep": ("[" * 100_000, f"1:33: {DEEP}"),
    "braces too deep": ("{a: " * 100_000, f"1:129: {DEEP}"),
    "closed brackets too deep": ("[" * 2_000 + "]" * 2_000, f"1:33: {DEEP}"),
    "mappings too deep": ("\n".join(" " * i + "a:" for i in range(1_200)), f"33:33: {DEEP}"),
    "lists too deep": ("- " * 2_000 + "a", f"1:65: {DEEP}"),
    "keys too deep": ("? " * 2_000 + "a", f"1:65: {DEEP}"),
    "an alias inside of itself": ("a: &a [*a]", f"1:1: {DEEP}"),
    "aliases too deep": (
        "\n".join(["a0: &a0 x", *[f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 3000)]]),
        f"33:1: {DEEP}",
    ),
    "a bracket": ("a: [b\n", "1:4: unclosed `[` (help: add the closing `]`)"),
    "a brace": ("a: {b: c\n", "1:4: unclosed `{` (help: add the closing `}`)"),
    "a bracket at the end": ("a: [b, {c: [", "1:12: unclosed bracket (help: add the closing bracket)"),
    "a bracket and a line": ("a: [\n", "1:4: unclosed bracket (help: add the closing bracket)"),
    "the other bracket": ("a: {b: c ]\n", f"1:10: {ENTRY}"),
    "two colons in brackets": ("a: [b: c: d]", f"1:9: {ENTRY}"),
    "a list that a line ends": ("key: [a, b\nother: c\n", f"2:6: {ENTRY}"),
    "no entry": ("a: [b, , c]", f"1:8: {MISSING}"),
    "only a comma": ("a: {,}", f"1:5: {MISSING}"),
    "a single quote": ("a: 'b\n", "1:4: unterminated quote (help: add the closing quote)"),
    "a double quote": ('x: "a\n\nb', "1:4: unterminated quote (help: add the closing quote)"),
    "a quote and a document": (
        'a: "b\n---\n',
        "1:4: unterminated quote before `---` or `...` (help: add the closing quote)",
    ),
    "text after a quote": ("a: 'it's'", f"1:8: {LINE}"),
    "text after a bracket": ("a: [b]c", f"1:7: {LINE}"),
    "an indentation between two": ("a:\n  b: c\n d: e\n", f"3:2: {LINE}"),
    "a key in a list": ("- a\nb: c\n", f"2:1: {LINE}"),
    "an entry in a mapping": ("a: b\n- c\n", f"2:1: {LINE}"),
    "a tab": ("a:\n\t- b\n", f"2:1: {TAB}"),
    "a tab at the top": ("\ta: b\n", f"1:1: {TAB}"),
    "a tab in a block": ("a: |\n\t\tb", f"2:1: {TAB}"),
    "a key without a colon": ("a: b\nccc\nd: e\n", f"3:1: {KEY}"),
    "a long line for a key": ("a: b\n" + "x" * 2000, f"2:2001: {KEY}"),
    "a key of 1,025": ("x" * 1025 + ": b\n", f"1:1026: {COLON}"),
    "a key of 1,025 in braces": ("{" + "x" * 1025 + ": b}", f"1:1027: {ENTRY}"),
    "two colons": ("a: b: c\n", f"1:5: {COLON}"),
    "a value that goes on": ("a: b\n  c: d\n", f"2:4: {COLON}"),
    "a list on the key's line": (
        "a: - b\n",
        (
            "1:4: unexpected `- ` (help: put the list on lines of its own; a text that begins "
            "with `- ` needs quotes)"
        ),
    ),
    "a key on the key's line": (
        "a: ? b\n",
        (
            "1:4: unexpected `?` (help: look for a text that begins with `? ` and needs "
            "quotes, or a wrong indentation)"
        ),
    ),
    "an alias without an anchor": ("a: *b\n", f"1:4: {ALIAS}"),
    "an anchor without a name": ("a: &\n", f"1:5: {NAME}"),
    "an alias without a name": ("a: *\n", f"1:5: {NAME}"),
    "an anchor in an anchor": ("a: &b*c d", f"1:6: {NAME}"),
    "two anchors": ("a: &a &b c", f"1:7: {LINE}"),
    "an anchor twice": (
        "a: &x 1\nb: &x 2\nc: *x\n",
        "2:4: duplicate anchor (help: give each anchor a different name)",
    ),
    "an unknown escape": ('a: "\\q"', f"1:6: {ESCAPED}"),
    "digits of an escape": ('a: "\\xZZ"', f"1:7: {ESCAPED}"),
    "an indentation of 0": ("a: |0\n b\n", f"1:5: {HEADER}"),
    "text after |": ("a: |x\n b\n", f"1:5: {HEADER}"),
    "another YAML": ("%YAML 3.0\n---\na: b\n", f"1:1: {DIRECTIVE}"),
    "a directive": ("%FOO\na: b", f"2:1: {DIRECTIVE}"),
    "a directive at the end": ("a: b\n%c", f"2:3: {DIRECTIVE}"),
    "a percent sign": ("a: %b", f"1:4: {QUOTE}"),
    "an at sign": ("a: @b\n", f"1:4: {QUOTE}"),
    "a tag": ("a: !<\n", f"1:6: {TAG}"),
    "a tag's handle": ("a: !e!x b", f"1:4: {TAG}"),
    "a closing bracket": ("a: ]\n", f"1:4: {VALUE}"),
    "a second document": (
        "a: b\n---\nc: d\n",
        "2:1: a second document (help: move each case to a file of its own)",
    ),
    "a control character": ("é: ä\nb: \x07\n", f"2:4: {FORBIDDEN}"),
    "a surrogate": ("a: '\ud800'", f"1:5: {FORBIDDEN}"),
}


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("kind", WRONG_YAML)
def test_broken_yaml_is_explained_in_our_words(kind: str, loader: type[yaml.SafeLoader]) -> None:
    text, message = WRONG_YAML[kind]
    with pytest.raises(CaseErrors) as caught:
        parse(text, "c.yaml", loader)
    assert str(caught.value) == f"c.yaml:{message}"


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("text", [r'a: "\uD800"', r'a: "\U00110000"', r'a: "\UFFFFFFFF"'])
def test_an_escape_of_no_character(text: str, loader: type[yaml.SafeLoader]) -> None:
    with pytest.raises(CaseErrors, match="invalid escape"):
        parse(text, "c.yaml", loader)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("before", ["", "\ufeff", "# ä\r\n"])
def test_a_comment_that_begins_like_an_attribute_is_refused(
    before: str, loader: type[yaml.SafeLoader]
) -> None:
    with pytest.raises(CaseErrors) as raised:
        parse(f"{before}ä: ö #[used]\n", "c.yaml", loader)
    line = 2 if before.startswith("#") else 1
    assert str(raised.value).startswith(f"c.yaml:{line}:6: `#[` begins a comment in YAML")


def test_each_kind_of_broken_yaml_is_tried() -> None:
    told = {message.split(": ", 1)[1].split(" (help")[0] for _, message in WRONG_YAML.values()}
    assert {kind.what for kind in MISTAKES} <= told


def test_a_nesting_within_the_limit_is_read() -> None:
    assert said("[" * MAX_DEPTH + "]" * MAX_DEPTH) == []
    assert data("a: b\tc\n") == {"a": "b\tc"}


def test_tags_are_refused() -> None:
    assert said("a: !foo [!!int '1']\nb: !!python/name:os.system x\n") == [
        "c.yaml:1:4: the tag !foo is not allowed (help: remove it)",
        "c.yaml:1:10: the tag !!int is not allowed (help: remove it)",
        "c.yaml:2:4: the tag !!python/name:os.system is not allowed (help: remove it)",
    ]


def test_aliases_that_explode() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 20)]
    what = "more than 50000 values after its aliases are expanded"
    help = "(help: use fewer aliases, or split the case)"
    assert said("\n".join(lines)) == [f"c.yaml:5:1: {what} {help}"]
    of_a_list = "\n".join(f"- {line.partition(': ')[2]}" for line in lines)
    (found,) = said(of_a_list)
    assert found.startswith("c.yaml:1:")
    assert found.endswith(f": {what} {help}")
    assert MAX_NODES == 50_000


def test_a_file_that_is_too_large() -> None:
    assert said("a: " + "b" * (1 << 20)) == [
        "c.yaml:1:1: the file is larger than 1048576 bytes (help: split the case)"
    ]


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


def test_an_escape_beyond_unicode_has_help() -> None:
    error = _forbidden_character('a: 1\nb: "\\U00110000"\n', "x.yaml")
    assert str(error) == f"x.yaml:2:5: {UNKNOWN_ESCAPE} (help: {ESCAPE})"
