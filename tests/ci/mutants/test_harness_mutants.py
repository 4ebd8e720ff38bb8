"""Mutants of the harness: what is reported of them, and the list of those that no test can kill."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from mutants.equivalents import Equivalent, find, read_equivalents
from mutants.harness_mutants import Mutant, line_of, score, show

ROOT = Path(__file__).parents[3]
SOURCE = '''\
class Reader:
    def size(self) -> int:
        """Of a file."""
        return 1 + 1


def size(text: str) -> int:
    if text:
        return 1 + 1
    return len(text)
'''
KILLED = Mutant("judge", "harness/linkage/judge/x.py", 3, "killed", ("-    a", "+    b"))
SURVIVED = Mutant("case", "harness/linkage/case/y.py", 4, "survived", ("-    [a]", "+    [b]"))
EQUIVALENT = Mutant(
    "case",
    "harness/linkage/case/z.py",
    5,
    "survived",
    ("-    c", "+    d"),
    Equivalent("harness/linkage/case/z.py", "c", "d", "it is cached"),
)


@pytest.mark.parametrize("one", read_equivalents(), ids=lambda one: f"{one.file}: {one.line}")
def test_a_listed_mutant_changes_a_line_that_exists(one: Equivalent) -> None:
    source = " ".join((ROOT / one.file).read_text(encoding="utf-8").split())
    assert " ".join(one.line.split()) in source, "the line has changed: judge the mutant again"
    assert one.mutated != one.line
    assert len(one.reason) > len("equivalent")


def test_a_listed_mutant_is_found_by_its_lines() -> None:
    known = [Equivalent("a.py", "if x: y = 1", "if x: y = 2", "why")]
    assert find(known, "a.py", ["-    if x:", "-        y = 1", "+    if x:", "+        y = 2"]) is known[0]
    assert find(known, "b.py", ["-    if x: y = 1", "+    if x: y = 2"]) is None
    assert find(known, "a.py", ["-    if x: y = 1", "+    if x: y = 3"]) is None


@pytest.mark.parametrize(
    ("name", "removed", "line"),
    [
        ("linkage.x.x_size__mutmut_1", "        return 1 + 1", 9),
        ("linkage.x.x_size__mutmut_2", "    return len(text)", 10),
        ("linkage.x.x_size__mutmut_3", "    not there", 7),
    ],
)
def test_where_a_mutant_is(name: str, removed: str, line: int) -> None:
    assert line_of(SOURCE, name, [f"-{removed}", "+    other"]) == line


def test_a_method_is_not_taken_for_a_function_of_the_same_name() -> None:
    assert line_of(SOURCE, "linkage.x.xǁReaderǁsize__mutmut_1", ["-        return 1 + 1"]) == 4


def test_what_is_reported() -> None:
    output = StringIO()
    assert show([KILLED, KILLED, SURVIVED, EQUIVALENT], Console(file=output, width=100)) == pytest.approx(
        200 / 3
    )
    text = output.getvalue()
    assert "harness/linkage/case/y.py:4: survived\n    -    [a]\n    +    [b]\n" in text
    assert "harness/linkage/case/z.py:5: equivalent: it is cached\n" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["judge", "2", "2", "0", "0", "0", "100.0", "%"] in rows
    assert ["case", "2", "0", "0", "1", "1", "0.0", "%"] in rows
    assert ["all", "4", "2", "0", "1", "1", "66.7", "%"] in rows


def test_a_sample_without_a_mutant_has_a_full_score() -> None:
    assert score([]) == score([EQUIVALENT]) == 100
