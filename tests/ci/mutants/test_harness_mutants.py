"""Mutants of the harness: what is reported of them, and the list of those that no test can kill."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from mutants.equivalents import Equivalent, as_entry, find, read_equivalents
from mutants.harness_mutants import Mutant, function_of, line_of, score, show, source_of

ROOT = Path(__file__).parents[3]
SOURCE = '''\
class Reader:
    def size(self) -> int:
        """Of a file."""
        return 1 + 1

    def _size(self) -> int:
        return 2


def size(text: str) -> int:
    if text:
        return 1 + 1
    return len(text)
'''
KILLED = Mutant("judge", "harness/linkage/judge/x.py", "e", 3, "killed", ("-    a", "+    b"))
SURVIVED = Mutant("case", "harness/linkage/case/y.py", "Y.e", 4, "survived", ("-    [a]", "+    [b]"))
EQUIVALENT = Mutant(
    "case",
    "harness/linkage/case/z.py",
    "f",
    5,
    "survived",
    ("-    c", "+    d"),
    Equivalent("harness/linkage/case/z.py", "f", ("- c", "+ d"), "it is cached"),
)


@pytest.mark.parametrize("one", read_equivalents(), ids=lambda one: f"{one.file}: {one.diff[0]}")
def test_a_listed_mutant_changes_lines_that_its_function_has_once(one: Equivalent) -> None:
    _, lines = source_of((ROOT / one.file).read_text(encoding="utf-8"), one.function)
    size = len(one.removed)
    found = [at for at in range(len(lines)) if lines[at : at + size] == one.removed]
    assert found, "the lines have changed: judge the mutant again"
    assert len(found) == 1, "the function has these lines twice: the list does not say which it means"
    assert one.reason


def test_no_mutant_is_listed_twice() -> None:
    listed = [(one.file, one.function, one.diff) for one in read_equivalents()]
    assert len(set(listed)) == len(listed)


def test_a_listed_mutant_is_found_by_its_lines() -> None:
    known = [Equivalent("a.py", "f", ("- if x:", "- y = 1", "+ if x:", "+ y = 2"), "why")]
    diff = ["-    if x:", "-        y = 1", "+    if x:", "+        y = 2"]
    assert find(known, "a.py", "f", diff) is known[0]
    assert find(known, "b.py", "f", diff) is None
    assert find(known, "a.py", "g", diff) is None
    assert find(known, "a.py", "f", diff[:3]) is None


def test_what_is_reported_of_a_survivor_is_its_entry_in_the_list(tmp_path: Path) -> None:
    diff = ['-    return f"{a}\\n"', "-        + b", "+    return None"]
    place = tmp_path / "list.toml"
    place.write_text(as_entry("a.py", "F.g", diff, "why") + as_entry("a.py", "h", diff, ""))
    known = read_equivalents(place)
    assert find(known, "a.py", "F.g", diff) is known[0]
    assert find(known, "a.py", "h", diff) is known[1]
    assert known[0].removed == ['return f"{a}\\n"', "+ b"]


@pytest.mark.parametrize(
    ("name", "function", "removed", "line"),
    [
        ("linkage.x.x_size__mutmut_1", "size", "        return 1 + 1", 12),
        ("linkage.x.x_size__mutmut_2", "size", "    return len(text)", 13),
        ("linkage.x.x_size__mutmut_3", "size", "    not there", 10),
        ("linkage.x.xǁReaderǁsize__mutmut_1", "Reader.size", "        return 1 + 1", 4),
        ("linkage.x.xǁReaderǁ_size__mutmut_12", "Reader._size", "        return 2", 7),
    ],
)
def test_where_a_mutant_is(name: str, function: str, removed: str, line: int) -> None:
    assert function_of(name) == function
    assert line_of(SOURCE, function, [f"-{removed}", "+    other"]) == line


def test_what_is_reported() -> None:
    output = StringIO()
    assert show([KILLED, KILLED, SURVIVED, EQUIVALENT], Console(file=output, width=100)) == pytest.approx(
        200 / 3
    )
    text = output.getvalue()
    assert (
        "harness/linkage/case/y.py:4: survived\n"
        '[[mutant]]\nfile = "harness/linkage/case/y.py"\nfunction = "Y.e"\n'
        "diff = '''\n- [a]\n+ [b]\n'''\nreason = \"\"\n" in text
    )
    assert "harness/linkage/case/z.py:5: equivalent: it is cached\n    - c\n    + d\n" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["judge", "2", "2", "0", "0", "0", "100.0", "%"] in rows
    assert ["case", "2", "0", "0", "1", "1", "0.0", "%"] in rows
    assert ["all", "4", "2", "0", "1", "1", "66.7", "%"] in rows


def test_a_sample_without_a_mutant_has_a_full_score() -> None:
    assert score([]) == score([EQUIVALENT]) == 100
