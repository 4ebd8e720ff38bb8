"""What `linkage toolchains install` prints: steps with their times on a terminal, plain lines in a log."""

import io

import pytest

from linkage.cli import main
from linkage.commands.toolchains import InstallProgress


class TerminalText(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_in_a_log() -> None:
    log = io.StringIO()
    progress = InstallProgress(log)
    progress.say("first")
    progress.say("second")
    progress.end()
    progress.end()
    assert log.getvalue() == "first\nsecond\n"


def test_times_on_a_terminal() -> None:
    terminal = TerminalText()
    times = iter([0.0, 2.25, 2.25, 2.26])
    progress = InstallProgress(terminal, lambda: next(times))
    progress.say("first")
    assert terminal.getvalue() == "first"
    progress.say("second")
    progress.end()
    progress.end()
    assert terminal.getvalue() == "first  2.2 s\nsecond\n"


@pytest.mark.parametrize(
    "words", [["install"], ["remove"], ["update", "stable"], ["install", "--jason", "x"]]
)
def test_words_that_are_missing_or_wrong(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["toolchains", *words])
    assert caught.value.code == 4
    said = capsys.readouterr().err
    assert said.startswith("linkage")
    assert said.count("\n") == 1
