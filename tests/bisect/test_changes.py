"""Real changes of rustc, found by their date: real compilers, packaged as dated nightlies for rustup.

The compilers of Debian are those that `linkage toolchains install debian:RELEASE` has unpacked. Who
names a folder of such compilers with $LINKAGE_DEBIAN_COMPILERS, each in a folder named by its release,
wants them used: then it is a failure, and not a skip, where one is not there.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from linkage.cli import main
from linkage.errors import ToolchainError
from linkage.toolchain import Located, probe, resolve
from linkage.toolchain.sources.rustup.folders import machine_host
from support.nightly_server import NightlyServer, serve
from support.scripted_rustc import breaking

CASES = Path(__file__).parent / "cases"
WITH_DYNAMIC_STD = {
    "2023-01-01": "1.48", "2023-02-14": "1.63", "2023-09-09": "1.78", "2024-03-31": "stable",
    "2025-07-04": "nightly",
}  # fmt: skip
"""From which day on a compiler is the nightly; 1,024 days and more."""
OTHERS = {
    "2020-01-01": "1.63",
    "2020-03-08": "1.78",
    "2020-05-02": "1.85",
    "2020-08-15": "1.94",
    "2020-12-05": "stable",
}

NO_SUITE_HAS = "1.94"
"""Those who have it find the date more exactly; `linkage toolchains install` cannot get it any more."""


def spec_of(name: str) -> str:
    folder = os.environ.get("LINKAGE_DEBIAN_COMPILERS")
    if not name[0].isdigit():
        return name
    for place in sorted(Path(folder).glob("*/rustc")) if folder else ():
        if f"{place.parent.name}.".startswith(f"{name}."):
            return f"debian:{place.parent}"
    return f"debian:{name}"


def found(name: str) -> Located | None:
    try:
        return resolve(spec_of(name), os.environ)
    except ToolchainError:
        return None


@dataclass(frozen=True)
class Compilers:
    """The scripts that stand for compilers, and where those have been probed."""

    scripts: dict[str, str]
    folder: Path

    def lacking(self, days: dict[str, str]) -> list[str]:
        return sorted({name for name in days.values() if name not in {*self.scripts, NO_SUITE_HAS}})

    def need(self, days: dict[str, str]) -> None:
        if lacking := self.lacking(days):
            told = f"these compilers are not here: {', '.join(lacking)} (see this file's beginning)"
            if os.environ.get("LINKAGE_DEBIAN_COMPILERS") and any(name[0].isdigit() for name in lacking):
                pytest.fail(told)
            pytest.skip(told)


@pytest.fixture(scope="module")
def compilers(tmp_path_factory: pytest.TempPathFactory) -> Compilers:
    """The compilers, probed once: by the first of xdist's workers that needs them."""
    if shutil.which("rustup") is None:
        pytest.skip("there is no rustup here")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compilers"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "lock"):
        return _made(folder)


def _made(folder: Path) -> Compilers:
    located = {name: found(name) for name in {*WITH_DYNAMIC_STD.values(), *OTHERS.values()}}
    scripts = {name: breaking(one.rustc) for name, one in located.items() if one is not None}
    made = Compilers(scripts, folder)
    for days in (WITH_DYNAMIC_STD, OTHERS):
        if not made.lacking(days):
            for name in set(days.values()) & scripts.keys():
                _probe(folder / name / "bin/rustc", scripts[name], folder / "cache")
    return made


def _probe(script: Path, text: str, cache: Path) -> None:
    if not script.exists():  # another worker may be running it
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(text)
        script.chmod(0o755)
    probe(resolve(str(script), os.environ), cache, os.environ)


