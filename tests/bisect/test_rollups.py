"""From a rollup to its pull request, with the builds that a bot makes of each alone."""

from pathlib import Path

import pytest

from linkage.bisect.rollup import Build, read_builds
from linkage.cli import main
from linkage.errors import LinkageError
from support.nightly_server import NightlyServer
from support.rust_history import CULPRIT, RustHistory, bisect, put
from support.scripted_rustc import FAILS, FAILS_OTHERWISE

ONE, OTHER, THIRD = "1" * 40, "2" * 40, "3" * 40
WHOLE = "4" * 40
TITLE = "Move a (small) comment"
FIRST_FORM = f"""\
📌 Perf builds for each rolled up PR:

|PR# | Perf Build Sha|
|----|-----|
|#1108|[{OTHER}](https://github.com/rust-lang-ci/rust/commit/{OTHER})|
|#1107|[{ONE}](https://github.com/rust-lang-ci/rust/commit/{ONE})|

In the case of a perf regression, run the following command for each PR: `@rust-timer build $SHA`
"""
SECOND_FORM = f"""\
📌 Perf builds for each rolled up PR:

| PR# | Message | Perf Build Sha |
|----|----|:-----:|
|#1107|Give the shim to \\| all outputs|`{ONE}` ([link](https://github.com/rust-lang-ci/rust/commit/{ONE}))|
|#1108|Revert {WHOLE}|`{OTHER}` ([link](https://github.com/rust-lang-ci/rust/commit/{OTHER}))|
|#1109|Left out|❌ conflicts merging '[3333333333](https://x/{THIRD})' into previous master ❌|


*previous master*: [4444444444](https://github.com/rust-lang-ci/rust/commit/{WHOLE})
"""
THIRD_FORM = f"""\
:pushpin: Perf builds for each rolled up PR:

| PR# | Message | Perf Build Sha |
|----|----|:-----:|
|#1107|Give the shim|`{ONE}`<br>([link](https://github.com/rust-lang/rust/commit/{ONE}))|
|#1108|{TITLE}|`{OTHER}`<br>([link](https://github.com/rust-lang/rust/commit/{OTHER}))|
|#1109|Left out|:x: build [failed](https://github.com/rust-lang/rust/actions/runs/2) :x:|

*parent commit*: [4444444444](https://github.com/rust-lang/rust/commit/{WHOLE})
"""
BOTH = [Build(1107, ONE), Build(1108, OTHER)]


@pytest.mark.parametrize(
    ("text", "builds"),
    [
        (FIRST_FORM, BOTH),
        (SECOND_FORM, [*BOTH, Build(1109, None, "conflicts merging '3333333333' into previous master")]),
        (THIRD_FORM, [*BOTH, Build(1109, None, "build failed")]),
        (f"#1107 {ONE}\n1108: {OTHER}\n", BOTH),
        (f"# by hand\n\n| [#1107](https://x/1107) | {ONE} |\r\n#1108\tA title\t{OTHER} (link)\n", BOTH),
        # Two bots built it, and one of them could not.
        (f"|#1107|a|:x: build failed :x:|\n|#1107|a|`{ONE}`|\n|#1107|a|:x: x :x:|\n", BOTH[:1]),
    ],
)
def test_what_a_comment_lists(text: str, builds: list[Build]) -> None:
    found = read_builds(text, "x")
    assert sorted(found, key=lambda build: build.number) == builds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "x: lists no build of a pull request (help: paste the table"),
        ("see #1107\n", "x: lists no build of a pull request"),
        ("\n#1107 0123456\n", "x:2: has no commit for #1107 (help: write all 40 digits"),
        (f"#1107 {ONE}{ONE}\n", "x:1: has no commit for #1107"),
    ],
)
def test_a_comment_that_lists_none(text: str, told: str) -> None:
    with pytest.raises(LinkageError) as caught:
        read_builds(text, "x")
    assert str(caught.value).startswith(told)


def failing_for(size: int) -> str:
    """A compiler that fails for one variant of the case."""
    return f"for f; do case $f in *lib.rs) grep -q '{{ {size} }}' $f && {{ {FAILS}; }} ;; esac; done"


