"""From a plan and an observation to a verdict: positions of claims, errors, evidence."""

from dataclasses import asdict, replace

import pytest

from linkage.artifact.facts import ArchiveMember, Bitcode, Facts, Metadata, UnknownFile
from linkage.judge.judge import judge
from linkage.judge.verdict import Failure, OtherVariant, Verdict, VerdictKind
from linkage.plan.observation import Observation, StepObservation
from linkage.render.evidence import explain_verdict
from support.hand_made import EMPTY, OTHER, archive, done, elf, judged, member, planned, table, text_file

LIB = "  - {rustc: lib.rs, crate-type: [cdylib, staticlib], claims: {%s}}\n"


def lib(claims: str, **facts: Facts) -> VerdictKind:
    found = {f"liblib.{suffix}": one for suffix, one in facts.items()}
    return judged(planned(LIB % claims), done(facts=found)).outcome


def test_a_claim_at_a_step() -> None:
    made = planned(LIB % "lib.cdylib: {exports: {only: [foo]}}")
    assert judged(made, done(facts={"liblib.so": elf(exports=["foo"])})).outcome is VerdictKind.PASS
    verdict = judged(made, done(facts={"liblib.so": elf(exports=["foo", "bar"])}))
    assert verdict.outcome is VerdictKind.FAIL
    (failure,) = verdict.failures
    assert (failure.step, failure.claim) == ("lib", "lib.cdylib.exports.only")
    assert (failure.claimed, failure.found) == ("only foo", "also bar")
    assert failure.look == ("readelf --dyn-syms -W liblib.so",)
    assert (failure.file, failure.member, failure.other) == ("", "", None)
    column = (LIB % "lib.cdylib: {exports: {only: [foo]}}").index("only") + 1
    assert failure.where == f"case.yaml:4:{column}"


def test_claim_in_a_list_has_its_position() -> None:
    text = LIB % "lib.cdylib: {symbols: [{names: foo}, {names: bar, count: 2}]}"
    (failure,) = judged(planned(text), done(facts={"liblib.so": elf(["foo", "bar"])})).failures
    assert failure.claim == "lib.cdylib.symbols[1].count"
    assert failure.where == f"case.yaml:4:{text.index('count') + 1}"
    text = LIB % "lib.staticlib: {each-member: {'a*.o': {defines: [foo]}}}"
    (failure,) = judged(planned(text), done(facts={"liblib.a": archive(member("a.0.o", ["bar"]))})).failures
    assert failure.where == f"case.yaml:4:{text.index('a*.o') - 1}"


def test_all_failures_are_reported_not_only_the_first() -> None:
    text = LIB % "lib.cdylib: {exports: [a], needed: [b]}, lib.staticlib: {defines: [c]}"
    facts = {"liblib.so": elf(exports=["x"]), "liblib.a": archive(member("a.o", ["y"]))}
    verdict = judged(planned(text), done(facts=facts))
    assert [one.claim for one in verdict.failures] == [
        "lib.cdylib.exports.all",
        "lib.cdylib.needed",
        "lib.staticlib.defines.all",
    ]


def test_absent_artifact() -> None:
    verdict = judged(planned(LIB % "lib.cdylib: {exports: none}"), done(produced=("liblib.a", "libold.so")))
    assert [(one.claim, one.found, one.nearest) for one in verdict.failures] == [
        ("produces", "succeeded, but produced liblib.a, libold.so", ()),
        ("lib.cdylib.exists", "does not exist", ("libold.so",)),
        ("lib.invariants.files", "created libold.so", ()),
    ]


def test_an_artifact_that_must_not_be_there() -> None:
    assert lib("old.so: {exists: false}") is VerdictKind.PASS
    made = planned(LIB % "'*.so': {exists: false}")
    verdict = judged(made, done(facts={"liblib.so": elf(size=77)}))
    assert [(one.claim, one.found) for one in verdict.failures] == [("*.so.exists", "exists, 77 bytes")]


def test_a_glob_is_about_each_file_and_about_one_at_least() -> None:
    made = planned(LIB % "'*.so': {exports: [foo]}")
    verdict = judged(made, done(facts={"a.so": elf(exports=["foo"]), "b.so": elf(exports=["x"])}))
    assert [one.look for one in verdict.failures] == [("readelf --dyn-syms -W b.so",)]
    assert [one.claim for one in judged(made, done()).failures] == ["*.so.exists"]


