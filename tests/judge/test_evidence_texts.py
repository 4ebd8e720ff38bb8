"""The evidence of each kind of claim, to the letter, in `evidence_texts.txt`."""

import re
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from linkage.artifact.facts import Facts
from linkage.case.claims import ArtifactClaims
from linkage.judge.verdict import Failure
from linkage.plan.observation import Diagnostic, LinkerCall, Outcome
from support.claim_subjects import ARCHIVE, LIBRARY, OBJECT, SECTIONS, TWICE
from support.hand_made import EMPTY, archive, done, elf, judged, member, planned, text_file

GOLDEN = Path(__file__).with_name("evidence_texts.txt")
OTHER = replace(archive(member("a.o", {"f": "undefined"}), size=7), digest="07")
CONTENT = elf(["a"], ["a"], sections=SECTIONS, contents={".text": b"hello"}, references={"a": ("puts",)})
MANGLED = elf(None, ["_ZN4core3fmt3new17h0123456789abcdefE", "_RNvNtCs1a2b3c4d5e_3foo3bar3old"])
LONG = elf(None, [f"name_{number}_" for number in range(30)])
TEXT = text_file("one\ntwo 7\n")

ARTIFACT_CLAIMS: tuple[tuple[str, Facts], ...] = (
    ("exists: false", LIBRARY),
    ("format: archive", LIBRARY),
    ("type: executable", LIBRARY),
    ("type: shared", ARCHIVE),
    ("size: '<4096'", LIBRARY),
    ("mode: '755'", LIBRARY),
    ("defines: [hidden_two]", LIBRARY),
    ("defines: {none: [foo]}", elf(None)),
    ("undefined: none", OBJECT),
    ("unresolved: {any: [malloc]}", OBJECT),
    ("exports: {only: [foo]}", LIBRARY),
    ("exports: {only: [foo, foo_2, foo_3]}", LIBRARY),
    ("exports: {none: [foo]}", OBJECT),
    ("exports: {all: ['path:foo::*::new'], none: ['path:core::*'], only: ['path:foo::bar']}", MANGLED),
    ("exports: {all: [name_17], any: [name_40], only: ['name_*', missing_25]}", LONG),
    ("imports: {none: ['mal*']}", LIBRARY),
    ("weak: {count: 2}", OBJECT),
    ("local: {within: ['z*'], none: [own]}", OBJECT),
    ("global: {except: ['*'], count: '>1'}", OBJECT),
    ("hidden: {count: 0}", OBJECT),
    ("absolute: {any: [foo]}", elf({"fixed": "absolute"})),
    ("symbols: {names: [foo, soft], expect: {binding: global}}", OBJECT),
    ("symbols: {names: nowhere}", OBJECT),
    ("symbols: {names: foo, table: dynamic, count: 0}", OBJECT),
    ("duplicates: none", TWICE),
    ("duplicates: {none: [foo]}", OBJECT),
    ("resolved: {names: ['b*'], link-set: [gone.so]}", ARCHIVE),
    ("references: {a: {none: [puts]}}", CONTENT),
    ("references: {start: [puts]}", CONTENT),
    ("needed: {order: [libc.so.6, 'libstd-*.so']}", LIBRARY),
    ("soname: [libbar.so]", LIBRARY),
    ("runpath: {none: ['$ORIGIN']}", ARCHIVE),
    ("interpreter: none", LIBRARY),
    ("pie: false", LIBRARY),
    ("executable-stack: true", LIBRARY),
    ("gnu-properties: [BTI]", LIBRARY),
    ("build-id: none", LIBRARY),
    ("init-array: 0", LIBRARY),
    ("fini-array: '>=2'", LIBRARY),
    ("init-array: 1", ARCHIVE),
    ("tls: false", ARCHIVE),
    ("relro: none", ARCHIVE),
    ("bind-now: true", LIBRARY),
    ("text-relocations: true", LIBRARY),
    ("symbol-versions: {none: ['*2.34']}", LIBRARY),
    ("symbol-versions: {symbols: {V9: [foo]}}", elf(["a"], {"foo": "@@V1"})),
    ("symbol-versions: {symbols: {V9: {none: [foo]}}}", elf(["a"], {"foo": "@@V1"})),
    ("sections: {all: [.data]}", OBJECT),
    ("section: {.text: {size: 9, flags: WA, compressed: true}}", CONTENT),
    ("section: {.text: {contains: bye, not-contains: hello}}", CONTENT),
    ("section: {.text: {contains: bye}}", elf(["a"], sections=SECTIONS, contents={".text": b""})),
    ("section: {.text: {contains: bye}}", elf(["a"], sections=SECTIONS)),
    ("section: {.bss: {size: 0}}", CONTENT),
    ("section: {.debug_info: {contains: x}}", CONTENT),
    ("members: {all: [lib.o], order: [lib.rmeta, 'foo*']}", ARCHIVE),
    ("crates: [core]", ARCHIVE),
    ("index: {only: [foo]}", ARCHIVE),
    ("thin: true", ARCHIVE),
    ("thin: false", LIBRARY),
    ("each-member: {'foo*': {defines: [bar]}}", ARCHIVE),
    ("each-member: {'*.obj': {bitcode: false}}", ARCHIVE),
    ("bitcode: true", LIBRARY),
    ("metadata: false", ARCHIVE),
    ("text: {contains: a}", LIBRARY),
    ("text: {contains: three}", TEXT),
    ("content: {contains: x}", LIBRARY),
    ("content: {contains: x}", EMPTY),
    ("content: {not-contains: x}", EMPTY),
    ("smaller-than: other.a", LIBRARY),
    ("same-as: {artifact: other.a, compare: size}", LIBRARY),
    ("same-as: {artifact: other.a, compare: symbols}", ARCHIVE),
    ("same-as: other.a", elf(size=9, digest="f00d")),
    ("same-as: gone.a", ARCHIVE),
    ("differs-from: other.a", OTHER),
    ("differs-from: {artifact: other.a, compare: text}", LIBRARY),
    ("exports-differ: {artifact: lib.cdylib, added: [more]}", LIBRARY),
)

