"""`${work}` in a claim is the folder in which the steps ran, wherever its name occurs."""

from pathlib import Path
from textwrap import indent

import pytest

from linkage.case.reader import parse_case
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.plan.plan import Variant
from linkage.run.session import Session
from linkage.store.store import Store
from linkage.toolchain import Toolchain

MAKE = """\
summary: Files with the name of their folder in them
sources:
  place.c: |
    const char folder[] __attribute__((section("place"))) = PLACE;
    int main(void) { return 0; }
steps:
  - cc: place.c
    flags: ['-DPLACE="${work}/x"', "-Wl,-rpath,${work}/libraries", "-Wl,--dynamic-linker=${work}/loader"]
  - cc: place.c
    id: lib
    kind: shared
    output: libplace.so
    flags: ['-DPLACE="x"', "-Wl,-soname,${work}/libplace.so"]
  - cc: place.c
    id: user
    output: user
    flags: ['-DPLACE="x"', "-Wl,--no-as-needed"]
    link-with: libplace.so
  - {cc: place.c, id: obj, kind: obj, output: place.o, flags: ['-DPLACE="${work}/x"']}
  - {tool: ar, id: thin, args: [rcT, libthin.a, "${work}/place.o"]}
  - {ar: libfat.a, members: [place.o]}
  - {tool: sh, id: text, args: [-c, "pwd >text; echo '$WORK/x' >literal"]}
  - {tool: sh, id: said, args: [-c, pwd], capture: stdout}
claims:
"""


def judged(claims: str, toolchain: Toolchain, cache: Path, store: Path) -> Verdict:
    case = parse_case(MAKE + indent(claims, "  "), Path("/nowhere/case.yaml"), "case.yaml")
    return Session(Store(store), cache).verdict(Variant(case, case.rows[0], toolchain))


CLAIMS = """\
place: {section: {place: {contains: '${work}/x'}}}
place: {section: {place: {not-contains: '${work}/x'}}}
libfat.a: {section: {place: {contains: '${work}/x'}}}
libfat.a: {section: {place: {not-contains: '${work}'}}}
libfat.a: {each-member: {'*': {section: {place: {contains: '${work}/x'}}}}}
libfat.a: {each-member: {'*': {section: {place: {not-contains: '${work}'}}}}}
place.o: {content: {contains: '${work}/x'}}
place.o: {content: {not-contains: '${work}/x'}}
place.o: {content: {contains: '${captured.said}/x'}}
place.o: {content: {not-contains: '${captured.said}/x'}}
place: {runpath: ['${work}/libraries']}
place: {runpath: {none: ['${work}/*']}}
place: {runpath: ['/^${work}./']}
place: {runpath: {none: ['/^${captured.said}/']}}
place: {interpreter: ['${work}/loader']}
place: {interpreter: {none: ['${work}/loader']}}
libplace.so: {soname: ['${work}/libplace.so']}
libplace.so: {soname: {none: ['${work}/*']}}
user: {needed: ['${work}/libplace.so']}
user: {needed: {none: ['${work}/*']}}
libthin.a: {members: ['${work}/place.o']}
libthin.a: {members: {none: ['${work}/*']}}
text: {text: "${work}\\n"}
text: {text: {not-contains: '${work}'}}
text: {text: {matches: '^${captured.said}$'}}
text: {text: {not-contains: '${captured.said}'}}
literal: {text: {not-contains: '${work}'}}
literal: {text: {contains: '${work}'}}
literal: {content: {not-contains: '${work}'}}
literal: {content: {contains: '${work}'}}
"""
"""One that holds and one that does not, of each place in which a path may be."""
LINES = CLAIMS.splitlines()


@pytest.mark.parametrize(("holds", "does_not"), list(zip(LINES[::2], LINES[1::2], strict=True)))
def test_claims_about_the_folder_s_name(
    holds: str, does_not: str, real_toolchain: Toolchain, cache: Path, tmp_path: Path
) -> None:
    for _ in ("new", "cached"):
        found = judged(holds, real_toolchain, cache, tmp_path)
        assert found.outcome is VerdictKind.PASS, found
        found = judged(does_not, real_toolchain, cache, tmp_path)
        assert found.outcome is VerdictKind.FAIL, found
        assert str(tmp_path) not in str(found.failures)


def test_a_stream_that_spells_the_folder_s_placeholder_does_not_name_the_folder(
    real_toolchain: Toolchain, cache: Path, tmp_path: Path
) -> None:
    text = """\
    summary: A program prints a dollar sign
    steps:
      - {tool: sh, args: [-c, "echo '$WORK'"], stdout: {not-contains: "${work}"}}
      - {tool: sh, args: [-c, "pwd"], id: here, stdout: "${work}\\n"}
    """
    case = parse_case(text, Path("/nowhere/case.yaml"), "case.yaml")
    found = Session(Store(tmp_path), cache).verdict(Variant(case, case.rows[0], real_toolchain))
    assert found.outcome is VerdictKind.PASS, found
