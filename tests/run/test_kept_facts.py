"""What archives share is stored once, and is never mistaken for something else."""

import hashlib
from pathlib import Path

import pytest

from linkage.artifact.facts import Archive, ArchiveMember, Facts, Members
from linkage.plan.plan import Read
from linkage.plan.state import Node, State
from linkage.run.kept_facts import FileFacts, get_facts, put_facts
from linkage.store.maintenance import check
from linkage.store.store import Store
from support.hand_made import member

STD = [
    ArchiveMember(hashlib.sha256(b"%d" % number).hexdigest(), number, crate="std") for number in range(300)
]


def seen(*own: str) -> FileFacts:
    members = [*(ArchiveMember(name, 1, crate="mine") for name in own), *STD]
    archive = Archive("gnu", thin=False, members=members, index=None)  # type: ignore[arg-type]
    return FileFacts(Facts("archive", 1, "", archive=archive), ("text",))


def named(content: str) -> tuple[State, Read]:
    """A folder with a file of this content, which is to be read."""
    return {"file": Node("file", content, 0o644)}, Read("file")


def parts(store: Store) -> list[Path]:
    return list(store.folder.glob("parts/*/*"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_what_two_archives_share_is_kept_once(store: Store, tmp_path: Path) -> None:
    put_facts(store, *named("aa11"), seen("a.o"))
    put_facts(store, *named("bb22"), seen("b.o"))
    put_facts(store, *named("cc33"), FileFacts(Facts("other", 1, "")))
    assert len(parts(store)) == 1
    for later in (store, Store(tmp_path / "store")):
        assert get_facts(later, *named("aa11")) == seen("a.o")
        assert get_facts(later, *named("bb22")) == seen("b.o")
        assert get_facts(later, *named("cc33")) == FileFacts(Facts("other", 1, ""))
        assert get_facts(later, *named("dd44")) is None
    assert check(store).damaged == []


def test_facts_with_absent_or_damaged_parts_are_a_cache_miss(store: Store, tmp_path: Path) -> None:
    put_facts(store, *named("aa11"), seen("a.o"))
    (part,) = parts(store)
    whole = part.read_bytes()
    part.write_bytes(whole[:-1])
    assert get_facts(Store(tmp_path / "store"), *named("aa11")) is None
    put_facts(Store(tmp_path / "store"), *named("aa11"), seen("a.o"))
    assert part.read_bytes() == whole
    part.write_bytes(whole[:-1])
    assert [one.kind for one in check(store).damaged] == ["parts"]
    assert parts(store) == []
    assert get_facts(Store(tmp_path / "store"), *named("aa11")) is None


def test_the_facts_of_a_thin_archive_depend_on_the_files_that_it_refers_to(store: Store) -> None:
    def folder(content: str) -> State:
        files = {"out/lib.a": "aa", "out/a.o": content, "b.o": "bb"}
        return {name: Node("file", one, 0o644) for name, one in files.items()}

    def thin(*defined: str) -> FileFacts:
        members = [member("a.o", defined), member("../b.o", ())]
        archive = Archive("gnu", thin=True, members=Members.of(members), index=None)
        return FileFacts(Facts("archive", 1, "", archive=archive))

    wanted = Read("out/lib.a")
    put_facts(store, folder("one"), wanted, thin("f"))
    assert get_facts(store, folder("one"), wanted) == thin("f")
    assert get_facts(store, folder("two"), wanted) is None
    put_facts(store, folder("two"), wanted, thin("g"))
    assert [get_facts(store, folder(one), wanted) for one in ("one", "two")] == [thin("f"), thin("g")]
    missing = {name: node for name, node in folder("one").items() if name != "b.o"}
    put_facts(store, missing, wanted, thin("f"))
    assert get_facts(store, missing, wanted) is None
