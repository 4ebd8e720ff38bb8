"""Each case of the format passes on real compilers, and each of its teeth bites."""

from pathlib import Path

import pytest

from linkage.case.case import Case
from linkage.case.reader import parse_case, read_case
from linkage.judge.verdict import Failure, Verdict, VerdictKind
from linkage.render.evidence import explain_verdict
from linkage.run.selection import variants
from linkage.run.session import Session
from linkage.toolchain import Toolchain
from support.teeth import Tooth, teeth

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*/*.yaml"))
TEETH = [tooth for file in FILES for tooth in teeth(file)]


def _name(file: Path) -> str:
    return str(file.relative_to(HERE).with_suffix(""))


def verdicts(case: Case, toolchain: Toolchain, session: Session) -> dict[str, Verdict]:
    """The verdict on each variant of a case, by its id."""
    found = variants(case, toolchain, None, session.others)
    return {variant.id: session.verdict(variant) for variant in found}


def _claim(failure: Failure) -> str:
    return failure.claim or f"{failure.step}!"


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_a_case_passes(file: Path, toolchains: list[Toolchain], session: Session) -> None:
    session.choose_others([], toolchains)
    wrong: list[str] = []
    skipped: set[str] = set()
    passed = 0
    for toolchain in toolchains:
        for node, verdict in verdicts(read_case(file), toolchain, session).items():
            if verdict.outcome is VerdictKind.SKIP:
                skipped.add(verdict.reason)
            elif verdict.outcome in (VerdictKind.PASS, VerdictKind.KNOWN):
                passed += 1
            else:
                wrong.append(f"{verdict.outcome}: {explain_verdict(verdict, node)}")
    assert not wrong, "\n\n".join(wrong)
    if not passed:
        pytest.skip("; ".join(sorted(skipped)))


@pytest.mark.parametrize("tooth", TEETH, ids=str)
def test_teeth_fail_on_a_fault(tooth: Tooth, toolchains: list[Toolchain], session: Session) -> None:
    session.choose_others([], toolchains)
    case = parse_case(tooth.text, tooth.file, tooth.file.name)
    for toolchain in toolchains:
        found = verdicts(case, toolchain, session)
        reasons = {one.reason for one in found.values() if one.outcome is VerdictKind.SKIP}
        if reasons and all(one.outcome is VerdictKind.SKIP for one in found.values()):
            continue
        red = [
            verdict for verdict in found.values() if verdict.outcome in (VerdictKind.FAIL, VerdictKind.ERROR)
        ]
        failures = [failure for verdict in red for failure in verdict.failures]
        evidence = "\n\n".join(explain_verdict(one, node) for node, one in found.items())
        assert {_claim(failure) for failure in failures} == tooth.claims, evidence
        assert any(tooth.found in failure.found_there for failure in failures), evidence
        return
    pytest.skip("; ".join(sorted(reasons)))


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_a_case_has_teeth(file: Path) -> None:
    assert any(tooth.file == file for tooth in TEETH), "nothing shows that this case can fail"