def test_claims_at_the_end_are_judged_after_the_last_step() -> None:
    text = (
        "summary: s\nsources: {lib.rs: ''}\nsteps:\n  - {rustc: lib.rs, crate-type: cdylib}\n"
        "  - {remove: lib.cdylib}\nclaims: {lib.cdylib: {exists: false}}\n"
    )
    assert judged(planned(text), done(), done()).outcome is VerdictKind.PASS
    verdict = judged(planned(text), done(), done(facts={"liblib.so": elf()}))
    assert [(one.step, one.claim) for one in verdict.failures] == [("end", "lib.cdylib.exists")]
    stopped = judged(planned(text), done(status=1))
    assert [one.claim for one in stopped.failures] == ["exit"]


def test_claims_of_a_cell() -> None:
    text = (
        "summary: s\nsources: {lib.rs: ''}\nmatrix: {lto: [off, fat]}\nsteps:\n  - rustc: lib.rs\n"
        "    crate-type: cdylib\n    claims: {lib.cdylib: [{when: {lto: fat}, exports: [foo]}]}\n"
    )
    facts = {"liblib.so": elf(exports=["bar"])}
    assert judged(planned(text, 0), done(facts=facts)).outcome is VerdictKind.PASS
    assert judged(planned(text, 1), done(facts=facts)).outcome is VerdictKind.FAIL


TRUNCATED = "truncated: 64 bytes where 4096 are announced"


@pytest.mark.parametrize("what", ["a folder", "a FIFO", "a symbolic link to x, which is not in the folder"])
def test_other_things_in_place_of_a_file(what: str) -> None:
    """It is there, and nothing else is known of it."""
    there = done(others={"liblib.so": what})
    for claim, verdict in (
        ("exists: false", VerdictKind.FAIL),
        ("exists: true", VerdictKind.PASS),
        ("size: 0", VerdictKind.ERROR),
        ("exports: none", VerdictKind.ERROR),
    ):
        found = judged(planned(LIB % f"lib.cdylib: {{{claim}}}"), there)
        assert found.outcome is verdict
        if verdict is not VerdictKind.PASS:
            assert what in found.failures[0].found


def test_what_is_no_file_beside_files_that_a_glob_means() -> None:
    """A glob over files also matches the folders around them; a FIFO is no such folder."""
    made = planned(LIB % "'*': {size: '>0', defines: [f]}")
    for what, failures in (("a folder", []), ("a FIFO", [("*", "beside is a FIFO")])):
        found = judged(made, done(facts={"libx.so": elf(["f"])}, others={"beside": what}))
        assert [(one.claim, one.found) for one in found.failures if one.error] == failures
        assert len(found.failures) == len(failures)


DAMAGED = Facts("elf", 100, "d", error=TRUNCATED)
TEXT = text_file("not what you think")


def test_damaged_files_of_a_glob_are_one_finding() -> None:
    facts = {"liba.so": DAMAGED, "libb.so": DAMAGED}
    found = judged(planned(LIB % "'*.so': {exports: none}"), done(facts=facts))
    why = f"an ELF file that cannot be read: {TRUNCATED}"
    assert [(one.file, one.found) for one in found.failures] == [("liba.so", why), ("libb.so", why)]
    assert "files:   liba.so, libb.so" in explain_verdict(found, "node").splitlines()[2]


def test_the_tools_folders_are_named_once() -> None:
    steps = "  - {tool: strip, args: [x]}\n  - {tool: nm, args: [x]}\n"
    found = judged(planned(steps), done(), done(status=1))
    assert found.commands[0].startswith("PATH=/rust/bin:/rust/lib/")
    assert ".." not in found.commands[0]
    assert found.commands[1:] == ("strip x", "nm x")


def test_the_command_that_shows_symbols_fits_the_format() -> None:
    bare = ArchiveMember("a.o", 9, bitcode=Bitcode("raw", 9, symbols=table(["f"])))
    claims = LIB % "x: {defines: none, sections: none}"
    for facts, looks in (
        (archive(bare), {"llvm-nm x", "readelf -SW x"}),
        (Facts("other", 9, "0", other=UnknownFile(None, "Mach-O")), {"file x"}),
        (elf(["f"]), {"readelf -sW x", "readelf -SW x"}),
    ):
        found = judged(planned(claims), done(facts={"x": facts}))
        assert {look for one in found.failures for look in one.look} <= looks


