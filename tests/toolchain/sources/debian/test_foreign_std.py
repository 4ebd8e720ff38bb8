"""The std of other targets beside an unpacked compiler, with the real apt, from an archive in miniature."""

import json
from pathlib import Path

import pytest

from linkage.errors import ToolchainError
from linkage.toolchain import sources
from linkage.toolchain.sources import InstallOptions
from support.debian_machine import DebianMachine

S390X, WASM = "s390x-unknown-linux-gnu", "wasm32-wasip1"
VERSION = "1.63.0+dfsg1-2"


def offer(machine: DebianMachine, version: str = VERSION) -> None:
    """Add the packages with the std of two targets to the archive."""
    add, lib = machine.archive.add, f"usr/lib/rustlib/{S390X}/lib"
    rlibs = {f"{lib}/libcore-1.rlib": "core", f"{lib}/libcore-1.rmeta": "metadata"}
    add("bookworm", "libstd-rust-dev", version, rlibs, arch="s390x")
    add("bookworm", "libstd-rust-1.63", version, {f"{lib}/libstd-1.so": "std"}, arch="s390x")
    wasm = {f"usr/lib/rustlib/{WASM}/lib/libcore-2.rlib": "core of wasm"}
    add("bookworm", "libstd-rust-dev-wasm32", version, wasm, arch="all")
    machine.archive.publish("bookworm", machine.signers.trusted)


def install(machine: DebianMachine, *targets: str) -> None:
    sources.install("debian:1.63", InstallOptions(targets=targets), machine.env, machine.said.append)


def libraries(machine: DebianMachine, target: str) -> list[str]:
    return sorted(path.name for path in Path(machine.home, "1.63.0/usr/lib/rustlib", target, "lib").glob("*"))


def test_the_std_of_targets_is_beside_the_compiler(machine: DebianMachine) -> None:
    offer(machine)
    install(machine, S390X, WASM)
    assert libraries(machine, S390X) == ["libcore-1.rlib", "libcore-1.rmeta", "libstd-1.so"]
    assert libraries(machine, WASM) == ["libcore-2.rlib"]
    unpacked = json.loads((machine.home / "1.63.0/debian.json").read_text())["unpacked"]
    assert unpacked["libstd-rust-dev:s390x"] == unpacked["libstd-rust-dev-wasm32"] == VERSION
    assert machine.left() == ["1.63.0"]
    machine.mirror.server.asked.clear()
    install(machine, S390X)
    assert machine.said[-1] == f"debian:1.63: std for {S390X} is already installed"
    assert machine.mirror.server.asked == []


def test_a_std_of_another_version_is_not_taken(machine: DebianMachine) -> None:
    offer(machine, "1.63.0+dfsg1-9")
    with pytest.raises(ToolchainError, match=r"has libstd-rust-dev-wasm32 of version 1\.63\.0\+dfsg1-2"):
        install(machine, WASM)
    assert libraries(machine, WASM) == []


def test_a_target_that_debian_does_not_have(machine: DebianMachine) -> None:
    with pytest.raises(ToolchainError, match="Debian has no std for aarch64-apple-darwin"):
        install(machine, "aarch64-apple-darwin")
