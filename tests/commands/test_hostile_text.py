"""Whatever a case, a file name, a symbol, a compiler or its name contains: no command prints it raw.

Names that are not UTF-8 are part of it: Python has surrogates for them, which no stream takes.
"""

import json
import os
import re
import subprocess
import sys
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from linkage.cli import COMMANDS
from support.runs import ROOT

EVIL = "\x1b]0;pwned\x07\x1b[2J\x9b31m\u202e"
"""Sets the title of a terminal, clears it, colours it in another way, and turns the direction of text."""
YAML_EVIL = r"\e]0;pwned\a\e[2J\x9b31m\u202E"
RUST_EVIL = r"\x1b]0;pwned\x07\x1b[2J"
SHELL_EVIL = r"\033]0;pwned\007\033[2J"
CASE = f"""\
summary: "A case {YAML_EVIL}"
description: "It describes {YAML_EVIL}"
matrix: {{how: ["a{YAML_EVIL}", known, skipped, passes, killed]}}
requires: [{{tool: "no{YAML_EVIL}tool", when: {{how: skipped}}}}]
sources:
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! {{ loop {{}} }}
    #[export_name = "has{RUST_EVIL}"] pub extern "C" fn has() -> i32 {{ 42 }}
    #[cfg(other)] #[export_name = "more{RUST_EVIL}"] pub extern "C" fn more() -> i32 {{ 43 }}
  bad.rs: 'compile_error!("bad{RUST_EVIL}");'
steps:
  - rustc: lib.rs
    crate-type: staticlib
    panic: abort
    stderr: {{not-contains: "nothing{YAML_EVIL}"}}
    claims:
      lib.staticlib: {{when: {{how: ["a{YAML_EVIL}", known, killed]}}, defines: ["gone{YAML_EVIL}"]}}
  - {{rustc: bad.rs, when: {{how: killed}}}}
  - {{write: "made{YAML_EVIL}.txt", text: "text{YAML_EVIL}"}}
known-bugs:
  - issue: rust-lang/rust#1
    note: "A note {YAML_EVIL}"
    when: {{how: known}}
    signature: {{step: lib, claim: lib.staticlib.defines}}
"""
WRONG = f'summary: "x"\n"stps{YAML_EVIL}": []\n'
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class HostilePlace:
    """A folder and files with odd names, and two compilers with odd names that print what they should not."""

    folder: Path
    rustc: Path
    env: dict[str, str]

    @property
    def compilers(self) -> tuple[str, str]:
        return str(self.folder / f"one{EVIL}"), str(self.folder / f"two{EVIL}")

    def call(self, *words: str | bytes, text_env: dict[str, str] | None = None) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "linkage", *words],
            cwd=self.folder,
            env=self.env | (text_env or {}),
            capture_output=True,
            check=False,
            timeout=240,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()


def make_place(folder: Path, rustc: Path) -> HostilePlace:
    left_out = ("PYTEST_", "COV_", "LINKAGE_", "RUSTFLAGS", "RUSTC")
    env = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    env |= {
        "PYTHONPATH": str(ROOT / "harness"),
        "LINKAGE_CACHE": str(folder / "cache"),
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }
    place = HostilePlace(folder, rustc, env)
    cases = folder / "cases" / f"in{EVIL}"
    cases.mkdir(parents=True)
    (cases / f"case{EVIL}.yaml").write_text(CASE)
    latin = os.fsdecode(b"caf\xe9")
    (folder / "cases" / latin).mkdir()
    (folder / "cases" / latin / f"{latin}.yaml").write_text(CASE)
    (folder / "wrong").mkdir()
    (folder / "wrong" / f"wrong{EVIL}{latin}.yaml").write_text(WRONG)
    for path, flags in zip(place.compilers, ("", "--cfg other"), strict=True):
        script = f"""#!/bin/sh
case "$*" in
  *lib.rs*|*bad.rs*) printf 'warning: hostile {SHELL_EVIL}\\n' >&2; exec "{rustc}" {flags} "$@" ;;
esac
exec "{rustc}" "$@"
"""
        Path(path).write_text(script)
        Path(path).chmod(0o755)
    return place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, rustc: Path) -> HostilePlace:
    made = make_place(tmp_path_factory.mktemp("hostile"), rustc)
    one, _ = made.compilers
    status, out, err = made.call("run", "--toolchain", f"one={one}", "--json", "out.json")
    assert status == 1, out + err
    return made


def raw(text: str) -> list[str]:
    """The characters in a text that control a terminal."""
    return sorted({char for char in text if char != "\n" and unicodedata.category(char)[0] == "C"})


def first_case(place: HostilePlace) -> str:
    return str(next((place.folder / "cases").glob("in*/case*.yaml")).relative_to(place.folder))


