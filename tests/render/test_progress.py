"""The progress of a command: an occasional line in a log, one line on a terminal that is removed."""

import io

import pytest

from linkage.render.progress import ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_progress_in_a_log(clock: list[float]) -> None:
    log = io.StringIO()
    with ProgressLine(log) as progress:
        progress.show("0 of 3 variants")
        clock[0] += 11
        progress.show("2 of 3 variants: 1 fail, 1 pass", "cases/b.yaml")
        progress.count(3, 3)
    assert log.getvalue() == "2 of 3 variants: 1 fail, 1 pass\n"


def test_progress_on_a_terminal(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with ProgressLine(terminal) as progress:
        progress.count(0, 9)
        progress.count(1, 9)  # too soon
        clock[0] += 0.2
        progress.show("2 of 9 variants", "cases/[bold].yaml")
    text = terminal.getvalue()
    assert "0 of 9 variants" in text
    assert "1 of 9 variants" not in text
    assert "2 of 9 variants\x1b[2m · c…" in text
    assert text.endswith("\x1b[1A\x1b[2K")
