"""Requirements and targets that no toolchain knows."""

from pathlib import Path

import pytest

from linkage.case.check.requirements import impossible
from linkage.case.reader import parse_case
from linkage.errors import CaseErrors
from linkage.toolchain.vocabulary import Vocabulary

HEAD = "summary: x\nsources: {lib.rs: ''}\n"
KNOWN: Vocabulary = {
    "target": frozenset({"x86_64-unknown-linux-gnu", "wasm32-wasip1"}),
    "os": frozenset({"linux"}),
}
FLAGS = frozenset(f"-Z{number}-flag" for number in range(21))


def found(text: str, known: Vocabulary = KNOWN) -> list[str]:
    return [str(one) for one in impossible(parse_case(HEAD + text, Path("nowhere/x.yaml"), "x.yaml"), known)]


NEAR = "(help: did you mean `x86_64-unknown-linux-gnu`?)"
LISTED = "(help: expected one of wasm32-wasip1, x86_64-unknown-linux-gnu)"


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("steps: [{rustc: lib.rs, target: x86_64-unknown-linux-gnu}]\n", []),
        ("steps: [{rustc: lib.rs, target: custom.json}]\n", []),
        ("steps: [{rustc: lib.rs, target: '${host}'}]\n", []),
        (
            "steps: [{rustc: lib.rs, target: x86-64-unknown-linux-gnu}]\n",
            [f"x.yaml:3:33: no known rustc has the target `x86-64-unknown-linux-gnu` {NEAR}"],
        ),
        (
            "steps: [{rustc: lib.rs, target: '?'}]\n",
            [f"x.yaml:3:33: no known rustc has the target `?` {LISTED}"],
        ),
        (
            "matrix: {target: [wasm32-wasip1, {name: zzz, x: 1}, '${host}']}\nsteps: [{rustc: lib.rs}]\n",
            [f"x.yaml:3:34: no known rustc has the target `zzz` {LISTED}"],
        ),
        (
            "matrix:\n  rows: [{target: yyy}]\n  include: [{target: zzz}]\nsteps: [{rustc: lib.rs}]\n",
            [
                f"x.yaml:4:19: no known rustc has the target `yyy` {LISTED}",
                f"x.yaml:5:22: no known rustc has the target `zzz` {LISTED}",
            ],
        ),
        (
            (
                "steps:\n  - parallel:\n    - {rustc: lib.rs, id: a, crate-name: a, target: zzz}\n"
                "    - {rustc: lib.rs}\n"
            ),
            [f"x.yaml:5:53: no known rustc has the target `zzz` {LISTED}"],
        ),
        (
            "requires: [{os: linux}, {os: linuks}, {arch: anything}]\nsteps: [{rustc: lib.rs}]\n",
            ["x.yaml:3:30: no known target has the operating system `linuks` (help: did you mean `linux`?)"],
        ),
    ],
)
def test_words_that_are_not_known(text: str, errors: list[str]) -> None:
    assert found(text) == errors


def test_without_a_vocabulary_any_word_is_known() -> None:
    assert found("requires: {os: zzz}\nsteps: [{rustc: lib.rs, target: zzz}]\n", {}) == []


def test_flag_is_known_with_any_value_and_spelling() -> None:
    text = "requires: [{flag: -Z1_flag=3}, {flag: -Z99-flag}]\nsteps: [{rustc: lib.rs}]\n"
    (error,) = found(text, {"flag": FLAGS})
    assert error == "x.yaml:3:39: no known rustc has `-Z99-flag` (help: did you mean `-Z9-flag`?)"


def test_an_object_format_that_rustc_does_not_write() -> None:
    """These are not the compiler's words: the case is wrong whatever runs it."""
    text = HEAD + "requires: [{object-format: elf}, {object-format: pe}]\nsteps: [{rustc: lib.rs}]\n"
    with pytest.raises(CaseErrors) as refused:
        parse_case(text, Path("nowhere/x.yaml"), "x.yaml")
    assert str(refused.value) == (
        "x.yaml:3:50: no known target has the object format `pe`"
        " (help: expected one of coff, elf, macho, wasm, xcoff)"
    )
