"""`linkage schema`: printed, written, and compared with a file."""

from pathlib import Path

import pytest

from linkage.case.schema import schema_text
from linkage.cli import main


def test_it_is_printed_written_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "schema.json"
    assert main(["schema", "-o", str(file)]) == 0
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == file.read_text(encoding="utf-8") == schema_text()
    assert main(["schema", "--check", str(file)]) == 0
    file.write_text("{}")
    assert main(["schema", "--check", str(file)]) == 1
    assert capsys.readouterr().err == f"linkage: {file}: out of date (help: linkage schema -o {file})\n"
    for option in ("-o", "--check"):
        assert main(["schema", option, str(tmp_path / "none" / "x")]) == 4
        assert "none/x: cannot be " in capsys.readouterr().err