@pytest.fixture
def server(compilers: Compilers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NightlyServer]:
    def rustc_on(day: str) -> str | None:
        days = OTHERS if day < "2022" else WITH_DYNAMIC_STD
        since = max(
            (one for one, name in days.items() if one <= day and name in compilers.scripts), default=""
        )
        return compilers.scripts.get(days.get(since, ""))

    if (compilers.folder / "cache").is_dir():
        shutil.copytree(compilers.folder / "cache", tmp_path / "cache")
    monkeypatch.setenv("LINKAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LINKAGE_STORE", str(compilers.folder / "store"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("RUSTUP_HOME", "RUSTC", "XDG_CACHE_HOME", "RUSTUP_TOOLCHAIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(CASES)
    with serve(machine_host(), rustc_on) as server:
        monkeypatch.setenv("RUSTUP_DIST_SERVER", server.url)
        yield server


def bisect(tmp_path: Path, *words: str) -> tuple[dict[str, str], dict[str, Any]]:
    """The day since which each case is so, and the whole answer."""
    place = tmp_path / "answer.json"
    assert main(["bisect", *words, "--json", str(place), "-o", str(tmp_path / "answer.md")]) == 0
    answer: dict[str, Any] = json.loads(place.read_text())
    days = {
        variant: " ".join(flip["after"]["name"].removeprefix("nightly-") for flip in group["flips"])
        for group in answer["groups"]
        for variant in group["variants"]
    }
    return days, answer


@pytest.mark.timeout(900)  # each probe compiles a graph of crates
def test_what_began_to_work(server: NightlyServer, compilers: Compilers, tmp_path: Path) -> None:
    """The shim beside a dylib, -Zdylib-lto, -Cstrip: one search over 1,024 nightlies."""
    compilers.need(WITH_DYNAMIC_STD)
    days, answer = bisect(
        tmp_path, "shim.yaml", "dylib-lto.yaml", "strip.yaml", "--regress", "fixed", "--no-skip",
        "--bad", "2023-01-01", "--good", "2025-10-20",
    )  # fmt: skip
    assert days == {
        "shim.yaml[prefer_dynamic]": "2024-03-31",
        "dylib-lto.yaml": "2023-09-09",
        "strip.yaml": "2023-02-14",
    }
    assert answer["not_searched"] == []
    installs = server.installs()
    assert len(installs) == len(set(installs))
    assert answer["installed"] <= 30


def test_names_that_are_mangled_otherwise(
    server: NightlyServer, compilers: Compilers, tmp_path: Path
) -> None:
    del server  # it serves
    compilers.need(WITH_DYNAMIC_STD)
    days, answer = bisect(tmp_path, "mangling.yaml", "--good", "2025-06-10", "--bad", "2025-08-20")
    assert days == {"mangling.yaml": "2025-07-04"}
    (flip,) = answer["groups"][0]["flips"]
    assert "mangling" in {name for change in flip["changes"] for name in change["names"]}


def test_the_shims_symbols_are_mangled(server: NightlyServer, compilers: Compilers, tmp_path: Path) -> None:
    del server  # it serves
    compilers.need(OTHERS)
    days, _ = bisect(tmp_path, "mangled-shim.yaml", "--good", "2020-07-20", "--bad", "2020-12-20")
    first = "2020-08-15" if NO_SUITE_HAS in compilers.scripts else "2020-12-05"
    assert days == {"mangled-shim.yaml": first}


def test_an_edition_and_a_linker(server: NightlyServer, compilers: Compilers, tmp_path: Path) -> None:
    del server  # it serves
    compilers.need(OTHERS)
    days, _ = bisect(
        tmp_path, "edition-2024.yaml", "lld.yaml", "--regress", "fixed", "--bad", "2020-04-10",
        "--good", "2020-12-20",
    )  # fmt: skip
    assert days == {"edition-2024.yaml": "2020-05-02", "lld.yaml": "2020-12-05"}


def test_the_guides_answer(server: NightlyServer, compilers: Compilers, tmp_path: Path) -> None:
    """The headlines that the guide shows are those that its command prints."""
    del server  # it serves
    compilers.need(WITH_DYNAMIC_STD)
    listed = [
        word for name in WITH_DYNAMIC_STD.values() for word in ("--toolchains", f"{compilers.folder}/{name}")
    ]
    bisect(tmp_path, "shim.yaml", "strip.yaml", "--regress", "fixed", *listed)
    said = (tmp_path / "answer.md").read_text()
    assert str(compilers.folder) not in said
    shown = f"…/{compilers.folder.name}/"
    said = said.replace(f"{shown}1", "debian:1").replace(shown, "")
    guide = (Path(__file__).parents[2] / "docs/bisect.md").read_text(encoding="utf-8")
    guide = guide.partition("linkage bisect shim.yaml strip.yaml")[2].partition("\n## ")[0]
    headlines = [line for line in said.splitlines() if line.startswith(("## ", "- `"))]
    assert headlines == [line[2:] for line in guide.splitlines() if line.startswith(("> ## ", "> - `"))]
