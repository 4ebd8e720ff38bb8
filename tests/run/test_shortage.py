"""Steps that a limit or the machine stopped: errors, with what to do. What only looks so is a failure."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from linkage.errors import LinkageError
from linkage.host.limits import StepLimits
from linkage.host.process import ProcessResult
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.run.sandbox import find_sandbox
from linkage.run.session import Session
from linkage.run.shortage import MachineState, shortage
from linkage.run.workspace import Workspace
from linkage.toolchain import Toolchain
from support.counted_toolchain import Counted
from support.mounts import can_mount, in_namespace
from support.small_cases import verdicts

Sessions = Callable[[Path], Session]

# --- what the signs mean

ENOUGH = MachineState(1 << 40, 1 << 20, limits_memory=False)
FULL = replace(ENOUGH, free=4096)
ENOSPC = "error: failed to write lib.o: No space left on device (os error 28)\n"


def message(text: str, *, spans: bool = False) -> str:
    """A diagnostic as rustc writes it for a machine."""
    return json.dumps({"message": text, "level": "error", "rendered": text, "spans": [{}] * spans}) + "\n"


def why(
    status: int,
    stderr: str = "",
    *,
    program: str = "rustc",
    there: MachineState = ENOUGH,
    expected: bool = False,
) -> str | None:
    ended = ProcessResult(status, b"", stderr.encode(), 1.0)
    return shortage(program, ended, there, StepLimits(), 180, expected=expected)


EATER = f"exec {sys.executable}"
FILE_SIZE = "wrote a file larger than 2.0 GB (help: raise `file-size` in `limits`)"
OPEN_FILES = "had more than 4096 open files (help: raise `open-files` in `limits`)"
KILLED = "was killed by SIGKILL, as the system does if memory runs out"


@pytest.mark.parametrize("program", ["rustc", "cc", "ar", "run", "tool"])
@pytest.mark.parametrize(
    ("status", "there", "reason"),
    [
        (-signal.SIGKILL, ENOUGH, KILLED),
        (-signal.SIGXFSZ, ENOUGH, FILE_SIZE),
        (-signal.SIGXCPU, ENOUGH, "was killed by SIGXCPU (help: see `ulimit -t`)"),
        (-signal.SIGBUS, replace(ENOUGH, free=100 << 20), "was killed by SIGBUS: the disk is full"),
        (1, FULL, "the disk is full"),
        (101, replace(ENOUGH, free_files=0), "the disk is full"),
    ],
)
def test_causes(status: int, there: MachineState, reason: str, program: str) -> None:
    assert why(status, program=program, there=there) == reason


@pytest.mark.parametrize("status", [-signal.SIGKILL, -signal.SIGXFSZ, -signal.SIGBUS])
def test_a_signal_that_the_case_expects(status: int) -> None:
    assert why(status, program="run", there=FULL, expected=True) is None


@pytest.mark.parametrize(
    "status", [1, 101, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT, -signal.SIGTERM]
)
def test_failures_without_a_cause_are_failures(status: int) -> None:
    assert why(status, "error: no\n") is None
    assert why(status, "error: no\n", program="run") is None
    assert why(0, ENOSPC, there=FULL) is None


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        (ENOSPC, "the disk is full"),
        (message(ENOSPC), "the disk is full"),
        (message("could not open: Too many open files (os error 24)"), OPEN_FILES),
        (message("linking with `cc` failed: signal: 25 (SIGXFSZ)"), FILE_SIZE),
        (message("failed: File too large (os error 27)"), FILE_SIZE),
        (message("linking with `cc` failed: signal: 9 (SIGKILL)"), f"a process that it started {KILLED}"),
        (
            "collect2: fatal error: ld terminated with signal 9 [Killed]\n",
            f"a process that it started {KILLED}",
        ),
        ("ld: cannot map: Cannot allocate memory\n", "the machine is out of memory"),
        (
            message("could not exec the linker: Resource temporarily unavailable (os error 11)"),
            "the user may not start another process (help: see `ulimit -u`)",
        ),
    ],
)
def test_what_a_compiler_prints_of_its_own_work(stderr: str, reason: str) -> None:
    assert why(1, stderr) == reason
    assert why(1, stderr, expected=True) == reason


@pytest.mark.parametrize(
    "text", ["No space left on device", "Too many open files", "(SIGKILL)", "Cannot allocate memory"]
)
def test_what_a_source_says_is_no_sign(text: str) -> None:
    assert why(1, message(f"error: {text}", spans=True)) is None
    assert why(1, f'a.c:1:2: error: #error "{text}"\n    1 | #error "{text}"\n', program="cc") is None


def test_a_linker_that_crashes_although_there_is_room() -> None:
    assert why(1, message("linking with `cc` failed: signal: 7 (SIGBUS)")) is None
    assert why(1, message("signal: 7 (SIGBUS)"), there=replace(ENOUGH, free=1 << 28)) == "the disk is full"


@pytest.mark.parametrize("program", ["run", "tool"])
def test_a_program_that_survives_the_signal_of_a_limit(program: str) -> None:
    """Python ignores SIGXFSZ: what is left is the error of its system call."""
    assert why(1, "OSError: [Errno 27] File too large\n", program=program) == FILE_SIZE
    assert why(1, "OSError: [Errno 24] Too many open files\n", program=program) == OPEN_FILES
    assert why(1, "OSError: [Errno 27] File too large\n", program=program, expected=True) is None


ALLOCATION = "memory allocation of 4096 bytes failed\n"


def test_a_program_that_cannot_allocate_memory() -> None:
    """Without a limit on it, the machine refuses none that it has: the program's own allocator does."""
    limited = replace(ENOUGH, limits_memory=True)
    assert why(-signal.SIGABRT, ALLOCATION, program="run") is None
    assert why(-signal.SIGABRT, ALLOCATION, program="run", there=limited) == (
        "could not allocate 4.0 KB (help: see `ulimit -v`)"
    )
    assert why(-signal.SIGABRT, ALLOCATION, program="run", there=limited, expected=True) is None
    huge = ALLOCATION.replace("4096", str(1 << 60))
    assert why(-signal.SIGABRT, huge, program="run", there=limited) is None


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("time", "exceeded its timeout of 180 s (help: raise `timeout`)"),
        ("memory", "used more than 8.0 GB of memory (help: raise `memory` in `limits`)"),
        ("processes", "had more than 2000 processes and threads (help: raise `processes` in `limits`)"),
        ("output", "printed more than 16.0 MB (help: raise `output` in `limits`)"),
    ],
)
def test_limits_that_are_named(limit: str, reason: str) -> None:
    ended = ProcessResult(-9, b"", b"", 1.0, limit)
    assert shortage("rustc", ended, ENOUGH, StepLimits(), 180, expected=False) == reason


