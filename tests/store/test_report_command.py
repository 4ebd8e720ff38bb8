"""`linkage report` on the results of real runs, and its pages in a real browser."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.runs import Runs


@pytest.fixture
def page(runs: Runs) -> Path:
    """The page of a case with one failing variant of four."""
    runs.run("-n", "2")
    done = report(runs, "-o", "page")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "4 files; open page/index.html\n"
    return runs.folder / "page"


def report(runs: Runs, *words: str) -> "subprocess.CompletedProcess[str]":
    return runs.command("report", "case.yaml", "--store", str(runs.folder / "store"), *words)


def test_pages_of_a_run(page: Path) -> None:
    index = (page / "index.html").read_text()
    assert "1 case on 1 toolchain" in index
    assert "3 pass" in index
    assert "1 fail" in index
    assert '<a href="case/case.html#v3-' in index
    assert "linkage repro &#39;case.yaml::here[number=3]&#39;" in (page / "case/case.html").read_text()


def test_it_asks_nobody_for_anything(page: Path) -> None:
    for place in page.rglob("*"):
        if place.is_file():
            loaded = re.findall(r"(?:src|@import|url\()\W*(https?:|//)[^\s)]*", place.read_text())
            assert loaded == [], place
    assert "fetch(" not in (page / "filter.js").read_text()


def test_nights_and_what_is_new(runs: Runs, page: Path) -> None:
    words = ("-o", "page", "--history", "nights")
    assert report(runs, *words, "--night", "2026-11-27").returncode == 0
    runs.case(
        (runs.folder / "case.yaml").read_text().replace("number: [0, 1, 2, 3]", "number: [0, 1, 2, 3, 4]")
    )
    runs.run()
    assert report(runs, *words, "--night", "2026-11-28").returncode == 0
    names = sorted(place.name for place in (runs.folder / "nights").iterdir())
    assert names == ["2026-11-27.json.z", "2026-11-28.json.z"]
    assert "New on 2026-11-28" in (page / "index.html").read_text()
    assert "Verdicts on here from 2026-11-27 to 2026-11-28" in (page / "history.html").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "required: -o/--output"),
        (
            ("-o", "store"),
            "--output store: is a directory with other files (help: name a new or an empty directory)",
        ),
        (("-o", "case.yaml"), "--output case.yaml: cannot be written: File exists"),
        (("-o", "new", "--history", "case.yaml"), "case.yaml: cannot be read"),
        (("-o", "new", "--history", "n", "--night", "2026-02-30"), "must be a date such as 2026-11-28, not"),
        (("-o", "new", "--store", "empty"), "no verdicts of these cases are recorded"),
    ],
)
@pytest.mark.usefixtures("page")
def test_wrong_input_is_one_line(runs: Runs, words: tuple[str, ...], message: str) -> None:
    done = report(runs, *words)
    assert done.returncode in (4, 5)
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture
def browser() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("there is no Chromium here (Debian: apt install chromium)")
    return found


def opened(browser: str, address: str, folder: Path) -> str:
    """The page as the browser has it after its script has run."""
    flags = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'browser'}")
    command = [browser, *flags, "--virtual-time-budget=2000", "--dump-dom", address]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=200)
    return done.stdout


def shown(dom: str) -> list[str]:
    """The rows that no filter hides."""
    rows = re.findall(r"<tr class=\"row[^>]*>", dom)
    return [row for row in rows if "data-filtered" not in row]


def test_filters_are_kept_in_the_address(page: Path, browser: str, tmp_path: Path) -> None:
    address = (page / "case/case.html").as_uri()
    everything = opened(browser, address, tmp_path)
    assert len(shown(everything)) == 4
    assert re.search(r'<form id="filter"(?![^>]*hidden)', everything)
    (row,) = shown(opened(browser, f"{address}?verdict=fail", tmp_path))
    assert "number=3" in row
    (row,) = shown(opened(browser, f"{address}?text=NUMBER%3D1", tmp_path))
    assert "number=1" in row
    none = opened(browser, f"{address}?verdict=fail&text=number%3D1", tmp_path)
    assert shown(none) == []
    assert "0 of 4 shown" in none


def test_a_link_opens_its_verdict(page: Path, browser: str, tmp_path: Path) -> None:
    address = (page / "case/case.html").as_uri()
    anchor = re.findall(r'id="(v3-[^"]+)"', (page / "case/case.html").read_text())[0]
    text = (page / "case/case.html").read_text().replace("<details open>", "<details>")
    (page / "case/case.html").write_text(text)
    assert "<details open" in opened(browser, f"{address}#{anchor}", tmp_path)
    assert "<details open" not in opened(browser, address, tmp_path)


def test_without_a_script_nothing_is_hidden(page: Path) -> None:
    text = (page / "index.html").read_text()
    assert "data-filtered" not in text
    assert '<form id="filter" hidden' in text
