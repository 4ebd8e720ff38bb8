"""Bisections in a whole world on this machine, disturbed in every way: the answers are right.

`LINKAGE_FULL_SIZE=1` makes it as large as the real one: whole toolchains, and 30 kills. `LINKAGE_SEED`
chooses other moments for them.
"""

import itertools
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from linkage.toolchain import Located
from support.bisect_world import CASES, ENDS, LOG, MISSING, BisectWorld, bisect_world
from support.github_server import Refusal
from support.mounts import can_mount, in_namespace
from support.rust_history import HOST

FULL = os.environ.get("LINKAGE_FULL_SIZE") == "1"
SEED = int(os.environ.get("LINKAGE_SEED", "13"))
KILLS = 30 if FULL else 10
LIMIT = 3600 if FULL else 900
"""Seconds for all."""
COMMAND = [sys.executable, "-m", "linkage", "bisect"]
WRITTEN = ("-o", "answer.md", "--json", "answer.json", "--stall", "30" if FULL else "10")
GUIDE = (Path(__file__).parents[2] / "docs/bisect.md").read_text(encoding="utf-8")
HOW = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


@pytest.fixture
def world(
    own_rustup: Path, found_toolchains: list[Located], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BisectWorld]:
    del own_rustup
    with_linker = [
        one.rustc
        for one in found_toolchains
        if (one.rustc.parent.parent / "lib/rustlib" / HOST / "bin/gcc-ld").is_dir()
    ]
    if not with_linker:
        pytest.skip("there is no toolchain of rustup here that has its own linker")
    with bisect_world(tmp_path, with_linker[0], full=FULL) as found:
        monkeypatch.setenv("RUSTUP_DIST_SERVER", found.nightlies.url)
        monkeypatch.setenv("LINKAGE_CI_SERVER", found.nightlies.url)
        monkeypatch.setenv("GITHUB_API_URL", found.github.url)
        yield found


@dataclass
class Kills:
    """Bisections that are killed at random moments."""

    world: BisectWorld
    choose: random.Random
    count: int = 0
    rounds: int = 0
    horizon: float = 12.0 if FULL else 4.0
    """Seconds within which a process is killed; more if it does not get on."""
    moments: list[tuple[str, float]] = field(default_factory=list)

    def run(self, *, undisturbed: bool = False) -> int | None:
        """Start or resume, and kill; the exit status if it ended by itself before."""
        log = self.world.folder / LOG
        words = (
            ["--resume", LOG]
            if begun(log)
            else [*(f"{name}.yaml" for name in CASES), *ENDS, "--session", LOG]
        )
        known = len(log.read_bytes()) if log.exists() else 0
        self.world.disturb(self.choose)
        process = subprocess.Popen([*COMMAND, *words, *WRITTEN], stderr=subprocess.PIPE, text=True)
        how = self.choose.choice(HOW)
        after = self.choose.uniform(0.1, self.horizon)
        if not undisturbed:
            try:
                process.wait(after)
            except subprocess.TimeoutExpired:
                process.send_signal(how)
        err = process.communicate(timeout=LIMIT)[1]
        if process.returncode in (0, 1, 4, 6):
            assert process.returncode == 0, err
            return 0
        assert process.returncode == (-how if how is signal.SIGKILL else 2), err
        self.count += 1
        self.moments.append((how.name, round(after, 2)))
        got_on = log.exists() and len(log.read_bytes()) > known
        self.horizon = min(40.0, self.horizon * (0.95 if got_on else 1.3))
        return None


def begun(log: Path) -> bool:
    """Whether a session can be resumed: it was killed after its first line."""
    if log.exists() and "start " in log.read_text():
        return True
    log.unlink(missing_ok=True)
    return False


def plain(answer: str) -> list[str]:
    """An answer as the guide shows it, without what depends on the machine and on how often it was killed."""
    text = re.sub(r"<details>.*?</details>\n", "", answer, flags=re.DOTALL)
    text = re.sub(r"- differences between the outputs:\n(  - .*\n)+", "", text)
    text = re.sub(r"(differs beside rustc: linker|host triple|bisected with|Searched).*", r"\1", text)
    return [line for line in text.splitlines() if line]


def in_guide(command: str) -> list[str]:
    """The answer that the guide shows below a command."""
    shown = GUIDE.partition(f"\n    linkage bisect {command}\n\n")[2]
    quoted = itertools.takewhile(lambda line: line.startswith(">"), shown.splitlines())
    return plain("\n".join(line[2:] for line in quoted))


