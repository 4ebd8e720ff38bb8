"""A build as lines and back, and what many outputs have in common as blocks."""

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.compare.blocks import BLOCK, USUAL, divided
from linkage.compare.from_lines import built_of, outputs
from linkage.compare.lines import build_lines, line, words
from linkage.compare.model import Artifact, Built, Member, Part, Step
from linkage.compare.names import C
from linkage.compare.reduction import reduced
from linkage.compare.tables import ALL

FUNC, UND = ("FUNC GLOBAL DEFAULT .text",), ("NOTYPE GLOBAL DEFAULT UND",)
SHARED = Artifact(
    "elf",
    8,
    "aa",
    plain={"type": "shared", "soname": "none"},
    lists={"needed": ("libm.so.6", "libc.so.6"), "symbol version": ("libc.so.6:GLIBC_2.34",)},
    exports={"answer": FUNC, "only_dynamic": FUNC},
    imports={"puts": ("NOTYPE GLOBAL DEFAULT UND GLIBC_2.2.5",)},
    parts={
        "": Part(
            {"answer": FUNC, "puts": UND, "weak": ("OBJECT WEAK HIDDEN .data",), f"core{ALL}": ("3 ab",)},
            {"lib::f": ("FUNC LOCAL DEFAULT .text", "FUNC LOCAL HIDDEN .text", "FUNC LOCAL HIDDEN .text")},
            {".text": ("PROGBITS AX",), ".group": ("GROUP", "GROUP")},
            frozenset({"v0"}),
        )
    },
    references={"answer": frozenset({"puts", "lib::f"}), "empty": frozenset()},
)
ARCHIVE = Artifact(
    "archive",
    9,
    "bb",
    plain={"index": "yes"},
    parts={"lib": Part({"answer": FUNC, "puts": UND}), "c": Part({"one": FUNC, "two": FUNC})},
    members=(
        Member("lib.cgu.o", "object", "lib", frozenset({"answer", "puts"})),
        Member("one.o", "object", "c", frozenset({"one"})),
        Member("two.o", "object", "c", frozenset({"two"})),
        Member("lib.rmeta", "metadata"),
    ),
    index=frozenset({"answer"}),
)
BUILT = Built(
    (
        Step(
            "lib", "rustc", "exit status 0", ("warning: a\tb", "warning: a\tb"), outputs=("lib.a", "lib.so")
        ),
        Step("run", "run", "signal 6", (), "one\n\ntwo\\", "\n", None, ("x", "x"), {}),
    ),
    bootstrap=True,
)


def test_a_build_is_the_same_after_it_was_lines() -> None:
    lib = replace(
        BUILT.steps[0], artifacts={"lib.a": ARCHIVE, "lib.so": SHARED}, native_static_libs=("-lc", "-l a")
    )
    built = replace(BUILT, steps=(lib, BUILT.steps[1]))
    found = build_lines(built)
    assert not any("\n" in one for lines in found.values() for one in lines)
    again = built_of(found, [(9, "bb"), (8, "aa")])
    assert asdict(again) == asdict(built)
    assert outputs(found, ["lib", "run"]) == [("output", "lib", "lib.a"), ("output", "lib", "lib.so")]


@given(st.lists(st.text(), min_size=1))
def test_words_are_the_same_after_they_were_a_line(said: list[str]) -> None:
    text = line(*said)
    assert "\n" not in text
    assert words(text) == said


@pytest.mark.parametrize(
    "value", ["FUNC GLOBAL DEFAULT WEAK", "FUNC 10 DEFAULT .text", "OTHER WEAK HIDDEN a b"]
)
def test_a_symbol_in_a_strange_place_is_the_same_after_it_was_a_line(value: str) -> None:
    one = Artifact("elf", 0, "", parts={"": Part({"f": (value,)})})
    built = Built((Step("a", "rustc", "exit status 0", outputs=("o",), artifacts={"o": one}),))
    assert built_of(build_lines(built), [(0, "")]).steps[0].artifacts["o"].parts[""].symbols == {
        "f": (value,)
    }


LINES = st.frozensets(st.sampled_from([f"line {number}" for number in range(9)]), max_size=9)


@given(st.dictionaries(st.integers(), st.tuples(LINES, st.sampled_from("ab")), max_size=12))
def test_outputs_are_the_same_after_they_were_blocks(given_: dict[int, tuple[frozenset[str], str]]) -> None:
    lines = {key: one for key, (one, _) in given_.items()}
    own, blocks = divided(lines, {key: family for key, (_, family) in given_.items()})
    assert {key: blocks.whole(one) for key, one in own.items()} == lines


def test_what_most_have_and_what_comes_together_is_said_once() -> None:
    common = {f"common {number}" for number in range(5)}
    pair = {"one", "two"}
    given_ = {at: frozenset(common | {f"own {at}"} | (pair if at < 4 else set())) for at in range(9)}
    given_[8] -= {"common 0"}
    own, blocks = divided(given_, dict.fromkeys(given_, "bin"))
    assert blocks.usual == {"bin": frozenset(common)}
    ((name, lines),) = blocks.together.items()
    assert lines == pair
    assert own[0] == {f"{USUAL}bin", f"{BLOCK}{name}", "own 0"}
    assert own[8] == {f"{USUAL}bin", "not\tcommon 0", "own 8"}


def test_much_that_is_printed_is_told_in_sum() -> None:
    few, many = "\n".join("abc"), "\n".join(map(str, range(40)))
    steps = tuple(Step("run", "run", "exit status 0", stdout=text) for text in (few, many, many + "!"))
    found = [step.stdout.split("\n") for step in reduced(Built(steps)).steps]
    assert found[0] == list("abc")
    assert [len(lines) for lines in found[1:]] == [9, 9]
    assert found[1][:8] == found[2][:8]
    assert found[1][8].startswith("32 more lines, ")
    assert found[1][8] != found[2][8]


def test_names_in_c_that_are_not_the_variants_own_are_told_in_sum() -> None:
    libc = {f"libc_{number}": FUNC for number in range(400)}
    one = Artifact("elf", 0, "", parts={"": Part({"own": FUNC, "hidden_away": FUNC})})
    other = Artifact(
        "elf", 0, "", exports={"out": FUNC}, parts={"": Part({**libc, "own": FUNC, "out": FUNC})}
    )
    step = Step("lib", "rustc", "exit status 0", outputs=("a", "b"), artifacts={"a": one, "b": other})
    (made,) = reduced(Built((step,))).steps
    assert made.artifacts["a"].parts[""].symbols.keys() == {"own", "hidden_away"}
    assert made.artifacts["b"].parts[""].symbols.keys() == {"own", "out", f"{C}{ALL}"}
    assert made.artifacts["b"].parts[""].symbols[f"{C}{ALL}"][0].startswith("400 ")
