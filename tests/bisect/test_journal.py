"""The session's file: a round trip, and errors in it."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from linkage.bisect.journal import JournalEntry, create, load
from linkage.bisect.search import Mark
from linkage.errors import LinkageError
from support.fake_prober import OTHER, PASSES, SHIM


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "deep/session"
    with create(file) as journal:
        journal.begin({"cases": ["x y.yaml"]})
        journal.note("nightly-2026-05-19", "x.yaml[lto=fat]", JournalEntry(Mark.BAD, SHIM), "fails")
        journal.note("stage1=/a b/rustc", 'x "y".yaml', JournalEntry(Mark.GOOD, PASSES), "passes\nhere")
        journal.note(
            "{odd}", "#odd", JournalEntry(Mark.SKIP, replace(OTHER, reason="a\u2028b")), "a different failure"
        )
        journal.note_missing("nightly-2026-05-20", "not on the server")
        journal.note_missing("nightly-2026-05-21", "cannot be downloaded", for_now=True)
    with load(file) as again:
        assert (again.start, again.entries) == (journal.start, journal.entries)
        assert again.missing == {"nightly-2026-05-20": "not on the server"}
        again.note("t", "v", JournalEntry(Mark.GOOD), "set by hand")
    assert load(file, resume=False).entries["t", "v"] == JournalEntry(Mark.GOOD)


def test_the_later_line_counts(tmp_path: Path) -> None:
    file = tmp_path / "session"
    file.write_text('start {"cases": []}\ngood t v\nbad t v\nskip u v # a note\n\n  # another\n')
    assert {key: one.mark.value for key, one in load(file).entries.items()} == {
        ("t", "v"): "bad",
        ("u", "v"): "skip",
    }


def test_a_torn_line_does_not_count(tmp_path: Path) -> None:
    file = tmp_path / "session"
    file.write_text('start {"cases": []}\ngood t v\nbad u v {"outc')
    assert list(load(file, resume=False).entries) == [("t", "v")]
    assert file.read_text().endswith('{"outc')
    with load(file) as journal:
        journal.note("w", "v", JournalEntry(Mark.GOOD), "set by hand")
    assert list(load(file).entries) == [("t", "v"), ("w", "v")]


def test_a_line_that_is_torn_within_a_letter(tmp_path: Path) -> None:
    file = tmp_path / "session"
    file.write_bytes('start {"cases": []}\ngood t Zoë\nbad u Zo'.encode() + b"\xc3")
    assert list(load(file).entries) == [("t", "Zoë")]
    assert file.read_text() == 'start {"cases": []}\ngood t Zoë\n'


def test_two_cannot_go_on_with_one_session(tmp_path: Path) -> None:
    file = tmp_path / "session"
    with create(file) as journal:
        journal.begin({"cases": []})
        with pytest.raises(LinkageError, match=r"session: another process uses this session \(help: "):
            load(file)
        load(file, resume=False)
    file.write_text("no session\n")
    for _ in range(2):  # who cannot read it lets go of it
        with pytest.raises(LinkageError, match=":1: invalid line"):
            load(file)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("good t v\n", ": is not a bisection session: it has no `start` line"),
        (
            "start {}\nworse t v\n",
            ":2: invalid line: it must begin with good, bad, skip or missing",
        ),
        ("start {}\ngood t\n", ":2: invalid line: it must look like `good nightly-"),
        ('start {}\ngood t v {"outcome": 3}\n', ":2: invalid line: Expected `str`, got `int`"),
        ("start []\n", ":1: invalid line: a JSON object is expected"),
        ("start {\n", ":1: invalid line: "),
    ],
)
def test_errors_name_the_line(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "session"
    file.write_text(text)
    with pytest.raises(LinkageError) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file}{told}")
    assert "\n" not in str(caught.value)


def test_a_session_that_cannot_be_begun_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("linkage.bisect.journal.os.fsync", full)
    with (
        create(tmp_path / "session") as journal,
        pytest.raises(LinkageError, match="session: cannot be written: No space left on device"),
    ):
        journal.begin({"cases": []})
    assert not (tmp_path / "session").exists()


def test_files_that_are_in_the_way_or_missing(tmp_path: Path) -> None:
    create(tmp_path / "session")
    with pytest.raises(LinkageError, match="already contains a session"):
        create(tmp_path / "session")
    with pytest.raises(LinkageError, match="cannot be written: "):
        create(tmp_path / "session/inside")
    with pytest.raises(LinkageError, match="cannot be written: it is not a file"):
        create(tmp_path)
    with pytest.raises(LinkageError, match="cannot be read: No such file"):
        load(tmp_path / "none")