ARGS = (*(f"/usr/lib/{number}.o" for number in range(9)), "-lm", "-no-pie", *(f"-l{x}" for x in "abcdef"))
LONG_CALL = LinkerCall((*ARGS, "-o", "liblib.so"), "liblib.so", None)
LINES = "".join(f"line {number}\n" for number in range(100)).replace("line 50", "the 50th line")

CALL = LinkerCall(("-m64", "-lc", "-lm", "-o", "liblib.so"), "liblib.so", ("foo",))
RESULT = done(
    stdout="one\ntwo 7\n",
    stderr="error: no\n",
    diagnostics=(Diagnostic("error", "no crate", "E0463", ""),),
    linker_calls=(CALL,),
    produced=("liblib.a", "liblib.so"),
)
PROCESS_CLAIMS: tuple[tuple[str, Outcome], ...] = (
    ("exit: fails", RESULT),
    ("exit: SIGSEGV", done(status=1, stderr="error: no\n")),
    ("exit: 0", done(status=101, ice=True)),
    ("exit: 0", done(status=-9, limit="time")),
    ("exit: 0", Outcome(problem="no program `ar` on PATH")),
    ("exit: 0", done(produced=("liblib.a",))),
    ("stdout: {equals: 'one'}", done(stdout="two")),
    ("stdout: {contains: two 8, not-contains: one}", RESULT),
    ("stdout: {matches: '^three$'}", RESULT),
    ("stdout: {order: [two, one]}", RESULT),
    ("stdout: {order: [one, three]}", RESULT),
    ("stdout: {file: lib.rs}", RESULT),
    ("stdout: {lines: 1}", RESULT),
    ("stdout: {number: {matches: 'two (\\d+)', is: '<7'}}", RESULT),
    ("stdout: {number: {matches: 'two (\\d+)', is: '<7', percent-of: two 70}}", RESULT),
    ("stdout: {number: {matches: 'three (\\d+)', is: '<7'}}", RESULT),
    ("stdout: {empty: true}", RESULT),
    ("stdout: {contains: x}", done()),
    ("produces: {only: [lib.cdylib]}", RESULT),
    ("diagnostics: [E0001]", RESULT),
    ("diagnostics: {none: [{level: error}]}", RESULT),
    ("native-static-libs: {none: [-lm]}", RESULT),
    ("link: {args: [-pie], libraries: {order: [-lm, -lc]}, inputs: [a.o], count: 2}", RESULT),
    ("link: {args: [-pie], libraries: {order: [-lc, -lm]}}", done(linker_calls=(LONG_CALL,))),
    ("link: {args: {order: [-lm, -lz]}}", done(linker_calls=(LONG_CALL,))),
    ("stdout: {contains: 50th row, matches: '^The \\d+th'}", done(stdout=LINES)),
    ("stdout: {order: [line 60, 50th]}", done(stdout=LINES)),
    ("link: {exports: {none: [foo]}, export-list: false}", RESULT),
    ("link: {output: gone, args: {none: [-x]}}", RESULT),
)


