"""How toolchains are provided and removed: the disk limit, cancelled downloads."""

import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from linkage.bisect.contents import ToolchainContents
from linkage.bisect.download import (
    LONGEST_PAUSE,
    DownloadQueue,
    Downloads,
    FailedError,
    NotThereError,
    Stopped,
    UnreachableError,
    retry_after,
)
from linkage.bisect.nightlies import archives, manifest_url
from linkage.bisect.provisioning import Provisioning, ToolchainProber
from linkage.bisect.subject import MissingError
from linkage.errors import LinkageError
from linkage.run.session import Session
from linkage.store.store import Store
from support.nightly_server import serve

HOST = "x86_64-unknown-linux-gnu"


@pytest.fixture
def provisioning(tmp_path: Path) -> Provisioning:
    (tmp_path / "toolchains").mkdir()
    return Provisioning(tmp_path / "toolchains", {}, Downloads(), limit=1000)


def prober_with(provisioning: Provisioning, tmp_path: Path) -> ToolchainProber:
    session = Session(Store(tmp_path / "store"), tmp_path / "cache", environment={"HOME": str(tmp_path)})
    return ToolchainProber(session, {}, provisioning, lambda _: None)


def put(provisioning: Provisioning, name: str, size: int | None, age: int) -> Path:
    """A toolchain that takes so much, used so many hours ago; None: only downloaded."""
    home = provisioning.folder / name
    (home / "downloads").mkdir(parents=True)
    if size is not None:
        (home / "size").write_text(str(size))
        stamp = time.time() - 3600 * age
        os.utime(home / "size", (stamp, stamp))
    return home


def names(provisioning: Provisioning) -> set[str]:
    return {home.name for home in provisioning.folder.iterdir()}


def test_the_disks_limit_takes_what_was_not_used_for_longest(
    provisioning: Provisioning, tmp_path: Path
) -> None:
    for name, age in (("nightly-2026-01-01", 1), ("nightly-2026-01-02", 9), ("nightly-2026-01-03", 5)):
        put(provisioning, name, 400, age)
    put(provisioning, "nightly-2026-01-04", None, 0)
    prober = prober_with(provisioning, tmp_path)
    provisioning.limit = 1250
    prober.retain(["nightly-2026-01-02"])
    prober._make_room()
    # The next will take about 400 as well; what is held stays, though it is the oldest.
    assert names(provisioning) == {"nightly-2026-01-01", "nightly-2026-01-02"}


def test_what_another_bisection_uses_stays(provisioning: Provisioning, tmp_path: Path) -> None:
    for name in ("nightly-2026-01-01", "nightly-2026-01-02", "nightly-2026-01-03"):
        put(provisioning, name, 900, 1)
    other, prober = prober_with(provisioning, tmp_path), prober_with(provisioning, tmp_path)
    other._use("nightly-2026-01-02")
    prober._make_room()
    assert names(provisioning) == {"nightly-2026-01-02"}


def test_a_toolchain_in_the_users_own_rustup_is_used(provisioning: Provisioning, tmp_path: Path) -> None:
    components = f"rust-std-{HOST}\nrustc-{HOST}\n"
    theirs = tmp_path / f".rustup/toolchains/nightly-2026-01-01-{HOST}/bin/rustc"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("#!/bin/sh\n")
    (theirs.parents[1] / "lib/rustlib").mkdir(parents=True)
    (theirs.parents[1] / "lib/rustlib/components").write_text(components)
    prober = prober_with(provisioning, tmp_path)
    days = ["nightly-2026-01-01", "nightly-2026-01-02", "nightly-2026-01-03"]
    assert prober.available(days) == {"nightly-2026-01-01"}
    # `nightly` itself is the one of the day that its manifest names.
    newest = tmp_path / f".rustup/toolchains/nightly-{HOST}"
    (newest / "bin").mkdir(parents=True)
    (newest / "bin/rustc").write_text("#!/bin/sh\n")
    assert prober.available(days) == {"nightly-2026-01-01"}
    (newest / "lib/rustlib").mkdir(parents=True)
    (newest / "lib/rustlib/components").write_text(components)
    manifest = newest / "lib/rustlib/multirust-channel-manifest.toml"
    manifest.write_text('manifest-version = "2"\ndate = "2026-01-03"\n[pkg.cargo]\n')
    assert prober.available(days) == {"nightly-2026-01-01", "nightly-2026-01-03"}


