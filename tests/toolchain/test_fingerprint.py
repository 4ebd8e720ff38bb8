"""A changed toolchain is noticed; an unchanged one is not read again."""

import os
from pathlib import Path

import pytest

from linkage.toolchain import Located
from linkage.toolchain import fingerprint as module
from linkage.toolchain.fingerprint import fingerprint

FILES = {
    "bin/rustc": b"\x7fELF rustc",
    "lib/librustc_driver-1.so": b"driver",
    "lib/libLLVM.so.22": b"llvm",
    "lib/rustlib/host/lib/libstd-1.rlib": b"std",
    "lib/rustlib/host/bin/gcc-ld/ld.lld": b"lld",
    "lib/rustlib/host/codegen-backends/librustc_codegen_gcc.so": b"gcc",
}


@pytest.fixture
def sysroot(tmp_path: Path) -> Path:
    sysroot = tmp_path / "sysroot"
    for name, content in FILES.items():
        (sysroot / name).parent.mkdir(parents=True, exist_ok=True)
        (sysroot / name).write_bytes(content)
    (sysroot / "bin/rustc").chmod(0o755)
    return sysroot


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take files that were just written for old ones."""
    monkeypatch.setattr(module, "SETTLED_NS", -1)


def test_it_is_the_content_that_counts(sysroot: Path, cache: Path, tmp_path: Path) -> None:
    first = fingerprint(sysroot / "bin/rustc", sysroot, cache)
    assert len(first) == 32
    int(first, 16)
    moved = sysroot.rename(tmp_path / "elsewhere")
    assert fingerprint(moved / "bin/rustc", moved, cache) == first


@pytest.mark.parametrize("name", FILES)
def test_each_file_counts(sysroot: Path, cache: Path, name: str) -> None:
    first = fingerprint(sysroot / "bin/rustc", sysroot, cache)
    (sysroot / name).write_bytes(FILES[name].swapcase())
    changed = fingerprint(sysroot / "bin/rustc", sysroot, cache)
    (sysroot / name).rename(sysroot / f"{name}.renamed")
    assert len({first, changed, fingerprint(sysroot / "bin/rustc", sysroot, cache)}) >= 2 + (
        name != "bin/rustc"
    )


def test_what_is_not_the_compilers_own_does_not_count(sysroot: Path, cache: Path) -> None:
    first = fingerprint(sysroot / "bin/rustc", sysroot, cache)
    (sysroot / "bin/cargo").write_bytes(b"cargo")
    (sysroot / "lib/libc.so").write_bytes(b"libc")
    assert fingerprint(sysroot / "bin/rustc", sysroot, cache) == first


def test_an_unchanged_file_is_not_read_again(
    sysroot: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    first = fingerprint(sysroot / "bin/rustc", sysroot, cache)
    monkeypatch.setattr("hashlib.file_digest", None)
    assert fingerprint(sysroot / "bin/rustc", sysroot, cache) == first


def test_a_file_replaced_with_the_same_size_and_time_is_noticed(
    sysroot: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    rustc = sysroot / "bin/rustc"
    first = fingerprint(rustc, sysroot, cache)
    status = rustc.stat()
    rustc.write_bytes(FILES["bin/rustc"].swapcase())
    os.utime(rustc, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert fingerprint(rustc, sysroot, cache) != first


def test_a_file_that_just_changed_is_not_remembered(sysroot: Path, cache: Path) -> None:
    fingerprint(sysroot / "bin/rustc", sysroot, cache)
    assert not (cache / "hashes.msgpack").exists()


@pytest.mark.parametrize("damage", [b"", b"\xc1", b"\x81\xa1a\x93\x01", b"\x92" * 5000])
def test_a_damaged_memory_is_forgotten(
    sysroot: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes
) -> None:
    settle(monkeypatch)
    first = fingerprint(sysroot / "bin/rustc", sysroot, cache)
    (cache / "hashes.msgpack").write_bytes(damage)
    assert fingerprint(sysroot / "bin/rustc", sysroot, cache) == first
    assert (cache / "hashes.msgpack").read_bytes() != damage


def test_a_cache_that_cannot_be_written(sysroot: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert fingerprint(sysroot / "bin/rustc", sysroot, tmp_path / "file" / "cache")


def test_a_wrapper_counts_with_what_it_starts(sysroot: Path, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "other/bin").mkdir(parents=True)
    hidden = tmp_path / "other/bin/rustc"
    hidden.write_bytes(b"\x7fELF one")
    hidden.chmod(0o755)
    wrapper = tmp_path / "wrapper.sh"
    wrapper.write_text(f'#!/bin/sh\nexec "{hidden}" --sysroot {sysroot} "$@"\n')
    wrapper.chmod(0o755)
    first = fingerprint(wrapper, sysroot, cache)
    hidden.write_bytes(b"\x7fELF two")
    second = fingerprint(wrapper, sysroot, cache)
    wrapper.write_text(wrapper.read_text() + "# edited\n")
    assert len({first, second, fingerprint(wrapper, sysroot, cache)}) == 3


def test_a_real_toolchain(some_rustc: Located, tmp_path: Path) -> None:
    sysroot = some_rustc.rustc.parent.parent
    first = fingerprint(some_rustc.rustc, sysroot, tmp_path)
    assert fingerprint(some_rustc.rustc, sysroot, tmp_path) == first