def of_artifact(claim: str, facts: Facts) -> tuple[Failure, ...]:
    text = f"  - {{rustc: lib.rs, crate-type: [cdylib, staticlib], claims: {{it: {{{claim}}}}}}}\n"
    found = {"liblib.so": elf(exports=["x"]), "liblib.a": OTHER, "other.a": OTHER, "it": facts}
    return judged(planned(text), done(facts=found, modes={"it": 0o644}), sibling=OTHER).failures


def of_process(claim: str, outcome: Outcome) -> tuple[Failure, ...]:
    text = f"  - {{rustc: lib.rs, crate-type: [cdylib, staticlib], {claim}}}\n"
    return judged(planned(text), outcome, files={"lib.rs": "one\ntwo 8\n"}).failures


def shown(claim: str, failures: tuple[Failure, ...]) -> str:
    lines = [claim]
    for one in failures:
        lines.append(f"  {one.claim or one.step}")
        lines.append(f"    cannot be judged: {one.found}" if one.error else f"    claimed: {one.claimed}")
        lines += [] if one.error else [f"    found:   {one.found}".replace("\n", "\n             ")]
        lines += [f"    nearest: {near}" for near in one.nearest]
        lines += [f"    file:    {one.file}"] if one.file else []
        lines += [f"    member:  {one.member}"] if one.member else []
        lines += [f"    see:     {command}" for command in one.look]
    return "\n".join(lines)


def test_the_evidence_of_each_claim(tmp_path: Path) -> None:
    found = [
        shown(claim, failures)
        for claim, failures in chain(
            ((claim, of_artifact(claim, facts)) for claim, facts in ARTIFACT_CLAIMS),
            ((claim, of_process(claim, outcome)) for claim, outcome in PROCESS_CLAIMS),
        )
    ]
    text = "\n\n".join(found) + "\n"
    (tmp_path / GOLDEN.name).write_text(text)
    assert text == GOLDEN.read_text(), f"review the difference, then: cp {tmp_path / GOLDEN.name} {GOLDEN}"


def test_every_claim_about_an_artifact_is_among_them() -> None:
    keys = {claim.partition(":")[0] for claim, _ in ARTIFACT_CLAIMS}
    known = {field.alias or name.replace("_", "-") for name, field in ArtifactClaims.model_fields.items()}
    assert keys == known - {"when", "where"}  # they limit a claim


@pytest.mark.parametrize("block", GOLDEN.read_text().rstrip("\n").split("\n\n"))
def test_evidence_is_plain_english(block: str) -> None:
    claim, key, *evidence = block.splitlines()
    assert claim
    assert key.startswith("  ")
    assert evidence[0].startswith(("    claimed: ", "    cannot be judged: "))
    assert not re.search(r"\b(is no|are no|there is|there are|stands|said|looks|wants|nothing is)\b", block)
    assert not re.search(r": *$", block)
