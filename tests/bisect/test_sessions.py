"""Sessions without --session: always a free name, and --resume takes the one started last."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from linkage.bisect.session_files import create_in, last_in
from linkage.errors import LinkageError
from support.scripted_rustc import FAILS, MakeRustc


@pytest.fixture
def _one_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.gmtime(1_800_000_000)
    monkeypatch.setattr("linkage.bisect.session_files.time.gmtime", lambda: now)


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
    with pytest.raises(LinkageError, match="no session was started in this folder"):
        last_in(tmp_path, Path("/a"))
    with pytest.raises(LinkageError, match="no session was started in this folder"):
        last_in(tmp_path / "none", Path("/a"))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file/deeper"):
        with pytest.raises(LinkageError, match=r"cannot be written: (its folder is a file|Not a directory)"):
            create_in(folder)


Started = subprocess.Popen[str]
REPOSITORY = Path(__file__).parents[2]
LISTED = ("--toolchains", "./good", "--toolchains", "./slow", "--toolchains", "./bad")


def start(*words: str) -> Started:
    command = [sys.executable, "-m", "linkage", "bisect", *words]
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY / "harness")}
    return subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def end(process: Started, status: int) -> tuple[str, str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == status, err
    return out, err


@pytest.fixture
def at_work(case: str, make_rustc: MakeRustc, tmp_path: Path) -> Iterator[Started]:
    """A bisection that is trying a variant, until there is a file `go`."""
    make_rustc("good")
    make_rustc("slow", f"touch {tmp_path}/trying; until [ -e {tmp_path}/go ]; do sleep 0.05; done")
    make_rustc("bad", FAILS)
    process = start(f"{case}[size=1]", *LISTED, "--session", "mine.log")
    try:
        while not (tmp_path / "trying").exists():
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
        yield process
    finally:
        (tmp_path / "go").touch()
        process.kill()
        process.communicate()


def test_session_that_is_in_use(at_work: Started, tmp_path: Path) -> None:
    for words in (["--resume", "mine.log"], ["answer.yaml", *LISTED, "--session", "mine.log"]):
        out, err = end(start(*words), 4)
        assert (out, err.count("\n")) == ("", 1)
        told = "another process uses" if "--resume" in words else "already contains a session"
        assert err.startswith(f"linkage: mine.log: {told}")
    (tmp_path / "go").touch()
    assert "fails: introduced by ./bad" in end(at_work, 0)[0]
    assert "fails: introduced by ./bad" in end(start("--resume", "mine.log"), 0)[0]


def test_only_one_of_two_processes_resumes_a_session(at_work: Started, tmp_path: Path) -> None:
    """The first holder crashed: nobody can release its lock but the system."""
    at_work.kill()
    at_work.communicate()
    (tmp_path / "trying").unlink()
    both = [start("--resume", "mine.log") for _ in range(2)]
    while all(process.poll() is None for process in both):
        time.sleep(0.05)
    (tmp_path / "go").touch()
    ended = sorted(
        ((*process.communicate(timeout=120), process.returncode) for process in both), key=lambda one: one[2]
    )
    assert [one[2] for one in ended] == [0, 4]
    assert "fails: introduced by ./bad" in ended[0][0]
    assert ended[1][1].startswith("linkage: mine.log: another process uses this session (help: ")
    lines = [line.split()[:3] for line in Path("mine.log").read_text().splitlines() if line[0] in "gbs"]
    assert len(lines) == len({tuple(line) for line in lines}) == 4  # `start`, and each toolchain once


def test_two_processes_of_one_second_have_a_session_each(case: str, make_rustc: MakeRustc) -> None:
    make_rustc("good")
    make_rustc("bad", FAILS)
    words = (f"{case}[size=1]", "--toolchains", "./good", "--toolchains", "./bad", "--json", "answer.json")
    for process in [start(*words) for _ in range(3)]:
        end(process, 0)
    folder = Path(os.environ["LINKAGE_CACHE"]) / "bisect/sessions"
    here = [file for file in folder.iterdir() if str(Path.cwd()) in file.read_text()]
    assert len(here) == 3
    assert json.loads(Path("answer.json").read_text())["groups"]
