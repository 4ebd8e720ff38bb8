"""`linkage table`, on the results of real runs."""

import json

import pytest

from support.runs import Runs


@pytest.fixture
def store(runs: Runs) -> tuple[str, ...]:
    chosen = ("--store", str(runs.folder / "store"))
    runs.run("-n", "2")
    return chosen


def test_text_markdown_and_json_say_the_same(runs: Runs, store: tuple[str, ...]) -> None:
    shown = runs.command("table", "case.yaml", *store)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines()[1].split() == ["case.yaml", "3", "1F"]
    said = json.loads(runs.command("table", "case.yaml", "--json", *store).stdout)
    (cell,) = said["cases"][0]["toolchains"].values()
    assert {key: count for key, count in cell.items() if count} == {"pass": 3, "fail": 1}
    variants = runs.command("table", "case.yaml", "--variants", *store).stdout
    assert "case.yaml[number=3]" in variants
    text = runs.command("table", "case.yaml", "--markdown", *store).stdout
    assert "| [case.yaml](case.yaml) | 3 1F |" in text

    readme = runs.folder / "README.md"
    marks = ("<!-- linkage table: begin -->", "<!-- linkage table: end -->")
    readme.write_text(f"Before.\n\n{marks[0]}\nold\n{marks[1]}\n\nAfter.\n")
    for _ in range(2):
        assert runs.command("table", "case.yaml", "--markdown", "--into", "README.md", *store).returncode == 0
    assert readme.read_text() == f"Before.\n\n{marks[0]}\n\n{text}\n{marks[1]}\n\nAfter.\n"


def test_only_the_chosen_toolchains(runs: Runs, store: tuple[str, ...]) -> None:
    here, other = f"here={runs.rustc}", f"other={runs.rustc}"
    both = runs.command(
        "table", "case.yaml", "--toolchain", here, "--toolchain", other, "--json", *store
    ).stdout
    found = {name: cell["missing"] for name, cell in json.loads(both)["cases"][0]["toolchains"].items()}
    assert found == {"here": 0, "other": 4}
    text = (runs.folder / "case.yaml").read_text()
    runs.case(text.replace("Many cells", "Some cells"))
    changed = runs.command("table", "case.yaml", "--toolchain", here, *store).stdout
    assert "3 1F*" in changed
    assert "judged before the case or its sources changed: 4 variants" in changed


def test_wrong_input(runs: Runs) -> None:
    nothing = runs.command("table", "case.yaml", "--store", str(runs.folder / "store"))
    assert nothing.returncode == 5
    assert nothing.stderr.endswith(
        "no verdicts of these cases are recorded (help: use `linkage run` first, or another --store)\n"
    )
    assert not (runs.folder / "store").exists()
    (runs.folder / "plain.md").write_text("no marks")
    for words, said in (
        (["--into", "plain.md"], "--into needs --markdown (help: --markdown --into plain.md)"),
        (["--markdown", "--into", "plain.md"], "plain.md: has no marks for the table (help: put the lines"),
        (["--markdown", "--into", "nowhere.md"], "nowhere.md: cannot be read: No such file"),
        (["--markdown", "--json"], "not allowed with argument"),
    ):
        done = runs.command("table", "case.yaml", *words)
        assert (done.returncode, done.stderr.count("\n")) == (4, 1), done.stderr
        assert said in done.stderr
