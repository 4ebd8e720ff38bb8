"""`--prompt` on a real terminal: questions are shown, answers are typed, and Ctrl-C interrupts."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.scripted_rustc import FAILS, MakeRustc

LISTED = [word for name in ("./old", "./mid", "./new") for word in ("--toolchains", name)]
QUESTION = b"(g)ood, (b)ad, (s)kip or (r)etry?"
PATIENCE = 120.0


class PseudoTerminal:
    """A bisection on a terminal, and what it has printed there."""

    def __init__(self, *words: str) -> None:
        self.own, theirs = pty.openpty()
        command = [sys.executable, "-m", "linkage", "bisect", *words]
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            # The terminal is the one that controls the process, as of a login.
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # noqa: PLW1509
        )  # fmt: skip
        os.close(theirs)
        self.shown = b""

    def read(self, until: bytes) -> bytes:
        """What is shown up to a text, which is taken away."""
        end = time.monotonic() + PATIENCE
        while until not in self.shown:
            assert time.monotonic() < end, self.shown
            if select.select([self.own], [], [], 0.1)[0]:
                self.shown += self._some()
            elif self.process.poll() is not None:
                break
        assert until in self.shown, self.shown
        before, _, self.shown = self.shown.partition(until)
        return before

    def end(self) -> bytes:
        """What is shown until it ends."""
        while some := self._some():
            self.shown += some
        self.process.wait(PATIENCE)
        return self.shown

    def type(self, text: bytes) -> None:
        os.write(self.own, text)

    def _some(self) -> bytes:
        try:
            return os.read(self.own, 1 << 16)
        except OSError:  # the other end is closed
            return b""


@pytest.fixture
def compilers(case: str, make_rustc: MakeRustc) -> str:
    make_rustc("old")
    make_rustc("mid", ": mid")
    make_rustc("new", FAILS)
    return f"{case}[size=1]"


def test_a_person_answers_on_a_terminal(compilers: str, tmp_path: Path) -> None:
    terminal = PseudoTerminal(compilers, *LISTED, "--prompt", "--session", "mine.log", "-o", "answer.md")
    asked = terminal.read(QUESTION)
    assert b"error: the shim is missing" in asked
    assert asked.splitlines()[-1].startswith(b"new (1.")
    for answer in (b"perhaps\n", b"r\n", b"b\n", b"good\n", b"g\n"):
        terminal.type(answer)
        if answer != b"g\n":
            terminal.read(QUESTION)
    terminal.end()
    assert terminal.process.returncode == 0, terminal.shown
    text = (tmp_path / "answer.md").read_text()
    assert text.startswith("## answer.yaml: 1 variant fails: introduced by ./new\n")
    assert "prompt: answer: bad, as you answered" in text


def test_a_question_is_interrupted_and_asked_again(compilers: str, tmp_path: Path) -> None:
    terminal = PseudoTerminal(compilers, *LISTED, "--prompt", "--session", "mine.log")
    terminal.read(QUESTION)
    terminal.type(b"bad\n")
    terminal.read(QUESTION)
    terminal.type(b"\x03")
    shown = terminal.end()
    assert terminal.process.returncode == 2, shown
    assert b"interrupted (help: resume with: linkage bisect --resume mine.log)" in shown
    assert b"Traceback" not in shown
    again = PseudoTerminal("--resume", "mine.log", "-o", "answer.md")
    assert b"\nnew (1." not in again.read(QUESTION)  # that answer is known
    for answer in (b"g\n", b"g\n", b"b\n"):
        again.type(answer)
        if answer != b"b\n":
            again.read(QUESTION)
    assert again.end() is not None
    assert again.process.returncode == 0, again.shown
    assert "introduced by ./new" in (tmp_path / "answer.md").read_text()
