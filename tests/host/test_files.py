"""Files that a user asks for: written whole or not at all, and what is at the path decides how."""

import ast
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import linkage
from linkage.errors import LinkageError
from linkage.host.files import OutputFile, reporting_beside

PACKAGE = Path(linkage.__file__).parent


def write(place: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    OutputFile(str(place)).write(content, mode=mode)


def test_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    write(target, "{}\n")
    assert target.read_text() == "{}\n"
    assert target.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [target]


def test_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out.json"
    target.write_text("old")

    def broken(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", broken)  # the last thing that can go wrong
    with pytest.raises(LinkageError, match=r"out\.json: cannot be written: No space left on device"):
        write(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_reader_sees_the_old_file_or_the_new(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_text("old")
    with target.open() as reader:
        write(target, "new")
        assert reader.read() == "old"
    assert target.read_text() == "new"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_file_keeps_its_mode(mode: int, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_text("old")
    target.chmod(mode)
    write(target, "new")
    assert target.stat().st_mode & 0o777 == mode
    write(target, "#!/bin/sh\n", mode=0o755)
    assert target.stat().st_mode & 0o777 == mode | 0o111


def test_links_stay(tmp_path: Path) -> None:
    """Relative and absolute ones, chains, into other directories, and to a file that is not there yet."""
    (tmp_path / "deep").mkdir()
    target = tmp_path / "deep" / "real"
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to(tmp_path / "deep" / "three")
    (tmp_path / "deep" / "three").symlink_to("real")
    for text in ("first", "second"):
        write(tmp_path / "one", text)
        assert target.read_text() == text
        assert not target.is_symlink()
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_symlink()) == ["one", "three", "two"]


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(LinkageError, match="one: cannot be written: "):
        OutputFile(str(tmp_path / "one"))


def test_devices_are_written_to(tmp_path: Path) -> None:
    write(Path(os.devnull), "anything")
    assert Path(os.devnull).is_char_device()
    (tmp_path / "link").symlink_to("/dev/full")
    for place in (Path("/dev/full"), tmp_path / "link"):
        with pytest.raises(LinkageError, match="cannot be written: No space left on device"):
            write(place, "anything")
        assert place.is_char_device()


def test_a_fifo_is_written_to(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    write(fifo, "x" * 300_000)
    reader.join(60)
    assert got == [b"x" * 300_000]
    assert fifo.is_fifo()


def test_a_socket_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        server.listen()
        got: list[bytes] = []

        def serve() -> None:
            with server.accept()[0] as connection, connection.makefile("rb") as stream:
                got.append(stream.read())

        reader = threading.Thread(target=serve)
        reader.start()
        write(Path("socket"), "through")
        reader.join(60)
    assert got == [b"through"]
    assert Path("socket").is_socket()


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
@pytest.mark.parametrize("to", ["a pipe", "a file"])
def test_standard_output(name: str, to: str, tmp_path: Path) -> None:
    """In its place between what is printed before and after; a file that the shell opened stays."""
    (tmp_path / "link").symlink_to("/dev/stdout")
    script = (
        "import sys\nfrom linkage.host.files import OutputFile\n"
        f"print('before')\nfile = OutputFile({name!r})\nassert file.is_stdout\n"
        "file.write('content\\n')\nprint('after')\n"
    )
    command = [sys.executable, "-c", script]
    env = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    if to == "a file":
        with (tmp_path / "out").open("wb") as out:
            subprocess.run(command, cwd=tmp_path, env=env, stdout=out, check=True)
        found = (tmp_path / "out").read_text()
    else:
        found = subprocess.run(
            command, cwd=tmp_path, env=env, check=True, capture_output=True, text=True
        ).stdout
    assert found == "before\ncontent\nafter\n"
    assert (tmp_path / "link").is_symlink()


def test_another_open_file_is_written_to(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        write(Path(f"/dev/fd/{out.fileno()}"), "content")
    assert (tmp_path / "out").read_text() == "content"


def test_reports_make_room_for_a_file_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    file = OutputFile("-")
    with reporting_beside(None, file):
        sys.stdout.write("report\n")
        OutputFile("-").write("second\n")
    file.write("first\n")
    sys.stdout.write("again\n")
    assert capsys.readouterr() == ("second\nfirst\nagain\n", "report\n")


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (".", "cannot be written: it is a directory (help: choose another file)"),
        ("no/out", "cannot be written: no such directory (help: create it first)"),
        ("file/out", "cannot be written: Not a directory (help: choose another file)"),
        ("/proc/out", "cannot be written: "),
        ("x" * 300, "cannot be written: File name too long (help: choose another file)"),
    ],
)
def test_it_is_checked_before(place: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("a file")
    with pytest.raises(LinkageError) as caught:
        OutputFile(place, "--json")
    assert str(caught.value).startswith(f"--json {place}: {why}")
    assert [one.name for one in Path().iterdir()] == ["file"]


def test_missing_directories_are_created_if_that_is_asked_for(tmp_path: Path) -> None:
    file = OutputFile(str(tmp_path / "a/b/out"), parents=True)
    assert list(tmp_path.iterdir()) == []
    file.write("content")
    assert (tmp_path / "a/b/out").read_text() == "content"


def test_what_utf_8_cannot_express_is_escaped(tmp_path: Path) -> None:
    write(tmp_path / "out", "a\udcffb")
    assert (tmp_path / "out").read_text() == r"a\udcffb"


# --- one function for all writers


WRITERS = {"write_text", "write_bytes", "mkstemp", "NamedTemporaryFile"}
ELSEWHERE = {
    "bisect/download.py": "a download that is continued, in the cache",
    "bisect/journal.py": "a session grows by a line a probe, and is locked",
    "bisect/provisioning.py": "marks in the folder of an installed toolchain",
    "bisect/surroundings.py": "in the working folder of a probe",
    "fuzz/fuzz_log.py": "a session grows by a line a graph, and is locked; its cases are beside it",
    "host/control_group.py": "files of the kernel",
    "host/supervisor.py": "files of the kernel",
    "host/files.py": "it is the function",
    "run/linker_wrapper.py": "in the working folder of a variant",
    "run/restore.py": "in the working folder of a variant",
    "run/workspace.py": "in the working folder of a variant",
    "store/store.py": "the store's own entries, each with its lock",
    "toolchain/foreign.py": "in a temporary folder of its own",
    "toolchain/machine.py": "in a temporary folder of its own",
    "toolchain/sources/debian/apt.py": "in a temporary folder of its own",
    "toolchain/sources/std_build.py": "in a folder that is put in its place as a whole",
}  # fmt: skip


def writers(text: str) -> Iterator[str]:
    """The calls in a module that write a file."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = (*node.args, *(key.value for key in node.keywords))
        parts = (part for one in given for part in ast.walk(one))
        words = [one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        opens = name == "open" and any(
            set(word) <= set("rwxabt+") and set(word) & set("wxa+") for word in words
        )
        if name in WRITERS or opens:
            yield f"{node.lineno}: {name}"


def test_every_other_writer_is_known() -> None:
    """Output of a command is written by OutputFile; what else writes is listed with its reason."""
    found = {
        str(file.relative_to(PACKAGE)): places
        for file in sorted(PACKAGE.rglob("*.py"))
        if (places := list(writers(file.read_text())))
    }
    assert {name: places for name, places in found.items() if name not in ELSEWHERE} == {}
    assert set(ELSEWHERE) - set(found) == set()
