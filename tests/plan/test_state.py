"""What paths and globs match in a working folder."""

import pytest

from linkage.plan.state import (
    UNREADABLE,
    Node,
    State,
    fits,
    initial,
    matching,
    other_than_files,
    selected,
    target,
)

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


def test_what_is_there_and_is_no_file() -> None:
    state = {**STATE, "pipe.o": Node("other", "named pipe", 0o644)}
    outside = "a symbolic link to {}, which is not in the working folder"
    assert other_than_files("*.o", state) == {
        "folder.o": "a folder",
        "gone.o": outside.format("nowhere"),
        "loop.o": outside.format("pool.o"),
        "out.o": outside.format("/etc/passwd"),
        "pipe.o": "a named pipe",
        "pool.o": outside.format("loop.o"),
    }
    assert other_than_files("deep", state) == {"deep": "a folder"}
    assert other_than_files("a.o", state) == other_than_files("never", state) == {}


def test_the_store_keeps_the_bytes_of_readable_files_alone() -> None:
    assert FILE.stored == "x"
    assert Node("file", UNREADABLE, 0o000, 1).stored is None
    assert DIR.stored is link("a.o").stored is None


def test_where_links_lead() -> None:
    assert target("deep/up.o", STATE) == FILE
    assert target("folder.o", STATE) == DIR
    assert [target(name, STATE) for name in ("gone.o", "out.o", "loop.o", "never")] == [None] * 4


def test_the_state_before_the_first_step() -> None:
    state = initial({"lib.rs": b"abc", "src/deep/mod.rs": b""})
    assert sorted(state) == ["lib.rs", "src", "src/deep", "src/deep/mod.rs"]
    assert (state["src"].kind, state["lib.rs"].size, state["lib.rs"].mode) == ("dir", 3, 0o644)
    assert state["lib.rs"].content != state["src/deep/mod.rs"].content
