"""Dated nightlies with the real rustup, from a server on this machine, and what can go wrong there."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from linkage.bisect.nightlies import needs_rustup
from linkage.cli import main
from linkage.toolchain import probe, resolve
from linkage.toolchain.sources.rustup.folders import machine_host
from support.nightly_server import NightlyServer, serve
from support.scripted_rustc import FAILS, FAILS_OTHERWISE, breaking

HOST = machine_host()
BROKE = "2026-02-11"


@dataclass(frozen=True)
class Told:
    """Compilers that are told what to do, and where they have been probed."""

    scripts: dict[str, str]
    cache: Path


@pytest.fixture(scope="module")
def told(rustc: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("told")
    scripts = {
        name: breaking(rustc, before)
        for name, before in (("good", ":"), ("bad", FAILS), ("other", FAILS_OTHERWISE))
    }
    for name, text in scripts.items():
        script = folder / name
        script.write_text(text)
        script.chmod(0o755)
        probe(resolve(str(script), os.environ), folder / "cache", os.environ)
    return Told(scripts, folder / "cache")


@pytest.fixture
def nightlies(
    case: str, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[NightlyServer]:
    """A nightly each day; since one day they fail, and some fail otherwise."""
    assert case
    rustup = shutil.which("rustup")
    if rustup is None:
        pytest.skip("there is no rustup here")
    scripts = told.scripts
    shutil.copytree(told.cache, tmp_path / "cache")

    def rustc_on(day: str) -> str | None:
        return scripts["bad" if day >= BROKE else "good"]

    monkeypatch.setattr("linkage.bisect.download.PAUSE", 0.01)
    monkeypatch.setenv("LINKAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RUSTUP_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{Path(rustup).parent}:{os.environ['PATH']}")
    with serve(HOST, rustc_on) as server:
        server.scripts = scripts
        monkeypatch.setenv("RUSTUP_DIST_SERVER", server.url)
        yield server


def bisect(tmp_path: Path, *words: str, status: int = 0) -> dict[str, Any]:
    assert main(["bisect", *words, "--json", "answer.json", "-o", "answer.md"]) == status
    found: dict[str, Any] = json.loads((tmp_path / "answer.json").read_text())
    return found


def flip(answer: dict[str, Any]) -> tuple[str, str]:
    (group,) = answer["groups"]
    (one,) = group["flips"]
    return one["before"]["name"], one["after"]["name"]


RIGHT = ("nightly-2026-02-10", "nightly-2026-02-11")
SMALL = ("answer.yaml[size=1]", "--good", "2026-02-01", "--bad", "2026-02-17", "--stall", "2")


def test_a_thousand_nightlies_take_twelve_installs(nightlies: NightlyServer, tmp_path: Path) -> None:
    answer = bisect(tmp_path, "answer.yaml", "--good", "2023-07-01", "--bad", "2026-04-19")
    assert flip(answer) == RIGHT
    assert answer["installed"] == answer["tried"] <= 12
    days = nightlies.installs()
    assert len(days) == len(set(days))
    assert answer["groups"][0]["variants"] == ["answer.yaml[size=1]", "answer.yaml[size=2]"]


@pytest.mark.parametrize("fault", ["not_there", "wrong_hash", "busy", "cut", "stalled"])
def test_server_error_is_not_a_verdict(nightlies: NightlyServer, fault: str, tmp_path: Path) -> None:
    """The first toolchain in the middle, 2026-02-09, is hit: the answer is the same."""
    day = "2026-02-09"
    package = f"/{day}/rustc-{day}"
    match fault:
        case "not_there":
            nightlies.faults.not_there.add(f"/{day}/")
        case "wrong_hash":
            nightlies.faults.wrong_hash.add(day)
        case "busy":
            nightlies.faults.busy |= {f"/{day}/channel": 1, package: 2}
        case "cut":
            nightlies.faults.cut[package] = 2
        case "stalled":
            nightlies.faults.stalled[package] = 1
    answer = bisect(tmp_path, *SMALL)
    assert flip(answer) == RIGHT
    log = next((tmp_path / "cache/bisect/sessions").iterdir()).read_text()
    assert (f"good nightly-{day} " in log) == (fault not in ("not_there", "wrong_hash"))
    if fault == "not_there":
        assert f"missing nightly-{day} - " in log
    if fault == "wrong_hash":
        assert f"# nightly-{day}: cannot be downloaded: rustup:" in log
    if fault in ("cut", "stalled"):
        # What had come was not asked for again.
        starts = [int(one.rpartition(" ")[2]) for one in nightlies.asked if package in one]
        assert starts[0] == 0
        assert all(start > 0 for start in starts[1:])


def test_another_failure_in_the_range(
    nightlies: NightlyServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fifth of the nightlies fails for another reason, which is not taken for the regression."""
    right = nightlies.rustc_on
    scripts = nightlies.scripts
    nightlies.rustc_on = lambda day: scripts["other"] if day[-1] in "49" else right(day)
    answer = bisect(tmp_path, *SMALL)
    assert flip(answer) == RIGHT
    assert "nightly-2026-02-09: skip: answer.yaml[size=1]: a different failure" in capsys.readouterr().err


