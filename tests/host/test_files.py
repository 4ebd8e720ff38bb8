"""A file of a report is written whole or not at all."""

from pathlib import Path

import pytest

from linkage.errors import LinkageError
from linkage.host.files import write_whole


def test_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    write_whole(str(target), "{}\n")
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
        write_whole(str(target), "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