def test_what_nobody_wants_any_more_is_given_up() -> None:
    ahead, began, ended = DownloadQueue(width=1), threading.Event(), threading.Event()

    def work(stop: threading.Event) -> None:
        began.set()
        assert stop.wait(10)
        ended.set()
        raise Stopped

    ahead.begin("one", work)
    assert began.wait(10)
    later: list[str] = []
    ahead.begin("two", lambda _: later.append("two"))
    ahead.begin("three", lambda _: later.append("three"))
    ahead.only(["three"])
    assert ended.wait(10)
    for _ in range(100):
        if later:
            break
        time.sleep(0.05)
    assert later == ["three"]


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("linkage.bisect.download.PAUSE", 0.0)
    with pytest.raises(UnreachableError, match=r"x: download failed 2 times: .*refused"):
        Downloads(attempts=2).text("http://127.0.0.1:9/dist/x")
    assert issubclass(UnreachableError, Exception)
    with pytest.raises(Exception, match="is not an HTTP URL"):
        Downloads().file("file:///etc/passwd", tmp_path / "x")
    assert not issubclass(NotThereError, UnreachableError)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_is_left_alone_as_long_as_it_wants(
    status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linkage.bisect.download.PAUSE", 0.0)
    waited: list[float] = []
    stop = threading.Event()
    monkeypatch.setattr(stop, "wait", waited.append)
    with serve(HOST, lambda _: None) as server:
        server.files["/x"] = b"x" * 9
        server.faults.busy["/x"] = 2
        server.faults.busy_with = (status, "7")
        Downloads(stop=stop).file(f"{server.url}/x", tmp_path / "x")
    assert waited == [7.0, 7.0]
    assert (tmp_path / "x").read_bytes() == b"x" * 9


def test_how_long_a_server_may_want_to_be_left_alone() -> None:
    assert [retry_after(text) for text in (None, "5", "86400", "soon", "-3")] == [0, 5, LONGEST_PAUSE, 0, 0]
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after("Wed, 21 Oct 2099 07:28:00 GMT") == LONGEST_PAUSE


def test_how_far_a_download_is_is_told(tmp_path: Path) -> None:
    told: list[tuple[Any, ...]] = []

    class ToldMeter:
        def received(self, *what: object) -> None:
            told.append(what)

        def ended(self, *what: object) -> None:
            told.append(what)

    (tmp_path / "x.partial").write_bytes(b"x" * 4)
    with serve(HOST, lambda _: None) as server:
        server.files["/x"] = b"x" * 9
        Downloads(meter=ToldMeter()).of("nightly-2026-01-01").file(f"{server.url}/x", tmp_path / "x")
        url = f"{server.url}/x"
    assert told == [("nightly-2026-01-01", url, 9, 9), ("nightly-2026-01-01", url)]


def test_full_disk_is_not_reported_as_a_busy_server(tmp_path: Path) -> None:
    (tmp_path / "x.partial").symlink_to("/dev/full")
    with serve(HOST, lambda _: None) as server:
        server.files["/x"] = b"x" * 9
        with pytest.raises(FailedError, match="download failed: the disk is full") as caught:
            Downloads().file(f"{server.url}/x", tmp_path / "x")
    assert not isinstance(caught.value, UnreachableError)
    assert len(server.asked) == 1


def test_a_full_disk_ends_the_search(
    provisioning: Provisioning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no toolchain that is missing, which would be skipped."""
    prober = prober_with(provisioning, tmp_path)

    def failing(_: str) -> str:
        raise FailedError("rustup: failed to extract package")

    monkeypatch.setattr(prober, "_spec", failing)
    with pytest.raises(MissingError, match="cannot be downloaded: rustup: failed to extract"):
        prober.get("nightly-2026-01-01")
    monkeypatch.setattr("linkage.bisect.provisioning.shutil.disk_usage", lambda _: SimpleNamespace(free=4096))
    with pytest.raises(LinkageError, match=r"toolchains: the disk is full \(help: free disk space or lower"):
        prober.get("nightly-2026-01-01")


def test_manifest_url() -> None:
    env = {"RUSTUP_DIST_SERVER": "https://mirror.example/"}
    assert manifest_url("nightly-2026-05-19", env) == (
        "https://mirror.example/dist/2026-05-19/channel-rust-nightly.toml"
    )
    assert manifest_url("1.95.0", {}) == "https://static.rust-lang.org/dist/channel-rust-1.95.0.toml"


def test_the_archives_of_a_manifest() -> None:
    target = "aarch64-unknown-linux-gnu"
    manifest = f"""
[profiles]
minimal = ["rustc", "rust-std", "rust-mingw"]
[pkg.rustc.target.{HOST}]
url = "u/rustc.gz"
hash = "1"
xz_url = "u/rustc.xz"
xz_hash = "2"
[pkg.rustc.target.{target}]
url = "u/not-wanted"
hash = "3"
[pkg.rust-std.target.{HOST}]
url = "u/std.gz"
hash = "4"
[pkg.rust-std.target.{target}]
url = "u/std-other.gz"
hash = "5"
"""
    assert archives(manifest, ToolchainContents((target,))) == [
        ("u/rustc.xz", "2"), ("u/std.gz", "4"), ("u/std-other.gz", "5"),
    ]  # fmt: skip
    with pytest.raises(Exception, match="manifest cannot be read"):
        archives("= nonsense", ToolchainContents())