def test_unreachable_server_is_not_an_answer(
    nightlies: NightlyServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del nightlies  # it serves
    monkeypatch.setenv("RUSTUP_DIST_SERVER", "http://127.0.0.1:9")
    assert main(["bisect", *SMALL]) == 4
    told = capsys.readouterr().err.splitlines()
    assert "3 toolchains in a row could not be downloaded: " in told[-1]
    assert told[-1].endswith("when the server is reachable again: linkage bisect --resume)")
    assert "missing" not in next((tmp_path / "cache/bisect/sessions").iterdir()).read_text()


def test_forbidding_proxy_is_not_an_answer(
    nightlies: NightlyServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nightlies.faults.forbidden.add("/")
    assert main(["bisect", *SMALL, "--session", "mine.log"]) == 4
    told = capsys.readouterr().err.splitlines()[-1]
    assert (
        "/dist/2026-02-17/channel-rust-nightly.toml: the server, or a proxy before it, forbids every" in told
    )
    log = (tmp_path / "mine.log").read_text()
    assert len(log.splitlines()) == 2  # the heading and what was asked
    nightlies.faults.forbidden.clear()
    assert main(["bisect", "--resume", "mine.log"]) == 0


def test_a_mirror_with_the_original_manifests(nightlies: NightlyServer, tmp_path: Path) -> None:
    """Its manifests name the original server, which cannot be reached: everything comes from the mirror."""
    nightlies.origin = "https://static.rust-lang.org"
    answer = bisect(tmp_path, *SMALL)
    assert flip(answer) == RIGHT
    manifests = [one for one in nightlies.asked if one.endswith("channel-rust-nightly.toml from 0")]
    # Once by linkage, and once by rustup.
    assert max(map(manifests.count, manifests)) <= 2
    days = nightlies.installs()
    assert len(days) == len(set(days)) >= answer["installed"]


def test_what_cannot_be_prefetched_is_left_to_rustup(nightlies: NightlyServer, tmp_path: Path) -> None:
    """As behind a proxy that only rustup knows. A day that is not on the server is missing all the same."""
    nightlies.faults.not_there.add("/2026-02-09/")
    assert needs_rustup({"ALL_PROXY": "socks5h://127.0.0.1:9", "RUSTUP_DIST_SERVER": nightlies.url})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("linkage.bisect.nightlies.needs_rustup", lambda _env: True)
        answer = bisect(tmp_path, *SMALL)
    assert flip(answer) == RIGHT
    log = next((tmp_path / "cache/bisect/sessions").iterdir()).read_text()
    assert "missing nightly-2026-02-09 - " in log


@pytest.mark.parametrize(
    ("env", "needed"),
    [
        ({}, False),
        ({"HTTPS_PROXY": "http://proxy:3128"}, False),
        ({"https_proxy": "socks5://proxy:1080"}, True),
        ({"all_proxy": "http://proxy:3128"}, False),
        ({"all_proxy": "socks5://proxy:1080"}, True),
        ({"all_proxy": "http://proxy:3128", "https_proxy": "http://proxy:3128"}, False),
        ({"http_proxy": "socks5://proxy:1080"}, False),
        ({"http_proxy": "socks5://proxy:1080", "RUSTUP_DIST_SERVER": "http://mirror"}, True),
    ],
)
def test_proxies_that_only_rustup_knows(env: dict[str, str], *, needed: bool) -> None:
    assert needs_rustup(env) is needed


def test_a_mirror_that_forbids_what_it_does_not_have(nightlies: NightlyServer, tmp_path: Path) -> None:
    """As S3 does: a missing day is a missing day."""
    nightlies.files["/dist/channel-rust-stable.toml.sha256"] = b"0  channel-rust-stable.toml"
    nightlies.faults.forbidden.add("/2026-02-17/")
    assert flip(bisect(tmp_path, *SMALL)) == RIGHT
