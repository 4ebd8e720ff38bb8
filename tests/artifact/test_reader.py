"""The table of formats is total: every reader has its row, and each file is recognised by one of them."""

from pathlib import Path

import pytest

from linkage import artifact
from linkage.artifact import read
from linkage.artifact.reader import FORMATS, FileFormat
from linkage.errors import ArtifactError

FOLDER = Path(artifact.__file__).parent
MODULES = {"elf": "elf", "archive": "ar", "bitcode": "bitcode", "metadata": "metadata"}
"""Where the reader of each kind is."""
SAMPLES = {"elf": "object", "archive": "rlib", "bitcode": "bitcode", "metadata": "metadata"}


def test_every_reader_has_a_row() -> None:
    """Every folder is an object format or the metadata; a module is a format if it knows a magic number."""
    folders = {path.parent.name for path in FOLDER.glob("*/__init__.py")}
    modules = {path.stem for path in FOLDER.glob("*.py") if "\nMAGIC = " in path.read_text("utf-8")}
    assert folders | modules == {MODULES[one.kind] for one in FORMATS}
    assert [one.kind for one in FORMATS] == list(MODULES)


def test_a_file_is_of_one_format(built: dict[str, Path]) -> None:
    for kind, sample in SAMPLES.items():
        data = memoryview(built[sample].read_bytes())
        assert [one.kind for one in FORMATS if one.recognizes(data)] == [kind]


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.kind)
def test_each_row_reads_what_it_recognises(row: FileFormat, built: dict[str, Path]) -> None:
    facts = read(built[SAMPLES[row.kind]])
    kinds = {
        "elf": facts.object,
        "archive": facts.archive,
        "bitcode": facts.bitcode,
        "metadata": facts.metadata,
    }
    assert facts.kind == row.kind
    assert facts.error is None
    assert {kind for kind, found in kinds.items() if found is not None} == {row.kind}


def test_what_is_not_a_regular_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as raised:
        read(tmp_path)
    assert str(raised.value) == f"{tmp_path}: not a regular file"
    with pytest.raises(ArtifactError) as raised:
        read(tmp_path / "gone")
    assert str(raised.value) == f"{tmp_path / 'gone'}: cannot be read: No such file or directory"
