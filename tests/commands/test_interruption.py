"""Ctrl-C and SIGTERM at any moment, and standard output that cannot be written: real processes."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linkage.cli import COMMANDS as COMMANDS_OF_LINKAGE
from linkage.host.interruption import Interruption
from linkage.plugin import worker_launcher
from support.runs import MAIN, ROOT, at_work_in, cells

SEED = random.randrange(1 << 32)  # noqa: S311
"""Of the moments; a failure prints it."""
HANDLED = 1 << (signal.SIGTERM - 1)
LEFT_RUNNING = 30  # seconds until all that was started must be gone; it takes a fraction of one


class StoppedCommands:
    """A folder with cases, and a user who starts commands in it and stops them."""

    def __init__(self, folder: Path, rustc: Path) -> None:
        self.folder, self.rustc = folder, rustc
        (folder / "cases").mkdir()
        (folder / "cases/many.yaml").write_text(cells(30))
        (folder / "cases/main.c").write_text(MAIN)
        subprocess.run(["cc", "-c", "cases/main.c", "-o", "main.o"], cwd=folder, check=True)
        left_out = ("PYTEST_", "COV_", "LINKAGE_", "RUSTFLAGS", "RUSTC")
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
        self.env |= {
            "PYTHONPATH": str(ROOT / "harness"),
            "LINKAGE_CACHE": str(folder / "cache"),
            "TMPDIR": str(folder),
        }

    def start(self, *words: str, stdout: int = subprocess.PIPE) -> "subprocess.Popen[str]":
        """Start a command; returns as soon as its own code has begun."""
        words = tuple(word.replace("RUSTC", f"here={self.rustc}") for word in words)
        started = subprocess.Popen(
            [sys.executable, "-m", "linkage", *words],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        while not self.signals(started.pid, "SigCgt") & HANDLED and started.poll() is None:
            time.sleep(0.001)
        return started

    @staticmethod
    def signals(pid: int, kind: str) -> int:
        """The mask of the signals that a process catches or ignores; before it catches any, Python starts."""
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return 0
        return int(next((line.split()[1] for line in lines if line.startswith(f"{kind}:")), "0"), 16)

    def nothing_runs(self) -> None:
        deadline = time.monotonic() + LEFT_RUNNING
        while found := list(at_work_in(self.folder)):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, rustc: Path) -> Iterator[StoppedCommands]:
    made = StoppedCommands(tmp_path_factory.mktemp("interrupted"), rustc)
    probed = made.start("toolchains", "--toolchain", "RUSTC")
    assert probed.communicate(timeout=120)[1] == ""
    recorded = made.start(*COMMANDS["run"], "-k", "number=7", "--no-skip")  # for `table` and `store`
    recorded.communicate(timeout=240)
    yield made
    made.nothing_runs()


COMMANDS = {
    "run": ("run", "--toolchain", "RUSTC", "-p", "no:cacheprovider"),
    "run -n": ("run", "--toolchain", "RUSTC", "-p", "no:cacheprovider", "-n", "2"),
    "list": ("list",),
    "explain": ("explain", "cases/many.yaml", "--toolchain", "RUSTC"),
    "repro": ("repro", "cases/many.yaml[number=3]", "--toolchain", "RUSTC"),
    "inspect": ("inspect", "main.o"),
    "table": ("table",),
    "report": ("report", "-o", "page"),
    "compare": ("compare", "RUSTC", "other=RUSTC"),
    "snapshot": ("snapshot", "RUSTC", "-o", "taken.linkage.gz"),
    "bisect": ("bisect", "cases/many.yaml[number=3]", "--toolchains", "RUSTC", "--toolchains", "other=RUSTC"),
    "fuzz": ("fuzz", "--toolchain", "RUSTC", "--graphs", "2"),
    "probe": ("probe", "cases/many.yaml", "--toolchain", "RUSTC"),
    "toolchains": ("toolchains", "--toolchain", "RUSTC"),
    "store": ("store", "check"),
    "schema": ("schema",),
    "completion": ("completion", "bash"),
}


def test_every_command_is_interrupted_here() -> None:
    assert {words[0] for words in COMMANDS.values()} == set(COMMANDS_OF_LINKAGE)


def stop(
    place: StoppedCommands, words: tuple[str, ...], number: signal.Signals, moment: float
) -> tuple[int, str, str]:
    process = place.start(*words)
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        # A terminal sends Ctrl-C to the whole group; `kill` and a supervisor send to one process.
        (os.killpg if number is signal.SIGINT else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("name", COMMANDS)
def test_at_random_moments(name: str, place: StoppedCommands) -> None:
    """Its own status or 2, one line that says it, no traceback, and nothing that still runs."""
    chance = random.Random(f"{SEED} {name}")  # noqa: S311
    words = COMMANDS[name]
    often = 10 if name.startswith("run") else 3
    interrupted = 0
    for index in range(often):
        number = signal.SIGTERM if index % 3 == 2 else signal.SIGINT
        moment = chance.choice((chance.uniform(0, 0.3), chance.uniform(0, 3 if often > 3 else 1)))
        status, out, err = stop(place, words, number, moment)
        told = f"{name} {number.name} after {moment:.3f} s, seed {SEED}: {status}\n{out}\n{err}"
        assert "Traceback" not in out + err, told
        assert "KeyboardInterrupt" not in out + err, told
        assert "INTERNALERROR" not in out + err, told
        assert "Exception ignored" not in out + err, told
        said = [line for line in err.splitlines() if line.startswith(("linkage: interr", "interrupted ("))]
        if said:
            interrupted += 1
            assert status == (255 if name == "probe" else 2), told
            assert len(said) == 1, told
        place.nothing_runs()
    assert interrupted or often == 3


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_says_how_far_it_was_and_goes_on(workers: str, place: StoppedCommands) -> None:
    """What was done before the interruption is cached, and reported."""
    store, out = place.folder / f"store{workers}", place.folder / f"out{workers}.json"
    words = (*COMMANDS["run"], "-n", workers, "--store", str(store))
    process = place.start(*words, "--json", str(out))
    until(lambda: len(list(store.glob("v*/steps/*/*"))) > 12, process)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    (said,) = [line for line in err.splitlines() if "interrupted" in line]
    data = json.loads(out.read_text())
    count = len(data["variants"])
    assert said == (
        f"linkage: interrupted: {count} of 30 variants done, kept; run the same command to go on"
    )  # fmt: skip
    assert list(store.glob("v*/work/*")) == []
    again = place.start(*words, "--json", str(out))
    again.communicate(timeout=240)
    assert again.returncode == 1  # one claim of the case does not hold
    found = json.loads(out.read_text())["variants"]
    assert len(found) == 30
    assert sum(one["stored"] for one in found) >= count


def until(holds: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_a_signal_that_is_ignored_stays_so(place: StoppedCommands) -> None:
    """As of a job in the background, and under `nohup`."""
    process = subprocess.Popen(
        ["sh", "-c", "trap '' INT; exec \"$0\" -m linkage list", sys.executable],
        cwd=place.folder, env=place.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not place.signals(process.pid, "SigIgn") & 1 << (signal.SIGINT - 1):
        time.sleep(0.001)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    assert (process.returncode, process.communicate()[1]) == (0, "")


EARLY = """
import os, signal, sys
class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == "linkage.host.interruption":
            os.kill(os.getpid(), signal.{number})
