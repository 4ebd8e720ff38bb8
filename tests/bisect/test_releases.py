"""From two releases to the nightly between them, and a beta as a bound."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linkage.cli import main
from linkage.toolchain.sources.rustup.folders import machine_host
from support.nightly_server import NightlyServer, serve
from support.rust_history import bisect
from support.scripted_rustc import FAILS, breaking

HOST = machine_host()
CULPRIT = "2026-05-01"
BETA = "beta-2026-06-20"


@pytest.fixture
def server(
    case: str, rustc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[NightlyServer]:
    """A server of nightlies, of two releases, and of the beta of the next one."""
    assert case
    if shutil.which("rustup") is None:
        pytest.skip("there is no rustup here")
    monkeypatch.setattr("linkage.bisect.download.PAUSE", 0.01)
    monkeypatch.setenv("LINKAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RUSTUP_HOME", raising=False)

    def script(release: str, *, bad: bool, date: str = "2026-06-10") -> str:
        told = f"binary: rustc\\ncommit-hash: unknown\\ncommit-date: {date}\\nhost: {HOST}"
        version = f"rustc {release}\\n{told}\\nrelease: {release}"
        return breaking(
            rustc, FAILS if bad else ":", f'case "$*" in -vV) printf "{version}\\n"; exit 0 ;; esac'
        )

    def rustc_on(day: str) -> str | None:
        if day in ("1.96.0", "1.97.0"):
            return script(day, bad=day == "1.97.0")
        if day in ("beta", BETA):
            return script("1.98.0-beta.3", bad=True)
        return script("1.97.0-nightly", bad=day >= CULPRIT, date=day) if day.startswith("2026-") else None

    with serve(HOST, rustc_on) as found:
        monkeypatch.setenv("RUSTUP_DIST_SERVER", found.url)
        yield found


def test_two_releases_lead_to_a_nightly(server: NightlyServer, tmp_path: Path) -> None:
    del server  # it serves
    answer = bisect(tmp_path, "--good", "1.96", "--bad", "1.97", "--no-github")
    assert answer["range"] == {"kind": "release", "old": "1.96.0", "new": "1.97.0"}
    (flip,) = answer["groups"][0]["flips"]
    assert flip["after"]["name"] == f"nightly-{CULPRIT}"
    assert flip["releases"] == ["1.96.0", "1.97.0"]
    text = (tmp_path / "answer.md").read_text()
    assert f"introduced by nightly-{CULPRIT}\n" in text
    assert "- first seen between 1.96.0 and 1.97.0\n" in text
    assert text.count("- first seen between") == 1


def test_what_no_nightly_shows_was_backported(
    server: NightlyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: Callable[[str], str | None] = server.rustc_on
    monkeypatch.setattr(
        server, "rustc_on", lambda day: shown("2026-04-10") if day.startswith("2026-") else shown(day)
    )
    answer = bisect(tmp_path, "--good", "1.96", "--bad", "1.97", "--no-github")
    (flip,) = answer["groups"][0]["flips"]
    assert (flip["before"]["name"], flip["after"]["name"]) == ("1.96.0", "1.97.0")
    assert "it may have been backported" in (tmp_path / "answer.md").read_text()


def test_a_release_that_is_gone_is_no_backport(server: NightlyServer, tmp_path: Path) -> None:
    """It was tried, and neither its toolchain nor the server's is there any more."""
    answer = bisect(tmp_path, "--good", "1.96", "--bad", "1.97", "--no-github", "--session", "mine.log")
    assert answer["groups"][0]["flips"][0]["after"]["name"] == f"nightly-{CULPRIT}"
    shutil.rmtree(tmp_path / "cache/bisect/toolchains")
    server.faults.not_there.add("rust-1.96")
    assert main(["bisect", "--resume", "mine.log", "-o", "answer.md"]) == 0
    text = (tmp_path / "answer.md").read_text()
    assert "when 1.96.0 left the main branch is not known: the search ends at the releases\n" in text
    assert "backport" not in text


def test_the_newest_beta_is_a_bound(server: NightlyServer, tmp_path: Path) -> None:
    del server  # it serves
    answer = bisect(tmp_path, "--good", "1.96", "--bad", "beta", "--no-github")
    assert answer["range"] == {"kind": "release", "old": "1.96.0", "new": BETA}
    (flip,) = answer["groups"][0]["flips"]
    assert flip["after"]["name"] == f"nightly-{CULPRIT}"
