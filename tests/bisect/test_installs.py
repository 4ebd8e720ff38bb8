"""Installations by the real rustup that are interrupted: a half-installed toolchain is never used."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linkage.toolchain import probe, resolve
from linkage.toolchain.sources.rustup.folders import machine_host
from support.mounts import can_mount, in_namespace
from support.nightly_server import NightlyServer, serve
from support.scripted_rustc import FAILS, breaking

HOST = machine_host()
BROKE = "2026-02-11"
BALLAST = 120
"""Files of half a megabyte in each package, so that there is time to interrupt its unpacking."""
NEEDS_STD = f"""[ -e "${{0%/*}}/../lib/rustlib/{HOST}/lib/libstd-1.rlib" ] || {{
    echo "error[E0463]: can't find crate for \\`core\\`" >&2; exit 1; }}"""
"""A compiler without its std, as a half-installed toolchain is, fails otherwise."""
WORDS = ("answer.yaml[size=1]", "--good", "2026-02-08", "--bad", "2026-02-13", "--session", "mine.log")
ANSWER = "## answer.yaml: 1 variant fails: introduced by nightly-2026-02-11\n"
COMMAND = [sys.executable, "-m", "linkage", "bisect"]


@pytest.fixture
def server(
    own_rustup: Path, rustc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[NightlyServer]:
    """Nightlies of real size that fail since one day."""
    del own_rustup
    for name, before in (("good", NEEDS_STD), ("bad", f"{NEEDS_STD}; {FAILS}")):
        script = tmp_path / name
        script.write_text(breaking(rustc, before))
        script.chmod(0o755)
        probe(resolve(str(script), os.environ), tmp_path / "cache", os.environ)

    def rustc_on(day: str) -> str:
        return (tmp_path / ("bad" if day >= BROKE else "good")).read_text()

    with serve(HOST, rustc_on) as served:
        served.ballast = BALLAST
        monkeypatch.setenv("RUSTUP_DIST_SERVER", served.url)
        yield served


def unpacked(home: Path, count: int) -> bool:
    """Whether so many files of a package are unpacked, in rustup's own folders or in the toolchain's."""
    found = 0
    for _, _, files in os.walk(home):
        found += sum(name.startswith("ballast-") for name in files)
    return found >= count


def downloaded(home: Path, size: int) -> bool:
    return any(file.stat().st_size >= size for file in home.glob("*/downloads/*.partial"))


def half_installed(home: Path) -> bool:
    """Whether rustup has installed std and not yet rustc.

    If it is killed now and started again, it installs rustc alone, and calls that the whole toolchain.
    """
    places = [*home.glob("*/toolchains/*"), *home.glob("*/new-*/toolchains/*")]
    for place in places:
        try:
            listed = (place / "lib/rustlib/components").read_text()
        except OSError:
            continue
        if "rust-std" in listed and "rustc" not in listed:
            return True
    return False


@pytest.mark.parametrize(
    ("how", "moment"),
    [
        (signal.SIGKILL, lambda home: downloaded(home, 1 << 20)),
        (signal.SIGINT, lambda home: unpacked(home, 1)),
        (signal.SIGKILL, lambda home: unpacked(home, 1)),
        (signal.SIGKILL, lambda home: unpacked(home, BALLAST // 2)),
        (signal.SIGINT, lambda home: unpacked(home, BALLAST)),
        (signal.SIGINT, lambda home: unpacked(home, 3 * BALLAST // 2)),
        (signal.SIGINT, lambda home: any(home.glob("**/toolchains/*/bin/rustc"))),
        (signal.SIGKILL, lambda home: unpacked(home, 2 * BALLAST)),
        (signal.SIGINT, half_installed),
        (signal.SIGKILL, half_installed),
    ],
    ids=[
        *("download", "begun-int", "begun", "half", "first-int", "later-int", "rustc-int", "almost"),
        *("std-alone-int", "std-alone"),
    ],
)
def test_interrupted_installation_is_not_a_toolchain(
    server: NightlyServer, tmp_path: Path, how: signal.Signals, moment: Callable[[Path], bool]
) -> None:
    del server  # it serves
    process = subprocess.Popen([*COMMAND, *WORDS], stderr=subprocess.PIPE, text=True)
    toolchains = tmp_path / "cache/bisect/toolchains"
    while process.poll() is None and not moment(toolchains):
        time.sleep(0.002)
    process.send_signal(how)
    process.communicate(timeout=60)
    assert process.returncode == (2 if how is signal.SIGINT else -how)
    done = subprocess.run([*COMMAND, "--resume", "mine.log"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.startswith(ANSWER)) == (0, True), done.stdout + done.stderr
    assert "skip " not in (tmp_path / "mine.log").read_text()
    assert list(toolchains.glob("*/new-*")) == []


KILLS = 10
"""How often in a download, and how often while an archive is unpacked."""


def killed_at(moment: Callable[[Path], bool], after: float, how: signal.Signals, home: Path) -> bool:
    """Go on with the session, or start it, and kill it; whether it was killed before it was done."""
    words = ["--resume", "mine.log"] if Path("mine.log").exists() else [*WORDS, "--no-prefetch"]
    process = subprocess.Popen([*COMMAND, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not moment(home):
        time.sleep(0.001)
    time.sleep(after)
    if process.poll() is not None:
        return False
    process.send_signal(how)
    return process.wait(60) in (2, -how)


@pytest.mark.timeout(900)
def test_installations_survive_any_moment(server: NightlyServer, tmp_path: Path) -> None:
    """One session over nightlies of 300 MB, killed ten times in a download and ten times in an unpacking."""
    choose = random.Random(13)  # noqa: S311 - to be repeated
    server.ballast = 300
    toolchains = tmp_path / "cache/bisect/toolchains"
    kills = {"download": 0, "unpacking": 0}
    moments = {"download": lambda home: downloaded(home, 1), "unpacking": lambda home: unpacked(home, 1)}
    for number in range(4 * KILLS):
        phase = "download" if number % 2 else "unpacking"
        how = signal.SIGKILL if choose.random() < 0.5 else signal.SIGINT
        if kills[phase] < KILLS:
            kills[phase] += killed_at(moments[phase], choose.uniform(0.0, 0.4), how, toolchains)
    done = subprocess.run([*COMMAND, "--resume", "mine.log"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.startswith(ANSWER)) == (0, True), done.stdout + done.stderr
    assert "skip " not in (tmp_path / "mine.log").read_text()
    assert min(kills.values()) >= 5, kills


def test_a_full_disk_that_is_freed_later(server: NightlyServer, tmp_path: Path) -> None:
    del server  # it serves
    if not can_mount():
        pytest.skip("nothing can be mounted here")
    cache = tmp_path / "cache/bisect"
    cache.mkdir(exist_ok=True)
    script = """
        place=$1; shift
        mount -t tmpfs -o size=90m none "$place"
        "$@" || echo "status $?" >&2
        mount -o remount,size=2g "$place"
        exec $RESUME
    """
    env = {**os.environ, "RESUME": " ".join([*COMMAND, "--resume", "mine.log"])}
    command = in_namespace(script, [str(cache), *COMMAND, *WORDS, "--no-prefetch"])
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.startswith(ANSWER)) == (0, True), done.stdout + done.stderr
    assert "toolchains: the disk is full (help: free disk space" in done.stderr
    assert "status 4" in done.stderr
    assert "missing " not in (tmp_path / "mine.log").read_text()


def test_a_cache_that_cannot_be_written_is_read(server: NightlyServer, tmp_path: Path) -> None:
    """As a rustup whose folder is read-only: what is installed is used, and all else is one line."""
    if not can_mount():
        pytest.skip("nothing can be mounted here: it needs root, or `unshare -rm`")
    server.ballast = 1
    cache = tmp_path / "cache"
    done = subprocess.run([*COMMAND, *WORDS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    script = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift; exec "$@"'

    def read_only(*words: str) -> subprocess.CompletedProcess[str]:
        command = in_namespace(script, [str(cache), *COMMAND, *words])
        return subprocess.run(command, capture_output=True, text=True, check=False)

    asked = len(server.installs())
    done = read_only(*WORDS[:-1], "again.log")
    assert (done.returncode, done.stdout.startswith(ANSWER)) == (0, True), done.stdout + done.stderr
    assert len(server.installs()) == asked
    for words in (WORDS[:-2], ("answer.yaml[size=1]", "--good", "2026-02-07", "--session", "third.log")):
        done = read_only(*words)
        assert done.returncode == 4, done.stdout + done.stderr
        assert f"linkage: {cache}/bisect/" in done.stderr
        assert ": cannot be written: Read-only file system" in done.stderr.splitlines()[-1]


def test_a_half_installed_toolchain_of_the_user_is_not_used(server: NightlyServer, tmp_path: Path) -> None:
    """It has a rustc and no std: everything would fail on it."""
    del server  # it serves
    theirs = tmp_path / f"home/.rustup/toolchains/nightly-2026-02-08-{HOST}"
    (theirs / "bin").mkdir(parents=True)
    (theirs / "bin/rustc").write_text(f"#!/bin/sh\n{FAILS}\n")
    (theirs / "bin/rustc").chmod(0o755)
    (theirs / "lib/rustlib").mkdir(parents=True)
    (theirs / "lib/rustlib/components").write_text(f"rustc-{HOST}\n")
    done = subprocess.run([*COMMAND, *WORDS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.startswith(ANSWER)) == (0, True), done.stdout + done.stderr
    assert "nightly-2026-02-08: installing" in done.stderr