@pytest.mark.parametrize(
    ("claim", "facts", "why"),
    [
        (
            "exports: none",
            DAMAGED,
            f"liblib.so: an ELF file that cannot be read: {TRUNCATED}",
        ),
        (
            "{format: elf, exports: none}",
            DAMAGED,
            f"liblib.so: an ELF file that cannot be read: {TRUNCATED}",
        ),
        ("exports: none", TEXT, "liblib.so: expected an ELF file, found a text file"),
        ("exists: true", EMPTY, "liblib.so: expected an ELF file, found an empty file"),
        ("needed: none", archive(), "liblib.so: expected an ELF file, found an archive"),
    ],
)
def test_a_damaged_artifact_cannot_be_judged(claim: str, facts: Facts, why: str) -> None:
    claim = claim if claim.startswith("{") else f"{{{claim}}}"
    verdict = judged(planned(LIB % f"lib.cdylib: {claim}"), done(facts={"liblib.so": facts}))
    assert verdict.outcome is VerdictKind.ERROR
    assert [(one.found, one.error) for one in verdict.failures] == [(why, True)]


def test_a_damaged_member_cannot_be_judged() -> None:
    """Its symbols are missing: that the archive lacks a symbol would hold for that alone."""
    facts = archive(member("a.o", ["foo"]), member("b\x1b.o", None, error="truncated"))
    verdict = judged(
        planned(LIB % "lib.staticlib: {defines: {none: [bar]}}"), done(facts={"liblib.a": facts})
    )
    assert verdict.outcome is VerdictKind.ERROR
    assert [(one.found, one.error) for one in verdict.failures] == [
        (r"member b\x1b.o is not read: truncated", True)
    ]
    for claim in ("index: [foo]", "members: {count: 2}", "thin: false", "size: '>1'"):
        text = LIB % f"lib.staticlib: {{{claim}}}"
        assert judged(planned(text), done(facts={"liblib.a": facts})).outcome is VerdictKind.PASS


def test_claims_about_the_bytes_of_a_damaged_file_can_be_judged() -> None:
    assert lib("lib.cdylib: {size: 100}", so=DAMAGED) is VerdictKind.PASS
    assert lib("lib.cdylib: {size: 101}", so=DAMAGED) is VerdictKind.FAIL


def test_case_can_claim_another_format_than_the_name() -> None:
    assert lib("lib.cdylib: {format: other, text: {contains: think}}", so=TEXT) is VerdictKind.PASS


def test_metadata_may_come_in_an_object() -> None:
    text = "  - {rustc: lib.rs, crate-type: rlib, emit: metadata, claims: {lib.rmeta: {metadata: true}}}\n"
    metadata = Metadata(10, "rustc 1.95.0", 9, compressed=False)
    for facts in (Facts("metadata", 9, "", metadata=metadata), elf(metadata=metadata)):
        assert judged(
            planned(text), done(produced=("liblib.rmeta",), facts={"liblib.rmeta": facts})
        ).outcome is (VerdictKind.PASS)


def test_a_failure_beside_an_error_is_a_failure() -> None:
    """It is the worse news; the other is reported, too."""
    text = LIB % "lib.cdylib: {exports: [foo]}, lib.staticlib: {defines: [foo]}"
    verdict = judged(
        planned(text), done(facts={"liblib.so": DAMAGED, "liblib.a": archive(member("a.o", ["x"]))})
    )
    assert verdict.outcome is VerdictKind.FAIL
    assert [one.error for one in verdict.failures] == [True, False]


# --- the link set


RESOLVED = LIB % "lib.staticlib: {resolved: {names: ['__rust_*'], link-set: [lib.cdylib]}}"
USER = archive(member("a.o", {"f": "", "__rust_alloc": "undefined", "puts": "undefined"}))


