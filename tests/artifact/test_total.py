"""Any bytes in: facts or an error out, never an exception, and in bounded time and memory."""

import random
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linkage.artifact import read, read_bytes
from linkage.artifact.facts import Facts
from linkage.errors import ArtifactError
from support.no_core_fixtures import NoCoreBuild
from support.windows_files import short_import, small_image, small_object

MAGICS = (
    b"\x7fELF\x02\x01",
    b"\x7fELF\x01\x02",
    b"!<arch>\n",
    b"!<thin>\n",
    b"BC\xc0\xde",
    b"\xde\xc0\x17\x0b",
    b"rust\0\0\0",
    b"\x01\xdf\0\1",
    b"\x01\xf7\0\1",
    b"<bigaf>\n",
    b"\0asm\1\0\0\0",
    b"\0asm\1\0\0\0\0\x80\1\7linking\2\x08",
    b"\0asm\1\0\0\0\0\x80\1\4name\1",
    b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0\x64\x86",
    b"\x64\x86\x01\0",
    b"\x4c\x01\x01\0",
    b"\0\0\xff\xff\0\0\x64\x86",
    b"\0\0\xff\xff\x02\0\x64\x86",
)
KINDS = (
    "object",
    "rlib",
    "small_library",
    "metadata",
    "bitcode",
    "wasm_object",
    "wasm_module",
    "wasm_archive",
    "xcoff_object",
    "xcoff_archive",
)
WINDOWS = (
    "x86_64-pc-windows-gnu", "i686-pc-windows-msvc", "arm64ec library", "image", "import", "big object",
)  # fmt: skip
SECTIONS = (".text", ".comment", ".debug_str", ".strtab", ".bss", "CODE", "notes", ".data")
NAMES = ("count_shapes", "caller", "inside")


def _look_at_everything(data: bytes) -> Facts:
    """Reads and decodes all; whatever a reader found must survive the store."""
    facts = read_bytes(data, references=NAMES)
    read_bytes(data, contents=SECTIONS)
    kinds = (facts.object, facts.archive, facts.bitcode, facts.metadata, facts.other)
    assert sum(one is not None for one in kinds) == (facts.error is None and facts.kind != "empty")
    objects = [facts.object] if facts.object else []
    objects += [member.object for member in (facts.archive.members if facts.archive else ()) if member.object]
    for one in objects:
        assert [section.name for section in one.sections] == one.sections.listed()
        assert len(one.sections.listed()) == len(one.sections)
        for table in (one.symbols, one.dynamic_symbols):
            assert table is None or len(list(table)) == len(table) == len(table.bindings())
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=Facts) == facts
    return facts


@given(st.sampled_from((b"", *MAGICS)), st.binary(max_size=400))
def test_arbitrary_bytes(magic: bytes, rest: bytes) -> None:
    _look_at_everything(magic + rest)


@pytest.fixture(scope="module")
def originals(
    built: dict[str, Path],
    foreign: Callable[[str], Path],
    no_core: NoCoreBuild,
    for_windows: Callable[[str, str], Path],
    compile_c: Callable[..., Path],
) -> dict[str, bytes]:
    """Small real files: a mutation then hits something that matters."""
    source = "extern int f(int); int caller(int x) { return f(x) + 1; }"
    paths = {name: built[name] for name in ("object", "rlib", "metadata", "bitcode")}
    paths["small_library"] = compile_c(source, "-shared", "-fPIC", "-O1")
    paths["big_endian"] = foreign("powerpc-unknown-linux-gnu")
    wasm = "wasm32-unknown-unknown"
    paths["wasm_object"] = no_core(wasm)
    paths["wasm_archive"] = no_core(wasm, "--crate-type=rlib", output="liblib.rlib")
    paths["xcoff_object"] = no_core("powerpc64-ibm-aix")
    paths["xcoff_archive"] = no_core("powerpc64-ibm-aix", "--crate-type=rlib", output="liblib.a")
    undefined = "-Clink-arg=--allow-undefined"
    paths["wasm_module"] = no_core(wasm, "--crate-type=cdylib", undefined, output="lib.wasm")
    for target in ("x86_64-pc-windows-gnu", "i686-pc-windows-msvc"):
        paths[target] = foreign(target)
    paths["arm64ec library"] = for_windows("arm64ec-pc-windows-msvc", "staticlib")
    return {name: path.read_bytes() for name, path in paths.items()} | {
        "image": small_image(),
        "import": short_import(0, 4, b"f\0a.dll\0g\0"),
        "big object": small_object(big=True),
    }


