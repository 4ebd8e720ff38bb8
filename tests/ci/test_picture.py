"""The picture in README: the output's text and colours, and nothing from a network."""

import io
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from picture import main, picture, remote_references

OUTPUT = "case  \x1b[1mstable\x1b[0m\n\x1b[32m1 pass\x1b[0m <&> " + "x" * 150 + "\n"


def _texts(svg: str) -> list[str]:
    root = ET.fromstring(svg)  # noqa: S314 - our own
    texts = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    return [text.replace("\N{NO-BREAK SPACE}", " ").strip() for text in texts]


def test_a_picture_shows_the_output_and_loads_nothing() -> None:
    svg = picture(OUTPUT, "linkage run cases")
    texts = _texts(svg)
    assert "linkage run cases" in texts
    assert "stable" in texts
    assert "1 pass" in texts
    assert sum(text.count("x") for text in texts) == 150
    assert remote_references(svg) == []
    assert "@font-face" not in svg
    assert picture(OUTPUT, "linkage run cases") == svg


def test_home_folder_is_shown_as_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert "~/.rustup/bin/rustc lib.rs" in _texts(picture("/home/somebody/.rustup/bin/rustc lib.rs\n", "x"))


def test_remote_references_are_seen() -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><image href="//x.org/a.png"/> url("https://y.org/f")</svg>'
    assert remote_references(svg) == ["//x.org/a.png", "https://y.org/f"]


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "docs/run.svg"
    monkeypatch.setattr("sys.stdin", io.StringIO(OUTPUT))
    assert main(["linkage run", str(target)]) == 0
    assert target.read_text() == picture(OUTPUT, "linkage run")
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert main(["linkage run", str(target)]) == 1
    assert main([]) == 4
    assert capsys.readouterr().err.startswith("picture: the command printed nothing\npicture: usage: ")
