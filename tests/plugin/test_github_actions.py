"""A run in a job of GitHub Actions: what it reads from standard output, and the summary of the job."""

import re
from pathlib import Path

import pytest

from support.plugin_project import NO_STD, Project, Result

CASE = f"""\
summary: One holds, one does not
matrix: {{cell: [holds, fails]}}
sources:
{NO_STD}steps:
  - rustc: lib.rs
    crate-type: cdylib
    panic: abort
    claims:
      lib.cdylib:
        - exports: [answer]
        - {{when: {{cell: fails}}, exports: [missing]}}
"""

HOSTILE = """\
summary: A tool prints commands
steps:
  - tool: sh
    args: [-c, "echo '::add-mask::x' >&2; echo ' ::error::y' >&2; exit 1"]
"""


@pytest.fixture
def on_github(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.folder))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.folder / "summary.md"))
    project.write("pytest.ini", "[pytest]\n")
    project.write("cases/one.yaml", CASE)
    project.write("summary.md", "of an earlier command\n")
    return project


def commands(result: Result) -> list[str]:
    """What the runner takes for commands: nothing between `stop-commands` and its token."""
    found, token = [], None
    for line in result.text.splitlines():
        if token is not None:
            token = None if line == f"::{token}::" else token
        elif stops := re.fullmatch("::stop-commands::([0-9a-f]{32})", line):
            token = stops[1]
        elif line.lstrip().startswith("::"):
            found.append(line)
    assert token is None, "commands stay stopped"
    return found


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_failing_claim_is_annotated_and_summarized(on_github: Project, workers: tuple[str, ...]) -> None:
    result = on_github.run("cases", *workers)
    assert result.status == 1
    (command,) = commands(result)
    assert command.startswith("::error file=cases/one.yaml,line=15,col=42,")
    assert "exports.all does not hold" in command
    summary = (on_github.folder / "summary.md").read_text()
    assert summary.startswith("of an earlier command\n## linkage\n\n2 variants: 1 pass, **1 fail**.")


def test_nothing_that_a_case_prints_is_a_command(on_github: Project) -> None:
    on_github.write("cases/one.yaml", HOSTILE)
    result = on_github.run("cases")
    assert result.status == 1, result.text
    assert "add-mask" in result.text
    assert all(one.startswith("::error file=cases/one.yaml") for one in commands(result))


def test_a_summary_that_cannot_be_written_changes_no_verdict(
    on_github: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(on_github.folder / "missing" / "summary.md"))
    result = on_github.run("cases", "-k", "holds")
    assert result.status == 0
    assert "GITHUB_STEP_SUMMARY" in result.text
    assert "Traceback" not in result.text


def test_elsewhere_nothing_is_said_to_github(on_github: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    result = on_github.run("cases")
    assert "::error" not in result.text
    assert Path(on_github.folder, "summary.md").read_text() == "of an earlier command\n"