def test_undefined_symbols_are_defined_in_the_link_set() -> None:
    facts = {"liblib.a": USER, "liblib.so": elf(exports=["__rust_alloc"])}
    assert judged(planned(RESOLVED), done(facts=facts)).outcome is VerdictKind.PASS
    itself = archive(member("a.o", {"__rust_alloc": "undefined"}), member("b.o", ["__rust_alloc"]))
    assert judged(planned(RESOLVED), done(facts=facts | {"liblib.a": itself})).outcome is VerdictKind.PASS


@pytest.mark.parametrize(
    ("facts", "misses"),
    [
        (
            {"liblib.a": USER, "liblib.so": elf(exports={"__rust_alloc": "undefined"})},
            [("lib.staticlib.resolved", "not defined: __rust_alloc")],
        ),
        (
            {"liblib.a": USER, "liblib.so": elf({"__rust_alloc": ""}, exports=["other"])},
            [("lib.staticlib.resolved", "not defined: __rust_alloc")],
        ),
        (
            {"liblib.a": USER, "liblib.so": elf({"__rust_alloc": "local"})},
            [("lib.staticlib.resolved", "not defined: __rust_alloc")],
        ),
        (
            {"liblib.a": USER},
            [
                ("lib.staticlib.resolved.link-set", "lib.cdylib does not exist"),
                ("lib.staticlib.resolved", "not defined: __rust_alloc"),
            ],
        ),
        (
            {"liblib.a": USER, "liblib.so": DAMAGED},
            [
                (
                    "lib.staticlib.resolved.link-set",
                    f"liblib.so: an ELF file that cannot be read: {TRUNCATED}",
                ),
            ],  # it may define what is missing
        ),
        (
            {"liblib.a": archive(member("a.o", {"puts": "undefined"})), "liblib.so": elf(exports=["x"])},
            [("lib.staticlib.resolved", "no undefined symbols that match __rust_*: none among puts")],
        ),
    ],
)  # fmt: skip
def test_undefined_symbols_that_are_not(facts: dict[str, Facts], misses: list[tuple[str, str]]) -> None:
    verdict = judged(planned(RESOLVED), done(facts=facts))
    own = [one for one in verdict.failures if ".invariants" not in one.claim]
    assert [(one.claim, one.found) for one in own] == misses


# --- other artifacts


def test_a_comparison_with_another_artifact_of_the_variant() -> None:
    made = planned(LIB % "lib.cdylib: {smaller-than: lib.staticlib}")
    facts = {"liblib.so": elf(size=10), "liblib.a": archive(member("a.o"), size=20)}
    assert judged(made, done(facts=facts)).outcome is VerdictKind.PASS
    assert judged(made, done(facts=facts | {"liblib.so": elf(size=20)})).outcome is VerdictKind.FAIL
    verdict = judged(made, done(facts={"liblib.so": elf(size=10)}))
    assert [one.found for one in verdict.failures] == ["no artifact to compare with: liblib.a does not exist"]


def test_a_comparison_with_another_variant() -> None:
    text = (
        "summary: s\nsources: {lib.rs: ''}\nmatrix: {lto: [off, fat]}\nsteps:\n  - rustc: lib.rs\n"
        "    crate-type: cdylib\n    claims: {lib.cdylib: {smaller-than: {variant: {lto: off}}}}\n"
    )
    facts = {"liblib.so": elf(size=10)}
    assert judged(planned(text, 1), done(facts=facts), sibling=elf(size=11)).outcome is VerdictKind.PASS
    assert judged(planned(text, 1), done(facts=facts), sibling=elf(size=10)).outcome is VerdictKind.FAIL
    (failure,) = judged(planned(text, 1), done(facts=facts), sibling=elf(size=10)).failures
    assert failure.other == OTHER
    assert failure.look == ('ls -l liblib.so "$OTHER_lto_off"/liblib.so',)
    verdict = judged(planned(text, 1), done(facts=facts), sibling="that variant cannot be run: no lld")
    assert verdict.failures[0].found == "no artifact to compare with: that variant cannot be run: no lld"


# --- evidence


def test_commands_are_those_that_ran_and_can_be_pasted() -> None:
    text = (
        "  - {rustc: lib.rs, crate-type: staticlib, env: {A: 'b c'}, flags: ['--cfg=x=\"y z\"']}\n"
        "  - {cc: main.c, link-with: [lib.staticlib], system-libraries: false}\n  - {run: main}\n"
    )
    verdict = judged(planned(text), done(), done(status=1))
    assert verdict.commands == (
        "A='b c' /rust/bin/rustc lib.rs --edition=2021 --crate-type=staticlib -L . '--cfg=x=\"y z\"'",
        "cc main.c -o main liblib.a",
    )


