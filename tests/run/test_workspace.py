"""File operations in a working folder, and paths that lead out of it."""

import os
import re
import socket
from pathlib import Path

import pytest

from linkage.plan.state import other_than_files
from linkage.run.restore import restore
from linkage.run.workspace import OperationError, Workspace
from linkage.store.store import Store
from support.small_cases import operate


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path / "run")
    made.write_source("lib.rs", b"source")
    made.write_source("deep/mod.rs", b"deep")
    return made


@pytest.fixture
def some_file(workspace: Workspace) -> Workspace:
    """The workspace with a file of six bytes that the case does not know."""
    (workspace.root / "file").write_text("source")
    return workspace


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file and a folder that are none of ours."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "precious").write_text("precious")
    return folder


def names(workspace: Workspace) -> list[str]:
    return sorted(workspace.scan())


def text(workspace: Workspace, name: str) -> str:
    return (workspace.root / name).read_text()


def mode(workspace: Workspace, name: str) -> int:
    return workspace.scan()[name].mode


# --- what each does


def test_remove(workspace: Workspace) -> None:
    operate(workspace, "write: a.o, text: a")
    operate(workspace, "write: deep/b.o, text: b")
    operate(workspace, "remove: '*.o'")
    assert names(workspace) == ["deep", "deep/mod.rs", "lib.rs"]
    operate(workspace, "remove: [deep, lib.rs]")
    assert names(workspace) == []


def test_remove_a_folder_with_what_is_in_it(workspace: Workspace) -> None:
    operate(workspace, "remove: '*'")
    assert names(workspace) == []


def test_remove_removes_a_link_and_not_its_target(workspace: Workspace, outside: Path) -> None:
    (workspace.root / "out").symlink_to(outside)
    (workspace.root / "file").symlink_to(outside / "precious")
    operate(workspace, "remove: [out, file]")
    assert names(workspace) == ["deep", "deep/mod.rs", "lib.rs"]
    assert (outside / "precious").read_text() == "precious"


def test_mkdir(workspace: Workspace) -> None:
    operate(workspace, "mkdir: [a/b, deep]", umask=0o077)
    assert names(workspace) == ["a", "a/b", "deep", "deep/mod.rs", "lib.rs"]
    assert [mode(workspace, name) for name in ("a", "a/b", "deep")] == [0o700, 0o700, 0o755]


def test_write(workspace: Workspace) -> None:
    operate(workspace, "write: a/new.txt, text: hello", umask=0o027)
    assert text(workspace, "a/new.txt") == "hello"
    assert (mode(workspace, "a"), mode(workspace, "a/new.txt")) == (0o750, 0o640)
    operate(workspace, "write: a/new.txt, hex: '00 ff'", umask=0o077)
    assert (workspace.root / "a/new.txt").read_bytes() == b"\0\xff"
    assert mode(workspace, "a/new.txt") == 0o640


@pytest.mark.parametrize(
    ("at", "found"),
    [(0, "XXurce"), (2, "soXXce"), (-1, "sourcXX"), (-6, "XXurce"), (6, "sourceXX")],
)
def test_write_over_some_bytes(at: int, found: str, some_file: Workspace) -> None:
    operate(some_file, f"write: file, text: XX, offset: {at}")
    assert text(some_file, "file") == found


@pytest.mark.parametrize(("size", "found"), [(3, "sou"), (0, ""), (-2, "sour"), (-6, ""), (6, "source")])
def test_truncate(size: int, found: str, some_file: Workspace) -> None:
    operate(some_file, f"truncate: file, size: {size}")
    assert text(some_file, "file") == found


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ("write: file, text: XX, offset: 7", "`offset: 7` is outside `file`, of size 6"),
        ("write: file, text: XX, offset: -7", "`offset: -7` is outside `file`, of size 6"),
        ("truncate: file, size: 7", "`size: 7` is more than the size of `file`: 6"),
        ("truncate: file, size: -7", "`size: -7` is more than the size of `file`: 6"),
    ],
)
def test_nothing_beyond_the_end_of_a_file(operation: str, why: str, some_file: Workspace) -> None:
    with pytest.raises(OperationError, match=f"^{re.escape(why)}$"):
        operate(some_file, operation)
    assert text(some_file, "file") == "source"


def test_rename_copy_and_chmod(workspace: Workspace) -> None:
    operate(workspace, "rename: lib.rs, to: other.rs")
    operate(workspace, "copy: other.rs, to: deep/copy.rs")
    operate(workspace, "copy: deep, to: deeper")
    operate(workspace, "chmod: other.rs, mode: '400'")
    assert names(workspace) == [
        "deep", "deep/copy.rs", "deep/mod.rs", "deeper", "deeper/copy.rs", "deeper/mod.rs", "other.rs",
    ]  # fmt: skip
    assert (text(workspace, "deeper/copy.rs"), mode(workspace, "other.rs")) == ("source", 0o400)


def test_symlink(workspace: Workspace) -> None:
    operate(workspace, "symlink: deep/link, to: lib.rs")
    assert text(workspace, "deep/link") == "source"
    assert (workspace.root / "deep/link").readlink() == Path("../lib.rs")
    assert workspace.scan()["deep/link"].kind == "link"