# --- in a run

CASE = """\
summary: A step that hits a limit
limits: {LIMITS}
timeout: 60
steps:
  - {tool: sh, id: it, args: [-c, 'SCRIPT']}
"""


@pytest.fixture
def session(session_on: Sessions, tmp_path: Path) -> Session:
    return session_on(tmp_path / "store")


def verdict(session: Session, made: Toolchain, folder: Path, limits: str, script: str) -> Verdict:
    (found,) = verdicts(session, CASE.replace("LIMITS", limits).replace("SCRIPT", script), made, folder)
    return found


@pytest.mark.parametrize(
    ("limits", "script", "reason"),
    [
        (
            "memory: 100M",
            f'{EATER} -c "x = bytearray(300000000); x[::4096] = bytes(73243); import time; time.sleep(60)"',
            "used more than 100.0 MB of memory (help: raise `memory` in `limits`)",
        ),
        (
            "processes: 50",
            "for _ in $(seq 100); do sleep 1000 & done; wait",
            "had more than 50 processes and threads (help: raise `processes` in `limits`)",
        ),
        (
            "file-size: 1M",
            "exec truncate -s 10G big",
            "wrote a file larger than 1.0 MB (help: raise `file-size` in `limits`)",
        ),
        ("output: 1M", "exec yes", "printed more than 1.0 MB (help: raise `output` in `limits`)"),
    ],
)
def test_a_limit_is_an_error_that_is_not_kept(
    limits: str, script: str, reason: str, session: Session, counted: Counted, tmp_path: Path
) -> None:
    for _ in range(2):
        found = verdict(
            session, counted.toolchain, tmp_path, limits.replace("\n", ""), script.replace("'", "''")
        )
        assert (found.outcome, found.stored) == (VerdictKind.ERROR, False)
        assert found.failures[0].found == reason


def test_a_raised_limit_lets_it_pass(session: Session, counted: Counted, tmp_path: Path) -> None:
    script = "ulimit -n; exec truncate -s 3G big && rm big"
    assert (
        verdict(session, counted.toolchain, tmp_path, "open-files: 100", script).outcome is VerdictKind.ERROR
    )
    script = script.replace("exec ", "")
    found = verdict(session, counted.toolchain, tmp_path, "{file-size: 4G}"[1:-1], script)
    assert found.outcome is VerdictKind.PASS


