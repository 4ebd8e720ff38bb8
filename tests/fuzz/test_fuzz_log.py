"""What a session keeps, whatever happens to its last line."""

from pathlib import Path

import pytest

from linkage.bisect.signature import Signature
from linkage.errors import LinkageError
from linkage.fuzz.fuzz_log import NAME, CheckedGraph, FuzzStart, GraphFinding, begin, load

START = FuzzStart(7, ("stable",), "lto", ("folder",))
GRAPH = CheckedGraph(0, 99, "stable", {"holds": 3, "refused": 1}, {"no": 1}, (1,))
FINDING = GraphFinding(
    1, 99, 0, "stable", "1.95.0", "c-static", Signature("k", "exit", (), "exit N", ("word",), "line"), 2.5
)


def test_a_session_is_read_back_and_continued(tmp_path: Path) -> None:
    log = begin(START, tmp_path / "found")
    log.add(GRAPH)
    log.add(FINDING)
    log.close()
    again = load(tmp_path / "found")
    assert (again.start, again.graphs, again.findings) == (START, {0: GRAPH}, [FINDING])
    assert again.outcomes() == {"holds": 3, "refused": 1}
    assert again.hits() == {1: 1}
    again.add(CheckedGraph(1, 5, "stable", {}))
    again.close()
    assert set(load(tmp_path / "found").graphs) == {0, 1}


def test_a_line_that_was_being_written_does_not_count(tmp_path: Path) -> None:
    log = begin(START, tmp_path)
    log.add(GRAPH)
    log.close()
    file = tmp_path / NAME
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:-9])
    with load(tmp_path).held or pytest.fail("not locked"):
        assert file.read_bytes() == whole + whole[: whole.index(b"\n") + 1]


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "has no start"), (b"{}\n", "has no start"), (b"[1\n", "session.jsonl:1: invalid line")],
)
def test_what_is_no_session_is_named(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(LinkageError, match=told):
        load(tmp_path)


def test_a_folder_has_one_session_and_one_process(tmp_path: Path) -> None:
    log = begin(START, tmp_path)
    with pytest.raises(LinkageError, match="already contains a session"):
        begin(START, tmp_path)
    with pytest.raises(LinkageError, match="another process"):
        load(tmp_path)
    log.close()
    with pytest.raises(LinkageError, match="cannot be read"):
        load(tmp_path / "other")