def ends(history: RustHistory, builds: str = FIRST_FORM) -> list[str]:
    Path("builds.md").write_text(builds)
    bounds = ["--good", history.commits[0], "--bad", history.commits[12]]
    return [*bounds, "--rust-src", str(history.clone), "--rollup-builds", "builds.md"]


def put_members(ci: NightlyServer, one: str, other: str) -> None:
    for commit, before in ((ONE, one), (OTHER, other)):
        put(ci, commit, ci.script(CULPRIT - 1, before))


def test_the_pull_request_is_named(ci: NightlyServer, history: RustHistory, tmp_path: Path) -> None:
    put_members(ci, ":", FAILS)
    (group,) = bisect(tmp_path, *ends(history))["groups"]
    (flip,) = group["flips"]
    assert (flip["before"]["name"], flip["after"]["name"]) == tuple(history.commits[6:8])
    assert [(one["number"], one["alone"], one["commit"]) for one in flip["members"]] == [
        (1107, False, ONE),
        (1108, True, OTHER),
    ]
    text = (tmp_path / "answer.md").read_text()
    assert f"## answer.yaml: 1 variant fails: introduced by #1108 {TITLE}\n" in text
    assert "pull/1107 Give the shim to all outputs: passes alone\n" in text
    assert f"pull/1108 {TITLE}: fails alone ({OTHER})\n" in text


def test_the_first_that_brings_it_is_enough(ci: NightlyServer, history: RustHistory, tmp_path: Path) -> None:
    put_members(ci, FAILS, FAILS)
    (flip,) = bisect(tmp_path, *ends(history), "--no-prefetch")["groups"][0]["flips"]
    assert [one["alone"] for one in flip["members"]] == [True, None]
    assert flip["members"][1]["why"] == "not needed: another one has the effect alone"
    assert not [path for path in ci.asked if OTHER in path]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (":", "- none of them has the effect alone: it takes several together"),
        (FAILS_OTHERWISE, "- one of those that could not be tried has it, or several together"),
    ],
)
def test_none_of_them_alone(
    ci: NightlyServer, history: RustHistory, tmp_path: Path, other: str, told: str
) -> None:
    put_members(ci, ":", other)
    bisect(tmp_path, *ends(history))
    lines = (tmp_path / "answer.md").read_text().splitlines()
    assert "## answer.yaml: 1 variant fails: introduced by #1207 Rollup of 2 pull requests" in lines
    assert told in lines
    if other != ":":
        assert any(f"{TITLE}: not tried alone: a different failure: lib: exit: " in line for line in lines)


def test_builds_that_are_gone_or_never_existed(
    ci: NightlyServer, history: RustHistory, tmp_path: Path
) -> None:
    del ci  # it serves
    builds = f"|#1107|a|`{ONE}`|\n|#1108|b|:x: build [failed](https://x/2) :x:|\n"
    (flip,) = bisect(tmp_path, *ends(history, builds))["groups"][0]["flips"]
    assert [one["alone"] for one in flip["members"]] == [None, None]
    assert flip["members"][0]["why"].startswith("not on the server: ")
    assert flip["members"][1]["why"] == "build failed"
    assert "could not be tried has it, or several" in (tmp_path / "answer.md").read_text()


