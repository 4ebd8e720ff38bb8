"""What a program can reach in a sandbox: nothing that its case has not given it."""

import http.server
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkage.errors import LinkageError
from linkage.host.limits import StepLimits
from linkage.host.process import ProcessResult, run
from linkage.host.sandbox import Sandbox
from linkage.run.sandbox import find_sandbox

PATH = os.environ["PATH"]


@pytest.fixture(scope="module")
def bwrap() -> str:
    try:
        return find_sandbox(os.environ)
    except LinkageError as error:
        pytest.skip(f"no sandbox on this machine: {error}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    return made


class Inside:
    """A sandbox with one writable folder."""

    def __init__(self, program: str, folder: Path, home: Path) -> None:
        self.folder = folder
        self.sandbox = Sandbox(program, (folder,), home=str(home))

    def run(self, *words: str, limits: StepLimits | None = None, seconds: float = 60) -> ProcessResult:
        env = {"PATH": PATH, "GIVEN": "1"}
        return run(words, env=env, cwd=self.folder, time_limit=seconds, limits=limits, sandbox=self.sandbox)

    def shell(self, script: str) -> ProcessResult:
        return self.run("sh", "-c", script)


@pytest.fixture
def inside(bwrap: str, folder: Path, tmp_path: Path) -> Inside:
    (tmp_path / "home").mkdir()
    return Inside(bwrap, folder, tmp_path / "home")


def test_the_working_folder_can_be_written(inside: Inside) -> None:
    ended = inside.shell("pwd; echo made > file; umask")
    assert ended.stdout.decode().split() == [str(inside.folder), "0022"]
    assert (inside.folder / "file").read_text() == "made\n"


def test_nothing_else_can_be_written(inside: Inside, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    places = [
        beside,
        tmp_path / "home",
        Path("/etc"),
        Path("/tmp"),
        Path("/var/tmp"),
        Path("/usr"),
        Path("/"),
    ]
    for place in places:
        ended = inside.run("touch", str(place / "linkage-was-here"))
        assert ended.status == 1, place
        assert not (place / "linkage-was-here").exists()


def test_a_token_of_the_parent_s_environment_is_not_to_be_read(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
    # It stands in the environment of a process of this user, as it does in that of a runner's shell.
    reader = "cat /proc/[0-9]*/environ | tr '\\0' '\\n'"
    with_token = {"PATH": PATH, "GITHUB_TOKEN": "ghs_secret"}
    outside = run(["sh", "-c", f"sleep 60 & {reader}"], env=with_token, cwd=inside.folder, time_limit=60)
    assert b"ghs_secret" in outside.stdout
    ended = inside.shell(f"env; {reader}; cat /proc/$PPID/environ")
    assert b"GIVEN=1" in ended.stdout
    assert b"ghs_secret" not in ended.stdout + ended.stderr


def test_no_other_process_is_seen(inside: Inside) -> None:
    ended = inside.shell("ls -d /proc/[0-9]* | wc -l; kill -0 " + str(os.getpid()))
    assert int(ended.stdout) < 8
    assert ended.status != 0


def test_files_of_the_home_folder_and_of_temporary_folders_are_not_seen(
    inside: Inside, tmp_path: Path
) -> None:
    (tmp_path / "home" / ".netrc").write_text("secret")
    (tmp_path / "beside").write_text("secret")
    ended = inside.shell(
        f"cat {tmp_path}/home/.netrc {tmp_path}/beside; ls -A {tmp_path}/home {tmp_path} /run"
    )
    assert b"secret" not in ended.stdout
    assert b"beside" not in ended.stdout


@pytest.fixture
def server() -> Iterator[int]:
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running.server_port
    running.shutdown()
    thread.join()
    running.server_close()


def test_a_server_of_this_machine_is_out_of_reach(inside: Inside, server: int) -> None:
    connect = f"import socket; socket.create_connection(('127.0.0.1', {server}), 10)"
    words = [sys.executable, "-c", connect]
    assert run(words, env={"PATH": PATH}, cwd=inside.folder, time_limit=60).status == 0
    ended = inside.run(_python(), "-c", connect)
    assert ended.status == 1
    assert b"refused" in ended.stderr or b"unreachable" in ended.stderr


def _python() -> str:
    return os.path.realpath(sys.executable)


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("exit 0", 0),
        ("exit 139", 139),
        ("kill -SEGV $$", -signal.SIGSEGV),
        ("kill -KILL $$", -signal.SIGKILL),
        ("kill -ABRT $$", -signal.SIGABRT),
        ("exit 137", 137),
    ],
)
def test_statuses_and_signals_are_told_apart(script: str, status: int, inside: Inside) -> None:
    assert inside.shell(script).status == status


def test_a_program_that_is_not_there(inside: Inside) -> None:
    with pytest.raises(FileNotFoundError):
        inside.run("no-such-program")


def test_the_time_limit_and_daemons(inside: Inside) -> None:
    ended = inside.run(
        "sh", "-c", "setsid sh -c 'while :; do date +%N > pulse; sleep 0.05; done' & sleep 1000", seconds=3
    )
    assert ended.limit == "time"
    last = (inside.folder / "pulse").read_bytes()
    threading.Event().wait(0.4)
    assert (inside.folder / "pulse").read_bytes() == last


def test_limits(inside: Inside) -> None:
    limits = StepLimits(memory=100 << 20, file_size=1 << 20, open_files=64)
    assert inside.run("sh", "-c", "ulimit -n", limits=limits).stdout == b"64\n"
    assert inside.run("truncate", "-s", "10G", "big", limits=limits).status == -signal.SIGXFSZ
    allocate = "x = bytearray(300 << 20); x[::4096] = bytes(len(x[::4096])); import time; time.sleep(1000)"
    assert inside.run(_python(), "-c", allocate, limits=limits).limit == "memory"


def test_without_bubblewrap_it_is_said_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(LinkageError) as caught:
        find_sandbox({"PATH": str(tmp_path)})
    assert str(caught.value) == (
        "--sandbox: `bwrap` is not on PATH (help: install bubblewrap (Debian, Ubuntu: apt install "
        "bubblewrap; Fedora: dnf install bubblewrap))"
    )


def test_a_bubblewrap_that_may_not_make_namespaces(tmp_path: Path) -> None:
    script = tmp_path / "bwrap"
    script.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    script.chmod(0o755)
    with pytest.raises(LinkageError, match="does not work here: bwrap: setting up uid map"):
        find_sandbox({"PATH": f"{tmp_path}:{PATH}"})
