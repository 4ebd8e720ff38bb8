"""Merges, pull requests and builds from GitHub's API: what it documents, its limits and errors included."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkage.bisect.clone import Clone
from linkage.bisect.github import GitHub, open_history
from linkage.bisect.github_api import GitHubApi
from linkage.bisect.merges import Merge, Pull
from linkage.bisect.rollup import Build
from linkage.cli import main
from linkage.errors import LinkageError
from support.github_server import GitHubServer, Refusal, serve_github
from support.nightly_server import NightlyServer
from support.rust_history import CULPRIT, RustHistory, bisect, git, put
from support.scripted_rustc import FAILS

ONE, OTHER = "1" * 40, "2" * 40
LIST = f"Perf builds for each rolled up PR:\n\n|PR#|Message|Sha|\n|#1107|A|`{ONE}`|\n|#1108|B|`{OTHER}`|\n"


@pytest.fixture
def github(history: RustHistory, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubServer]:
    """GitHub, which knows the history."""
    monkeypatch.setattr("linkage.bisect.github_api.PAUSE", 0.01)
    with serve_github(history.clone) as server:
        yield server


def ask(server: GitHubServer, folder: Path, token: str | None = None) -> tuple[GitHub, list[str]]:
    said: list[str] = []
    return GitHub(GitHubApi(server.url, token, folder / "answers", said.append)), said


@pytest.mark.parametrize("per_page", [100, 2])
def test_github_and_a_clone_give_the_same_merges(
    github: GitHubServer, history: RustHistory, tmp_path: Path, per_page: int
) -> None:
    """The commit that somebody pushed by hand is on the way, and those of pull requests are not."""
    github.per_page = per_page
    found, _ = ask(github, tmp_path)
    for old, new in ((0, 12), (3, 5), (6, 7)):
        ends = history.commits[old], history.commits[new]
        assert found.between(*ends) == Clone(history.clone).between(*ends)
    assert found.between(history.commits[3], history.commits[3]) == []
    assert found.commit(history.commits[3][:12]) == history.commits[3]


def test_what_cannot_change_is_asked_once(github: GitHubServer, history: RustHistory, tmp_path: Path) -> None:
    ends = history.commits[0], history.commits[12]
    first = ask(github, tmp_path)[0].between(*ends)
    asked = len(github.asked)
    assert ask(github, tmp_path)[0].between(*ends) == first
    assert len(github.asked) == asked


def test_what_can_change_is_asked_again_and_costs_nothing(github: GitHubServer, tmp_path: Path) -> None:
    github.comments[1207] = [("somebody", LIST), ("rust-timer", "Queued."), ("rust-timer", LIST)]
    found, _ = ask(github, tmp_path)
    builds = (Build(1107, ONE), Build(1108, OTHER))
    assert found.builds(Pull(1207)) == builds
    assert found.builds(Pull(1207)) == builds
    assert [one.startswith("304 ") for one in github.asked] == [False, True]
    github.comments[1207].append(("rust-bors[bot]", "Perf builds for each rolled up PR\n#1109 " + "3" * 40))
    assert found.builds(Pull(1207)) == (*builds, Build(1109, "3" * 40))
    assert found.builds(Pull(1)) == ()


def test_only_a_bot_is_believed(github: GitHubServer, tmp_path: Path) -> None:
    github.comments[1207] = [("somebody", LIST)]
    assert ask(github, tmp_path)[0].builds(Pull(1207)) == ()


def test_a_release_began_on_the_main_branch(
    github: GitHubServer, history: RustHistory, tmp_path: Path
) -> None:
    clone = history.clone
    if not git(clone, "tag", "--list", "1.96.0"):
        git(clone, "checkout", "-q", "-b", "stable", history.commits[8])
        git(clone, "commit", "-q", "--allow-empty", "-m", "a backport")
        git(clone, "tag", "1.96.0")
        git(clone, "checkout", "-q", "main")
    assert ask(github, tmp_path)[0].merge_base("1.96.0") == history.commits[8]
    assert Clone(clone).merge_base("1.96.0") == history.commits[8]


def test_a_token_goes_to_github_alone(github: GitHubServer, history: RustHistory, tmp_path: Path) -> None:
    ask(github, tmp_path, "secret")[0].commit(history.commits[0])
    assert github.tokens == ["Bearer secret"]
    assert not any(b"secret" in file.read_bytes() for file in (tmp_path / "answers").iterdir())


@pytest.mark.parametrize(
    ("refusals", "message"),
    [
        (
            [Refusal(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{time.time() + 3000:.0f}"})],
            r": no more requests are allowed until \d\d:\d\d UTC \(help: try again then, or set GITHUB_TOKEN",
        ),
        ([Refusal(429, {"Retry-After": "3000"})], r": no more requests are allowed until \d\d:\d\d UTC"),
        ([Refusal(403)], r": refuses to answer \(HTTP status 403\) \(help: check the proxy and GITHUB_TOKEN"),
        ([Refusal(401)], r"GITHUB_TOKEN: refuses the token \(help: renew it, or unset it\)"),
        ([Refusal(502)] * 3, r": does not answer: HTTP status 502 \(help: try again later, or name a clone"),
        ([Refusal(404)], r"GitHub: has no commit .* \(help: give its full hash\)"),
        ([Refusal(422)], r"GitHub: has no commit "),
    ],
)
def test_a_refusal_is_one_line(
    github: GitHubServer, history: RustHistory, tmp_path: Path, refusals: list[Refusal], message: str
) -> None:
    github.refusals = list(refusals)
    with pytest.raises(LinkageError, match=message) as caught:
        ask(github, tmp_path)[0].commit(history.commits[0])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(429, {"Retry-After": "1"}),
        Refusal(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{time.time():.0f}"}),
        Refusal(500),
    ],
)
def test_a_short_wait_is_waited_for(
    github: GitHubServer, history: RustHistory, tmp_path: Path, refusal: Refusal
) -> None:
    github.refusals = [refusal]
    found, said = ask(github, tmp_path)
    assert found.commit(history.commits[0]) == history.commits[0]
    assert said == ([] if refusal.status == 500 else [f"{github.url}: waiting 1 s, as GitHub asks"])


def test_response_that_is_not_json(github: GitHubServer, history: RustHistory, tmp_path: Path) -> None:
    github.refusals = [Refusal(200)]
    with pytest.raises(LinkageError, match="GitHub: its answer cannot be read: "):
        ask(github, tmp_path)[0].commit(history.commits[0])


def test_a_clone_goes_before_github(history: RustHistory) -> None:
    assert open_history(str(history.clone), {}, print, ask=True) == Clone(history.clone)
    assert open_history(None, {}, print, ask=False) is None


def test_from_the_nightly_to_the_pull_request_without_a_clone(
    ci: NightlyServer,
    github: GitHubServer,
    history: RustHistory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    github.comments[1207] = [("rust-timer", LIST)]
    for commit, before in ((ONE, ":"), (OTHER, FAILS)):
        put(ci, commit, ci.script(CULPRIT - 1, before))
    answer = bisect(tmp_path, "--good", "2026-02-09", "--bad", "2026-02-12")
    (flip,) = answer["groups"][0]["flips"]
    assert (flip["before"]["name"], flip["after"]["name"]) == (history.commits[6], history.commits[7])
    assert [(one["number"], one["alone"]) for one in flip["members"]] == [(1107, False), (1108, True)]
    text = (tmp_path / "answer.md").read_text()
    assert "## answer.yaml: 1 variant fails: introduced by #1108 Move a (small) comment\n" in text


def test_the_first_merge_after_a_nightly(
    ci: NightlyServer,
    github: GitHubServer,
    history: RustHistory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One side is a nightly and the other is not; both are rust-lang's."""
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    for number in range(2, 13):
        put(ci, history.commits[number], ci.script(number, FAILS))
    (flip,) = bisect(tmp_path, "--good", "2026-02-09", "--bad", "2026-02-12")["groups"][0]["flips"]
    assert (flip["before"]["name"], flip["after"]["name"]) == (history.commits[1], history.commits[2])
    assert not [one for one in flip["differs_beside_rustc"] if one.startswith("std: ")]
    # cargo-bisect-rustc refuses a date beside a commit.
    told = "reproduce with: `cargo bisect-rustc --start=2026-02-10 --end=2026-02-11 --script=./repro.sh`\n"
    assert told in (tmp_path / "answer.md").read_text()


