"""The table of sources is total: each fits the protocol, and each documented spec belongs to one of them."""

import inspect
import re
from pathlib import Path

import pytest

from linkage.errors import ToolchainError
from linkage.toolchain import sources
from linkage.toolchain.sources import SOURCES, InstallOptions, SourceModule, source_of

ROOT = Path(__file__).parents[3]
FOLDER = Path(sources.__file__).parent
OPERATIONS = {
    name: inspect.signature(member)
    for name, member in vars(SourceModule).items()
    if inspect.isfunction(member) and not name.startswith("_")
}
WRAPPED = {"$RUSTC", "name=SPEC"}
"""Forms that contain another spec, which `resolve` takes out."""


def documented() -> list[str]:
    """The forms of a spec in the first table of docs/toolchains.md."""
    text = (ROOT / "docs/toolchains.md").read_text("utf-8")
    table = next(part for part in text.split("\n\n") if part.startswith("| | |"))
    return [form for row in table.splitlines() for form in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_every_source_is_in_the_table() -> None:
    shared = {"__init__", "protocol", "rust_src", "staging", "std_build"}
    modules = {
        path.stem for path in FOLDER.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert modules - shared == {source.NAME for source in SOURCES}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.NAME)
def test_each_source_can_do_all(source: SourceModule) -> None:
    assert OPERATIONS.keys() == {"claims", "locate", "discover", "check", "install", "remove"}
    for name, expected in OPERATIONS.items():
        signature = inspect.signature(getattr(source, name))
        assert len(signature.parameters) == len(expected.parameters) - 1, name  # without `self`


@pytest.mark.parametrize("spec", [form for form in documented() if form not in WRAPPED])
def test_a_documented_spec_belongs_to_one_source(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    env = {"HOME": str(tmp_path), "PATH": ""}
    assert [source.NAME for source in SOURCES if source.claims(spec, env)] == [expected(spec)]


def expected(spec: str) -> str:
    if spec.startswith("debian:"):
        return "debian"
    return "path" if "/" in spec else "rustup"


def test_the_documents_have_a_form_of_each_source() -> None:
    assert {expected(spec) for spec in documented()} == {source.NAME for source in SOURCES}
    assert set(documented()) >= WRAPPED


def test_a_name_that_rustup_knows_is_rustups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of that name is written with `./`, as the message says."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stable").mkdir()
    (tmp_path / "stage1").mkdir()
    env = {"HOME": str(tmp_path), "PATH": ""}
    owners = {spec: source_of(spec, env) for spec in ("stable", "./stable", "stage1", "sable")}
    assert {spec: owner and owner.NAME for spec, owner in owners.items()} == {
        "stable": "rustup",
        "./stable": "path",
        "stage1": "path",
        "sable": None,
    }
    with pytest.raises(ToolchainError) as caught:
        SOURCES[0].locate("stable", env)
    assert str(caught.value) == (
        "toolchain stable: not installed; found: none "
        "(help: linkage toolchains install stable, or write ./stable)"
    )


def test_the_rustc_on_path_is_for_a_machine_without_another(tmp_path: Path) -> None:
    rustc = tmp_path / "rustc"
    rustc.write_text("#!/bin/sh\n")
    rustc.chmod(0o755)
    _, path, _ = SOURCES
    env = {"PATH": str(tmp_path)}
    assert path.discover(env, {}) == {"rustc": rustc}
    assert path.discover(env, {"stable": Path("/other")}) == {}


@pytest.mark.parametrize("act", ["check", "install", "remove"])
def test_nothing_is_installed_at_a_path(act: str) -> None:
    _, path, _ = SOURCES
    more: dict[str, tuple[object, ...]] = {
        "check": (), "install": (InstallOptions(), {}, print), "remove": ({}, print),
    }  # fmt: skip
    with pytest.raises(ToolchainError, match="toolchain /usr/bin/rustc: cannot be installed: "):
        getattr(path, act)("/usr/bin/rustc", *more[act])
