"""The store: cached, damaged, unwritable, shared and swept entries."""

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from linkage.artifact.digest import file_digest
from linkage.errors import StoreError
from linkage.store.store import Store, key_of, remove_tree


@dataclass(frozen=True)
class Kept:
    name: str
    numbers: tuple[int, ...]
    content: bytes = b""


@dataclass(frozen=True)
class Other:
    name: int


SMALL = Kept("small", (1, 2))
LARGE = Kept("large", tuple(range(2000)), bytes(range(256)) * 40)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.mark.parametrize("value", [SMALL, LARGE], ids=lambda kept: kept.name)
def test_what_is_put_is_got(value: Kept, store: Store, tmp_path: Path) -> None:
    assert store.get("steps", "ab12", Kept) is None
    store.put("steps", "ab12", value)
    assert store.get("steps", "ab12", Kept) == value
    assert Store(tmp_path / "store").get("steps", "ab12", Kept) == value
    assert store.get("facts", "ab12", Kept) is None
    store.put("steps", "ab12", SMALL)
    assert store.get("steps", "ab12", Kept) == SMALL


@pytest.mark.parametrize("value", [SMALL, LARGE], ids=lambda kept: kept.name)
def test_damaged_entry_is_a_cache_miss(value: Kept, store: Store) -> None:
    store.put("steps", "ab12", value)
    place = store.folder / "steps/ab/ab12"
    whole = place.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 300)):
        place.write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
        assert store.get("steps", "ab12", Kept) is None
        place.write_bytes(whole[:at])
        assert store.get("steps", "ab12", Kept) is None
    place.write_bytes(whole + b"x")
    assert store.get("steps", "ab12", Kept) is None
    place.unlink()
    place.mkdir()
    assert store.get("steps", "ab12", Kept) is None


@pytest.mark.parametrize("value", [SMALL, LARGE], ids=lambda kept: kept.name)
def test_entry_of_another_kind_or_key_is_a_cache_miss(value: Kept, store: Store) -> None:
    store.put("steps", "ab12", value)
    whole = (store.folder / "steps/ab/ab12").read_bytes()
    for kind, key in (("steps", "ab13"), ("facts", "ab12")):
        store.put(kind, key, SMALL)
        (store.folder / kind / "ab" / key).write_bytes(whole)
        assert store.get(kind, key, Kept) is None


def test_entry_of_another_type_is_a_cache_miss(store: Store) -> None:
    store.put("steps", "ab12", SMALL)
    assert store.get("steps", "ab12", Other) is None


def test_an_entry_of_another_version_is_never_looked_at(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("steps", "ab12", SMALL)
    monkeypatch.setattr("linkage.store.store.VERSION", 999)
    assert Store(tmp_path / "store").get("steps", "ab12", Kept) is None


def test_keys_tell_everything_apart() -> None:
    parts: list[list[object]] = [["a", "b"], ["ab"], ["a", ["b"]], [None], [""], [0], [False], [{"a": 1}]]
    assert len({key_of(*part) for part in parts}) == len(parts)
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"content" * 1000)
    return path


def test_a_file_by_its_content(store: Store, source: Path, tmp_path: Path) -> None:
    digest, target = file_digest(source), tmp_path / "target"
    assert not store.take_blob(digest, target)
    store.put_blob(digest, source)
    assert store.has_blob(digest)
    assert store.take_blob(digest, target)
    assert target.read_bytes() == source.read_bytes()


def test_damaged_file_is_removed(store: Store, source: Path, tmp_path: Path) -> None:
    digest = file_digest(source)
    store.put_blob(digest, source)
    source.rename(tmp_path / "kept")  # as it is when its variant has ended: another file
    source.write_bytes((tmp_path / "kept").read_bytes())
    (store.folder / "blobs" / digest[:2] / digest).write_bytes(b"content" * 999)
    assert not store.take_blob(digest, tmp_path / "target")
    assert not store.has_blob(digest)
    store.put_blob(digest, source)
    assert store.take_blob(digest, tmp_path / "target")


def test_a_file_that_is_written_to_after_it_was_kept(store: Store, source: Path, tmp_path: Path) -> None:
    digest, target = file_digest(source), tmp_path / "target"
    assert store.put_blob(digest, source), "the file itself, not a copy"
    times = source.stat().st_mtime_ns
    assert store.take_blob(digest, target)
    assert source.stat().st_mtime_ns == times, "whoever works with it would take it for made anew"
    with source.open("r+b") as file:
        file.write(b"C")
    assert not store.take_blob(digest, target)
    assert not store.has_blob(digest)


