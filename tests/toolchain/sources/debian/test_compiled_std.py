"""A std that Debian does not ship, compiled from its `rust-src`: with the real apt."""

import json
import signal
from pathlib import Path

import pytest

from linkage.errors import ToolchainError
from linkage.toolchain import sources
from linkage.toolchain.sources import InstallOptions
from support.debian_machine import DebianMachine
from support.std_compiling import BARE, HOST, RUSTC, library, put_cargo

VERSION = "1.96.0+dfsg1-1~deb12u1"
REBUILT = f"{VERSION}+b1"
SPEC = "debian:1.96-dynamic"
MINGW = "x86_64-pc-windows-gnu"


@pytest.fixture
def with_sources(machine: DebianMachine, tmp_path: Path) -> DebianMachine:
    """Its archive has a rustc-web that was built twice, and the sources that were not."""
    offer(machine, REBUILT)
    machine.archive.add("bookworm", "rust-web-src", VERSION, library(), arch="all")
    machine.archive.publish("bookworm", machine.signers.trusted)
    machine.env["PATH"] = f"{put_cargo(tmp_path / 'cargo')}:{machine.env['PATH']}"
    machine.env["LOG"] = str(tmp_path / "log")
    return machine


def offer(machine: DebianMachine, version: str, more: str = "") -> None:
    lib = f"usr/lib/rustlib/{HOST}/lib"
    files = {f"{lib}/lib{crate}-1.rlib": crate for crate in ("core", "std", "test", "proc_macro")}
    files["usr/bin/rustc"] = f"#!/bin/sh\n{RUSTC}{more}"
    dev = "libstd-rust-web-dev"
    depends = f"libc6 (>= 2), {dev} (= {version})"
    machine.archive.add("bookworm", "rustc-web", version, files, section="rust", Depends=depends)
    machine.archive.add("bookworm", dev, version, section="libdevel")
    machine.archive.publish("bookworm", machine.signers.trusted)


def install(machine: DebianMachine, spec: str, *targets: str) -> str:
    """The last line that it says."""
    sources.install(spec, InstallOptions(targets=targets), machine.env, machine.said.append)
    return machine.said[-1]


def refused(machine: DebianMachine, *targets: str, spec: str = "debian:1.96") -> str:
    with pytest.raises(ToolchainError) as raised:
        install(machine, spec, *targets)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def libraries(machine: DebianMachine, compiler: str, target: str) -> list[str]:
    folder = machine.home / compiler / "usr/lib/rustlib" / target / "lib"
    return sorted(path.name for path in folder.glob("*"))


def calls(machine: DebianMachine) -> list[str]:
    log = Path(machine.env["LOG"])
    return log.read_text().splitlines() if log.exists() else []


def test_a_dynamic_std_is_built_once_for_each_compiler(with_sources: DebianMachine) -> None:
    said = install(with_sources, SPEC)
    assert "debian-1.96.0-dynamic, with a dynamic std built from rust-web-src " + VERSION in said
    names = ["libcore-1.rlib", "libproc_macro-linkage.rlib", "libstd-linkage.rlib", "libstd-linkage.so"]
    assert libraries(with_sources, "1.96.0-dynamic", HOST) == names
    assert "libstd-1.rlib" in libraries(with_sources, "1.96.0-web", HOST)
    assert "already installed: debian-1.96.0-dynamic" in install(with_sources, SPEC)
    assert calls(with_sources) == ["std", "proc_macro"]
    sources.remove("debian:1.96-web", with_sources.env, with_sources.said.append)
    offer(with_sources, f"{VERSION}+b2", "# another compiler\n")
    install(with_sources, SPEC)
    assert "debian:1.96-dynamic: debian-1.96.0-dynamic was made of another compiler, and is made anew" in (
        with_sources.said
    )
    assert calls(with_sources) == ["std", "proc_macro"] * 2
    record = json.loads((with_sources.home / "1.96.0-dynamic/debian.json").read_text())
    assert record["version"] == f"{VERSION}+b2"


def test_the_script_of_the_compiler_that_it_is_made_of_stays(with_sources: DebianMachine) -> None:
    install(with_sources, SPEC)
    both = [with_sources.home / name / "rustc" for name in ("1.96.0-web", "1.96.0-dynamic")]
    assert both[0].stat().st_ino != both[1].stat().st_ino


def test_a_folder_that_someone_unpacked_gets_a_dynamic_std(
    with_sources: DebianMachine, tmp_path: Path
) -> None:
    install(with_sources, "debian:1.96")
    folder = tmp_path / "mine"
    (with_sources.home / "1.96.0-web").rename(folder)
    (folder / "debian.json").unlink()
    text = refused(with_sources, spec=f"debian:{folder}-dynamic")
    assert f"no {folder}/usr/lib/rustlib/src/rust/library, from which a std could be compiled" in text
    beside = folder / "usr/lib/rustlib/src/rust"
    for path, content in library().items():
        file = beside / Path(path).relative_to("usr/src/rustc-1.96.0")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    (beside / "src/version").write_text("1.95.0\n")
    assert "is of rustc '1.95.0', not 1.96.0" in refused(with_sources, spec=f"debian:{folder}-dynamic")
    assert with_sources.left() == []
    (beside / "src/version").write_text("1.96.0\n")
    install(with_sources, f"debian:{folder}-dynamic")
    assert "libstd-linkage.so" in libraries(with_sources, "1.96.0-dynamic", HOST)
    assert (folder / "usr/lib/rustlib" / HOST / "lib/libstd-1.rlib").exists()


