"""From what a user types to cases and variants; `linkage list`, `explain` and `toolchains`."""

import json
from pathlib import Path

import pytest

from linkage.errors import LinkageError
from linkage.run.selection import case_files, one_case, split
from support.command_fixtures import Linkage

VERDICTS = Path(__file__).parent / "verdicts.case"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("cases/a.yaml", ("cases/a.yaml", None, None)),
        ("cases/a.yaml::nightly", ("cases/a.yaml", "nightly", None)),
        ("cases/a.yaml::nightly[cdylib-lto=fat]", ("cases/a.yaml", "nightly", "cdylib-lto=fat")),
        ("cases/a.yaml[cdylib]", ("cases/a.yaml", None, "cdylib")),
        ("cases/a.yaml::s[a[b]]", ("cases/a.yaml", "s", "a[b]")),
    ],
)
def test_node_ids_come_apart(text: str, parts: tuple[str | None, ...]) -> None:
    assert split(text) == parts


def test_case_files(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "empty").mkdir()
    for name in ("b/two.yaml", "one.yaml", "notes.md"):
        (tmp_path / name).write_text("")
    one, two = tmp_path / "one.yaml", tmp_path / "b/two.yaml"
    assert case_files([str(tmp_path)]) == [two, one]
    assert case_files([str(one), str(tmp_path), f"{one}::stable"]) == [one, two]
    with pytest.raises(LinkageError, match="no such case file or directory"):
        case_files([str(tmp_path / "three.yaml")])
    with pytest.raises(LinkageError, match="no case files"):
        case_files([str(tmp_path / "empty")])


def test_one_case_and_the_nearest_variant() -> None:
    case, toolchain, cell = one_case(f"{VERDICTS}::nightly[want=fail]")
    assert (case.model.summary, toolchain, cell) == ("One tiny crate, every verdict", "nightly", "want=fail")
    with pytest.raises(
        LinkageError, match=r"no variant \[want=fial\] \(help: did you mean \[want=fail\]\?\)"
    ):
        one_case(f"{VERDICTS}[want=fial]")
    with pytest.raises(LinkageError, match=r"run `linkage list .*verdicts\.case`"):
        one_case(f"{VERDICTS}[zzz]")


