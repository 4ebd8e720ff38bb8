"""The level of merges: a history as rust-lang/rust's, with rollups, and a server of CI artifacts."""

import shutil
import tarfile
from pathlib import Path

import pytest

from linkage.bisect.clone import Clone
from linkage.bisect.merges import Pull, rolled_up
from linkage.errors import LinkageError
from support.nightly_server import NightlyServer
from support.rust_history import ROLLUP, RustHistory, bisect, put
from support.scripted_rustc import FAILS_OTHERWISE


def test_the_merge_and_its_rollup_are_named(ci: NightlyServer, history: RustHistory, tmp_path: Path) -> None:
    ends = ["--good", history.commits[0], "--bad", history.commits[12][:10], "--rust-src", str(history.clone)]
    answer = bisect(tmp_path, *ends)
    (group,) = answer["groups"]
    (flip,) = group["flips"]
    assert (flip["before"]["name"], flip["after"]["name"]) == tuple(history.commits[6:8])
    (merge,) = flip["merges"]
    assert merge["pull"]["link"] == "https://github.com/rust-lang/rust/pull/1207"
    assert [one["number"] for one in merge["rolled_up"]] == [1107, 1108]
    asked = [path for path in ci.asked if "/rustc-nightly" in path and path.endswith(".gz from 0")]
    assert len(asked) == len(set(asked))
    text = (tmp_path / "answer.md").read_text()
    assert "## answer.yaml: 1 variant fails: introduced by #1207 Rollup of 2 pull requests" in text
    assert "    - https://github.com/rust-lang/rust/pull/1107 Give the shim to all outputs" in text


def test_from_the_nightly_to_the_merge(ci: NightlyServer, history: RustHistory, tmp_path: Path) -> None:
    del ci  # it serves
    if shutil.which("rustup") is None:
        pytest.skip("there is no rustup here")
    answer = bisect(tmp_path, "--good", "2026-02-09", "--bad", "2026-02-12", "--rust-src", str(history.clone))
    (flip,) = answer["groups"][0]["flips"]
    assert flip["before"]["name"] == history.commits[6]
    assert flip["after"]["name"] == history.commits[7]
    assert flip["after"]["version"] == "in nightly-2026-02-11"
    compare = f"https://github.com/rust-lang/rust/compare/{history.commits[6]}...{history.commits[7]}"
    assert flip["compare"] == compare


def test_absent_wrong_or_damaged_artifacts_are_skipped(
    ci: NightlyServer, history: RustHistory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The four merges around the culprit cannot be tried: all that it can be are named."""
    gone, wrong, damaged, other = (history.commits[number] for number in (5, 6, 7, 8))
    for path in [path for path in ci.files if gone in path]:
        del ci.files[path]
    for path in [path for path in ci.files if wrong in path]:
        ci.files[f"{path}.sha256"] = f"{'0' * 64}  x\n".encode()
    for path in [path for path in ci.files if damaged in path]:
        ci.files[path] = ci.files[path][:200]
    put(ci, other, ci.script(8, FAILS_OTHERWISE))
    ends = ["--good", history.commits[0], "--bad", history.commits[12], "--rust-src", str(history.clone)]
    (flip,) = bisect(tmp_path, *ends)["groups"][0]["flips"]
    assert (flip["before"]["name"], flip["after"]["name"]) == (history.commits[4], history.commits[9])
    assert {one["pull"]["number"] for one in flip["merges"]} == {1205, 1206, 1207, 1208, 1209}
    said = capsys.readouterr().err
    assert f"{gone}: skipped: not on the server" in said
    assert f"{wrong}: skipped: cannot be downloaded: " in said
    assert "has not the hash that its server publishes" in said
    assert "cannot be unpacked" in said
    assert f"{other}: skip: answer.yaml[size=1]: a different failure" in said


@pytest.mark.parametrize("name", ["x/rustc/../../../../outside", "/tmp/linkage-outside", "x/rustc/link"])
def test_an_archive_cannot_write_elsewhere(
    ci: NightlyServer, history: RustHistory, tmp_path: Path, name: str
) -> None:
    evil = tarfile.TarInfo(name)
    if name.endswith("link"):
        evil.type, evil.linkname = tarfile.SYMTYPE, "/etc"
    put(ci, history.commits[6], ci.script(6), [evil])
    ends = ["--good", history.commits[5], "--bad", history.commits[7], "--rust-src", str(history.clone)]
    (flip,) = bisect(tmp_path, *ends)["groups"][0]["flips"]
    assert "cannot be unpacked" in flip["skipped"][0]["why"]
    assert not list(tmp_path.rglob("outside")) + list(Path("/tmp").glob("linkage-outside"))


def test_only_the_bots_merges_have_artifacts(history: RustHistory) -> None:
    found = Clone(history.clone).between(history.commits[0], history.commits[12])
    assert [one.commit for one in found] == history.commits[1:]
    assert found[0].pull == Pull(1201, "Change number 1")
    assert str(found[6]) == "#1207 Rollup of 2 pull requests"


def test_what_a_rollup_lists() -> None:
    subject, _, body = ROLLUP.partition("\n")
    assert rolled_up(subject, body) == (
        Pull(1107, "Give the shim to all outputs"),
        Pull(1108, "Move a (small) comment"),
    )
    assert rolled_up("Auto merge of #1 - x:y, r=z", "A change\n\n - #2 (mentioned)") == ()


def test_a_clone_that_lacks_a_commit(history: RustHistory, tmp_path: Path) -> None:
    with pytest.raises(
        LinkageError, match=r"has no commit 0123456789 \(help: git -C .* fetch origin --tags\)"
    ):
        Clone(history.clone).between("0123456789", history.commits[1])
    with pytest.raises(LinkageError, match="is not an ancestor of"):
        Clone(history.clone).between(history.commits[2], history.commits[1])
    with pytest.raises(LinkageError, match="has no commit"):
        Clone(tmp_path).between(history.commits[2], history.commits[1])
