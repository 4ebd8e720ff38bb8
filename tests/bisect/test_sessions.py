"""Sessions whose names nobody gave: always a free name, and the last one is the one begun last."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.bisect.sessions import create_in, last_in
from harness.errors import LinkageError


@pytest.fixture
def _one_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.gmtime(1_800_000_000)
    monkeypatch.setattr("harness.bisect.sessions.time.gmtime", lambda: now)


def begin(folder: Path, begun_in: str) -> Path:
    book = create_in(folder)
    book.begin({"cases": [], "folder": begun_in})
    assert book.file is not None
    return book.file


@pytest.mark.usefixtures("_one_second")
def test_many_in_one_second_have_a_file_each_in_their_order(tmp_path: Path) -> None:
    files = [begin(tmp_path, "/here") for _ in range(12)]
    assert len(set(files)) == 12
    assert last_in(tmp_path, Path("/here")) == files[-1]
    for number in range(13, 1000):
        (tmp_path / f"{files[0].name[:15]}-{number:03}.log").touch()
    # Past what three digits hold, the order is that of the numbers.
    assert last_in(tmp_path, Path("/here")) == files[-1]
    thousandth = begin(tmp_path, "/here")
    assert thousandth.name.endswith("-1000.log")
    assert last_in(tmp_path, Path("/here")) == thousandth


@pytest.mark.usefixtures("_one_second")
def test_many_at_once_have_a_file_each(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        files = list(threads.map(lambda _: begin(tmp_path, "/here"), range(40)))
    assert len(set(files)) == 40


def test_the_last_one_of_this_folder(tmp_path: Path) -> None:
    first = begin(tmp_path, '/a "folder" of Zoë')
    begin(tmp_path, "/there")
    (tmp_path / "99999999-000000-001.log").write_text("start [\n")
    (tmp_path / "99999999-000000-002.log").write_text("")
    assert last_in(tmp_path, Path('/a "folder" of Zoë')) == first
    with pytest.raises(LinkageError, match="no session was begun in this folder"):
        last_in(tmp_path, Path("/a"))
    with pytest.raises(LinkageError, match="no session was begun in this folder"):
        last_in(tmp_path / "none", Path("/a"))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file/deeper"):
        with pytest.raises(LinkageError, match=r"cannot be written: (its folder is a file|Not a directory)"):
            create_in(folder)
