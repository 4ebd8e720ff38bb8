"""The fuzzer of the readers: its findings stay fixed, and it detects errors."""

import ast
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

import linkage
from fuzz.judgement import failure
from fuzz.targets import TARGETS
from linkage.artifact.reader import FORMATS
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


DECODING = re.compile(
    r"\b(?:json\.loads?|msgspec\.\w+\.decode|tomllib\.loads?|yaml\.(?:compose|parse|\w*load\w*)|gzip\.open|tarfile\.open"
    r"|zlib\.decompress\w*|inflated|shlex\.split|pickle\.\w+)\("
)
FUZZED = {
    "bisect.journal", "bisect.nightlies", "bisect.signature_file", "case.document", "case.recipe_file",
    "compare.snapshot", "fuzz.fuzz_log", "run.cargo", "run.executor", "run.linker_wrapper", "store.history",
    "store.store", "toolchain.cache_file", "toolchain.sources.debian.installed",
}  # fmt: skip
"""Modules whose decoders a target calls."""
ELSEWHERE = {
    "bisect.bounds": "the date and the version of a manifest, of which any error is caught",
    "bisect.ci_artifacts": "the standard library's tar reader, whose errors are caught",
    "bisect.github_api": "decoded with its types checked, by msgspec",
    "bisect.session_files": "the first line of a session, which linkage.bisect.journal has read",
    "case.yaml_errors": "a YAML file that the reader of cases has refused: the target of cases",
    "render.bisect_json": "what it has just encoded",
    "run.shortage": "lines of a compiler, likewise in run.executor",
    "toolchain.sources.debian.dynamic_std": "a file of a signed package",
    "toolchain.sources.rustup.folders": "rustup's settings, of which any error is caught",
    "toolchain.sources.std_build": "what a compiler says of a target, of which any error is caught",
    "toolchain.vocabulary": "shipped data",
}
"""Modules that decode something and need no target of their own, with the reason."""


def test_every_format_of_artifacts_is_a_target() -> None:
    assert {one.kind for one in FORMATS} | {"foreign"} <= TARGETS.keys()


def test_everything_that_decodes_is_fuzzed_or_says_why_not() -> None:
    source = Path(linkage.__file__).parent
    decoding = {
        ".".join(file.relative_to(source).with_suffix("").parts)
        for file in source.rglob("*.py")
        if DECODING.search(file.read_text("utf-8")) and file.relative_to(source).parts[0] != "artifact"
    }
    assert decoding == FUZZED | ELSEWHERE.keys()


def test_what_the_targets_call_is_what_is_listed() -> None:
    """A module counts as fuzzed only if the targets import it, or something that imports it."""
    reached, todo = set[str](), ["fuzz.targets"]
    while todo:
        spec = find_spec(todo.pop())
        for node in ast.walk(ast.parse(Path(str(spec and spec.origin)).read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("linkage"):
                names = [str(node.module), *(f"{node.module}.{one.name}" for one in node.names)]
                found = {name for name in names if name not in reached and _is_module(name)}
                reached |= found
                todo += found
    assert {f"linkage.{name}" for name in FUZZED} <= reached


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
