"""Installing a rustc if there is none, with the real rustup, from a server on this machine."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkage.errors import ToolchainError
from linkage.toolchain import Located, discover, probe, resolve, sources
from linkage.toolchain.ensure import ensure, main
from linkage.toolchain.query import ask
from linkage.toolchain.sources import InstallOptions
from linkage.toolchain.sources.rustup.folders import machine_host
from linkage.toolchain.sources.rustup.installation import install
from linkage.toolchain.sources.rustup.wheel import install_wheel
from support.dist_server import DistServer, serve
from support.fake_compiler import FakeRustc
from support.std_compiling import BARE, RUSTC, put_cargo

HOST = machine_host()
SYSTEM = "/usr/bin:/bin"


@pytest.fixture(scope="session")
def rustup_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but a rustup: the one on PATH, or its wheel's."""
    folder = tmp_path_factory.mktemp("rustup")
    program = shutil.which("rustup")
    if not program:
        try:
            install_wheel("rustup", folder / "wheel", os.environ)
        except ToolchainError as error:
            pytest.skip(f"there is no rustup here: {error}")
        program = str(folder / "wheel/bin/rustup")
    (folder / "bin").mkdir()
    (folder / "bin/rustup").symlink_to(Path(program).resolve())
    return folder / "bin"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DistServer]:
    with serve(tmp_path / "server") as server:
        yield server
    shutil.rmtree(tmp_path / "server")


@pytest.fixture
def env(tmp_path: Path, server: DistServer) -> dict[str, str]:
    """The environment of a machine without any rustc, whose rustup asks the server."""
    kept = {
        key: value for key, value in os.environ.items() if key.startswith(("PIP_", "UV_", "TMPDIR", "LANG"))
    }
    return kept | {"HOME": str(tmp_path / "home"), "PATH": SYSTEM, "RUSTUP_DIST_SERVER": server.url}


def without_rustc(env: dict[str, str]) -> None:
    if shutil.which("rustc", path=SYSTEM):
        pytest.skip("a rustc among the system's own programs cannot be hidden")
    assert discover(env) == []


def false_sysroot(fake_rustc: FakeRustc, folder: str, version: str) -> Path:
    """A small toolchain, whose rustc only says its version."""
    rustc = fake_rustc(f"echo rustc {version}", f"{folder}/bin/rustc")
    std = rustc.parent.parent / f"lib/rustlib/{HOST}/lib/libstd-1.rlib"
    std.parent.mkdir(parents=True)
    std.write_bytes(b"!<arch>\n")
    return rustc.parent.parent


def test_a_real_toolchain_through_the_wheel(
    some_rustc: Located, server: DistServer, env: dict[str, str], tmp_path: Path
) -> None:
    """What `ci/cases` does on a machine without rustc, from the index's wheel to a rustc that answers."""
    without_rustc(env)
    try:
        install_wheel("rustup", tmp_path / "wheel", env)
    except ToolchainError as error:
        pytest.skip(str(error))
    real = probe(some_rustc, tmp_path / "cache")
    if not list((real.sysroot / "lib").glob("*rustc_driver*")) or real.host != HOST:
        pytest.skip("this rustc does not stand in a sysroot that can be packed")
    server.publish(real.sysroot, host=HOST, channel="stable", date="2026-01-01", version=str(real.version))
    said: list[str] = []
    try:
        found = ensure(env, said.append)
        home = tmp_path / "home/.cache/linkage/rustup"
        assert said == [f"no rustc by $RUSTC, rustup or PATH: installing stable into {home}"]
        assert [located.name for located in found] == ["stable"]
        assert found[0].rustc.is_relative_to(home)
        installed = probe(found[0], tmp_path / "cache", env)
        assert installed.version == real.version
        assert installed.sysroot.is_relative_to(home)
        assert not (tmp_path / "home/.rustup").exists()
        assert ensure(env, said.append) == found
        assert len(said) == 1
    finally:
        shutil.rmtree(tmp_path / "home", ignore_errors=True)


