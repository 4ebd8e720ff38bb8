"""What archives share is kept once, and is never taken for what it is not."""

import hashlib
from pathlib import Path

import pytest

from linkage.artifact.facts import Archive, ArchiveMember, Facts
from linkage.run.executor import FileFacts
from linkage.run.kept_facts import get_facts, put_facts
from linkage.store.maintenance import check
from linkage.store.store import Store

STD = [
    ArchiveMember(hashlib.sha256(b"%d" % number).hexdigest(), number, crate="std") for number in range(300)
]


def seen(*own: str) -> FileFacts:
    members = [*(ArchiveMember(name, 1, crate="mine") for name in own), *STD]
    archive = Archive("gnu", thin=False, members=members, index=None)  # type: ignore[arg-type]
    return FileFacts(Facts("archive", 1, "", archive=archive), ("text",))


def parts(store: Store) -> list[Path]:
    return list(store.folder.glob("parts/*/*"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_what_two_archives_share_is_kept_once(store: Store, tmp_path: Path) -> None:
    put_facts(store, "aa11", seen("a.o"))
    put_facts(store, "bb22", seen("b.o"))
    put_facts(store, "cc33", FileFacts(Facts("other", 1, "")))
    assert len(parts(store)) == 1
    for later in (store, Store(tmp_path / "store")):
        assert get_facts(later, "aa11") == seen("a.o")
        assert get_facts(later, "bb22") == seen("b.o")
        assert get_facts(later, "cc33") == FileFacts(Facts("other", 1, ""))
        assert get_facts(later, "dd44") is None
    assert check(store).damaged == []


def test_facts_whose_parts_are_gone_or_damaged_are_not_there(store: Store, tmp_path: Path) -> None:
    put_facts(store, "aa11", seen("a.o"))
    (part,) = parts(store)
    whole = part.read_bytes()
    part.write_bytes(whole[:-1])
    assert get_facts(Store(tmp_path / "store"), "aa11") is None
    put_facts(Store(tmp_path / "store"), "aa11", seen("a.o"))
    assert part.read_bytes() == whole
    part.write_bytes(whole[:-1])
    assert [one.kind for one in check(store).damaged] == ["parts"]
    assert parts(store) == []
    assert get_facts(Store(tmp_path / "store"), "aa11") is None
