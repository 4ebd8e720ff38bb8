"""A pattern that takes too long is an error of its claim, which names it and its place."""

import pytest

from linkage.case import regular_expression
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.plan.observation import Diagnostic, LinkerCall
from support.hand_made import archive, done, elf, judged, member, planned

SLOW = "^(a|aa)+$"
LONG = "a" * 60 + "b"
WHY = (
    f"matching /{SLOW}/ takes more than 0 s "
    "(help: avoid repeated parts that can match in several ways, such as `(a|aa)+`)"
)


@pytest.fixture(autouse=True)
def _short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regular_expression, "SECONDS", 0.1)


def verdict(step: str, *, claims: str = "", stderr: str = "", bugs: str = "") -> Verdict:
    case = f"""\
summary: s
sources: {{lib.rs: ''}}
steps:
  - rustc: lib.rs
    crate-type: [cdylib, staticlib]
    {step}
    claims:
      lib.cdylib: {{exports: [foo]}}
      {claims}
{bugs}
invariants: {{files: LONG is one more}}
"""
    library = elf({LONG: "undefined"}, exports={"foo": "", LONG: f"@{LONG}"})
    outcome = done(
        stdout=LONG,
        stderr=stderr,
        produced=("liblib.so", "liblib.a", LONG),
        facts={"liblib.so": library, "liblib.a": archive(member(LONG, {LONG: "undefined"}))},
        diagnostics=(Diagnostic("warning", LONG, None, LONG),),
        linker_calls=(LinkerCall(("-o", "liblib.so", LONG), "liblib.so", (LONG,)),),
    )
    return judged(planned(case), outcome)


@pytest.mark.parametrize(
    ("step", "claim"),
    [
        (f"stdout: {{matches: '{SLOW}'}}", "stdout"),
        (f"stdout: {{normalize: {{'{SLOW}': x}}, equals: x}}", "stdout"),
        (f"stdout: {{number: {{matches: '{SLOW}', is: 1}}}}", "stdout"),
        (f"diagnostics: {{all: {{matches: '{SLOW}'}}}}", "diagnostics"),
        (f"produces: ['/{SLOW}/']", "produces"),
        (f"link: {{args: ['/{SLOW}/']}}", "link[0].args"),
        (f"link: {{exports: {{none: ['/{SLOW}/']}}}}", "link[0].exports"),
    ],
)
def test_claims_about_a_step(step: str, claim: str) -> None:
    found = verdict(step)
    assert found.outcome is VerdictKind.ERROR
    assert [(one.claim, one.found, one.error) for one in found.failures] == [(claim, WHY, True)]
    assert found.failures[0].where.startswith("case.yaml:6:")


@pytest.mark.parametrize(
    ("claims", "claim"),
    [
        (f"'*.so': {{exports: {{only: [foo, '/{SLOW}/']}}}}", "*.so.exports"),
        (f"'*.so': {{undefined: {{none: '/{SLOW}/'}}}}", "*.so.undefined"),
        (f"'*.so': {{undefined: {{within: '/{SLOW}/', count: 1}}}}", "*.so.undefined"),
        (f"'*.so': {{symbols: {{names: '/{SLOW}/', table: dynamic}}}}", "*.so.symbols[0]"),
        (
            f"'*.so': {{symbols: {{names: '*', table: dynamic, where: {{version: '/{SLOW}/'}}}}}}",
            "*.so.symbols[0]",
        ),
        (f"lib.staticlib: {{members: ['/{SLOW}/']}}", "lib.staticlib.members"),
        (
            f"lib.staticlib: {{each-member: {{'/{SLOW}/': {{size: 3}}}}}}",
            f"lib.staticlib.each-member./{SLOW}/",
        ),
        (
            f"lib.staticlib: {{resolved: {{names: '/{SLOW}/', link-set: lib.cdylib}}}}",
            "lib.staticlib.resolved",
        ),
    ],
)
def test_claims_about_an_artifact(claims: str, claim: str) -> None:
    found = verdict("flags: []", claims=claims)
    assert [(one.claim, one.found, one.error) for one in found.failures] == [(claim, WHY, True)]
    assert found.failures[0].where.startswith("case.yaml:9:")


def test_the_signature_of_a_known_bug() -> None:
    bug = f"known-bugs:\n  - {{unreported: odd, signature: {{step: lib, matches: '{SLOW}'}}}}\n"
    found = verdict("stdout: x", stderr=LONG, bugs=bug)
    assert found.outcome is VerdictKind.ERROR
    one = found.failures[-1]
    assert (one.claim, one.where, one.found) == ("known-bugs", "case.yaml:11:46", WHY)
