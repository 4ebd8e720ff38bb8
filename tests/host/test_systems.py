"""What other systems lack: modules, signals, /proc. Tried here as far as it can be on one that has them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from linkage.host import plain_process, supervisor, watch
from linkage.host.locks import lock, open_to_lock, unlock
from linkage.host.process import ProcessResult
from linkage.host.system import SIGKILL

AS_ON_WINDOWS = """
import importlib, io, os, pkgutil, signal, sys, types
import linkage.cli, linkage.commands.inspect, linkage.plugin, pydantic, rich.console, regex, yaml, msgspec
import capstone, concurrent.futures, filelock, multi_demangle, pytest, tempfile, urllib.request, uuid
for name in [one for one in sys.modules if one.partition(".")[0] == "linkage"]:
    del sys.modules[name]
for name in ("fcntl", "resource", "pwd", "grp", "termios", "tty"):
    sys.modules[name] = None
for name in ("SIGHUP", "SIGKILL", "SIGBUS", "SIGXCPU", "SIGXFSZ", "SIGCHLD", "SIGPIPE", "pthread_sigmask"):
    delattr(signal, name)
for name in (
    "fork", "killpg", "getpgid", "setsid", "geteuid", "getuid", "mkfifo", "statvfs", "sched_getaffinity",
    "O_CLOEXEC", "O_NONBLOCK", "set_blocking", "posix_spawn", "waitpid",
):
    delattr(os, name)
msvcrt = types.ModuleType("msvcrt")
msvcrt.LK_NBLCK, msvcrt.LK_UNLCK, msvcrt.locking = 2, 0, lambda *_: None
sys.modules["msvcrt"] = msvcrt
sys.platform = "win32"
POSIX = {
    "linkage.host.supervised_process", "linkage.host.supervisor", "linkage.host.watch",
    "linkage.host.sandbox_launcher",
}
import linkage
for one in pkgutil.walk_packages(linkage.__path__, "linkage."):
    if one.name not in POSIX and not one.name.endswith("__main__"):
        importlib.import_module(one.name)
assert not POSIX & set(sys.modules), POSIX & set(sys.modules)
"""


def test_no_module_needs_what_windows_lacks(tmp_path: Path) -> None:
    """Every module is imported, and what starts no process is done, without what Python lacks there."""
    case = tmp_path / "case.yaml"
    case.write_text("summary: One\nsources: {l.rs: ''}\nsteps: [{rustc: l.rs, crate-type: lib}]\n")
    script = AS_ON_WINDOWS + (
        "from linkage.artifact import read\n"
        "from linkage.case.reader import read_case\n"
        "from pathlib import Path\n"
        "assert read(Path(sys.argv[1])).kind == 'elf'\n"
        "assert read_case(Path(sys.argv[2])).rows\n"
        "print('done')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, os.path.realpath(sys.executable), str(case)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout.splitlines()[-1:], done.returncode) == (["done"], 0), done.stderr


def test_processes_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `ps` lists them on macOS."""
    with subprocess.Popen(["sh", "-c", "sleep 60 & wait"]) as process:
        while len(supervisor.tree(process.pid)) < 2:
            time.sleep(0.01)
        with_proc = supervisor.tree(process.pid)
        monkeypatch.setattr(supervisor, "PROCESSES", "/nowhere")
        monkeypatch.setattr(watch, "PROCESSES", "/nowhere")
        assert supervisor.tree(process.pid) == with_proc
        assert supervisor.children(process.pid) == with_proc[1:]
        tasks, resident = watch.usage(with_proc)
        assert tasks == 2
        assert 0 < resident == watch.own_memory(with_proc)
        for one in reversed(with_proc):
            os.kill(one, SIGKILL)


def _plainly(
    script: str, *, stdin: bytes | None = None, seconds: float = 20, output: int = 1000
) -> ProcessResult:
    return plain_process.run(
        ["sh", "-c", script], env=dict(os.environ), cwd=Path("/"), stdin=stdin, time_limit=seconds,
        output_limit=output,
    )  # fmt: skip


def test_a_process_without_a_supervisor() -> None:
    found = _plainly("cat; echo no >&2; exit 3", stdin=b"yes")
    assert (found.status, found.stdout, found.stderr, found.limit) == (3, b"yes", b"no\n", None)
    assert _plainly("pwd").stdout == b"/\n"
    found = _plainly("exec sleep 60", seconds=0.2)
    assert (found.status, found.limit) == (-SIGKILL, "time")
    found = _plainly("echo 0123456789; exec sleep 60", output=5)
    assert (found.status, found.stdout[:5], found.limit) == (-SIGKILL, b"01234", "output")
    with pytest.raises(FileNotFoundError):
        plain_process.run(["no-such"], env={}, cwd=Path("/"), time_limit=1, output_limit=1)


def test_locks(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file"):
        first, second = open_to_lock(place), open_to_lock(place)
        lock(first)
        with pytest.raises(BlockingIOError):
            lock(second, wait=False)
        unlock(first)
        lock(second, wait=False)
        lock(second, shared=True)
        lock(first, shared=True, wait=False)
        os.close(first)
        os.close(second)
