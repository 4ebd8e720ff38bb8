"""The evidence of each kind of verdict, to the letter."""

from dataclasses import replace

from linkage.judge.verdict import Bug, Failure, OtherVariant, Verdict, VerdictKind
from linkage.render.evidence import explain_verdict

NODE = "cases/a.yaml::nightly[cdylib-lto=fat]"
MISSING = Failure(
    "lib",
    "lib.cdylib.exports.all",
    "cases/a.yaml:9:7",
    "has foo",
    "not among bar, baz",
    ("foo in the symbol table: FUNC LOCAL HIDDEN .text",),
    ("readelf --dyn-syms -W liblib.so",),
)
COMMANDS = ("rustc lib.rs --crate-type=cdylib -L .",)
AFTER = """\
to reproduce by hand, in an empty directory $WORK with the case's sources:
    rustc lib.rs --crate-type=cdylib -L .
    readelf --dyn-syms -W liblib.so
repro: linkage repro 'cases/a.yaml::nightly[cdylib-lto=fat]'"""


def test_a_claim_that_does_not_hold() -> None:
    text = explain_verdict(Verdict(VerdictKind.FAIL, failures=(MISSING,), commands=COMMANDS), NODE)
    assert (
        text
        == f"""\
cases/a.yaml:9:7: lib: lib.cdylib.exports.all does not hold
    claimed: has foo
    found:   not among bar, baz
    nearest: foo in the symbol table: FUNC LOCAL HIDDEN .text
{AFTER}"""
    )


def test_claims_that_cannot_be_judged_for_one_reason_are_told_together() -> None:
    why = "an ELF file that cannot be read: truncated"
    keys = ("defines", "undefined", "exports")
    failures = [
        Failure("lib", f"lib.cdylib.{key}", f"a.yaml:{line}:7", "can be judged", why, error=True)
        for line, key in enumerate(keys, 9)
    ]
    other = replace(failures[0], claim="sections", where="a.yaml:20:7", found="another reason")
    verdict = Verdict(VerdictKind.ERROR, failures=(*failures, other))
    assert explain_verdict(verdict, NODE).splitlines()[:-1] == [
        "a.yaml:9:7: lib: lib.cdylib.defines, lib.cdylib.undefined and 1 more could not be judged",
        f"    because: {why}",
        "a.yaml:20:7: lib: sections could not be judged",
        "    because: another reason",
    ]


def test_several_claims_of_one_name_are_counted() -> None:
    whole = [
        Failure("lib", "a.staticlib", f"a.yaml:{line}:7", "can be judged", "cut short", error=True)
        for line in (9, 10, 11)
    ]
    verdict = Verdict(VerdictKind.ERROR, failures=(*whole,))
    assert explain_verdict(verdict, NODE).splitlines()[:2] == [
        "a.yaml:9:7: lib: a.staticlib (3 claims) could not be judged",
        "    because: cut short",
    ]


def test_every_failure_is_shown_and_each_command_once() -> None:
    exit_status = Failure(
        "main", "exit", "cases/a.yaml:12:5", "exit status 0", "exit status 1\nerror: one\nerror: two",
        ("near one", "near two"), ("readelf --dyn-syms -W liblib.so",),
    )  # fmt: skip
    verdict = Verdict(
        VerdictKind.FAIL,
        "fails differently from the known bug rust-lang/rust#1",
        (MISSING, exit_status),
        commands=COMMANDS,
    )  # fmt: skip
    assert (
        explain_verdict(verdict, NODE)
        == f"""\
cases/a.yaml:9:7: lib: lib.cdylib.exports.all does not hold
    claimed: has foo
    found:   not among bar, baz
    nearest: foo in the symbol table: FUNC LOCAL HIDDEN .text
cases/a.yaml:12:5: main: exit does not hold
    claimed: exit status 0
    found:   exit status 1
             error: one
             error: two
    nearest: near one
             near two
note: fails differently from the known bug rust-lang/rust#1
{AFTER}"""
    )


def test_known_bug_that_no_longer_occurs() -> None:
    verdict = Verdict(
        VerdictKind.FIXED,
        "rust-lang/rust#1 no longer occurs (help: remove it, or limit its `toolchains`)",
        bugs=(Bug("rust-lang/rust#1", "the shim is missing"), Bug("rust-lang/rust#2")),
    )
    assert (
        explain_verdict(verdict, "cases/a.yaml::stable")
        == """\
known bug gone: rust-lang/rust#1 no longer occurs (help: remove it, or limit its `toolchains`)
    the shim is missing
repro: linkage repro cases/a.yaml::stable"""
    )


def test_what_could_not_be_judged() -> None:
    hung = Failure(
        "lib", "", "a.yaml:3:5", "can be judged", "exceeded its timeout", error=True
    )  # fmt: skip
    assert (
        explain_verdict(Verdict(VerdictKind.ERROR, failures=(hung,)), "a.yaml::stable")
        == """\
a.yaml:3:5: lib could not be judged
    because: exceeded its timeout
repro: linkage repro a.yaml::stable"""
    )
    nowhere = Failure("", "", "a.yaml", "can be judged", "the disk is full", error=True)
    assert explain_verdict(Verdict(VerdictKind.ERROR, failures=(nowhere,)), "a.yaml::stable").startswith(
        "a.yaml: could not be judged\n    because: the disk is full\n"
    )