def test_evidence_escapes_names_in_artifacts() -> None:
    facts = {"liblib.so": elf(exports=["\x1b[2Jevil\u202e"])}
    verdict = judged(
        planned(LIB % "lib.cdylib: {exports: {all: [evil_thing], none: ['*evil*']}}"), done(facts=facts)
    )
    text = explain_verdict(verdict, "case.yaml::nightly")
    assert r"has \x1b[2Jevil\u202e" in text
    assert all(char.isprintable() or char == "\n" for char in text)


def test_file_names_are_escaped_in_commands() -> None:
    facts = {"evil\x1b[2J.so": elf(exports=["x"])}
    verdict = judged(planned(LIB % "'*.so': {exports: [foo]}"), done(facts=facts))
    text = explain_verdict(verdict, "case.yaml::nightly")
    assert all(char.isprintable() or char == "\n" for char in text)


def test_a_glob_is_not_quoted() -> None:
    text = "  - {rustc: lib.rs, crate-type: staticlib}\n  - {ar: liblib.a, delete: ['a*.o']}\n"
    members = (
        """$(ar t liblib.a | while read -r member; do case $member in a*.o) echo "$member" ;; esac; done)"""
    )
    assert judged(planned(text), done(), done()).commands[1].endswith(f" liblib.a {members}")


def test_a_text_beside_the_case_is_compared_with_an_artifact() -> None:
    made = planned(LIB % "out.txt: {text: {file: expected.txt}}")
    given = done(facts={"out.txt": text_file("one")})
    assert judged(made, given, files={"expected.txt": "one"}).outcome is VerdictKind.PASS
    assert judged(made, given, files={"expected.txt": "two"}).outcome is VerdictKind.FAIL


# --- what is said of all steps


def test_verdict_sums_up_all_steps() -> None:
    made = planned("  - {rustc: lib.rs, crate-type: cdylib}\n  - {cc: main.c}\n")
    steps = [
        StepObservation("lib", (), done(seconds=1.5, obtained="2026-01-02"), stored=True, rechecked=True),
        StepObservation("main", (), done(seconds=2.0, obtained="2026-01-01"), stored=False),
    ]

    def verdict(*given: StepObservation) -> Verdict:
        return judge(made, Observation(given), {}, lambda *_: "there is none")

    both = verdict(*steps)
    assert (both.seconds, both.obtained, both.stored, both.rechecked) == (3.5, "2026-01-02", False, 1)
    assert verdict(steps[0]).stored
    nothing = verdict()
    assert (nothing.seconds, nothing.obtained, nothing.stored, nothing.rechecked) == (0, "", False, 0)


def test_failure_round_trip() -> None:
    made = planned(LIB % "lib.cdylib: {exports: {only: [foo]}}")
    failure = judged(made, done(facts={"liblib.so": elf(exports=["bar"])})).failures[0]
    assert Failure.of(asdict(failure)) == failure
    other = replace(failure, other=OtherVariant("node", "OTHER", ("rustc lib.rs",)))
    assert Failure.of(asdict(other)) == other


def test_what_a_file_contains() -> None:
    made = planned(LIB % "it: {content: {contains: [x], not-contains: [y]}}")

    def claims(*found: str) -> list[tuple[str, str]]:
        given = done(facts={"it": elf()}, texts={"it": found})
        return [(one.claim, one.found) for one in judged(made, given).failures]

    assert claims("x") == []
    assert claims("x", "y") == [("it.content.not-contains", "contains it")]
    assert claims() == [("it.content.contains", "not in its 4096 bytes")]


def test_each_name_that_must_be_resolved_is_named() -> None:
    text = LIB % "lib.staticlib: {resolved: {names: ['p*', '__*'], link-set: [lib.cdylib]}}"
    facts = {"liblib.a": USER, "liblib.so": elf(exports=["x"])}
    (failure,) = judged(planned(text), done(facts=facts)).failures
    assert failure.claimed == "symbols that match p*, __* are defined in the link set"
