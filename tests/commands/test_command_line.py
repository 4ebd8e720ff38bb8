"""The command itself: its table of subcommands, help, version, completion, and wrong usage."""

import pkgutil
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from linkage import commands
from linkage.cli import COMMANDS, command_line, main
from linkage.run.options import RUN_OPTIONS


def outcome(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """The exit status, and what was printed on standard output and standard error."""
    try:
        status = main(words)
    except SystemExit as error:
        status = int(error.code or 0)
    return status, *capsys.readouterr()


def test_the_table_is_total() -> None:
    assert {module.name for module in pkgutil.iter_modules(commands.__path__)} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, text, errors = outcome(capsys, name, "--help")
    assert (status, errors) == (0, "")
    assert text.startswith(f"usage: linkage {name} ")
    assert COMMANDS[name][1:] in " ".join(text.split())
    assert outcome(capsys, "help", name) == (0, text, "")


def test_every_option_has_help() -> None:
    (subcommands,) = (action.choices for action in command_line(COMMANDS)._actions if action.choices)
    without = [
        f"{name} {action.option_strings or action.metavar}"
        for name, parser in dict(subcommands).items()
        for action in parser._actions
        if not action.help and action.choices is None
    ]
    assert without == []


def test_help_lists_the_commands_and_imports_none(capsys: pytest.CaptureFixture[str]) -> None:
    status, text, _ = outcome(capsys, "--help")
    assert status == 0
    assert all(summary in " ".join(text.split()) for summary in COMMANDS.values())
    assert outcome(capsys, "help") == (0, text, "")
    heavy = "import sys; from linkage.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    heavy += "print(sorted({'pydantic', 'pytest', 'rich', 'yaml', 'msgspec', 'shtab'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_run_lists_all_its_options_and_the_main_ones_of_pytest(capsys: pytest.CaptureFixture[str]) -> None:
    _, text, _ = outcome(capsys, "run", "--help")
    ours = [flag for option in RUN_OPTIONS for flag in option.flags]
    pytests = ["-k", "-m", "-n", "-x", "--lf", "--collect-only", "-q", "-v", "-rA", "--junitxml", "--color"]
    for flag in [*ours, "--json", *pytests]:
        assert re.search(rf"^ +(-j( N)?, )?{flag}\b", text, re.MULTILINE), flag
    assert "Any other option of pytest works too" in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    status, text, _ = outcome(capsys, "--version")
    assert status == 0
    python = re.escape(f", Python {platform.python_version()}, {platform.platform()}\n")
    assert re.fullmatch(rf"linkage (\d+\.\d+\S*|\(not installed\)){python}", text)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, text, _ = outcome(capsys, "completion", shell)
    assert status == 0
    assert [name for name in COMMANDS if name not in text] == []
    assert "--no-bootstrap" in text


def test_completion_in_bash(capsys: pytest.CaptureFixture[str]) -> None:
    _, text, _ = outcome(capsys, "completion", "bash")
    ask = "COMP_WORDS=(linkage run --no-b); COMP_CWORD=2; _shtab_linkage; echo ${COMPREPLY[@]}"
    done = subprocess.run(["bash", "-c", f"{text}\n{ask}"], capture_output=True, text=True, check=True)
    assert done.stdout == "--no-bootstrap\n"


WRONG_USAGE = [
    ("rum", "linkage: no such command: `rum`", "did you mean `run`?"),
    ("list --jsn", "linkage list: unknown option `--jsn`", "linkage list --help"),
    ("inspect --sybols=x f", "linkage inspect: unknown option `--sybols`", "did you mean `--symbols`?"),
    (
        "compare a",
        "linkage compare: the following arguments are required: HEAD",
        "linkage compare --help",
    ),
    ("schema x", "linkage schema: unexpected argument `x`", "linkage schema --help"),
    (
        "explain",
        "linkage explain: the following arguments are required: CASE[VARIANT]",
        "linkage explain --help",
    ),
    (
        "compare a b -j 0",
        "linkage compare: argument -j/--jobs: must be a number from 1 to 1000, not '0'",
        "linkage compare --help",
    ),
    (
        "store trim",
        "linkage store trim: the following arguments are required: --to",
        "linkage store trim --help",
    ),
    ("run --toolchian x", "linkage run: unknown option `--toolchian`", "did you mean `--toolchain`?"),
    ("run --collect-olny", "linkage run: unknown option `--collect-olny`", "did you mean `--collect-only`?"),
    ("run -n two", "linkage run: argument -n/--numprocesses: invalid value 'two'", "linkage run --help"),
    (
        "run -j 0",
        "linkage run: argument -j/--jobs: must be a number from 1 to 1000, not '0'",
        "linkage run --help",
    ),
    ("run --recheck most", "linkage: --recheck: must be a percentage, not 'most'", "write 10%"),
    (
        "run --recheck 5% --no-store",
        "linkage: --recheck cannot be used with --no-store",
        "remove one of them",
    ),
    (
        "run --json no/where.json",
        "linkage: --json no/where.json: cannot be written: no such directory",
        "create it first",
    ),
    ("run no.yaml", "linkage: no.yaml: no such case file or directory", "run `linkage list`"),
]


@pytest.mark.parametrize(("words", "what", "advice"), WRONG_USAGE)
def test_wrong_usage_is_one_line_of_our_own(
    words: str, what: str, advice: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])  # where there is a folder `cases`
    assert outcome(capsys, *words.split()) == (4, "", f"{what} (help: {advice})\n")


def test_wrong_usage_stops_a_git_bisect_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(capsys, "probe")[0] == 255
    assert outcome(capsys, "probe", "no.yaml")[0] == 255