def test_a_file_that_is_too_large_is_not_read(session: Session, counted: Counted, tmp_path: Path) -> None:
    """Whoever made it: here a file operation, which has no limits."""
    text = (
        "summary: x\nlimits: {file-size: 10K}\nsources: {small: SOURCE}\nsteps: [{copy: small, to: large}]\n"
    )
    claims = "claims: {large: {format: elf}}\n"
    (found,) = verdicts(
        session, text.replace("SOURCE", "x" * (15 << 10)) + claims, counted.toolchain, tmp_path
    )
    assert found.outcome is VerdictKind.ERROR
    assert (
        found.failures[0].found
        == "large has 15.0 KB, more than 10.0 KB (help: raise `file-size` in `limits`)"
    )


def test_a_sparse_file_is_not_hashed(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "variant", largest=1 << 20)
    with (workspace.root / "sparse").open("wb") as file:
        file.truncate(10 << 30)
    state = workspace.scan()
    assert workspace.too_large == {"sparse": 10 << 30}
    assert state["sparse"].stored is None
    (workspace.root / "sparse").unlink()
    workspace.scan()
    assert workspace.too_large == {}


FULL_DISK = """\
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import os
from linkage.run.session import Session
from linkage.store.store import Store
from linkage.toolchain import probe, resolve_all
from support.small_cases import verdicts
cache = Path(sys.argv[2])
(located,) = resolve_all([sys.argv[3]], os.environ)
toolchain = probe(located, cache)
for text in sys.argv[4:]:
    (found,) = verdicts(Session(Store(Path("/mnt/store")), cache), text, toolchain, cache)
    print(found.outcome, found.failures[0].found.splitlines()[0])
"""
LARGE = """\
summary: A compiler that fills the disk
sources: {lib.rs: '#![no_std] #[no_mangle] pub static LARGE: [u8; 40 << 20] = [1; 40 << 20];'}
steps: [{rustc: lib.rs, crate-type: rlib, panic: abort}]
"""
WRITES = """\
summary: A program that fills the disk
sources:
  main.rs: |
    use std::io::Write;
    fn main() {
        let mut file = std::fs::File::create("out").unwrap();
        loop { file.write_all(&[1; 1 << 16]).unwrap(); }
    }
steps: [{rustc: main.rs, crate-type: bin, prefer-dynamic: true}, {run: main}]
"""


@pytest.mark.skipif(not can_mount(), reason="nothing can be mounted here")
def test_a_full_disk_is_an_error(real_toolchain: Toolchain, tmp_path: Path) -> None:
    tests = str(Path(__file__).parents[1])
    words = [sys.executable, "-c", FULL_DISK, tests, str(tmp_path), str(real_toolchain.rustc), LARGE, WRITES]
    script = 'mount -t tmpfs -o size=24m none /mnt; exec "$@"'
    done = subprocess.run(in_namespace(script, words), capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["error the disk is full"] * 2, done.stdout + done.stderr


# --- in a sandbox


@pytest.fixture(scope="module")
def bwrap() -> str:
    try:
        return find_sandbox(os.environ)
    except LinkageError as error:
        pytest.skip(f"no sandbox on this machine: {error}")


BUILD = """\
summary: A program that is built and run
sources:
  main.rs: 'fn main() { println!("{}", std::env::var("HOME").is_ok()); std::fs::write("out", "1").unwrap() }'
steps:
  - {rustc: main.rs, crate-type: bin, link: {count: 1}, claims: {main.bin: {defines: [main]}}}
  - {run: main, stdout: {equals: "true\\n"}, produces: {all: [out]}}
  - {run: main, id: given, runner: [nice, -n, 1], stdout: {equals: "true\\n"}}
  - {tool: sh, id: outside, args: [-c, 'echo x > /var/tmp/linkage-was-here'], exit: EXIT}
"""


def test_a_variant_in_a_sandbox(session_on: Sessions, counted: Counted, bwrap: str, tmp_path: Path) -> None:
    """Its outcomes and those outside are kept apart."""
    session = session_on(tmp_path / "store")
    session.sandbox = bwrap
    (found,) = verdicts(session, BUILD.replace("EXIT", "fails"), counted.toolchain, tmp_path)
    assert found.failures == ()
    assert not Path("/var/tmp/linkage-was-here").exists()
    again = session_on(tmp_path / "store")
    again.sandbox = bwrap
    (found,) = verdicts(again, BUILD.replace("EXIT", "fails"), counted.toolchain, tmp_path)
    assert (found.outcome, found.stored) == (VerdictKind.PASS, True)
    outside = session_on(tmp_path / "store")
    (found,) = verdicts(outside, BUILD.replace("EXIT", "0"), counted.toolchain, tmp_path)
    Path("/var/tmp/linkage-was-here").unlink()
    assert (found.outcome, found.stored) == (VerdictKind.PASS, False)
