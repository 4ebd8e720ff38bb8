"""The nights in a folder, a file each."""

import zlib
from pathlib import Path

import pytest

from linkage.errors import LinkageError
from linkage.judge.nights import Night
from linkage.store.history import read_nights, write_night


def night(date: str) -> Night:
    return Night(1, date, {"stable": "1.95.0"}, {"a.yaml": ("x", "y")}, {"a.yaml": {"stable": "pk"}})


def test_nights_are_read_in_order_and_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "nights" / "deep"
    assert read_nights(folder) == []
    for date in ("2026-11-28", "2026-02-01", "2026-11-28"):
        write_night(folder, night(date))
    (folder / "README.md").write_text("other files are left alone")
    assert read_nights(folder) == [night("2026-02-01"), night("2026-11-28")]


def test_a_night_is_small(tmp_path: Path) -> None:
    cells = tuple(f"crate-type=dylib-lto=fat-number={number}" for number in range(2000))
    verdicts = {f"toolchain-{number}": "p" * 1999 + "f" for number in range(10)}
    write_night(tmp_path, Night(1, "2026-11-28", dict.fromkeys(verdicts, "1"), {"a": cells}, {"a": verdicts}))
    assert (tmp_path / "2026-11-28.json.z").stat().st_size < 10_000


@pytest.mark.parametrize(
    "content",
    [b"", b"not compressed", zlib.compress(b"{}"), zlib.compress(b"[" * 100_000), zlib.compress(b"\xff")],
)
def test_a_damaged_night_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "2026-11-28.json.z").write_bytes(content)
    with pytest.raises(
        LinkageError, match=r"2026-11-28\.json\.z: cannot be read: .*remove it, or restore it"
    ):
        read_nights(tmp_path)


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("")
    with pytest.raises(LinkageError, match="file: cannot be read"):
        read_nights(place)
    with pytest.raises(LinkageError, match="file: cannot be created"):
        write_night(place, night("2026-11-28"))
