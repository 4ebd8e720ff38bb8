"""Which rustc a spec finds, its name, and the errors for wrong specs."""

import os
from pathlib import Path

import pytest

from linkage.errors import ToolchainError
from linkage.toolchain import Located, discover, resolve, resolve_all
from linkage.toolchain.sources.rustup.folders import channel_name, machine_host
from support.fake_compiler import FakeRustc

HOST = machine_host()


class Home:
    """A home folder with rustup toolchains in it, none of which works."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {"HOME": str(folder), "PATH": ""}

    def install(self, name: str, under: str = ".rustup") -> Path:
        rustc = self.folder / under / "toolchains" / name / "bin" / "rustc"
        rustc.parent.mkdir(parents=True)
        rustc.write_text("#!/bin/sh\nexit 1\n")
        rustc.chmod(0o755)
        return rustc


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def message(spec: str, env: dict[str, str]) -> str:
    with pytest.raises(ToolchainError) as caught:
        resolve(spec, env)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_rustup_names(home: Home) -> None:
    stable, dated = home.install(f"stable-{HOST}"), home.install(f"nightly-2026-05-19-{HOST}")
    assert resolve("stable", home.env) == Located("stable", "stable", stable)
    assert resolve("nightly-2026-05-19", home.env) == Located(
        "nightly-2026-05-19", "nightly-2026-05-19", dated
    )
    full = resolve(f"stable-{HOST}", home.env)
    assert (full.name, full.rustc) == ("stable", stable)
    assert "toolchain nightly: not installed; found: stable, nightly-2026-05-19" in message(
        "nightly", home.env
    )


def test_default_host_of_rustup_counts(home: Home) -> None:
    home.install("stable-i686-unknown-linux-gnu")
    (home.folder / ".rustup/settings.toml").write_text('default_host_triple = "i686-unknown-linux-gnu"\n')
    assert resolve("stable", home.env).rustc.parts[-3] == "stable-i686-unknown-linux-gnu"
    (home.folder / ".rustup/settings.toml").write_text("\0 is no TOML")
    assert "found: stable-i686-unknown-linux-gnu" in message("stable", home.env)


def test_a_linked_toolchain_has_the_users_name(home: Home) -> None:
    rustc = home.install("mine")
    assert resolve("mine", home.env) == Located("mine", "mine", rustc)


def test_the_private_rustup_is_used_after_the_users(home: Home) -> None:
    private = home.install(f"stable-{HOST}", ".cache/linkage/rustup")
    assert resolve("stable", home.env).rustc == private
    own = home.install(f"stable-{HOST}")
    assert resolve("stable", home.env).rustc == own
    assert discover(home.env) == ["stable"]


@pytest.mark.parametrize("form", ["build/host/stage1", "build/host/stage1/bin/rustc"])
def test_a_stage_folder(tmp_path: Path, fake_rustc: FakeRustc, form: str) -> None:
    rustc = fake_rustc("exit 1", "build/host/stage1/bin/rustc")
    located = resolve(str(tmp_path / form), {})
    assert (located.name, located.rustc) == ("stage1", rustc)


def test_a_path_may_be_relative(
    tmp_path: Path, fake_rustc: FakeRustc, monkeypatch: pytest.MonkeyPatch
) -> None:
    rustc = fake_rustc("exit 1", "stage2/bin/rustc")
    monkeypatch.chdir(tmp_path)
    for spec in ("stage2", "./stage2", "stage2/bin/rustc", "~/stage2"):
        assert resolve(spec, {"HOME": str(tmp_path)}).rustc == rustc


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("debian/1.48/rustc", "1.48"),
        ("debian/1.98/usr/bin/rustc", "1.98"),
        ("bin/rustc-1.85", "rustc-1.85"),
        ("wrapper.sh", "wrapper"),
        ("my rustc (old)/bin/rustc", "my-rustc-old"),
        (f"toolchains/stable-{HOST}/bin/rustc", "stable"),
    ],
)
def test_names_of_paths(fake_rustc: FakeRustc, path: str, name: str) -> None:
    assert resolve(str(fake_rustc("exit 1", path)), {}).name == name


def test_a_name_of_its_own(home: Home, fake_rustc: FakeRustc) -> None:
    rustc = fake_rustc("exit 1", "a=b/rustc")
    assert resolve(f"mine={rustc}", home.env) == Located("mine", f"mine={rustc}", rustc)
    assert resolve(str(rustc), home.env).rustc == rustc
    home.install(f"stable-{HOST}")
    assert resolve("old=stable", home.env).name == "old"


def test_the_environments_rustc(fake_rustc: FakeRustc) -> None:
    rustc = fake_rustc("exit 1", "stage1/bin/rustc")
    located = resolve("$RUSTC", {"RUSTC": str(rustc)})
    assert located == Located("stage1", "$RUSTC", rustc)
    on_path = {"RUSTC": "rustc", "PATH": str(rustc.parent)}
    assert resolve("$RUSTC", on_path).rustc == rustc
    assert "the environment variable RUSTC is not set (help: export RUSTC=" in message("$RUSTC", {})


def test_a_proxy_is_followed(fake_rustc: FakeRustc, tmp_path: Path) -> None:
    real = fake_rustc("exit 1", f"toolchains/nightly-{HOST}/bin/rustc")
    rustup = fake_rustc(f'echo "{real.parent.parent}"', "bin/rustup")
    proxy = tmp_path / "bin" / "rustc"
    proxy.symlink_to("rustup")
    assert resolve(str(proxy), {}).rustc == real
    assert resolve("rustc", {"PATH": str(proxy.parent)}).name == "nightly"
    rustup.write_text("#!/bin/sh\necho 'error: no default toolchain' >&2; exit 1\n")
    assert "is a rustup proxy without a toolchain: 'error: no default toolchain'" in message(str(proxy), {})


def test_the_same_toolchain_twice_counts_once(home: Home) -> None:
    home.install(f"stable-{HOST}")
    assert len(resolve_all(["stable", f"stable-{HOST}", "stable"], home.env)) == 1


def test_two_toolchains_of_one_name(fake_rustc: FakeRustc) -> None:
    specs = [str(fake_rustc("exit 1", f"{folder}/stage1/bin/rustc")) for folder in ("a", "b")]
    with pytest.raises(ToolchainError, match="would both be called stage1"):
        resolve_all(specs, {})
    assert [located.name for located in resolve_all([specs[0], f"b={specs[1]}"], {})] == ["stage1", "b"]


def test_what_is_missing(home: Home, tmp_path: Path) -> None:
    assert message("1.95.0", home.env) == (
        "toolchain 1.95.0: not installed; found: none (help: linkage toolchains install 1.95.0)"
    )
    assert message("sable", home.env) == (
        "toolchain sable: no such toolchain; found: none "
        "(help: write a rustup name, a path to a rustc, or debian:RELEASE)"
    )
    assert f"no such file: {tmp_path}/no/rustc" in message(f"{tmp_path}/no/rustc", home.env)
    assert "the name of the toolchain is empty" in message(" ", home.env)


def test_program_that_is_not_a_rustc(tmp_path: Path, fake_rustc: FakeRustc) -> None:
    text = message(str(fake_rustc("exit 1", "fake", mode=0o644)), {})
    assert "fake is not executable (help: chmod +x " in text
    assert "neither bin/rustc nor rustc" in message(str(tmp_path), {})
    fake_rustc("exit 1", "build/host/stage1/bin/rustc")
    assert f"(help: --toolchain {tmp_path}/build/host/stage1)" in message(str(tmp_path), {})
    os.mkfifo(tmp_path / "pipe")
    assert "pipe is not a regular file" in message(str(tmp_path / "pipe"), {})


def test_what_a_run_uses(home: Home, fake_rustc: FakeRustc) -> None:
    assert discover(home.env) == []
    on_path = home.env | {"PATH": str(fake_rustc("exit 1", "bin/rustc").parent)}
    assert discover(on_path) == ["rustc"]
    stable = home.install(f"stable-{HOST}")
    home.install(f"nightly-{HOST}")
    (home.folder / ".rustup/toolchains/broken").mkdir()
    assert discover(on_path) == ["stable", "nightly"]
    assert discover(on_path | {"RUSTC": str(stable)}) == ["stable", "nightly"]
    assert discover(on_path | {"RUSTC": "/other/rustc"}) == ["$RUSTC", "stable", "nightly"]


def test_which_names_are_rustups() -> None:
    for name in ("stable", "1.95.0", "1.95", "nightly-2026-05-19", "1.98.0-beta.3", "beta-2026-01-01"):
        assert channel_name(name) == name
        assert channel_name(f"{name}-{HOST}") == name
    for name in ("stage1", "nightly-", "nightly-2026", "", "1"):
        assert channel_name(name) is None
