"""Any bytes in: facts or an error out, in bounded time and memory."""

import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.mutation import mutated
from fuzz.targets import artifact
from linkage.artifact import read_bytes
from support import macho_oracles as oracles

MAGICS = (
    b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe\0\0\0\x02", b"\xca\xfe\xba\xbf",
)  # fmt: skip
SAMPLES = ("object", "info", "chained", "executable", "archive", "universal")


@pytest.fixture(scope="module")
def originals(
    apple: Callable[..., Path],
    assembled: Mapping[str, Path],
    linked: Mapping[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, bytes]:
    """Small real files; a universal one is not aligned to pages, so that mutations hit something."""
    universal = tmp_path_factory.mktemp("universal") / "universal"
    oracles.run("llvm-lipo", "-create", *assembled.values(), "-output", universal)
    return {
        "object": assembled["x86_64"].read_bytes(),
        **{way: linked[f"x86_64-{way}"].read_bytes() for way in ("info", "chained", "executable")},
        "archive": apple("aarch64-apple-darwin", "staticlib").read_bytes(),
        "universal": universal.read_bytes(),
    }


@given(st.sampled_from(MAGICS), st.binary(max_size=400))
def test_arbitrary_bytes(magic: bytes, rest: bytes) -> None:
    artifact(magic + rest)


@pytest.mark.parametrize("name", SAMPLES)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=150,
    deadline=None,
)
@given(seed=st.integers(0, 2**32))
def test_real_files_damaged(originals: Mapping[str, bytes], name: str, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - reproducible, nothing secret
    artifact(mutated(chance, originals[name], [*originals.values()], 1 << 17))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_truncation(originals: Mapping[str, bytes], name: str) -> None:
    data = originals[name]
    for length in range(4, len(data), max(1, len(data) // 300)):
        artifact(data[:length])
    kinds = {read_bytes(data[:length]).kind for length in range(4, min(len(data), 400))}
    assert kinds <= ({"other", "archive"} if name in ("archive", "universal") else {"macho"})


def _with(number: int, *fields: int) -> bytes:
    content = b"".join(field.to_bytes(4, "little") for field in (number, 8 + 4 * len(fields), *fields))
    header = (0xFEEDFACF, 0x01000007, 3, 6, 1, len(content), 0x84, 0)
    return b"".join(field.to_bytes(4, "little") for field in header) + content


@pytest.mark.parametrize(
    "data",
    [
        _with(2, 0, 0xFFFFFFFF, 0, 0xFFFFFFFF),
        _with(2, 0xFFFFFFFF, 1, 0xFFFFFFFF, 1),
        _with(0x80000033, 0, 0xFFFFFFFF),
        _with(0x80000034, 0, 0xFFFFFFFF),
        _with(0x80000022, *[0xFFFFFFFF] * 10),
        _with(0xB, *[0xFFFFFFFF] * 18),
        _with(0x26, 0xFFFFFFFF, 0xFFFFFFFF),
        _with(0x2D, 0xFFFFFFFF),
        b"\xca\xfe\xba\xbf\xff\xff\xff\xff",
    ],
)
def test_giant_counts(data: bytes) -> None:
    artifact(data)
    artifact(data + bytes(1 << 16))
