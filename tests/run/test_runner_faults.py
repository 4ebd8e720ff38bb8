"""Programs that run others and break: an error that names them, never a verdict on what they ran."""

import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from linkage.judge.verdict import VerdictKind
from linkage.run.runner_faults import BuiltProgram, not_started, runner_fault
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


STARTS = """\
summary: A program that something else starts
sources:
  main.c: |
    #include <stdio.h>
    int main(void) {{ puts("ran"); return {status}; }}
steps:
  - {{cc: main.c}}
  - {{chmod: main.bin, mode: "{mode}"}}
  - {{run: main, runner: {runner}, exit: {exit}}}
"""


@pytest.mark.parametrize("expected", ["any", "fails", "126", "127"])
@pytest.mark.parametrize(
    ("runner", "told"),
    [
        (
            "[env, no-such-program]",
            "`env` did not start `./main`: env: 'no-such-program': No such file or directory",
        ),
        ("[nice, --no-such-option]", "`nice` did not start `./main`: "),
        ("[timeout, 5, no-such-program]", "`timeout` did not start `./main`: timeout: failed to run command"),
        (
            "[sh, -c, 'no-such-program \"$0\"']",
            "`sh` did not start `./main`: ./main: 1: no-such-program: not found",
        ),
        ("[sh, -c, 'exit 127']", "`sh` did not start `./main`: exit status 127"),
        ("[env, nice, setarch, no-such-program]", "`env` did not start `./main`: "),
    ],
)
def test_a_program_that_its_runner_does_not_start_is_an_error(
    runner: str,
    told: str,
    expected: str,
    session_on: Callable[[Path], Session],
    counted: Counted,
    tmp_path: Path,
) -> None:
    """Whatever is expected: the exit status is not the program's."""
    case = STARTS.format(status=0, mode=755, runner=runner, exit=expected)
    (verdict,) = verdicts(session_on(tmp_path / "store"), case, counted.toolchain, tmp_path)
    assert verdict.outcome is VerdictKind.ERROR
    (failure,) = verdict.failures
    assert failure.found.startswith(told)


def test_a_runner_that_succeeds_without_the_program_is_an_error(
    session_on: Callable[[Path], Session], counted: Counted, tmp_path: Path
) -> None:
    case = STARTS.format(status=0, mode=755, runner="['true']", exit=0)
    (verdict,) = verdicts(session_on(tmp_path / "store"), case, counted.toolchain, tmp_path)
    assert verdict.outcome is VerdictKind.ERROR
    assert [one.found for one in verdict.failures] == ["`true` did not start `./main`: exit status 0"]


@pytest.mark.parametrize("runner", ["[env]", "[nice]", "[timeout, 60]", "[sh, -c, 'exec \"$0\"']"])
def test_a_program_without_the_right_to_be_executed_is_an_error(
    runner: str, session_on: Callable[[Path], Session], counted: Counted, tmp_path: Path
) -> None:
    case = STARTS.format(status=0, mode=644, runner=runner, exit="any")
    (verdict,) = verdicts(session_on(tmp_path / "store"), case, counted.toolchain, tmp_path)
    assert verdict.outcome is VerdictKind.ERROR
    assert [one.found.endswith("Permission denied") for one in verdict.failures] == [True]


@pytest.mark.parametrize("content", ["00ff00ff", "7f454c46020101", ""])
@pytest.mark.parametrize(
    "runner",
    [
        "[env]",
        "[timeout, 60]",
        "[setarch, -R]",
        "[bash, -c, 'exec \"$0\"']",
        "[sh, -c, '\"$0\"']",
        "[valgrind]",
    ],
)
def test_a_program_that_the_system_does_not_execute_is_an_error(
    runner: str, content: str, session_on: Callable[[Path], Session], counted: Counted, tmp_path: Path
) -> None:
    """Its file is opened all the same, and env has a shell read it as a script."""
    case = STARTS.format(status=0, mode=755, runner=runner, exit="any")
    broken = f'  - {{write: main.bin, hex: "{content}"}}\n  - {{run:'
    (verdict,) = verdicts(
        session_on(tmp_path / "store"), case.replace("  - {run:", broken), counted.toolchain, tmp_path
    )
    assert verdict.outcome is VerdictKind.ERROR, verdict
    assert [" start `./main`: " in one.found for one in verdict.failures] == [True]


@pytest.mark.parametrize("status", [0, 3, 126, 127])
@pytest.mark.parametrize("runner", ["[]", "[env]", "[nice, -n, 1]", "[sh, -c, '\"$0\"']", "[valgrind, -q]"])
def test_the_exit_status_of_a_program_that_was_started_is_its_own(
    runner: str, status: int, session_on: Callable[[Path], Session], counted: Counted, tmp_path: Path
) -> None:
    case = STARTS.format(status=status, mode=755, runner=runner, exit=status)
    (verdict,) = verdicts(session_on(tmp_path / "store"), case, counted.toolchain, tmp_path)
    assert verdict.outcome is VerdictKind.PASS, verdict.failures


def test_a_program_that_is_not_there_is_an_error(
    session_on: Callable[[Path], Session], counted: Counted, tmp_path: Path
) -> None:
    case = STARTS.format(status=0, mode=755, runner="[env]", exit="any").replace(
        "  - {run:", "  - {remove: main}\n  - {run:"
    )
    (verdict,) = verdicts(session_on(tmp_path / "store"), case, counted.toolchain, tmp_path)
    assert verdict.outcome is VerdictKind.ERROR
    assert [one.found for one in verdict.failures] == ["cannot start `./main`: No such file or directory"]


@pytest.mark.parametrize(
    ("runner", "status", "stderr", "is_script"),
    [
        (
            ["env"],
            127,
            "./main: error while loading shared libraries: x.so: No such file or directory",
            False,
        ),
        (["env"], 126, "what the program says of env: ./main", False),
        (["env"], 3, "env: './main': Exec format error", False),
        (["env"], 1, "./main: 1: it failed", False),
        (["sh", "-c"], 127, "sh: 1: other: not found", False),
        (["env"], 127, "./main: 2: other: not found", True),
        (["env"], 127, "", False),
    ],
)
@pytest.mark.parametrize("opened", [True, None])
def test_what_a_program_that_was_started_ends_with_is_judged(
    runner: list[str], status: int, stderr: str, *, is_script: bool, opened: bool | None
) -> None:
    assert not_started(runner, BuiltProgram("./main", opened, is_script), status, stderr) is None
