"""Snapshots: written the same each time, read strictly."""

import gzip
import io
from dataclasses import asdict, replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.compare import snapshot as module
from linkage.compare.comparison import ComparedSide, NotCompared
from linkage.compare.model import ComparedArtifact, ComparedMember, ComparedStep, CrateTables, VariantBuild
from linkage.compare.snapshot import Snapshot, decoded, encoded
from linkage.errors import LinkageError

FUNC, UND = ("FUNC GLOBAL DEFAULT .text",), ("NOTYPE GLOBAL DEFAULT UND",)
SHARED = ComparedArtifact(
    "elf",
    8,
    "aa",
    plain={"type": "shared", "soname": "none"},
    lists={"needed": ("libm.so.6", "libc.so.6")},
    exports={"answer": FUNC, "a\tb\n\\\u202e": FUNC},
    imports={"puts": ("NOTYPE GLOBAL DEFAULT UND GLIBC_2.2.5",)},
    parts={
        "": CrateTables(
            {"answer": FUNC, "puts": UND}, {"lib::f": FUNC}, {".text": ("PROGBITS AX",)}, frozenset("v")
        )
    },
    references={"answer": frozenset({"puts", "lib::f"}), "empty": frozenset()},
)
ARCHIVE = ComparedArtifact(
    "archive",
    9,
    "bb",
    parts={"lib": CrateTables({"answer": FUNC}), "c": CrateTables({"one": FUNC, "two": FUNC})},
    members=(
        ComparedMember("lib.cgu.o", "object", "lib", frozenset({"answer", "puts"})),
        ComparedMember("lib.rmeta", "metadata"),
    ),
    index=frozenset({"answer"}),
    text="text",
)
LIB = ComparedStep(
    "lib",
    "rustc",
    "exit status 0",
    ("warning: a\tb",),
    native_static_libs=("-lc", "-l a"),
    outputs=("lib.a", "lib.so"),
    artifacts={"lib.a": ARCHIVE, "lib.so": SHARED},
)
BUILT = VariantBuild((LIB, ComparedStep("run", "run", "signal 6", (), "one\n\ntwo\\", "\n")), bootstrap=True)
SIDE = ComparedSide("nightly", "1.97.0", "22.1", "f00d", {"LLD": 2, "bfd": 1}, 1, {"cc": "12.2"})
SNAPSHOT = Snapshot(
    SIDE, {"a[x]": BUILT, "b": VariantBuild(()), "a[y]": NotCompared("a[y]", "no std")}, ("order",), "bfd"
)
CONTENT = encoded(SNAPSHOT)
LINES = gzip.decompress(CONTENT)
packed = partial(gzip.compress, mtime=0)


def read(content: bytes) -> Snapshot:
    return decoded(io.BytesIO(content), "file")


def test_a_snapshot_is_the_same_after_it_was_written() -> None:
    assert asdict(read(CONTENT)) == asdict(replace(SNAPSHOT, side=replace(SIDE, snapshot="file")))


def test_the_order_in_which_variants_were_built_does_not_matter() -> None:
    steps = (replace(LIB, artifacts=dict(reversed(list(LIB.artifacts.items())))), *BUILT.steps[1:])
    builds = {**dict(reversed(list(SNAPSHOT.builds.items()))), "a[x]": replace(BUILT, steps=steps)}
    assert encoded(replace(SNAPSHOT, builds=builds)) == CONTENT


def edited(old: bytes, new: bytes) -> bytes:
    assert old in LINES
    return packed(LINES.replace(old, new, 1))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1 of its content: Input data was truncated"),
        (b"[]", "the file is damaged, or of another kind: Not a gzipped file"),
        (b"\x1f\x8b", "the file is truncated"),
        (CONTENT[:-1], "the file is truncated"),
        (CONTENT[:-8] + b"wxyz" + CONTENT[-4:], "the file is damaged, or of another kind: "),
        (CONTENT + b"x", "the file is damaged, or of another kind: "),
        (packed(b"[]\n"), "line 1 of its content: Expected `object`, got `array`"),
        (
            packed(b'{"x":' + b"[" * 100_000),  # Python 3.14 goes deeper than this
            "line 1 of its content: (maximum recursion depth exceeded|Input data was truncated)",
        ),
        (packed(b'{"linkage_snapshot":4}\n'), "line 1 of its content: Object missing required field"),
        (edited(b':4,"tool', b':5,"tool'), r"written by a newer version of linkage \(format 5, not 4\)"),
        (edited(b':4,"tool', b':3,"tool'), r"written by an older version of linkage \(format 3, not 4\)"),
        (edited(b'"size":8', b'"size":"8"'), "line 2 of its content: Expected `int`, got `str`"),
        (edited(b'"size":8', b'"size":8,"more":1'), "it was edited: "),
        (edited(b'"size":8', b'"size": 8'), "it was edited: "),
        (edited(b'"variant":"b"', b'"variant":"a"'), "it was edited: "),
        (edited(b'"variant":"b"', b'"variant":"a[y]"'), "it was edited: "),
        (
            edited(b'"disabled_filters"', b'"filters"'),
            "line 1 of its content: Object contains unknown field `filters`",
        ),
        (
            edited(b"22.1", b"22.\xff"),
            "line 1 of its content: Invalid UTF-8|line 1 of its content: 'utf-8' codec",
        ),
        (
            edited(b'"disabled_filters"', rb'"\u001b\n"'),
            r"line 1 of its content: Object contains unknown field `\\x1b\\n`",
        ),
        (packed(LINES[:-1]), "it was edited: "),
        (packed(LINES + b"\n"), "line 5 of its content: Input data was truncated"),
    ],
    ids=lambda given: given if isinstance(given, str) else len(given),
)
def test_what_is_not_a_snapshot_is_refused_in_one_line(content: bytes, message: str) -> None:
    pattern = (
        rf"^file: not a usable snapshot: ({message}).*\(help: take it again with `linkage snapshot .*`\)$"
    )
    with pytest.raises(LinkageError, match=pattern):
        read(content)


def test_a_snapshot_that_was_truncated_anywhere_is_refused() -> None:
    for length in range(len(CONTENT)):
        with pytest.raises(LinkageError, match=r"^file: not a usable snapshot: "):
            read(CONTENT[:length])


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_a_snapshot_with_a_wrong_byte_is_refused_or_the_same(at: int, change: int) -> None:
    """Gzip's own header has fields that do not matter."""
    content = bytearray(CONTENT)
    content[at] ^= change
    try:
        found = read(bytes(content))
    except LinkageError:
        return
    assert asdict(found) == asdict(read(CONTENT))


def test_a_file_that_unpacks_to_gigabytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_BYTES", len(LINES))
    assert read(CONTENT).linker == "bfd"
    with pytest.raises(LinkageError, match=r"it has more than [0-9,]+ bytes uncompressed"):
        read(packed(b" " * (len(LINES) + 1)))