def test_a_dated_nightly(
    server: DistServer, env: dict[str, str], rustup_folder: Path, fake_rustc: FakeRustc
) -> None:
    env["PATH"] = f"{rustup_folder}:{SYSTEM}"
    for date in ("2026-05-19", "2026-05-20"):
        sysroot = false_sysroot(fake_rustc, date, f"1.97.0-nightly of {date}")
        server.publish(
            sysroot,
            host=HOST,
            channel="nightly",
            date=date,
            version="1.97.0-nightly",
            dated=date < "2026-05-20",
        )
    for name, date in (("nightly-2026-05-19", "2026-05-19"), ("nightly", "2026-05-20")):
        folder = install(name, env)
        assert folder.name == f"{name}-{HOST}"
        rustc = resolve(name, env).rustc
        assert rustc.parent.parent == folder
        assert ask([rustc], env, who=name).stdout == f"rustc 1.97.0-nightly of {date}\n"
    assert sorted(discover(env)) == ["nightly", "nightly-2026-05-19"]
    assert install("nightly", env | {"RUSTUP_DIST_SERVER": "http://127.0.0.1:9"}).name == f"nightly-{HOST}"


def test_asked_for_and_removed(
    server: DistServer, env: dict[str, str], rustup_folder: Path, fake_rustc: FakeRustc, tmp_path: Path
) -> None:
    env["PATH"] = f"{rustup_folder}:{SYSTEM}"
    sysroot = false_sysroot(fake_rustc, "sysroot", "1.95.0")
    server.publish(sysroot, host=HOST, channel="1.95.0", date="2026-04-16", version="1.95.0")
    said: list[str] = []
    for spec in ("1.95.0", f"1.95.0-{HOST}"):
        sources.install(spec, InstallOptions(), env, said.append)
    rustc = tmp_path / f"home/.cache/linkage/rustup/toolchains/1.95.0-{HOST}/bin/rustc"
    assert said == [
        "1.95.0: installing with rustup, profile minimal",
        f"1.95.0: installed: {rustc}",
        f"1.95.0-{HOST}: already installed: {rustc}",
    ]
    assert resolve("1.95.0", env).rustc == rustc
    rustc.unlink()
    sources.install("1.95.0", InstallOptions(), env, said.append)
    assert rustc.is_file()
    left = rustc.parents[3] / "new-of-a-killed-one"
    left.mkdir()
    sources.remove("1.95.0", env, said.append)
    assert said[-1] == f"1.95.0: removed {rustc.parents[1]}"
    assert list(rustc.parents[2].iterdir()) == []
    assert not left.exists()
    with pytest.raises(ToolchainError, match=r"toolchain 1\.95\.0: not installed"):
        sources.remove("1.95.0", env, said.append)


def test_the_users_own_toolchain_is_not_touched(env: dict[str, str], tmp_path: Path) -> None:
    theirs = tmp_path / f"home/.rustup/toolchains/stable-{HOST}/bin/rustc"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("#!/bin/sh\n")
    said: list[str] = []
    sources.install("stable", InstallOptions(), env, said.append)
    assert said == [f"stable: already installed: {theirs}"]
    with pytest.raises(ToolchainError) as caught:
        sources.remove("stable", env, said.append)
    assert str(caught.value) == (
        f"toolchain stable: {theirs.parents[1]} was not installed by linkage "
        "(help: rustup toolchain uninstall stable)"
    )
    assert theirs.is_file()


@pytest.mark.parametrize("spec", ["sable", "/usr/bin/rustc", "mine=stable", "$RUSTC", ""])
def test_what_nobody_can_install(spec: str) -> None:
    with pytest.raises(
        ToolchainError, match="it is neither a rustup toolchain nor a release or suite of Debian"
    ):
        sources.check(["stable", "debian:1.63", spec], {})


def test_a_disk_that_is_full(env: dict[str, str], tmp_path: Path) -> None:
    """What rustup complains of is passed on in one line, and what it had unpacked is gone."""
    rustup = tmp_path / "bin/rustup"
    rustup.parent.mkdir()
    rustup.write_text(
        '#!/bin/sh\nhalf="$RUSTUP_HOME/toolchains/stable-x/bin"; mkdir -p "$half"; touch "$half/rustc"\n'
        "echo 'info: downloading' >&2; echo 'error: No space left on device (os error 28)' >&2; exit 1\n"
    )
    rustup.chmod(0o755)
    with pytest.raises(ToolchainError) as caught:
        install("stable", env | {"PATH": f"{rustup.parent}:{SYSTEM}"})
    text = str(caught.value)
    assert "rustup cannot install stable: error: No space left on device (os error 28) (help: " in text
    assert "\n" not in text
    assert not list((tmp_path / "home/.cache/linkage/rustup").glob("*/*"))