sys.meta_path.insert(0, Interrupts())
sys.argv = ["linkage", "{command}"]
from linkage.__main__ import main
main()
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize(("command", "status"), [("run", 2), ("probe", 255)])
def test_before_anything_is_imported(number: str, command: str, status: int, place: StoppedCommands) -> None:
    script = EARLY.format(number=number, command=command)
    done = subprocess.run(
        [sys.executable, "-c", script], env=place.env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "linkage: interrupted\n")


def test_the_program_imports_nothing_before_it_handles_signals(place: StoppedCommands) -> None:
    script = "import sys; before = {*sys.modules}; import linkage.__main__; print({*sys.modules} - before)"
    done = subprocess.run([sys.executable, "-c", script], env=place.env, capture_output=True, check=True)
    assert eval(done.stdout) == {"linkage", "linkage.__main__"}  # noqa: S307 - our own output


@pytest.mark.parametrize("first", ["", "'print(1)'"])
def test_a_worker_that_is_told_nothing(first: str) -> None:
    """A line that is cut off, too."""
    launcher = [sys.executable, worker_launcher.__file__, "-u", "-c", "ignored"]
    done = subprocess.run(launcher, input=first, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_worker_that_is_told_what_to_do() -> None:
    launcher = [sys.executable, worker_launcher.__file__, "-u", "-B", "-c", "ignored"]
    line = repr("import sys; print(sys.path[0], sys.dont_write_bytecode)") + "\n"
    done = subprocess.run(launcher, input=line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, " True\n", "")


LOST = """
import sys, time
from linkage.host.interruption import interruption
interruption.take()
interruption.begin()
class Swallows:
    def __del__(self):
        print("ready", flush=True)
        time.sleep(1000)
while True:
    Swallows()
    try:
        time.sleep(1000)
    except KeyboardInterrupt:
        interruption.notice()
        sys.exit(7)
"""


def test_an_interruption_that_python_loses_is_repeated(place: StoppedCommands) -> None:
    """Python prints and drops an exception that is raised in a finalizer."""
    process = subprocess.Popen(
        [sys.executable, "-c", LOST], env=place.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (7, "")


def test_an_end_that_never_comes_is_not_waited_for(place: StoppedCommands) -> None:
    script = LOST.replace("sys.exit(7)", "time.sleep(1000)")
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env=place.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.splitlines()[-1]) == (2, "linkage: interrupted")


def test_the_description_takes_no_locks() -> None:
    assert Interruption().describe() == "interrupted"


# --- standard output


PRINTS = [name for name in COMMANDS if name not in ("probe", "snapshot")]


@pytest.mark.parametrize("name", PRINTS)
def test_a_full_disk(name: str, place: StoppedCommands) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    process = place.start(*COMMANDS[name], stdout=full)
    os.close(full)
    _, err = process.communicate(timeout=240)
    lines = [line for line in err.splitlines() if line.startswith("linkage: ")]
    assert lines[-1:] == ["linkage: standard output cannot be written: No space left on device"], err
    assert process.returncode == 4
    assert "Traceback" not in err


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["help", "run"]], ids=" ".join)
def test_a_full_disk_for_help(words: list[str], place: StoppedCommands) -> None:
    with Path("/dev/full").open("w") as full:
        process = place.start(*words, stdout=full.fileno())
    _, err = process.communicate(timeout=240)
    assert err == "linkage: standard output cannot be written: No space left on device\n"
    assert process.returncode == 4