def _mutated(data: bytes, seed: int) -> bytes:
    """A few fields overwritten with the values that break readers, headers more often; or a cut."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, nothing secret
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        value = chance.choice(
            (0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63, 2**64 - 1, chance.getrandbits(64))
        )
        end = chance.choice((64, 256, len(changed), len(changed)))
        at = chance.randrange(min(end, len(changed)))
        if chance.random() < 0.3:  # the section headers stand at the end
            at = len(changed) - 1 - chance.randrange(min(2000, len(changed)))
        field = struct.pack(chance.choice("<>") + "Q", value)[: chance.choice((1, 2, 4, 8))]
        changed[at : at + len(field)] = field[: len(changed) - at]
    return bytes(changed[: chance.randrange(len(changed))] if chance.random() < 0.2 else changed)


@pytest.mark.parametrize("name", [*KINDS, "big_endian", *WINDOWS])
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=150,
    deadline=None,
)
@given(seed=st.integers(0, 2**32))
def test_real_files_damaged(originals: dict[str, bytes], name: str, seed: int) -> None:
    _look_at_everything(_mutated(originals[name], seed))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("small_library", "elf"),
        ("big_endian", "elf"),
        ("wasm_object", "wasm"),
        ("wasm_module", "wasm"),
        ("xcoff_object", "xcoff"),
    ],
)
def test_every_truncation(originals: dict[str, bytes], name: str, kind: str) -> None:
    data = originals[name]
    for length in range(0, len(data), max(1, len(data) // 400)):
        facts = _look_at_everything(data[:length])
        assert facts.kind == (
            kind if length >= (2 if kind == "xcoff" else 4) else "other" if length else "empty"
        )


def test_path_that_is_not_a_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", Path("/dev/null"), Path("a\0b")):
        with pytest.raises(ArtifactError, match=r"cannot be read|not a regular file"):
            read(path)


def test_kinds_by_content_not_name(tmp_path: Path) -> None:
    path = tmp_path / "libfoo.so"
    for content, kind in (
        (b"", "empty"),
        (b"text\n", "other"),
        (b"INPUT(-lfoo)", "other"),
        (b"!<arch>\n", "archive"),
    ):
        path.write_bytes(content)
        facts = read(path)
        assert (facts.kind, facts.size, facts.error) == (kind, len(content), None)
    assert read_bytes(b"text\n").other is not None
    assert read_bytes(b"text\n").digest == read_bytes(memoryview(b"text\n")).digest
    binary, large = read_bytes(b"\xff\xfe").other, read_bytes(b"x" * ((1 << 20) + 1)).other
    assert binary is not None
    assert large is not None
    assert (binary.text, large.text) == (None, None)


def test_names_that_would_take_all_memory() -> None:
    """Symbols that all point into one long name: refused, for decoding them has no bound."""
    names = b"\0" + b"n" * 900_000 + b"\0"
    symbols = bytes(24) + struct.pack("<IBBHQQ", 1, 0x10, 0, 0, 0, 0) * 40_000
    sections = [
        (0,) * 10,
        (0, 2, 0, 0, 64, len(symbols), 2, 1, 8, 24),
        (0, 3, 0, 0, 64 + len(symbols), len(names), 0, 0, 1, 0),
    ]
    at = 64 + len(symbols) + len(names)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 1, 62, 1, 0, 0, at, 0, 64, 0, 0, 64, 3, 2)
    data = header + symbols + names + b"".join(struct.pack("<IIQQQQIIQQ", *one) for one in sections)
    assert read_bytes(data).error == "40000 symbols with names of more than 429496 bytes"
