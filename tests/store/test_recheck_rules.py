"""What differs between two runs of one step and says nothing about the compiler, as it was seen."""

import pytest

from linkage.artifact.facts import Facts
from linkage.plan.observation import Outcome
from linkage.plan.state import Node
from linkage.store.recheck import difference, neutral

RACE = "==\nWARNING: ThreadSanitizer: data race (pid=1)\n  Write by {}:\n==\nend\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("test result: ok. 1 passed; finished in 0.00s", "test result: ok. 1 passed; finished in 12.01s"),
        (
            "state/a-2svt2euq5tyzj/s-hoks8wf9xl-0ni011b-a3tb1czh423e4r59x2biib6ud/0a.o",
            "state/a-2svt2euq5tyzj/s-hokrphyseg-0m8fizx-a3tb1czh423e4r59x2biib6ud/0a.o",
        ),
        ("state/a/s-hoks8wf9xl-0ni011b.lock", "state/a/s-hokrphyseg-0m8fizx.lock"),
        (RACE.format("main thread"), RACE.format("thread T1").replace("pid=1", "pid=27")),
    ],
)
def test_texts_that_are_the_same(one: str, other: str) -> None:
    assert one != other
    assert neutral(one) == neutral(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("test result: ok. 1 passed; finished in 0.00s", "test result: ok. 2 passed; finished in 0.00s"),
        (RACE.format("main thread"), RACE.format("main thread").replace("end", "another end")),
        ("s-lib-one/a.o", "s-lib-two/a.o"),
    ],
)
def test_texts_that_differ(one: str, other: str) -> None:
    assert neutral(one) != neutral(other)


@pytest.mark.parametrize(
    ("name", "same"),
    [("counted.profraw", True), ("rustc-ice-2026-01-01T00_00_00-1.txt", True), ("counted.profdata", False)],
)
def test_files_that_hold_addresses_of_a_process(
    name: str,
    same: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    kept, again = (Outcome(0, facts={name: Facts("other", 1, digest)}) for digest in "ab")
    before, after = ({name: Node("file", digest, 0o644, 1)} for digest in "ab")
    assert (difference(kept, before, again, after) == "") is same