def test_list(linkage: Linkage, tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases/good.yaml").write_text(VERDICTS.read_text())
    done = linkage("list", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    outcomes = ("pass", "fail", "known", "fixed", "skip", "error")
    assert done.stdout.splitlines() == [
        "cases/good.yaml: One tiny crate, every verdict (6 variants)",
        *(f"    cases/good.yaml[want={outcome}]" for outcome in outcomes),
        "6 variants on each toolchain",
    ]
    (tmp_path / "cases/bad.yaml").write_text("summary: [\n")
    done = linkage("list", cwd=tmp_path)
    assert done.returncode == 4
    assert done.stderr.startswith("cases/bad.yaml:")
    assert "6 variants on each toolchain" in done.stdout
    assert linkage("list", "nowhere", cwd=tmp_path).stderr == (
        "linkage: nowhere: no such case file or directory (help: run `linkage list`)\n"
    )


EXCLUDING = """\
summary: The order of crate types matters
matrix:
  crate-type: [[staticlib, dylib], [dylib, staticlib], dylib]
  lto: [off, fat]
  exclude:
    - {crate-type: [dylib, staticlib], lto: off}
    - {crate-type: [dylib]}
sources: {lib.rs: ""}
steps: [{rustc: lib.rs}]
"""


def test_list_shows_what_is_excluded(linkage: Linkage, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(EXCLUDING)
    kept = [
        "x.yaml: The order of crate types matters (3 variants)",
        "    x.yaml[staticlib,dylib-lto=off]",
        "    x.yaml[staticlib,dylib-lto=fat]",
        "    x.yaml[dylib,staticlib-lto=fat]",
    ]
    assert linkage("list", "x.yaml", cwd=tmp_path).stdout.splitlines()[:-1] == kept
    assert linkage("list", "-v", "x.yaml", cwd=tmp_path).stdout.splitlines()[:-1] == [
        *kept,
        "    [dylib,staticlib-lto=off] is excluded at x.yaml:6:7",
        "    [dylib-lto=off] is excluded at x.yaml:7:7",
        "    [dylib-lto=fat] is excluded at x.yaml:7:7",
    ]


def test_explain_compiles_nothing(linkage: Linkage, rustc: str, tmp_path: Path) -> None:
    (tmp_path / "v.yaml").write_text(VERDICTS.read_text())
    words = ("explain", "v.yaml", "--toolchain", f"here={rustc}")
    done = linkage(*words, cwd=tmp_path, LINKAGE_STORE=str(tmp_path / "store"))
    assert (done.returncode, done.stderr) == (0, "")
    blocks = done.stdout.split("\n\n")
    assert blocks[0] == "v.yaml: One tiny crate, every verdict"
    names = [block.splitlines()[0] for block in blocks[1:]]
    assert names == [
        f"v.yaml::here[want={one}]" for one in ("pass", "fail", "known", "fixed", "skip", "error")
    ]
    known = blocks[3].splitlines()
    assert known[1].startswith("  $ ")
    assert "rustc lib.rs --edition=2021 --crate-type=staticlib -Cpanic=abort -L ." in known[1]
    assert known[2:4] == [
        "      produces: liblib.a",
        '      lib.staticlib (liblib.a): defines {"all": ["question"]}',
    ]
    assert known[4:6] == [
        "      lib.staticlib (liblib.a): invariants duplicates, executable-stack, age",
        "      lib: invariants files",
    ]
    assert known[6].startswith("  known bug rust-lang/rust#1: ")
    assert blocks[5].splitlines()[1:] == ["  skipped: this machine has no no-such-program"]
    assert "  $ truncate -s '<100' liblib.a" in blocks[6].splitlines()
    assert not [
        entry for entry in (tmp_path / "store").rglob("*") if entry.is_file() and entry.name != "CACHEDIR.TAG"
    ]
    one = linkage("explain", "v.yaml[want=pass]", *words[2:], cwd=tmp_path).stdout
    assert one.count("v.yaml::here[") == 1


NAMES = """\
summary: A path that rich takes for a picture, and a copy that is read from left to right
sources: {lib.rs: ""}
steps:
  - {rustc: lib.rs, crate-type: rlib, claims: {lib.rlib: {defines: ["path:top:b"]}}}
  - {copy: lib.rlib, to: a.rlib}
"""


def test_explain_shows_names_as_they_stand(linkage: Linkage, rustc: str, tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text(NAMES)
    lines = linkage("explain", "names.yaml", "--toolchain", f"here={rustc}", cwd=tmp_path).stdout.splitlines()
    assert '      lib.rlib (liblib.rlib): defines {"all": ["path:top:b"]}' in lines
    assert "  $ cp -rp -- liblib.rlib a.rlib" in lines


def test_toolchains(linkage: Linkage, rustc: str, tmp_path: Path) -> None:
    done = linkage("toolchains", "--toolchain", f"here={rustc}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].split()[-1] == "here"
    assert "this machine: " in done.stdout
    data = json.loads(linkage("toolchains", "--json", "--toolchain", f"here={rustc}").stdout)
    assert data.keys() == {"toolchains", "unusable", "linkers", "tools", "limits", "sandbox"}
    ld = data["tools"]["ld"]
    assert list(data["tools"])[-2:] == ["ar", "rustup"]
    assert Path(ld["path"]).is_absolute()
    assert ld["version"] not in done.stdout
    verbose = linkage("toolchains", "--verbose", "--toolchain", f"here={rustc}", COLUMNS="300").stdout
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in verbose.splitlines() if line.strip()}
    assert [word.strip() for word in rows["ld"]] == [ld["path"], ld["version"]]
    for name, found in data["tools"].items():
        assert found is not None or rows[name] == ["absent"]
    (found,) = data["toolchains"]
    assert found["name"] == "here"
    missing = linkage("toolchains", "--toolchain", str(tmp_path / "rustc"))
    assert missing.returncode == 4
    assert missing.stderr.startswith("linkage: ")
    assert missing.stderr.count("\n") == 1
