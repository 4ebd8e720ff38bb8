"""Compilers from an archive as they are used: on the command line, several at once, unpacked by others."""

import signal
import subprocess
from pathlib import Path

import pytest

from linkage.errors import ToolchainError
from linkage.toolchain import discover, resolve
from support.debian_archive import LOADER, TRIPLET
from support.debian_machine import COMPILER, DebianMachine, says


def test_a_folder_that_someone_unpacked(machine: DebianMachine, tmp_path: Path) -> None:
    root = tmp_path / "it's mine" / "1.63"
    root.mkdir(parents=True)
    for deb in machine.archive.folder.glob("pool/*"):
        if deb.name.split("_")[0] in COMPILER:
            subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
    located = resolve(f"debian:{root}", machine.env)
    assert located.name == "debian-1.63"
    assert located.rustc.is_relative_to(machine.home)
    libraries = f"{root}/lib/{TRIPLET}:{root}/usr/lib/{TRIPLET}:{root}/usr/lib/llvm-14/lib"
    assert says(located.rustc, "-vV") == (
        f"rustc 1.63.0 of bookworm, with {libraries}, --sysroot {root}/usr -vV\n"
    )
    assert sorted(path.name for path in root.iterdir()) == ["lib", "usr"]
    written = located.rustc.stat().st_mtime_ns
    assert resolve(f"debian:{root}", machine.env).rustc.stat().st_mtime_ns == written
    # It names the compiler by its path, so that a rebuilt one is known for another.
    assert str(root / "usr/bin/rustc").replace("'", "'\"'\"'") in located.rustc.read_text()
    (root / LOADER).unlink()
    assert LOADER not in resolve(f"debian:{root}", machine.env).rustc.read_text()
    own = root / "rustc"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert resolve(f"debian:{root}", machine.env).rustc == own
    with pytest.raises(ToolchainError, match=f"no usr/bin/rustc in {tmp_path}"):
        resolve(f"debian:{tmp_path}", machine.env)
    with pytest.raises(ToolchainError, match="a folder is not installed"):
        machine.install(f"debian:{root}")


def test_two_at_once(machine: DebianMachine) -> None:
    machine.mirror.server.stall = "libllvm14"
    first = machine.linkage("install", "debian:1.63")
    assert machine.mirror.server.stalled.wait(30)
    second = machine.linkage("install", "debian:1.63")
    assert second.stdout is not None
    assert second.stdout.readline() == f"waiting for another installation into {machine.home}\n"
    machine.mirror.server.go_on.set()
    out, err = first.communicate(timeout=60)
    assert (first.returncode, err) == (0, "")
    assert "debian:1.63: installed debian-1.63.0 " in out.splitlines()[-1]
    out, err = second.communicate(timeout=60)
    assert (second.returncode, err) == (0, "")
    assert "debian:1.63: already installed: debian-1.63.0 " in out
    assert sum("pool/rustc_1.63" in path for path in machine.mirror.server.asked) == 1


def test_interrupted_or_killed(machine: DebianMachine) -> None:
    machine.mirror.server.stall = "libllvm14"
    running = machine.linkage("install", "debian:1.63")
    assert machine.mirror.server.stalled.wait(30)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (2, "linkage: interrupted\n")
    assert machine.left() == []
    machine.mirror.server.stalled.clear()
    running = machine.linkage("install", "debian:1.63")
    assert machine.mirror.server.stalled.wait(30)
    running.kill()
    running.communicate(timeout=30)
    assert [name[:4] for name in machine.left()] == ["new-"]
    assert discover(machine.env) == []
    machine.mirror.server.stall = ""
    machine.mirror.server.go_on.set()
    machine.install("debian:1.63")
    assert machine.left() == ["1.63.0"]


def test_several_on_the_command_line(machine: DebianMachine) -> None:
    running = machine.linkage("install", "debian:1.63", "debian:forky", "debian:1.78", "debian:1.63")
    out, err = running.communicate(timeout=60)
    assert running.returncode == 4
    assert err.startswith("linkage: toolchain debian:forky: the mirror has no suite forky: ")
    assert err.count("\n") == 1
    assert out.count("installed debian-1.63.0") == out.count("installed debian-1.78.0-web") == 1
    running = machine.linkage("remove", "debian:1.63", "debian:1.78")
    assert running.communicate(timeout=60) == (
        f"debian:1.63: removed {machine.home}/1.63.0\ndebian:1.78: removed {machine.home}/1.78.0-web\n",
        "",
    )
    assert machine.left() == []
    running = machine.linkage("install", "debian:1.63", "sable")
    assert "toolchain sable: cannot be installed: it is neither" in running.communicate(timeout=60)[1]
    assert machine.left() == []