@pytest.mark.parametrize("name", PRINTS)
def test_a_reader_that_is_gone(name: str, place: StoppedCommands) -> None:
    read, write = os.pipe()
    os.close(read)
    process = place.start(*COMMANDS[name], stdout=write)
    os.close(write)
    _, err = process.communicate(timeout=240)
    assert process.returncode == (2 if COMMANDS[name][0] in ("run", "compare", "fuzz", "bisect") else 0)
    assert "Traceback" not in err
    assert "INTERNALERROR" not in err
    assert "BrokenPipe" not in err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_from_the_start(closed: str, place: StoppedCommands) -> None:
    """A file that is opened afterwards does not become standard output."""
    script = f'exec "$0" -m linkage schema -o schema.json {closed}'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable],
        cwd=place.folder,
        env=place.env,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert json.loads((place.folder / "schema.json").read_text())["title"]


def test_what_the_encoding_lacks_is_escaped(place: StoppedCommands) -> None:
    (place.folder / "odd").mkdir(exist_ok=True)
    (place.folder / "odd/x.yaml").write_text('summary: "ä → ö"\nsteps: [{tool: ar}]\n')
    env = place.env | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "linkage", "list", "odd"],
        cwd=place.folder, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\xe4 \u2192 \xf6" in done.stdout
