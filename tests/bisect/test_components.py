"""What is installed of a toolchain: components, alt builds; by itself, anew, and without removing others."""

import shutil
from pathlib import Path

import pytest

from linkage.bisect.contents import ToolchainContents
from linkage.cli import main
from support.nightly_server import NightlyServer, package
from support.rust_history import HOST, RustHistory, bisect

MERGES = "--good {} --bad {} --rust-src {}"


@pytest.fixture
def server(ci: NightlyServer) -> NightlyServer:
    if shutil.which("rustup") is None:
        pytest.skip("there is no rustup here")
    ci.more = ("clippy",)
    return ci


def installed(capsys: pytest.CaptureFixture[str], *words: str) -> Path:
    assert main(["bisect", "--install", *words]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    return Path(line)


def test_only_one_toolchain_is_installed(
    server: NightlyServer, history: RustHistory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = installed(capsys, "2026-02-10")
    assert first.is_relative_to(tmp_path)
    assert (first / "bin/rustc").is_file()
    assert not (first / "share/clippy").exists()
    more = installed(capsys, "2026-02-10", "--component", "clippy")
    assert (more / "share/clippy").is_file()
    # It is there already, unless it is to be installed anew.
    count = len(server.installs())
    assert installed(capsys, "2026-02-10") == first
    assert len(server.installs()) == count
    (first / "bin/rustc").write_text("damaged")
    assert installed(capsys, "2026-02-10", "--force-install") == first
    assert "damaged" not in (first / "bin/rustc").read_text()
    assert (installed(capsys, history.commits[3]) / "bin/rustc").is_file()


def test_components_are_installed_with_each_toolchain(server: NightlyServer, tmp_path: Path) -> None:
    """Nothing that lacks one is taken for it."""
    bisect(tmp_path, "--good", "2026-02-10", "--bad", "2026-02-11", "--no-github", "-c", "clippy")
    folder = tmp_path / "cache/bisect/toolchains"
    for day in ("10", "11"):
        assert (folder / f"nightly-2026-02-{day}+clippy/sysroot/share/clippy").is_file()
    server.more = ()
    words = ["--good", "2026-02-10", "--bad", "2026-02-11", "--no-github", "-c", "no-such"]
    assert main(["bisect", "answer.yaml[size=1]", *words]) != 0


def test_no_toolchain_is_removed(server: NightlyServer, tmp_path: Path) -> None:
    del server  # it serves
    words = ("--good", "2026-02-09", "--bad", "2026-02-12", "--no-github", "--disk-limit", "1K")
    bisect(tmp_path, *words, "--preserve")
    folder = tmp_path / "cache/bisect/toolchains"
    assert len([*folder.glob("*/sysroot")]) == 4


def test_alt_builds(ci: NightlyServer, history: RustHistory, tmp_path: Path) -> None:
    """They stand beside the others on the server, and are not mistaken for them."""
    for number, commit in enumerate(history.commits):
        for component in ("rustc", "rust-std"):
            place = f"/rustc-builds-alt/{commit}/{component}-nightly-{HOST}.tar.gz"
            script = ci.script(number, "exit 1" if number >= 3 else ":")
            ci.files[place] = package(component, HOST, script)
    ends = MERGES.format(history.commits[0], history.commits[12], history.clone).split()
    answer = bisect(tmp_path, *ends, "--alt")
    assert answer["groups"][0]["flips"][0]["after"]["name"] == history.commits[3]
    assert not any(path.startswith("/rustc-builds/") for path in ci.asked)
    answer = bisect(tmp_path, *ends, "--no-store")
    assert answer["groups"][0]["flips"][0]["after"]["name"] == history.commits[7]


def test_another_host_has_its_own_folder_and_name() -> None:
    contents = ToolchainContents(host="i686-unknown-linux-musl", components=("rust-src",))
    assert contents.rustup_name("nightly-2026-02-10") == "nightly-2026-02-10-i686-unknown-linux-musl"
    assert contents.folder_name("1.95.0") == "1.95.0+rust-src+i686-unknown-linux-musl"
    assert ToolchainContents().folder_name("1.95.0") == ToolchainContents().rustup_name("1.95.0") == "1.95.0"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--install", "soon"],
            "--install soon: is not a date, a release or a commit (help: ",
        ),
        (["--install", "abcdef0"], "--install abcdef0: is not a whole commit (help: write all 40 digits)"),
        (["--install", "2026-02-10", "--alt"], "--install 2026-02-10: only commits have alt builds (help: "),
        (["answer.yaml", "--install", "2026-02-10"], "--install: tries nothing (help: leave out the cases)"),
        (
            ["answer.yaml", "--alt", "--good", "2026-02-10", "--bad", "2026-02-12"],
            "--alt: only merges have alt builds (help: name commits as bounds)",
        ),
    ],
)
def test_wrong_input(case: str, words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert case
    assert main(["bisect", *words]) == 4
    err = capsys.readouterr().err
    assert err.startswith(f"linkage: {told}")
    assert err.count("\n") == 1
