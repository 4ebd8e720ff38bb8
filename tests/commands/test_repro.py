"""The reproduction script: run with a real shell and a real rustc, it shows what the harness found."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.plan.shell import pattern, printed, quoted, text_printed, written
from linkage.plan.template import WORK, Captured, Template
from support.command_fixtures import Linkage

CASE = (Path(__file__).parent / "odd.case").read_text()
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def _script(linkage: Linkage, folder: Path, case: str) -> Path:
    (folder / "odd.yaml").write_text(case)
    done = linkage("repro", "odd.yaml[word=two_words]", "-o", "repro.sh", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder / "repro.sh"


def _run(script: Path, shell: str = "sh", **env: str) -> "subprocess.CompletedProcess[str]":
    plain = {"PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": str(script.parent), **env}
    return subprocess.run([shell, script], env=plain, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.usefixtures("rustc")
def test_every_kind_of_step_is_carried_out(linkage: Linkage, tmp_path: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"this machine has no {shell}")
    done = _run(_script(linkage, tmp_path, CASE), shell)
    assert done.stdout.endswith("\neverything is as expected\n"), done
    assert done.returncode == 0
    assert "42 50% \\n in it's $HOME; two words|" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "said", "last"),
    [
        ("{ 42 }", "{ 4x2 }", "lib: exit status 1, expected: 0", "rustc lib.rs"),
        ("exit: 1\n", "exit: 2\n", "second: exit status 1, expected: 2", "./prog '<"),
        ("exit: fails, ", "", "b: exit status 2, expected: 0", "ls 'sub dir/nothing' &"),
        ("SIGABRT", "fails", "aborts: exit status 134, expected: a failure, but not a crash", "kill"),
    ],
)
@pytest.mark.usefixtures("rustc")
def test_script_stops_after_the_same_step_as_the_harness(
    linkage: Linkage, tmp_path: Path, old: str, new: str, said: str, last: str
) -> None:
    assert CASE.count(old) == 1
    done = _run(_script(linkage, tmp_path, CASE.replace(old, new)))
    assert done.returncode == 1
    assert f"unexpected: {said}" in done.stdout
    assert done.stdout.count("unexpected: ") == 1
    assert last in done.stdout.rpartition("+ ")[2]
    assert "everything is as expected" not in done.stdout


@pytest.mark.usefixtures("rustc")
def test_every_claim_that_does_not_hold_is_shown(linkage: Linkage, tmp_path: Path) -> None:
    changed = CASE
    for old, new, _ in (changes := (
        ("size: 3\n", "size: 1\n", "a: stdout.contains: claimed: "),
        ("none: [question]", "none: ['ans*']", "lib: lib.staticlib.defines.none: claimed: "),
        ("{all: [answer], none", "{all: [ques?ion], none", "lib: lib.staticlib.defines.all: claimed: "),
        ('stderr: "said\\n"', 'stderr: "unsaid\\n"', "first: stderr.equals: claimed: "),
        (
            "undefined: {none: [", "sections: [.nowhere], undefined: {none: [",
            "lib: lib.staticlib.sections.all: claimed: has .nowhere; found with 1.",
        ),
        (
            "undefined: {none: [", "members: {only: ['tiny*']}, undefined: {none: [",
            "lib: lib.staticlib.members.only: claimed: ",
        ),
    )):  # fmt: skip
        assert changed.count(old) == 1
        changed = changed.replace(old, new)
    script = _script(linkage, tmp_path, changed)
    done = _run(script)
    assert done.returncode == 1
    for _, _, shown in changes:
        assert f"unexpected: {shown}" in done.stdout
    assert "kill -ABRT" in done.stdout  # none of them ends the variant
    assert "+ readelf -SW liblib.a" in done.stdout
    text = script.read_text()
    assert '# lib.staticlib (liblib.a): sections {"all": [".nowhere"]}' in text
    assert "# verdict of the harness: fail" in text


@pytest.mark.usefixtures("rustc")
def test_the_variant_that_it_is_compared_with_is_built_too(linkage: Linkage, tmp_path: Path) -> None:
    case = """\
summary: Compared
matrix: {word: [good, two_words]}
steps:
  - {write: out/a.txt, text: "${word}\\n"}
  - {tool: sh, args: [-c, "cp out/a.txt b.txt; echo more ${word} >> b.txt"],
     claims: {b.txt: {same-as: {variant: {word: good}, compare: text}}}}
  - {tool: "false", exit: any}