def test_fresh(workspace: Workspace) -> None:
    for name in ("a.o", "b.o", "deep/er/c.o", "kept/d"):
        operate(workspace, f"write: {name}, text: x")
    operate(workspace, "clean: true, keep: [a.o, deep/er, kept]")
    assert names(workspace) == [
        "a.o", "deep", "deep/er", "deep/er/c.o", "deep/mod.rs", "kept", "kept/d", "lib.rs",
    ]  # fmt: skip
    assert text(workspace, "lib.rs") == "new"


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("remove: nowhere", "no file matches `nowhere`"),
        ("remove: '*.x'", "no file matches `*.x`"),
        ("rename: '*.rs', to: x", "`*.rs` matches 2 files, but must match one"),
        ("chmod: nowhere, mode: '644'", "no file matches `nowhere`"),
        ("clean: true, keep: nowhere", "no file matches `nowhere`"),
    ],
)
def test_what_cannot_be_done(step: str, why: str, workspace: Workspace) -> None:
    with pytest.raises(OperationError) as caught:
        operate(workspace, step)
    assert str(caught.value) == why


# --- what leads outside


@pytest.mark.parametrize("name", ["../x", "a/../../x", "..", "/etc/x", "a/../.."])
def test_path_to_outside(name: str, workspace: Workspace) -> None:
    with pytest.raises(OperationError, match="leads outside the working folder"):
        workspace.inside(name)
    with pytest.raises(OperationError, match="leads outside the working folder"):
        workspace.inside(name, itself=True)


THROUGH_LINKS = [
    "write: file, text: gone",
    "write: file, text: gone, offset: 0",
    "write: folder/precious, text: gone",
    "write: folder/new, text: new",
    "truncate: file, size: 0",
    "chmod: file, mode: '777'",
    "chmod: folder, mode: '777'",
    "copy: lib.rs, to: file",
    "copy: lib.rs, to: folder",
    "copy: lib.rs, to: folder/new",
    "copy: file, to: mine",
    "rename: lib.rs, to: folder/new",
    "mkdir: folder/new",
    "symlink: folder/new, to: lib.rs",
    "symlink: new, to: file",
    "write: step/precious, text: gone",
]


@pytest.mark.parametrize("step", THROUGH_LINKS)
def test_link_of_an_earlier_step_to_outside(step: str, workspace: Workspace, outside: Path) -> None:
    """A tool can make any link; what the case's own operations do through it is refused."""
    (workspace.root / "file").symlink_to(outside / "precious")
    (workspace.root / "folder").symlink_to(outside)
    (workspace.root / "step").symlink_to("folder")
    before = [(path.name, path.stat().st_mode) for path in (outside, *outside.iterdir())]
    with pytest.raises(OperationError, match="leads outside the working folder"):
        operate(workspace, step)
    assert (outside / "precious").read_text() == "precious"
    assert [(path.name, path.stat().st_mode) for path in (outside, *outside.iterdir())] == before


def test_a_copied_folder_keeps_its_links(workspace: Workspace, outside: Path) -> None:
    (workspace.root / "deep/link").symlink_to(outside / "precious")
    operate(workspace, "copy: deep, to: other")
    assert workspace.scan()["other/link"].kind == "link"


# --- what stands in it


def test_a_file_is_known_by_its_content(workspace: Workspace) -> None:
    before = workspace.scan()
    (workspace.root / "lib.rs").write_bytes(b"Source")
    after = workspace.scan()
    assert before["lib.rs"] != after["lib.rs"]
    (workspace.root / "lib.rs").write_bytes(b"source")
    assert workspace.scan()["lib.rs"] == before["lib.rs"]


def test_a_change_that_keeps_size_and_time_is_seen(workspace: Workspace) -> None:
    path = workspace.root / "lib.rs"
    before, status = workspace.scan()["lib.rs"], path.stat()
    path.write_bytes(b"Source")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert workspace.scan()["lib.rs"] != before


def test_links_are_not_followed(workspace: Workspace, outside: Path) -> None:
    (workspace.root / "out").symlink_to(outside)
    (workspace.root / "loop").symlink_to("loop")
    state = workspace.scan()
    assert [name for name in state if name.startswith("out")] == ["out"]
    assert state["loop"].content == "loop"


def test_special_files_are_seen_and_a_fifo_is_restored(workspace: Workspace, tmp_path: Path) -> None:
    os.mkfifo(workspace.root / "pipe", 0o640)
    (workspace.root / "dangling").symlink_to("gone")
    (workspace.root / "folder").mkdir()
    (workspace.root / "to-folder").symlink_to("folder")
    (workspace.root / "to-file").symlink_to("lib.rs")
    state = workspace.scan()
    assert (state["pipe"].kind, state["pipe"].content, state["pipe"].mode) == ("special", "FIFO", 0o640)
    assert other_than_files("*", state) == {
        "dangling": "a symbolic link to gone, which is not in the working folder",
        "deep": "a folder",
        "folder": "a folder",
        "pipe": "a FIFO",
        "to-folder": "a folder",
    }
    (workspace.root / "pipe").unlink()
    store = Store(tmp_path / "store")
    assert restore(workspace, state, store)
    assert workspace.scan() == state
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(workspace.root / "socket"))
    server.close()
    with_socket = workspace.scan()
    assert other_than_files("socket", with_socket) == {"socket": "a socket"}
    (workspace.root / "socket").unlink()
    assert not restore(workspace, with_socket, store)
