"""The fuzzer of the readers: its findings stay fixed, and it detects errors."""

from pathlib import Path

import pytest

from fuzz.judgement import failure
from fuzz.targets import TARGETS
from linkage.errors import ArtifactError

CORPUS = Path(__file__).parents[2] / "ci/fuzz/corpus"
FINDINGS = sorted(CORPUS.glob("*/*"))


@pytest.mark.parametrize("file", FINDINGS, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_what_was_found_is_mended(file: Path) -> None:
    target = TARGETS[file.parent.name]
    found = failure(target.run, file.read_bytes(), target.seconds)
    assert found is None, found.told


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_anything(name: str) -> None:
    for data in (
        b"",
        b"\0" * 100,
        b"\xff" * 100,
        b"[" * 5000,
        b'{"a":' * 5000,
        b"\x7fELF\x02\x01\x01" + b"\xff" * 200,
    ):
        found = failure(TARGETS[name].run, data, TARGETS[name].seconds)
        assert found is None, found.told


def test_every_folder_of_findings_is_of_a_target() -> None:
    assert {file.parent.name for file in FINDINGS} <= TARGETS.keys()


def _documented(_: bytes) -> None:
    raise ArtifactError("truncated")


def _undocumented(data: bytes) -> None:
    data.decode()


def _endless(_: bytes) -> None:
    while True:
        pass


def test_any_error_but_the_documented_one_is_a_finding() -> None:
    assert failure(_documented, b"", 5) is None
    found = failure(_undocumented, b"\xff", 5)
    assert found is not None
    assert found.name.startswith("UnicodeDecodeError-outside-")
    assert found.data == b"\xff"


def test_an_input_that_takes_too_long_is_a_finding() -> None:
    found = failure(_endless, b"", 1)
    assert found is not None
    assert found.error == "TooSlowError"