def test_a_store_that_cannot_link_copies(
    store: Store, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_args: object, **_more: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", link)
    digest = file_digest(source)
    assert not store.put_blob(digest, source)
    source.write_bytes(b"other")
    assert store.take_blob(digest, tmp_path / "target")


def test_the_files_that_were_not_used_for_longest_go_first(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linkage.store.store.BLOB_LIMIT", 2500)
    digests = []
    for number in range(3):
        path = tmp_path / f"source{number}"
        path.write_bytes(bytes([number]) * 1000)
        digests.append(file_digest(path))
        store.put_blob(digests[-1], path)
        path.unlink()
        place = store.folder / "blobs" / digests[-1][:2] / digests[-1]
        os.utime(place, (number + 1, number + 1))
    assert store.take_blob(digests[0], tmp_path / "used")
    store.sweep()
    assert [store.has_blob(digest) for digest in digests] == [True, False, True]


# --- where it cannot be written


def test_a_store_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in its place")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreError, match=r"cannot be created: .* \(help: choose another with --store\)"):
            Store(place)


def test_works_without_a_store_that_cannot_be_written(store: Store, source: Path, tmp_path: Path) -> None:
    for name in ("locks", "blobs", "work"):
        (store.folder / name).rmdir()
    for name in ("locks", "blobs", "work", "steps"):
        (store.folder / name).write_text("in its place")
    store.put("steps", "ab12", SMALL)
    store.put_blob("ab12", source)
    assert not store.writable
    assert store.get("steps", "ab12", Kept) is None
    assert not store.take_blob("ab12", tmp_path / "target")
    with store.locked("ab12"), store.work_folder() as folder:
        assert folder.is_dir()
        assert not folder.is_relative_to(store.folder)
    assert not folder.exists()


def test_nothing_half_written_is_left(store: Store, tmp_path: Path) -> None:
    store.put_blob("ab12", tmp_path / "nowhere")
    assert not store.has_blob("ab12")
    assert [one for one in (store.folder / "blobs").rglob("*") if one.is_file()] == []


# --- working folders


def test_a_working_folder_is_new_and_goes(store: Store) -> None:
    with store.work_folder() as one, store.work_folder() as other:
        assert one != other
        (one / "deep").mkdir()
        (one / "deep/file").write_text("x")
        (one / "deep").chmod(0)
        (one / "link").symlink_to("/etc")
    assert not one.exists()
    assert not other.exists()
    assert Path("/etc/passwd").exists()


HOLDER = """
import pathlib, sys, time
from linkage.store.store import Store
with Store(pathlib.Path(sys.argv[1])).work_folder() as folder:
    print(folder, flush=True)
    time.sleep(1000)
"""


@pytest.fixture
def held(store: Store) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process with a working folder of the store."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(store.folder.parent)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    try:
        yield holder, Path(holder.stdout.readline().strip())
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_a_folder_in_use_is_not_swept_one_left_behind_is(
    store: Store, held: tuple[subprocess.Popen[str], Path]
) -> None:
    holder, folder = held
    with store.work_folder() as ours:
        store.sweep()
        assert folder.is_dir()
        assert ours.is_dir()
    holder.kill()
    holder.wait()
    assert folder.is_dir()
    store.sweep()
    assert not folder.exists()


def test_tree_is_removed_whatever_its_modes(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_text("x")
    for name in ("a/b/c", "a/b", "a"):
        (tmp_path / name).chmod(0)
    remove_tree(tmp_path / "a")
    assert not (tmp_path / "a").exists()


# --- shared


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        mine = Store(tmp_path / "store")
        for _ in range(5):
            with mine.locked("ab12"):
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 20


WRITER = """
import pathlib, sys
from linkage.artifact.digest import file_digest
from linkage.store.store import Store
store, number = Store(pathlib.Path(sys.argv[1])), int(sys.argv[2])
file = pathlib.Path(sys.argv[1]).parent / f"file{number}"
for turn in range(150):
    key = f"{turn % 5:04}"
    store.put("steps", key, [key] * 3000)
    found = store.get("steps", key, list[str])
    assert found == [key] * 3000, key
    file.write_bytes(key.encode() * 5000)
    digest = file_digest(file)
    store.put_blob(digest, file)
    file.unlink()
    assert store.take_blob(digest, file), key
"""


def test_processes_that_write_the_same_entries(store: Store) -> None:
    """Nobody ever sees half of an entry, or one entry's bytes under another's key."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(store.folder.parent), str(number)])
        for number in range(3)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