def check(world: BisectWorld) -> None:
    """Each of the three changes has its cause."""
    answer = world.answer()
    assert plain((world.folder / "answer.md").read_text()) == in_guide(
        " ".join(["allocator.yaml linker.yaml flaky.yaml", *ENDS])
    )
    text = (world.folder / "answer.md").read_text()
    found = {group["variants"][0]: group["flips"] for group in answer["groups"]}
    assert set(found) == {"allocator.yaml", "linker.yaml"}, text
    commits = world.history.commits
    (flip,) = found["allocator.yaml"]
    assert (flip["before"]["name"], flip["after"]["name"]) == (commits[11], commits[12])
    assert [(one["number"], one["alone"]) for one in flip["members"]] == [(1107, False), (1108, True)]
    (flip,) = found["linker.yaml"]
    assert (flip["before"]["name"], flip["after"]["name"]) == (commits[4], commits[5])
    assert "introduced by the linker that nightly-2026-02-06 uses, not by rustc\n" in text
    assert "pull/1205" not in text
    (flaky,) = answer["flaky"]
    assert flaky["variant"] == "flaky.yaml"
    assert "differs beside rustc: std" not in text
    assert flaky["runs"] == ["fails: lib: exit: error: the shim is missing", "passes"]
    assert not answer["not_searched"]
    lines = (world.folder / LOG).read_text().splitlines()
    assert not [line for line in lines if line.startswith("skip ")]
    assert {line.split()[1][-2:] for line in lines if line.startswith("missing ")} <= set(MISSING)


@pytest.mark.parametrize("room", [0.5, 1.4], ids=["download", "unpacking"])
@pytest.mark.timeout(LIMIT)
def test_a_disk_that_is_full_in_the_middle_of_an_installation(world: BisectWorld, room: float) -> None:
    """There is room for so many toolchains, and much more when somebody has removed a file."""
    if not can_mount():
        pytest.skip("nothing can be mounted here: it needs root, or `unshare -rm`")
    place = world.folder / "cache/bisect"
    place.mkdir(parents=True)
    size = world.nightlies.unpacked
    script = """
        place=$1 size=$2 ballast=$3; shift 3
        mount -t tmpfs -o size="$size" none "$place"
        head -c "$ballast" /dev/zero > "$place/ballast"
        "$@" && exit 99
        echo "status $?" >&2
        rm "$place/ballast"
        exec $RESUME
    """
    words = ["allocator.yaml", *ENDS, "--no-github", "--no-prefetch", "--session", LOG]
    limit = f"--disk-limit={3 * size}"
    resumed = [*COMMAND, "--resume", LOG, limit, *WRITTEN]
    command = [str(place), str(7 * size), str(int((7 - room) * size)), *COMMAND, *words, limit, *WRITTEN]
    done = subprocess.run(
        in_namespace(script, command),
        env={**os.environ, "RESUME": " ".join(resumed)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "toolchains: the disk is full (help: free disk space" in done.stderr
    assert "status 4" in done.stderr
    (flip,) = world.answer()["groups"][0]["flips"]
    assert (flip["before"]["name"], flip["after"]["name"]) == ("nightly-2026-02-09", "nightly-2026-02-10")
    lines = (world.folder / LOG).read_text().splitlines()
    assert not [line for line in lines if line.startswith("skip ")]
    assert {line.split()[1][-2:] for line in lines if line.startswith("missing ")} <= set(MISSING)


def check_limited(world: BisectWorld) -> None:
    """Without GitHub, and as long as GitHub answers nothing more, the nightly is the answer."""

    def asked(*words: str) -> str:
        subprocess.run([*COMMAND, *words, *WRITTEN], check=True)
        return (world.folder / "answer.md").read_text()

    words = ("allocator.yaml", *ENDS)
    nightly = plain(asked(*words, "--no-github", "--session", "nightly.log"))
    assert nightly == in_guide(" ".join([*words, "--no-github"]))
    shutil.rmtree(world.folder / "cache/bisect/github")
    in_an_hour = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{time.time() + 3600:.0f}"}
    world.github.refusals = [Refusal(403, in_an_hour)]
    note = "the merges between nightly-2026-02-09 and nightly-2026-02-10 could not be listed (help: linkage"
    limited = asked(*words, "--session", "limited.log")
    assert plain(limited)[:-1] == nightly
    assert note in limited.splitlines()[-1]
    text = asked("--resume", "limited.log")
    assert "\nregressed pull request: https://github.com/rust-lang/rust/pull/1108\n" in text
    assert note not in text


@pytest.mark.timeout(LIMIT)
def test_the_answers_are_right_whatever_interrupts(world: BisectWorld) -> None:
    """One session after another, each killed at random moments until it has its answer."""
    kills = Kills(world, random.Random(SEED))  # noqa: S311 - to be repeated
    began = time.monotonic()
    while kills.count < KILLS:
        if kills.run() == 0:
            check(world)
            kills.rounds += 1
            (world.folder / LOG).unlink()
            shutil.rmtree(world.folder / "cache/bisect")
    if begun(world.folder / LOG):
        assert kills.run(undisturbed=True) == 0
        check(world)
        kills.rounds += 1
    check_limited(world)
    took, size = time.monotonic() - began, world.nightlies.unpacked >> 20
    told = f"seed {SEED}: {kills.count} kills in {kills.rounds} sessions, {size} MB a toolchain, {took:.0f} s"
    print(f"{told}: {kills.moments}")  # noqa: T201 - for those who run it with -s