"""
    done = _run(_script(linkage, tmp_path, case))
    assert done.returncode == 1
    steps = [line for line in done.stdout.splitlines() if line.startswith("+ PATH=")]
    assert [line.partition('"$PATH" ')[2][:5] for line in steps] == ["sh -c", "sh -c", "false"]
    assert '+ diff "$OTHER_word_good"/b.txt b.txt' in done.stdout
    assert "< more good" in done.stdout
    assert "> more two_words" in done.stdout


def test_another_compiler(linkage: Linkage, tmp_path: Path) -> None:
    script = _script(linkage, tmp_path, CASE)
    fake = tmp_path / "rustc"
    fake.write_text('#!/bin/sh\n[ "$1" = --print ] && echo / && exit\necho fake compiler >&2\nexit 3\n')
    fake.chmod(0o755)
    done = _run(script, RUSTC=str(fake))
    assert done.returncode == 1
    assert "fake compiler" in done.stderr
    assert "unexpected: lib: exit status 3, expected: 0" in done.stdout


@pytest.mark.usefixtures("rustc")
def test_what_cannot_be_reproduced(linkage: Linkage, tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text(CASE)
    several = linkage("repro", "odd.yaml", cwd=tmp_path)
    assert several.returncode == 4
    assert several.stderr == (
        "linkage: odd.yaml: the case has 2 variants (help: name one, such as odd.yaml[word=good])\n"
    )
    nowhere = linkage("repro", "odd.yaml[word=good]", "-o", "no/where.sh", cwd=tmp_path)
    assert nowhere.stderr.startswith("linkage: --output no/where.sh: cannot be written: no such directory")
    near = linkage("repro", "odd.yaml[word=goods]", cwd=tmp_path)
    assert "did you mean [word=good]?" in near.stderr
    (tmp_path / "verdicts.yaml").write_text((Path(__file__).parent / "verdicts.case").read_text())
    skipped = linkage("repro", "verdicts.yaml[want=skip]", cwd=tmp_path)
    assert skipped.returncode == 4
    assert "cannot be run: this machine has no no-such-program" in skipped.stderr


def _said(word: str, **variables: str) -> bytes:
    command = ["sh", "-c", f"printf %s {word}"]
    return subprocess.run(command, env=variables, capture_output=True, check=True).stdout


@settings(max_examples=30, deadline=None)
@given(TEXT, TEXT)
def test_words_reach_the_program_as_they_are(before: str, after: str) -> None:
    places = {"/sys": "SYSROOT", "/sys/rustc": "RUSTC"}
    if "/sys" in before + after:
        return
    text = Template.of(before, WORK, f"{after}/sys/rustc/sys", Captured("the-id"))
    word = quoted(text, places)
    seen = _said(word, WORK="a b", SYSROOT="S", RUSTC="R", CAPTURED_the_id="kept * text")
    assert seen.decode() == f"{before}a b{after}RSkept * text"


@settings(max_examples=30, deadline=None)
@given(TEXT, TEXT)
def test_text_is_printed_as_it_is_in_one_line(before: str, after: str) -> None:
    text = Template.of(before, WORK, f"%s{after}\\n\n", Captured("x"))
    command = text_printed(text, {})
    env = {"PATH": "/usr/bin:/bin", "WORK": "a b", "CAPTURED_x": "-c d\n"}
    done = subprocess.run(["sh", "-c", command], env=env, capture_output=True, check=True)
    assert done.stdout.decode() == f"{before}a b%s{after}\\n\n-c d\n"
    assert command.isprintable()
    content = f"{before}\n\t%d\\".encode()
    assert subprocess.run(["sh", "-c", printed(content)], capture_output=True, check=True).stdout == content
    assert "\n" not in printed(content)


def test_quoting_of_short_words() -> None:
    assert quoted(Template.of(""), {}) == "''"
    assert quoted(Template.parse("$${x}", {}), {}) == "'${x}'"
    assert pattern("a b/*.o") == "'a b/'*.o"
    assert pattern("plain") == "plain"
    assert pattern("") == "''"


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=40) | TEXT.map(str.encode), st.sampled_from(["f", "a b", "it's", "x/y z"]))
def test_files_are_printed_unchanged(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    folder = tmp_path_factory.mktemp("written")
    script = "\n".join(written(name, content))
    subprocess.run(["sh"], input=script.encode(), cwd=folder, check=True)
    assert (folder / name).read_bytes() == content


def test_a_file_that_holds_the_mark_of_its_end(tmp_path: Path) -> None:
    content = b"END_OF_FILE\nEND_OF_FILE_\n$HOME `x` \\n\n"
    subprocess.run(["sh"], input="\n".join(written("f", content)), text=True, cwd=tmp_path, check=True)
    assert (tmp_path / "f").read_bytes() == content
