"""What paths and globs mean in a working folder."""

import pytest

from linkage.plan.state import Node, State, fits, initial, matching, selected, target

FILE, DIR = Node("file", "x", 0o644, 1), Node("dir", "", 0o755)


def link(to: str) -> Node:
    return Node("link", to, 0o777)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.o", ["a.o"]),
        ("./a.o", ["a.o"]),
        ("deep/../a.o", ["a.o"]),
        ("*.o", ["a.o", "b.o", "deep/c.o"]),
        ("deep/*", ["deep/c.o", "deep/er/d.rs"]),
        ("?.o", ["a.o", "b.o"]),
        ("A.o", []),
        ("deep", ["deep"]),
        ("*", ["a.o", "b.o", "deep", "deep/c.o", "deep/er/d.rs"]),
    ],
)
def test_paths_and_globs(pattern: str, names: list[str]) -> None:
    assert matching(["deep", "b.o", "a.o", "deep/c.o", "deep/er/d.rs"], pattern) == names
    assert all(fits(name, pattern) for name in names)


STATE: State = {
    "a.o": FILE,
    "deep": DIR,
    "deep/b.o": FILE,
    "here.o": link("a.o"),
    "deep/up.o": link("../a.o"),
    "folder.o": link("deep"),
    "gone.o": link("nowhere"),
    "out.o": link("/etc/passwd"),
    "loop.o": link("pool.o"),
    "pool.o": link("loop.o"),
}


def test_files_are_selected_and_links_to_files() -> None:
    assert selected("*.o", STATE) == ["a.o", "deep/b.o", "deep/up.o", "here.o"]
    assert selected("deep", STATE) == []
    assert selected("folder.o", STATE) == []


def test_where_links_lead() -> None:
    assert target("deep/up.o", STATE) == FILE
    assert target("folder.o", STATE) == DIR
    assert [target(name, STATE) for name in ("gone.o", "out.o", "loop.o", "never")] == [None] * 4


def test_the_state_before_the_first_step() -> None:
    state = initial({"lib.rs": b"abc", "src/deep/mod.rs": b""})
    assert sorted(state) == ["lib.rs", "src", "src/deep", "src/deep/mod.rs"]
    assert (state["src"].kind, state["lib.rs"].size, state["lib.rs"].mode) == ("dir", 3, 0o644)
    assert state["lib.rs"].content != state["src/deep/mod.rs"].content