def test_a_skip_that_is_forbidden() -> None:
    text = explain_verdict(Verdict(VerdictKind.SKIP, "stable has no dynamic std"), "a.yaml::stable")
    assert text.splitlines()[0] == (
        "skipped, which --no-skip turns into a failure: stable has no dynamic std"
    )  # fmt: skip


def test_terminal_controls_are_escaped() -> None:
    evil = Failure("lib", "x", "a.yaml:1:1", "a\x1b[2J", "b\x07\nc\r" + "d" * 500, ("e\x1b",))
    text = explain_verdict(Verdict(VerdictKind.FAIL, failures=(evil,), commands=("f\x1b",)), "a.yaml")
    assert all(char.isprintable() or char == "\n" for char in text)
    assert f" {'d' * 120} … {'d' * 120}\n" in text


def test_the_other_variant_of_a_comparison_is_built_too() -> None:
    other = OtherVariant("a.yaml::stable[lto=off]", "OTHER_lto_off", ("rustc lib.rs -Clto=off",))
    look = ('diff "$OTHER_lto_off"/a.txt a.txt',)
    found = tuple(replace(MISSING, claim=claim, look=look, other=other) for claim in ("same-as", "x"))
    text = explain_verdict(Verdict(VerdictKind.FAIL, failures=found, commands=COMMANDS), NODE)
    assert text.splitlines()[-7:-1] == [
        "to reproduce by hand, in an empty directory $WORK with the case's sources:",
        f"    {COMMANDS[0]}",
        "and a.yaml::stable[lto=off], which it is compared with, in an empty directory $OTHER_lto_off:",
        "    rustc lib.rs -Clto=off",
        "then, in $WORK:",
        '    diff "$OTHER_lto_off"/a.txt a.txt',
    ]


def in_member(name: str, found: str = "true") -> Failure:
    return Failure(
        "lib", "lib.staticlib.each-member.*.o.bitcode", "a.yaml:9:7", "false", found,
        look=(f"ar p liblib.a {name} > {name} && readelf -SW {name}",), member=name,
    )  # fmt: skip


def test_failure_in_many_members_is_shown_once() -> None:
    failures = tuple(in_member(f"core.0a1b2c3d4e5f607{number}.o") for number in range(9))
    verdict = Verdict(VerdictKind.FAIL, failures=failures, commands=COMMANDS)
    assert explain_verdict(verdict, "a.yaml::stable").splitlines() == [
        "a.yaml:9:7: lib: lib.staticlib.each-member.*.o.bitcode does not hold",
        "    claimed: false",
        "    found:   true",
        "    members: core.0a1b2c3d4e5f6070.o, core.0a1b2c3d4e5f6071.o and 7 more",
        "to reproduce by hand, in an empty directory $WORK with the case's sources:",
        "    rustc lib.rs --crate-type=cdylib -L .",
        f"    {failures[0].look[0]}",
        "repro: linkage repro a.yaml::stable",
    ]


def test_a_few_of_many_findings_are_shown() -> None:
    words = ("one", "two", "three", "four", "five")
    failures = tuple(in_member(f"{word}.o", f"not among {word}") for word in words)
    text = explain_verdict(Verdict(VerdictKind.FAIL, failures=failures), "a.yaml::stable")
    assert text.splitlines()[1:-1] == [
        "    claimed: false",
        "    found:   not among one", "    member:  one.o",
        "    found:   not among two", "    member:  two.o",
        "    found:   not among three", "    member:  three.o",
        "    … 2 more failures with other findings",
        "    members: four.o, five.o",
    ]  # fmt: skip


def test_everything_that_a_list_lacks_is_shown_together() -> None:
    failures = tuple(replace(MISSING, claimed=f"has {number}", nearest=(str(number),)) for number in range(9))
    text = explain_verdict(Verdict(VerdictKind.FAIL, failures=failures), NODE)
    assert text.splitlines()[1:-1] == [
        "    claimed: has 0", *(f"             has {number}" for number in range(1, 6)),
        "             … 3 more",
        "    found:   not among bar, baz",
        "    nearest: 0", *(f"             {number}" for number in range(1, 5)), "             … 4 more",
    ]  # fmt: skip


def test_other_hashes_and_folders_make_no_other_finding_and_other_words_do() -> None:
    text = "undefined reference to `_ZN3foo3bar17h{}E' in {}/ccAb12Cd.o"
    same = tuple(
        replace(in_member(str(number)), found=text.format(f"{number:016x}", folder))
        for number, folder in enumerate(("$TMP", "/usr/lib", "/root/.rustup/toolchains/nightly"))
    )
    shown = explain_verdict(Verdict(VerdictKind.FAIL, failures=same), NODE)
    assert shown.count("found:") == 1
    other = replace(same[0], found=same[0].found.replace("3bar", "3baz"))
    size = (replace(same[0], found="4096 bytes"), replace(same[0], found="4097 bytes"))
    assert explain_verdict(Verdict(VerdictKind.FAIL, failures=(*same, other)), NODE).count("found:") == 2
    assert explain_verdict(Verdict(VerdictKind.FAIL, failures=size), NODE).count("found:") == 2