def test_builds_that_are_known_later(
    ci: NightlyServer, history: RustHistory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the bisection said asks for the comment; nothing is tried again for it."""
    put_members(ci, FAILS, ":")
    words = ends(history)
    bisect(tmp_path, *words[:-2], "--session", "mine.log")
    told = next(line for line in capsys.readouterr().err.splitlines() if " is a rollup, and " in line)
    assert told.startswith(
        "#1207 Rollup of 2 pull requests is a rollup, and no builds of its pull requests are known "
        "(help: save the bot's comment in https://github.com/rust-lang/"
    )
    assert told.endswith("linkage bisect --resume mine.log --rollup-builds FILE)")
    Path("other.md").write_text(f"#4711 {ONE}\n")
    assert main(["bisect", "--resume", "mine.log", "--rollup-builds", "other.md"]) == 0
    assert "--rollup-builds lists no pull request of" in capsys.readouterr().err
    before = len(ci.asked)
    for more in (["--rollup-builds", "builds.md", "--no-prefetch"], []):
        assert main(["bisect", "--resume", "mine.log", *more]) == 0
        assert "## answer.yaml: 1 variant fails: introduced by #1107 Give the shim" in capsys.readouterr().out
    assert all(ONE in path for path in ci.asked[before:])


def test_cases_part_at_the_merge_and_at_the_pull_request(
    ci: NightlyServer, history: RustHistory, tmp_path: Path
) -> None:
    """Both variants fail since one nightly; one since another merge, and two others within a rollup."""
    case = tmp_path / "answer.yaml"
    case.write_text(case.read_text().replace("[1, 2]", "[1, 2, 3]"))
    third = failing_for(3)
    for number, commit in enumerate(history.commits):
        put(
            ci,
            commit,
            ci.script(number, f"{third if number >= 5 else ':'}; {FAILS if number >= CULPRIT else ':'}"),
        )
    put_members(ci, f"{third}; {failing_for(1)}", f"{third}; {failing_for(2)}")
    Path("builds.md").write_text(SECOND_FORM)
    words = ["--good", "2026-02-09", "--bad", "2026-02-12", "--rust-src", str(history.clone)]
    answer = bisect(tmp_path, *words, "--rollup-builds", "builds.md", case="answer.yaml")
    named = {
        tuple(group["variants"]): (
            group["flips"][0]["merges"][0]["pull"]["number"],
            [one["number"] for one in group["flips"][0]["members"] if one["alone"]],
        )
        for group in answer["groups"]
    }
    assert named == {
        ("answer.yaml[size=1]",): (1207, [1107]),
        ("answer.yaml[size=2]",): (1207, [1108]),
        ("answer.yaml[size=3]",): (1205, []),
    }


def test_a_clone_that_there_is_later(
    ci: NightlyServer, history: RustHistory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_members(ci, ":", FAILS)
    words = ["--good", "2026-02-09", "--bad", "2026-02-12", "--session", "mine.log"]
    bisect(tmp_path, *words)
    Path("builds.md").write_text(THIRD_FORM)
    more = ["--rust-src", str(history.clone), "--rollup-builds", "builds.md"]
    assert main(["bisect", "--resume", "mine.log", *more]) == 0
    assert f"## answer.yaml: 1 variant fails: introduced by #1108 {TITLE}\n" in capsys.readouterr().out


def test_find_what_fixed_it(ci: NightlyServer, history: RustHistory, tmp_path: Path) -> None:
    for number, commit in enumerate(history.commits):
        put(ci, commit, ci.script(number, FAILS if number < CULPRIT else ":"))
    put_members(ci, FAILS, ":")
    words = ends(history)
    words[0], words[2] = words[2], words[0]
    bisect(tmp_path, *words, "--regress", "fixed")
    text = (tmp_path / "answer.md").read_text()
    assert f"## answer.yaml: 1 variant passes: fixed by #1108 {TITLE}\n" in text
    assert "Give the shim to all outputs: fails alone\n" in text


def test_wrong_words(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("builds.md").write_text(FIRST_FORM)
    for words, told in (
        (
            ["--rollup-builds", "builds.md", "--no-github"],
            "--rollup-builds: needs the history of rust-lang/rust",
        ),
        (["--rollup-builds", "none.md"], "none.md: cannot be read: "),
        (["--rollup-builds", case], "answer.yaml: lists no build of a pull request"),
    ):
        assert main(["bisect", case, *words]) == 4
        error = capsys.readouterr().err
        assert error.startswith(f"linkage: {told}")
        assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("one", "effects"), [(":", [False, True]), (FAILS, [None, None])], ids=["alone", "like all others"]
)
def test_a_rollup_that_is_one_of_several_candidates(
    ci: NightlyServer, history: RustHistory, tmp_path: Path, one: str, effects: list[bool | None]
) -> None:
    """The merge before it cannot be tried: only a build that differs from another one of it is proof."""
    put_members(ci, one, FAILS)
    for path in [path for path in ci.files if history.commits[6] in path]:
        del ci.files[path]
    (flip,) = bisect(tmp_path, *ends(history))["groups"][0]["flips"]
    assert {merge["pull"]["number"] for merge in flip["merges"]} == {1206, 1207}
    assert [member["alone"] for member in flip["members"]] == effects
    text = (tmp_path / "answer.md").read_text()
    if effects == [False, True]:
        assert "introduced by #1108" in text
    else:
        assert "fails like all others: the cause may be older" in text
