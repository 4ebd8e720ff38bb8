"""Claims about what rustc passed to the linker: all of it, and only in the step that they are made at."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

from linkage.judge.verdict import Verdict, VerdictKind
from linkage.run.session import Session
from linkage.toolchain import Toolchain
from support.small_cases import verdicts

Sessions = Callable[[Path], Session]

NAMESAKES = """\
    summary: Two inputs of one name
    matrix: {what: [n, m, one]}
    sources:
      n.c: 'int n(void) { return 1; }'
      m.c: 'int m(void) { return 2; }'
      main.rs: |
        extern "C" { fn n() -> i32; fn m() -> i32; }
        fn main() { println!("{}", unsafe { n() + m() }); }
    steps:
      - {mkdir: [a, b]}
      - {cc: n.c, kind: obj, output: a/same.o}
      - {cc: m.c, kind: obj, output: b/same.o}
      - rustc: main.rs
        flags: [-Clink-arg=a/same.o, -Clink-arg=b/same.o]
        claims:
          link-inputs/same.o:
            - {when: {what: n}, defines: [n]}
            - {when: {what: m}, defines: [m]}
            - {when: {what: one}, defines: {count: 1}, size: ">1"}
          link-inputs/same*.o: {when: {what: one}, defines: {count: 1}}
"""
LATER = """\
    summary: What an earlier step passed is not what a later one passes, and no step makes it
    matrix: {there: [true, false]}
    sources:
      n.c: 'int n(void) { return 1; }'
      main.rs: 'extern "C" { fn n() -> i32; } fn main() { println!("{}", unsafe { n() }); }'
      other.rs: 'fn main() {}'
    steps:
      - {cc: n.c, kind: obj, output: n.o}
      - rustc: main.rs
        flags: -Clink-arg=n.o
        produces: {only: [main]}
        claims: {link-inputs/n.o: {defines: [n]}}
      - rustc: other.rs
        produces: {only: [other]}
        claims:
          link-inputs/n.o: [{when: {there: true}, defines: [n]}, {when: {there: false}, exists: false}]
      - {run: main, stdout: "1\\n"}
"""


def twice(text: str, session_on: Sessions, toolchain: Toolchain, folder: Path) -> list[Verdict]:
    """The verdicts of a case, which are the same if all of it is cached."""
    text = dedent(text)
    first = verdicts(session_on(folder / "store"), text, toolchain, folder)
    again = verdicts(session_on(folder / "store"), text, toolchain, folder)
    assert [(one.outcome, one.failures) for one in again] == [(one.outcome, one.failures) for one in first]
    return first


def test_a_claim_is_about_all_inputs_of_a_name(
    real_toolchain: Toolchain, session_on: Sessions, tmp_path: Path
) -> None:
    n, m, one = twice(NAMESAKES, session_on, real_toolchain, tmp_path)
    found = [failure.file for verdict in (n, m) for failure in verdict.failures]
    assert found == ["link-inputs/2/same.o", ""]
    assert one.outcome is VerdictKind.PASS, one


def test_inputs_are_those_of_one_step(
    real_toolchain: Toolchain, session_on: Sessions, tmp_path: Path
) -> None:
    there, gone = twice(LATER, session_on, real_toolchain, tmp_path)
    assert [one.claim for one in there.failures] == ["link-inputs/n.o.exists"]
    assert gone.outcome is VerdictKind.PASS, gone