def test_expired_artifacts_are_not_requested_one_by_one(
    ci: NightlyServer,
    github: GitHubServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The nightly stays the answer, and all merges are candidates."""
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    for path in [path for path in ci.files if path.startswith("/rustc-builds/")]:
        del ci.files[path]
    answer = bisect(tmp_path, "--good", "2026-02-09", "--bad", "2026-02-12")
    (flip,) = answer["groups"][0]["flips"]
    assert flip["after"]["name"] == "nightly-2026-02-11"
    assert [one["pull"]["number"] for one in flip["merges"]] == list(range(1202, 1213))
    gone = "the compilers of the merges between nightly-2026-02-10 and nightly-2026-02-11 are gone"
    assert capsys.readouterr().err.count(gone) == 1
    assert gone in (tmp_path / "answer.md").read_text()
    assert len({path for path in ci.asked if path.startswith("/rustc-builds/")}) <= 4


def test_without_github_the_nightly_is_the_answer(
    ci: NightlyServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del ci  # it serves
    answer = bisect(tmp_path, "--good", "2026-02-09", "--bad", "2026-02-12")
    (flip,) = answer["groups"][0]["flips"]
    assert (flip["after"]["name"], flip["merges"]) == ("nightly-2026-02-11", [])
    assert "could not be listed (help: linkage bisect --resume)" in (tmp_path / "answer.md").read_text()
    assert "http://127.0.0.1:9: does not answer: " in capsys.readouterr().err


def test_a_date_beside_a_commit_is_its_nightlys_commit(
    ci: NightlyServer,
    github: GitHubServer,
    history: RustHistory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    name = "/dist/2026-02-10/channel-rust-nightly-git-commit-hash.txt"
    ci.files[name] = f"{history.commits[1]}\n".encode()
    answer = bisect(tmp_path, "--good", "2026-02-10", "--bad", history.commits[12])
    assert answer["range"] == {"kind": "merge", "old": history.commits[1], "new": history.commits[12]}
    (flip,) = answer["groups"][0]["flips"]
    assert flip["after"]["name"] == history.commits[7]
    words = ["bisect", "answer.yaml", "--good", "2026-02-09", "--bad", history.commits[12]]
    assert main(words) == 4


def test_a_rollup_without_a_list_is_completed_from_its_own_merges(
    github: GitHubServer, tmp_path: Path
) -> None:
    clone = github.clone
    tip = git(clone, "rev-parse", "main")
    git(clone, "checkout", "-q", "--detach", tip)
    for number in (1, 2):
        git(clone, "checkout", "-q", "-B", "piece", tip)
        git(clone, "commit", "-q", "--allow-empty", "-m", f"piece {number}", author="somebody")
        git(clone, "checkout", "-q", "-B", "roll", tip if number == 1 else "roll")
        git(
            clone,
            "merge",
            "-q",
            "--no-ff",
            "piece",
            "-m",
            f"Rollup merge of #{number} - a:b, r=c\n\nPiece {number}",
        )
    git(clone, "checkout", "-q", "--detach", tip)
    git(
        clone,
        "merge",
        "-q",
        "--no-ff",
        "roll",
        "-m",
        "Auto merge of #9 - x:rollup-z, r=x\n\nRollup of 2 pull requests",
    )
    new = git(clone, "rev-parse", "HEAD")
    git(clone, "checkout", "-q", "main")
    (merge,) = ask(github, tmp_path)[0].between(tip, new)
    assert merge.rolled_up == (Pull(1, "Piece 1"), Pull(2, "Piece 2"))
    assert Clone(clone).between(tip, new) == [merge]
    assert isinstance(merge, Merge)