def test_what_the_server_does_not_have(env: dict[str, str], rustup_folder: Path) -> None:
    with pytest.raises(ToolchainError) as caught:
        install("nightly-2001-01-01", env | {"PATH": f"{rustup_folder}:{SYSTEM}"})
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith("toolchain nightly-2001-01-01: rustup cannot install nightly-2001-01-01: error: ")
    assert "install Rust from https://rustup.rs" in text


def test_a_damaged_package_leaves_nothing(
    server: DistServer, env: dict[str, str], rustup_folder: Path, fake_rustc: FakeRustc, tmp_path: Path
) -> None:
    sysroot = false_sysroot(fake_rustc, "sysroot", "1.95.0")
    server.publish(sysroot, host=HOST, channel="stable", date="2026-04-16", version="1.95.0")
    package = next(server.folder.rglob("rust-std-*.tar.gz"))
    package.write_bytes(package.read_bytes()[:-20] + bytes(20))
    with pytest.raises(ToolchainError, match="rustup cannot install stable"):
        install("stable", env | {"PATH": f"{rustup_folder}:{SYSTEM}"})
    assert not list((tmp_path / "home/.cache/linkage/rustup").glob("*/*/bin/rustc"))


def test_no_index_and_no_rustup(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_rustc(env)
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in (
        env | {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    ).items():
        monkeypatch.setenv(name, value)
    assert main() == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: toolchain stable: the wheel `rustup` cannot be installed: pip: ")
    assert ": ERROR: Could not find a version that satisfies the requirement rustup" in line
    assert "install Rust from https://rustup.rs" in line


def test_proxy_without_a_toolchain_is_not_a_rustc(
    server: DistServer, env: dict[str, str], rustup_folder: Path, fake_rustc: FakeRustc, tmp_path: Path
) -> None:
    proxies = tmp_path / "proxies"
    proxies.mkdir()
    for name in ("rustc", "rustup"):
        (proxies / name).symlink_to(rustup_folder / "rustup")
    env["PATH"] = f"{proxies}:{SYSTEM}"
    sysroot = false_sysroot(fake_rustc, "sysroot", "1.95.0")
    server.publish(sysroot, host=HOST, channel="stable", date="2026-04-16", version="1.95.0")
    said: list[str] = []
    assert [located.name for located in ensure(env, said.append)] == ["stable"]
    assert len(said) == 1


def test_a_wrong_rustc_of_the_environment_is_not_replaced(env: dict[str, str]) -> None:
    with pytest.raises(ToolchainError, match="no such file: /no/rustc"):
        ensure(env | {"RUSTC": "/no/rustc"}, print)


def test_no_home_at_all() -> None:
    with pytest.raises(ToolchainError, match="neither HOME nor XDG_CACHE_HOME is set"):
        ensure({"PATH": "/nowhere"}, print)


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ToolchainError, match="cannot be written: Not a directory"):
        ensure({"PATH": "/nowhere", "HOME": str(tmp_path / "file")}, print)


WASM = "wasm32-wasip1"


def published_with_wasm(server: DistServer, fake_rustc: FakeRustc) -> None:
    sysroot = false_sysroot(fake_rustc, "with-wasm", "1.98.0")
    for crate in ("core", "std"):
        library = sysroot / f"lib/rustlib/{WASM}/lib/lib{crate}-1.rlib"
        library.parent.mkdir(parents=True, exist_ok=True)
        library.write_bytes(b"!<arch>\n")
    server.publish(sysroot, host=HOST, channel="stable", date="2026-09-03", version="1.98.0", targets=[WASM])


def installed_stds(env: dict[str, str]) -> list[str]:
    folder = Path(env["HOME"], ".cache/linkage/rustup/toolchains", f"stable-{HOST}", "lib/rustlib")
    return sorted(path.parent.parent.name for path in folder.glob("*/lib/libstd-*.rlib"))


@pytest.mark.parametrize("later", [False, True])
def test_the_std_of_another_target(
    later: bool,  # noqa: FBT001 - pytest gives it by name
    server: DistServer,
    env: dict[str, str],
    rustup_folder: Path,
    fake_rustc: FakeRustc,
) -> None:
    env["PATH"] = f"{rustup_folder}:{SYSTEM}"
    published_with_wasm(server, fake_rustc)
    said: list[str] = []
    if later:
        sources.install("stable", InstallOptions(), env, said.append)
        assert installed_stds(env) == [HOST]
    for _ in range(2):
        sources.install("stable", InstallOptions(targets=(WASM,)), env, said.append)
        assert installed_stds(env) == sorted([HOST, WASM])
    assert said[-1] == f"stable: std for {WASM} is already installed"
    assert not Path(env["HOME"], ".rustup").exists()


def test_a_target_that_the_server_does_not_have(
    server: DistServer, env: dict[str, str], rustup_folder: Path, fake_rustc: FakeRustc
) -> None:
    env["PATH"] = f"{rustup_folder}:{SYSTEM}"
    published_with_wasm(server, fake_rustc)
    sources.install("stable", InstallOptions(), env, lambda _: None)
    with pytest.raises(ToolchainError, match="rustup cannot install std for aarch64-apple-darwin: "):
        sources.install("stable", InstallOptions(targets=("aarch64-apple-darwin",)), env, lambda _: None)
    assert installed_stds(env) == [HOST]


def test_a_target_that_is_compiled(
    server: DistServer, env: dict[str, str], rustup_folder: Path, fake_rustc: FakeRustc, tmp_path: Path
) -> None:
    env["PATH"] = f"{put_cargo(tmp_path / 'cargo')}:{rustup_folder}:{SYSTEM}"
    env["LOG"] = str(tmp_path / "log")
    sysroot = fake_rustc(RUSTC, "compiling/bin/rustc").parents[1]
    (sysroot / f"lib/rustlib/{HOST}/lib").mkdir(parents=True)
    (sysroot / f"lib/rustlib/{HOST}/lib/libstd-1.rlib").write_bytes(b"!<arch>\n")
    server.publish(sysroot, host=HOST, channel="1.96.0", date="2026-05-28", version="1.96.0")
    said: list[str] = []
    options = InstallOptions(targets=(BARE,))
    with pytest.raises(ToolchainError) as raised:
        sources.install("1.96.0", options, env, said.append)
    assert re.fullmatch(
        rf"toolchain 1\.96\.0: rustup cannot install std for {BARE}: error: .*, nor rust-src to compile it: "
        r"error: .*\(help: put the sources of the same version into .*/lib/rustlib/src/rust\)",
        str(raised.value),
    )
    folder = Path(env["HOME"], ".cache/linkage/rustup/toolchains", f"1.96.0-{HOST}")
    core = folder / "lib/rustlib/src/rust/library/core/src/lib.rs"
    core.parent.mkdir(parents=True)
    core.touch()
    for _ in range(2):
        sources.install("1.96.0", options, env, said.append)
    assert f"1.96.0: installed std for {BARE}, compiled here: alloc, compiler_builtins, core" in said
    assert said[-1] == f"1.96.0: std for {BARE} is already installed"
    assert (folder / "lib/rustlib" / BARE / "lib/libcore-1.rlib").exists()
    assert [path.name for path in folder.parents[1].glob("new-*")] == []


def test_a_toolchain_of_the_user_gets_no_std(env: dict[str, str], fake_rustc: FakeRustc) -> None:
    folder = Path(env["HOME"], ".rustup/toolchains", f"stable-{HOST}")
    fake_rustc("echo rustc 1.98.0", f"home/.rustup/toolchains/stable-{HOST}/bin/rustc")
    with pytest.raises(ToolchainError) as raised:
        sources.install("stable", InstallOptions(targets=(WASM,)), env, lambda _: None)
    assert str(raised.value) == (
        f"toolchain stable: {folder} was not installed by linkage, and has no std for {WASM} "
        f"(help: rustup target add --toolchain stable {WASM}, or name a version that your rustup does "
        "not have, which linkage then installs for itself)"
    )
