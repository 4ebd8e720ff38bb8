"""Claims about a stream or a text file."""

import re
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from linkage.case.claims import Text
from linkage.case.document import parse
from linkage.judge.name_set import Mismatch, unjudged
from linkage.judge.text import NOT_EMPTY, check_text, messages

_TEXT: TypeAdapter[Text] = TypeAdapter(Text)
FILES = {"expected.txt": "one\ntwo\n", "empty.txt": ""}


def check(claim: str, text: str) -> list[Mismatch]:
    return list(check_text(_TEXT.validate_python(parse(claim, "claim").data), text, FILES))


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        (r'"45\n"', "45\n"),
        ("{equals: ''}", ""),
        ("{contains: two}", "one two"),
        ("{contains: [one, two]}", "two one"),
        ("{not-contains: three}", "one two"),
        (r"{matches: '^t\w+$'}", "one\ntwo\n"),
        ("{order: [one, two, one]}", "one two one"),
        ("{file: expected.txt}", "one\ntwo\n"),
        ("{file: empty.txt}", ""),
        ("{lines: 2}", "one\ntwo"),
        ("{lines: 0}", ""),
        ("{lines: '<1'}", ""),
        ("{empty: true}", ""),
        ("{empty: false}", "one"),
        (r"{number: {matches: 'Collected : ([\d,]+)', is: '<=1234'}}", "==7== Collected : 1,234\n"),
        (r"{number: {matches: 'ran (\d+)', is: '<=70', percent-of: 'it ran 100'}}", "it ran 70"),
        (r"{number: {matches: 'ran (\d+)', is: '33', percent-of: 'ran 300'}}", "ran 99"),
        ("{normalize: {'[0-9]+': N}, equals: 'N of N'}", "1 of 22"),
        (r"{normalize: {'(\w+)\.rs': '\1'}, equals: lib}", "lib.rs"),
    ],
)
def test_a_claim_that_holds(claim: str, text: str) -> None:
    assert check(claim, text) == []


@pytest.mark.parametrize(
    ("claim", "text", "miss"),
    [
        (r'"45\n"', "46\n", Mismatch("equals", r"equals '45\n'", r"'46\n'")),
        ("{contains: three}", "one", Mismatch("contains", "contains 'three'", "one")),
        (
            "{contains: undefined symbol foo}",
            "x\nundefined symbol: foo\n",
            Mismatch(
                "contains",
                "contains 'undefined symbol foo'",
                "x\nundefined symbol: foo",
                ("undefined symbol: foo",),
            ),
        ),
        (
            "{not-contains: two}",
            "one\nno two\nthree",
            Mismatch("not-contains", "does not contain 'two'", "no two"),
        ),
        ("{matches: ^two}", "one", Mismatch("matches", "matches /^two/", "one")),
        (r"{number: {matches: 'ran (\d+)', is: '<7'}}", "ran 7", Mismatch("number", "number <7", "7")),
        (
            r"{number: {matches: 'ran (\d+)', is: '<=70', percent-of: 'ran 1000'}}",
            "ran 701",
            Mismatch("number", "number <=70 % of 1000", "701, which is 70.10 %"),
        ),
        (
            r"{number: {matches: 'ran (\d+)', is: '<7'}}",
            "it ran",
            Mismatch("number", r"a number that matches /ran (\d+)/", "no match"),
        ),
        (
            r"{number: {matches: 'ran (\d+)', is: '<7', percent-of: 'it ran'}}",
            "ran 7",
            Mismatch("number", r"a number that matches /ran (\d+)/ in `percent-of`", "no match"),
        ),
        (
            r"{number: {matches: 'ran (\d+)', is: '<7', percent-of: 'ran 0'}}",
            "ran 7",
            Mismatch("number", r"a number that matches /ran (\d+)/ in `percent-of`", "0"),
        ),
        (
            "{order: [two, one]}",
            "one two",
            Mismatch("order", "in this order: 'two', 'one'", "'one' is out of order in:\none two"),
        ),
        (
            "{file: expected.txt}",
            "one\n",
            Mismatch("file", "equals expected.txt", "--- expected\n+++ found\n"),
        ),
        ("{lines: 2}", "one", Mismatch("lines", "lines 2", "1 line:\none")),
        ("{empty: true}", "one", Mismatch("empty", "empty", "one")),
    ],
)
def test_claim_that_does_not_hold(claim: str, text: str, miss: Mismatch) -> None:
    (found,) = check(claim, text)
    assert (found.part, found.claimed) == (miss.part, miss.claimed)
    assert found.found.startswith(miss.found)
    assert found.nearest == miss.nearest


@pytest.mark.parametrize(
    "claim",
    [
        "{contains: a}", "{not-contains: a}", "{matches: a}", "{order: [a]}", "{equals: a}", "{lines: '<9'}",
        "{lines: '>=0'}", "{empty: false}", "{file: expected.txt}", "{normalize: {a: ''}, not-contains: b}",
    ],
)  # fmt: skip
def test_an_empty_text_holds_nothing_but_what_asks_for_it(claim: str) -> None:
    excludes = re.search(r"not-contains|lines", claim)
    assert check(claim, "") == [unjudged("nothing to judge: it is empty") if excludes else NOT_EMPTY]