def invocations(place: HostilePlace) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every command, with everything hostile that it can take."""
    one, two = place.compilers
    case = first_case(place)
    here = ("--toolchain", f"one={one}")
    for workers in ("0", "2"):
        yield "run", (*here, "-n", workers)
        yield "run", (*here, "-n", workers, "-rA", "-v")
        yield "run", (*here, "-n", workers, "wrong", "cases")
        yield "run", (*here, "-n", workers, "--collect-only", "-q", "cases", "wrong")
    yield "run", (*here, "--collect-only")
    yield "run", (f"gone{EVIL}",)
    yield "run", (f"--odd{EVIL}",)
    yield "run", ("--toolchain", f"gone{EVIL}")
    yield "run", (*here, "-k", f"( {EVIL}")
    yield "run", (*here, "--json", f"no{EVIL}/out.json")
    yield "run", (*here, f"{case}::gone{EVIL}")
    yield "list", ("-v",)
    yield "list", ("wrong",)
    yield "list", (f"gone{EVIL}",)
    yield "explain", (case, "--toolchain", one)
    yield "explain", (case, "--toolchain", f"{one}gone")
    yield "repro", (f"{case}[how=passes]", *here)
    yield "repro", (f"{case}[how=known]", *here)
    yield "repro", (f"{case}[how=skipped]", *here)
    yield "inspect", (f"liba{EVIL}.a",)
    yield "inspect", (f"liba{EVIL}.a", "--all", "--json")
    yield "inspect", (case, f"gone{EVIL}")
    yield from _of_results()
    yield from _of_fuzz(one)
    yield "compare", (f"one={one}", f"two={two}")
    yield "compare", (f"one={one}", f"two={two}", "--markdown", "-")
    yield "compare", (f"one={one}", f"two={two}", "--json", "-")
    yield "compare", (f"one={one}", f"gone{EVIL}.linkage.gz")
    yield "snapshot", (f"one={one}", "-o", f"taken{EVIL}.gz")
    yield "bisect", (f"{case}[how=known]", "--toolchains", one, "--toolchains", two, "--json", "-")
    yield "bisect", (f"{case}[how=passes]", "--toolchains", f"{one}{EVIL}")
    yield "bisect", ("log", f"gone{EVIL}")
    yield "probe", (f"{case}[how=killed]", "--toolchain", one)
    yield "probe", (case, "--toolchain", one)
    yield "toolchains", ("-v", "--toolchain", one)
    yield "toolchains", ("--json", "--toolchain", one)
    yield "toolchains", ("install", f"gone{EVIL}")
    yield "store", ("show", "--store", f"gone{EVIL}")
    yield "store", ("show",)
    yield "store", ("check",)
    yield "schema", ("--check", f"gone{EVIL}")
    yield "schema", ()
    yield "completion", (f"odd{EVIL}",)
    yield "completion", ("bash",)


def _of_fuzz(one: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "fuzz", ("--list",)
    yield "fuzz", ("--toolchain", f"gone{EVIL}")
    yield "fuzz", ("--toolchain", f"one={one}", "--without", f"odd{EVIL}")
    yield "fuzz", ("--toolchain", f"one={one}", "--focus", f"odd{EVIL}")
    yield "fuzz", ("--toolchain", f"one={one}", "--resume", "--save", f"gone{EVIL}")


def _of_results() -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "table", ()
    yield "table", ("--variants",)
    yield "table", ("--markdown",)
    yield "table", ("--json",)
    yield "report", ("-o", f"page{EVIL}", "--history", f"nights{EVIL}")
    yield "report", ("-o", "cases")
    yield "report", (f"gone{EVIL}", "-o", "page")


def test_every_command_is_tried(place: HostilePlace) -> None:
    assert {name for name, _ in invocations(place)} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_controls_the_terminal(name: str, place: HostilePlace) -> None:
    library = place.folder / f"liba{EVIL}.a"
    if name == "inspect":
        flags = ["--crate-type=staticlib", "-Cpanic=abort", "--crate-name=a", "-o", str(library)]
        source = CASE.partition("lib.rs: |\n")[2].partition("  bad.rs")[0]
        (place.folder / "a.rs").write_text(source)
        subprocess.run([place.rustc, *flags, "a.rs"], cwd=place.folder, check=True, capture_output=True)
    found: dict[str, list[str]] = {}
    for command, words in invocations(place):
        if command != name:
            continue
        status, out, err = place.call(command, *words)
        told = f"linkage {command} {' '.join(map(repr, words))}: {status}\n{out}\n{err}"
        assert "Traceback" not in out + err, told
        assert "INTERNALERROR" not in out + err, told
        assert out + err, told
        if raw(out + err):
            lines = [line for line in (out + err).splitlines() if raw(line)]
            found[f"{command} {words!r}"] = [*map(ascii, lines[:5])]
    assert found == {}


def test_no_page_has_control_characters(place: HostilePlace) -> None:
    status, out, err = place.call("report", "-o", "page", "--history", "nights")
    assert (status, err) == (0, ""), out
    pages = list((place.folder / "page").rglob("*.html"))
    assert len(pages) >= 3
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert raw(text) == [], page.name


def test_colour_is_ours_alone(place: HostilePlace) -> None:
    one, _ = place.compilers
    env = {"FORCE_COLOR": "1", "NO_COLOR": ""}
    coloured = 0
    for words in (("run", "--toolchain", f"one={one}", "--color=yes"), ("list",), ("table",)):
        _, out, err = place.call(*words, text_env=env)
        coloured += "\x1b[" in out
        assert raw(COLOUR.sub("", out + err)) == [], words
    assert coloured


def test_json_and_junit_name_what_can_be_typed(place: HostilePlace) -> None:
    """Names that are not UTF-8 too: no lone surrogate is in either, and each id runs its variant again."""
    one, _ = place.compilers
    data = json.loads((place.folder / "out.json").read_text())
    ids = [variant["id"] for variant in data["variants"]]
    assert len(ids) == len(set(ids)) == 10
    assert raw("".join(ids)) == []
    outcomes = {variant["id"].rpartition("[")[2]: variant["outcome"] for variant in data["variants"]}
    assert sorted(outcomes.values()) == ["error", "fail", "known", "pass", "skip"] or set(outcomes.values())
    chosen = [one for one in ids if "how=passes" in one]
    assert len(chosen) == 2
    for workers in ("0", "2"):
        status, out, err = place.call(
            "run",
            "--toolchain",
            f"one={one}",
            *chosen,
            "-n",
            workers,
            "--junitxml",
            "out.xml",
            "--json",
            "two.json",
        )
        assert (status, "2 variants: 2 pass in " in out) == (0, True), out + err
        again = json.loads((place.folder / "two.json").read_text())["variants"]
        assert sorted(variant["id"] for variant in again) == sorted(chosen)
        (suite,) = ET.parse(place.folder / "out.xml").getroot()  # noqa: S314 - linkage wrote it
        assert suite.get("tests") == "2"
    for command in ("list", "explain", "repro"):
        more = () if command == "list" else ("--toolchain", f"one={one}")
        status, out, err = place.call(command, chosen[1], *more)
        assert (status, err) == (0, ""), out


def test_names_that_are_typed_as_they_are(place: HostilePlace) -> None:
    """A shell completes the bytes of the name."""
    one, _ = place.compilers
    name = b"cases/caf\xe9/caf\xe9.yaml"
    status, out, err = place.call("list", name)
    assert (status, err, "(5 variants)" in out) == (0, "", True)
    status, out, err = place.call("run", "--toolchain", f"one={one}", name + b"[how=passes]")
    assert (status, "1 variant: 1 pass in " in out) == (0, True), out + err
    status, out, err = place.call("run", "--toolchain", f"one={one}", name, "-n", "2")
    assert status == 4
    assert err.startswith("linkage: -n needs names that are UTF-8, which cases/caf")


def test_through_pytest(place: HostilePlace) -> None:
    """The plugin in pytest itself, whose own lines have the ids."""
    one, _ = place.compilers
    words = ["-p", "linkage.plugin", "-p", "xdist", "-p", "no:cacheprovider", "cases", "wrong"]
    settings = [
        "-o",
        "linkage_cases=cases wrong",
        "--toolchain",
        f"one={one}",
        "-c",
        os.devnull,
        "--rootdir=.",
    ]
    for more in (
        (),
        ("-n", "2"),
        ("-v", "-rA"),
        ("--collect-only",),
        ("--collect-only", "-q"),
        ("--markers",),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words, *settings, "--continue-on-collection-errors", *more],
            cwd=place.folder,
            env=place.env | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            check=False,
            timeout=240,
        )
        text = done.stdout.decode() + done.stderr.decode()
        assert "Traceback" not in text, text
        assert "INTERNALERROR" not in text, text
        assert raw(text) == [], [ascii(line) for line in text.splitlines() if raw(line)]


def test_files_that_a_compiler_makes(place: HostilePlace, tmp_path: Path) -> None:
    """With names that are not UTF-8, beside those that it should make."""
    compiler = tmp_path / "makes"
    compiler.write_text(
        '#!/bin/sh\ncase "$*" in *lib.rs*) : > "$(printf \'odd\\351\\033.o\')" ;; esac\n'
        f'exec "{place.rustc}" "$@"\n'
    )
    compiler.chmod(0o755)
    status, out, err = place.call(
        "run", "--toolchain", f"makes={compiler}", "--json", "made.json", "-k", "passes", "--no-store"
    )
    assert status in (0, 1), out + err
    assert raw(out + err) == []
    assert "Traceback" not in out + err
    assert len(json.loads((place.folder / "made.json").read_text())["variants"]) == 2