def test_a_target_for_which_debian_has_nothing(with_sources: DebianMachine) -> None:
    said = install(with_sources, "debian:1.96", BARE)
    assert said == f"debian:1.96: installed std for {BARE}, compiled here: alloc, compiler_builtins, core"
    made = ["liballoc-1.rlib", "libcompiler_builtins-1.rlib", "libcore-1.rlib"]
    assert libraries(with_sources, "1.96.0-web", BARE) == made
    (call,) = calls(with_sources)
    assert "-Zbuild-std=core,alloc -Zbuild-std-features=compiler-builtins-mem --offline" in call
    assert f"std for {BARE} is already installed" in install(with_sources, "debian:1.96", BARE)
    assert len(calls(with_sources)) == 1
    record = with_sources.home / "1.96.0-web/usr/lib/rustlib" / BARE / "built-std.json"
    record.write_text(record.read_text().replace(json.loads(record.read_text())["compiler"], "another"))
    install(with_sources, "debian:1.96", BARE)
    assert len(calls(with_sources)) == 2
    assert libraries(with_sources, "1.96.0-web", BARE) == made


def test_a_package_that_the_archive_has_for_other_versions_only(with_sources: DebianMachine) -> None:
    install(with_sources, "debian:1.96", MINGW)
    assert (
        f"debian:1.96: no suite of the mirror has libstd-rust-web-dev-windows of version {REBUILT}: "
        "it is compiled here"
    ) in with_sources.said
    found = libraries(with_sources, "1.96.0-web", MINGW)
    assert {"libstd-1.rlib", "libtest-1.rlib", "rsbegin.o", "rsend.o"} <= set(found)


def test_settings_of_the_user_do_not_count(with_sources: DebianMachine) -> None:
    with_sources.env |= {
        "RUSTFLAGS": "-Cpanic=abort",
        "CARGO_BUILD_TARGET": "x",
        "CARGO_HOME": "/mine",
        "RUSTC_WRAPPER": "sccache",
    }
    install(with_sources, "debian:1.96", BARE)
    seen = dict(
        line.split("=", 1)
        for line in Path(with_sources.env["LOG"] + ".env").read_text().splitlines()
        if "=" in line
    )
    assert (seen["CARGO_HOME"], seen["RUSTC_WRAPPER"], seen["RUSTC_BOOTSTRAP"]) == ("/mine", "", "1")
    assert "RUSTFLAGS" not in seen
    assert "CARGO_BUILD_TARGET" not in seen
    assert seen["__CARGO_TESTS_ONLY_SRC_ROOT"].endswith("/library")


def test_what_cannot_be_compiled(with_sources: DebianMachine) -> None:
    text = refused(with_sources, "no-such-target")
    assert "rustc 1.96.0 has no target no-such-target: error: could not find specification" in text
    with_sources.env["FAILS"] = "error: no matching package named `x` found\\nlocation searched: y\\n"
    text = refused(with_sources, BARE)
    assert text == (
        f"toolchain debian:1.96: std for {BARE} cannot be compiled: "
        "error: no matching package named `x` found"
    )
    with_sources.env["FAILS"] = "error: failed to run custom build command\\nCaused by:\\n  no cc\\n"
    assert "cannot be compiled: error: failed to run custom build command: no cc" in refused(
        with_sources, BARE
    )
    with_sources.env["PATH"] = with_sources.env["PATH"].partition(":")[2]
    assert "there is no cargo on PATH" in refused(with_sources, BARE)
    assert libraries(with_sources, "1.96.0-web", BARE) == []
    assert with_sources.left() == ["1.96.0-web"]


def test_no_sources_in_the_archive(machine: DebianMachine) -> None:
    machine.install("debian:1.63")
    text = refused(machine, "aarch64-apple-darwin", spec="debian:1.63")
    assert "Debian has no std for aarch64-apple-darwin, and it cannot be compiled: no suite " in text
    assert "has rust-src of version 1.63.0+dfsg1-2" in text


def test_a_build_that_is_interrupted(with_sources: DebianMachine, tmp_path: Path) -> None:
    install(with_sources, "debian:1.96")
    cargo = tmp_path / "cargo/cargo"
    cargo.write_text('#!/bin/sh\nmkdir -p "$4"; touch "$LOG.started"; exec sleep 60\n')
    running = with_sources.linkage("install", "debian:1.96", "--target", BARE)
    started = Path(with_sources.env["LOG"] + ".started")
    assert running.stdout is not None
    for line in running.stdout:
        if "compiling" in line:
            break
    while not started.exists():
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (2, "linkage: interrupted\n")
    assert libraries(with_sources, "1.96.0-web", BARE) == []
    put_cargo(cargo.parent)
    install(with_sources, "debian:1.96", BARE)  # it also removes what a killed cargo has still written
    assert "libcore-1.rlib" in libraries(with_sources, "1.96.0-web", BARE)
    assert with_sources.left() == ["1.96.0-web"]
