"""Programs that hang, flood, crash or leave children behind."""

import os
import time
from pathlib import Path

import pytest

from linkage.errors import ToolchainError
from linkage.toolchain.query import ask
from support.fake_compiler import FakeRustc


def failure(program: Path, *, time_limit: float = 30, output_limit: int = 1 << 20) -> str:
    with pytest.raises(ToolchainError) as caught:
        ask([program, "-vV"], os.environ, who="fake", time_limit=time_limit, output_limit=output_limit)
    text = str(caught.value)
    assert text.startswith("toolchain fake: ")
    assert "\n" not in text
    return text


def test_reply_has_the_output(fake_rustc: FakeRustc) -> None:
    answer = ask([fake_rustc('echo out; echo "bad $1" >&2; exit 3'), "x"], os.environ, who="fake")
    assert (answer.status, answer.stdout, answer.stderr) == (3, "out\n", "bad x\n")
    assert answer.summary == "exit status 3: 'bad x'"


def test_a_program_that_hangs(fake_rustc: FakeRustc) -> None:
    assert "-vV` did not answer within 0.3 s" in failure(fake_rustc("sleep 1000"), time_limit=0.3)


def test_a_program_that_closes_its_pipes_and_hangs(fake_rustc: FakeRustc) -> None:
    program = fake_rustc("exec >&- 2>&-; sleep 1000")
    assert "did not answer within 0.3 s" in failure(program, time_limit=0.3)


def test_a_program_that_prints_without_end(fake_rustc: FakeRustc) -> None:
    for stream in ("yes", "yes >&2"):
        assert "-vV` printed more than 1 MiB, which no rustc does" in failure(fake_rustc(stream))


def test_children_are_killed_with_it(fake_rustc: FakeRustc, tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    program = fake_rustc(f"(while :; do date +%s%N > {alive}; sleep 0.05; done) & sleep 1000")
    failure(program, time_limit=0.5)
    last = alive.read_bytes()
    time.sleep(0.3)
    assert alive.read_bytes() == last


def test_a_child_that_outlives_its_parent_is_killed(fake_rustc: FakeRustc, tmp_path: Path) -> None:
    """Its parent has answered; that it holds the pipes open keeps nobody waiting."""
    alive = tmp_path / "alive"
    program = fake_rustc(
        f"(while :; do date +%s%N > {alive}; sleep 0.05; done) & sleep 0.2; echo said; exit 0"
    )
    answer = ask([program], os.environ, who="fake", time_limit=60)
    assert (answer.status, answer.stdout) == (0, "said\n")
    last = alive.read_bytes()
    time.sleep(0.3)
    assert alive.read_bytes() == last


def test_a_program_that_crashes(fake_rustc: FakeRustc) -> None:
    answer = ask([fake_rustc("kill -SEGV $$")], os.environ, who="fake")
    assert answer.summary == "was killed by SIGSEGV, without output"


def test_a_file_that_cannot_be_started(tmp_path: Path) -> None:
    program = tmp_path / "data"
    program.write_bytes(b"\x7fELF and nothing else")
    program.chmod(0o755)
    assert "cannot be started: Exec format error" in failure(program)
    program.unlink()
    assert "cannot be started: No such file or directory" in failure(program)


def test_bytes_that_are_not_text(fake_rustc: FakeRustc) -> None:
    answer = ask([fake_rustc(r"printf '\377\376'")], os.environ, who="fake")
    assert answer.stdout == "\ufffd\ufffd"


def test_the_environment_adds_no_noise(fake_rustc: FakeRustc) -> None:
    program = fake_rustc('echo "$RUSTC_BOOTSTRAP $RUSTC_LOG $MAKEFLAGS"')
    noisy = os.environ | {"RUSTC_BOOTSTRAP": "1", "RUSTC_LOG": "debug", "MAKEFLAGS": "-j9"}
    assert ask([program], noisy, who="fake").stdout.strip() == ""
    assert ask([program], noisy, who="fake", bootstrap=True).stdout.strip() == "1"
