"""Programs that run others and break: an error that names them, never a verdict on what they ran."""

import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from linkage.judge.verdict import VerdictKind
from linkage.run.runner_faults import runner_fault
from linkage.run.session import Session
from support.counted_toolchain import Counted
from support.small_cases import verdicts

ABORT = """\

valgrind: m_libcfile.c:66 (vgPlain_safe_fd): Assertion 'newfd >= VG_(fd_hard_limit)' failed.

host stacktrace:
==22018==    at 0x58041B9A: ??? (in /usr/libexec/valgrind/none-amd64-linux)
"""


@pytest.mark.parametrize(
    ("runner", "stderr", "why"),
    [
        (
            ["/usr/bin/valgrind", "-q"],
            ABORT,
            "valgrind: m_libcfile.c:66 (vgPlain_safe_fd): Assertion 'newfd >= VG_(fd_hard_limit)' failed.",
        ),
        (
            ["setarch", "-R", "valgrind"],
            "valgrind: the 'impossible' happened:\n   Killed by fatal signal\n",
            "valgrind: the 'impossible' happened: Killed by fatal signal",
        ),
        (
            ["valgrind"],
            "valgrind: failed to start tool 'x' for platform 'amd64-linux': No such file or directory\n",
            "valgrind: failed to start tool 'x' for platform 'amd64-linux': No such file or directory",
        ),
        (
            ["valgrind"],
            "--7-- VALGRIND INTERNAL ERROR: Valgrind received a signal 11 (SIGSEGV) - exiting\n",
            "--7-- VALGRIND INTERNAL ERROR: Valgrind received a signal 11 (SIGSEGV) - exiting",
        ),
        (
            ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"],
            "qemu-aarch64: QEMU internal SIGSEGV {code=MAPERR, addr=0x20}\n",
            "qemu-aarch64: QEMU internal SIGSEGV {code=MAPERR, addr=0x20}",
        ),
        (["valgrind", "--no"], "valgrind: Unknown option: --no\n", "valgrind: Unknown option: --no"),
        (
            ["valgrind"],
            "valgrind: Bad option: --error-exitcode=x\nvalgrind: Invalid integer value 'x'\n",
            "valgrind: Bad option: --error-exitcode=x",
        ),
        (["qemu-aarch64", "-no"], "qemu: unknown option 'no'\n", "qemu: unknown option 'no'"),
        (
            ["wine64"],
            "wine: could not load kernel32.dll, status c0000135\n",
            "wine: could not load kernel32.dll, status c0000135",
        ),
    ],
)
def test_a_runner_that_breaks(runner: list[str], stderr: str, why: str) -> None:
    found = runner_fault(runner, f"what the program printed\n{stderr}more\n")
    assert found is not None
    assert found.partition("`")[2].partition("`")[0] in {word.rpartition("/")[2] for word in runner}
    assert found.endswith(f"itself broke: {why}")


@pytest.mark.parametrize(
    ("runner", "stderr"),
    [
        (["valgrind"], "==7== Process terminating with default action of signal 11 (SIGSEGV)\n"),
        (["valgrind"], "==7== Invalid read of size 4\n"),
        (["valgrind"], "program: program.c:7 (main): it failed\n"),
        (["qemu-aarch64"], "qemu: uncaught target signal 11 (Segmentation fault) - core dumped\n"),
        (["qemu-aarch64"], "qemu-aarch64: Could not open '/lib/wrong.so.1': No such file or directory\n"),
        (["wine"], "wine: Unhandled page fault on read access to 0000000000000000\n"),
        (["qemu-aarch64"], ABORT),
        (["./runs"], ABORT),
        ([], ABORT),
    ],
)
def test_what_a_program_did_is_judged(runner: list[str], stderr: str) -> None:
    assert runner_fault(runner, stderr) is None


CASE = """\
summary: A program that something else runs
sources:
  main.c: |
    #include <stdio.h>
    int main(void) {{ for (int i = 0; i < 60; i++) fprintf(stderr, "line %d\\n", i); return {status}; }}
steps:
  - {{cc: main.c}}
  - {{run: main, runner: [valgrind, {flags}], exit: {exit}}}
"""


@pytest.mark.parametrize(
    ("flags", "expected", "told"),
    [
        ("--tool=absent", "0", "failed to start tool 'absent'"),
        ("--tool=absent", "fails", "failed to start tool 'absent'"),
        ("--tool=absent", "any", "failed to start tool 'absent'"),
        ("--tool=absent", "1", "failed to start tool 'absent'"),
        ("--no-such-option", "fails", "Unknown option: --no-such-option"),
        ("--error-exitcode=x", "fails", "Bad option: --error-exitcode=x"),
        ("--suppressions=absent", "fails", "FATAL: can't open suppressions file"),
    ],
)
def test_valgrind_that_breaks_is_an_error(
    flags: str,
    expected: str,
    told: str,
    session_on: Callable[[Path], Session],
    counted: Counted,
    tmp_path: Path,
) -> None:
    """Whatever is expected: that it failed says nothing."""
    case = CASE.format(status=0, flags=flags, exit=expected)
    (verdict,) = verdicts(session_on(tmp_path / "store"), case, counted.toolchain, tmp_path)
    assert verdict.outcome is VerdictKind.ERROR
    (failure,) = verdict.failures
    assert failure.found.startswith("`valgrind` itself broke: ")
    assert told in failure.found


def test_a_program_that_fails_below_valgrind_fails(
    session_on: Callable[[Path], Session], counted: Counted, tmp_path: Path
) -> None:
    case = CASE.format(status=3, flags="--tool=none", exit=0)
    (verdict,) = verdicts(session_on(tmp_path / "store"), case, counted.toolchain, tmp_path)
    assert verdict.outcome is VerdictKind.FAIL


def test_valgrind_finds_its_limits_as_they_stay(
    session_on: Callable[[Path], Session], counted: Counted, tmp_path: Path
) -> None:
    """It moves its files above the soft limit, and aborts if the hard one was lowered since it asked."""
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] > 4096
    steps = "".join(f"  - {{run: main, id: run{n}, runner: [valgrind, --tool=none]}}\n" for n in range(20))
    case = CASE.format(status=0, flags="--tool=none", exit=0) + steps
    (verdict,) = verdicts(session_on(tmp_path / "store"), case, counted.toolchain, tmp_path)
    assert verdict.outcome is VerdictKind.PASS, verdict.failures
