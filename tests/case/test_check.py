"""Wrong cases and right ones: what is said of each, word for word, is written at its end.

A file of `wrong/` is a case; its last lines, `#! LINE:COLUMN: message`, are all that must be
said of it, in this order. A file of `right/` is one of which nothing must be said.
"""

from pathlib import Path

import pytest

from support.case_texts import errors_of, errors_of_small

HERE = Path(__file__).parent
WRONG = sorted((HERE / "wrong").glob("*.txt"))
RIGHT = sorted((HERE / "right").glob("*.txt"))


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.stem)
def test_mistakes_are_reported(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    expected = [line.removeprefix("#! ") for line in text.splitlines() if line.startswith("#! ")]
    assert expected
    assert errors_of(text) == [f"case.yaml:{line}" for line in expected]


@pytest.mark.parametrize("file", RIGHT, ids=lambda file: file.stem)
def test_what_is_right_is_let_pass(file: Path) -> None:
    assert errors_of(file.read_text(encoding="utf-8")) == []


def test_both_kinds_are_there() -> None:
    assert len(WRONG) > len(RIGHT) > 20


def test_mistake_of_several_variants_is_reported_once() -> None:
    matrix = "matrix: {k: [1, 2, 3, 4]}\n"
    found = errors_of_small(
        matrix + "steps: [{rustc: lbi.rs, cfg: 'k${k}'}, {cc: main.c, link-with: lib.cdylib}]"
    )
    assert [line.partition(" (help")[0] for line in found] == [
        "case.yaml:4:17: the source `lbi.rs` does not exist",
        "case.yaml:4:64: no earlier step makes `lib.cdylib`",
    ]


def test_a_message_is_one_line_however_long_or_odd_a_value_is() -> None:
    (long,) = errors_of_small(f"steps: {{rustc: {'a' * 5000}.rs}}")
    assert len(long) < 600
    (odd,) = errors_of_small('"a\\nb\\e": 1\nsteps: {rustc: lib.rs}')
    assert odd.startswith("case.yaml:3:1: unknown key `a\\nb\\x1b` (help: expected one of claims, ")


def test_an_argument_has_a_length_that_a_process_can_have() -> None:
    (found,) = errors_of_small(f"steps: {{rustc: lib.rs, flags: {'x' * (1 << 17)}}}")
    assert found.startswith("case.yaml:3:")
    assert found.endswith("of 131072 bytes is longer than 131071 (help: put the text into a file)")