def test_a_text_that_becomes_empty_is_empty() -> None:
    assert [miss.found for miss in check("{normalize: {'a': ''}, not-contains: b}", "aaa")] == [
        "nothing to judge: it is empty"
    ]


def test_absent_file_is_not_a_text() -> None:
    assert check("{file: gone.txt}", "one") == [
        Mismatch("file", "equals gone.txt", "the case has no file gone.txt")
    ]


def test_a_long_text_is_shown_by_its_ends_and_escaped() -> None:
    (miss,) = check("{contains: nowhere}", "\n".join(f"\x1b{number}" for number in range(100)))
    assert miss.found.splitlines()[0] == r"\x1b0"
    assert miss.found.splitlines()[6] == "… 88 lines …"
    assert miss.found.splitlines()[-1] == r"\x1b99"


def test_the_messages_of_tools_stay_in_what_is_left_out() -> None:
    lines = [f"line {number}" for number in range(60)]
    lines[20] = "valgrind: m_libcfile.c:66 (vgPlain_safe_fd): Assertion 'newfd' failed."
    lines[21] = "\x1b/usr/bin/ld: error: undefined"
    shown = messages("\n".join(lines)).splitlines()
    assert shown[5:11] == [
        "line 5",
        "… 14 lines …",
        lines[20],
        r"\x1b/usr/bin/ld: error: undefined",
        "… 32 lines …",
        "line 54",
    ]
    many = messages("\n".join([f"tool: {number}" for number in range(60)])).splitlines()
    assert (many[9:11], len(many)) == (["tool: 9", "… 44 lines …"], 17)
    assert messages("one\n") == "one"
    assert messages("") == "(no output)"


def test_a_long_line_is_cut() -> None:
    (miss,) = check("{contains: nowhere}", "a" * 1000 + "\n" + "b" * 1001)
    assert miss.found == "a" * 1000 + "\n" + "b" * 1000 + "…"


@pytest.mark.parametrize(
    ("wanted", "near"),
    [
        ("undefined reference to `bar'", "x.o: undefined reference to `foo'"),
        ("Undefined symbol: bar", "lld: undefined symbol: foo"),
        ("all is well", None),
        ("xyzzy", None),
        ("exit cade 17", "exit code 17"),
    ],
)
def test_a_long_text_is_shown_around_the_nearest_line(wanted: str, near: str | None) -> None:
    lines = [f"all calls are allocated at {number}" for number in range(60)]
    lines[30:33] = ["x.o: undefined reference to `foo'", "lld: undefined symbol: foo", "exit code 17"]
    (found,) = check_text(Text(contains=(wanted,)), "\n".join(lines), {})
    assert found.nearest == (() if near is None else (near,))
    shown = found.found.splitlines()
    if near is None:
        assert shown[6] == "… 48 lines …"
    else:
        assert shown[4] == near
        assert len(shown) == 9


def test_a_text_of_empty_lines_only() -> None:
    (found,) = check_text(Text(contains=("word",)), "\n\n", {})
    assert (found.found, found.nearest) == ("(empty)", ())


def test_a_long_text_is_shown_by_six_lines_of_each_end() -> None:
    (miss,) = check("{contains: nowhere}", "\n".join(map(str, range(13))))
    assert miss.found == "0\n1\n2\n3\n4\n5\n… 1 lines …\n7\n8\n9\n10\n11\n12"


def against(other: str | None, text: str, claim: str = "{same-as: first}") -> list[Mismatch]:
    given = _TEXT.validate_python(parse(claim, "claim").data)
    return list(check_text(given, text, FILES, other))


def test_a_text_is_the_same_as_that_of_another_step() -> None:
    assert against("one", "one") == []
    assert against("one", "two") == [Mismatch("same-as", "the same as that of first", "'two'")]
    assert against("one\ntwo\n", "one\n2\n") == [
        Mismatch(
            "same-as", "the same as that of first", "--- expected\n+++ found\n@@ -1,2 +1,2 @@\n one\n-two\n+2"
        )
    ]
    assert against(None, "one") == [replace(unjudged("step first has no such output"), part="same-as")]
    assert against("", "") == [replace(unjudged("nothing to judge: both are empty"), part="same-as")]
    assert against("", "one") == [Mismatch("same-as", "the same as that of first", "'one'")]
    assert against("1 s", "2 s", "{same-as: first, normalize: {'\\d s': N s}}") == []


@pytest.mark.parametrize(
    ("text", "unwanted", "line"),
    [
        ("one\ntwo three\nfour", "wo t", "two three"),
        ("two three", "two", "two three"),
        ("one\ntwo", "two", "two"),
        ("\ntwo\nthree", "\ntwo", "\\ntwo"),
        ("one\ntwo\nthree", "ne\nt", "one\\ntwo"),
    ],
)
def test_what_a_text_must_not_contain_is_shown_with_its_line(text: str, unwanted: str, line: str) -> None:
    given = Text.model_validate({"not-contains": [unwanted]})
    assert [miss.found for miss in check_text(given, text, FILES)] == [line]
