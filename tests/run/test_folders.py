"""Whatever store is used, and whatever else is done at the time, a verdict is that of the variant alone,
without a store, in a folder of another name.

The cases print, embed, compress and hash the names of their folders.
"""

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from linkage.case.reader import parse_case
from linkage.judge.verdict import Failure, Verdict, VerdictKind
from linkage.plan.observation import Observation
from linkage.plan.plan import Plan, Variant
from linkage.run import chain
from linkage.run.session import Session
from linkage.store.keys import step_key
from linkage.store.recheck import Recheck, neutral
from linkage.store.store import Store
from linkage.toolchain import Toolchain

CASES = {
    "macro": """\
        summary: The program prints where its library was compiled
        matrix: {level: [0, 1]}
        sources:
          dep.rs: |
            pub fn place() -> &'static str { file!() }
          main.rs: |
            fn main() { println!("{}", dep::place()); }
        steps:
          - {rustc: "${work}/dep.rs", crate-type: rlib}
          - {rustc: main.rs, extern: {dep: dep.rlib}, opt-level: "${level}"}
          - {run: main, stdout: "${work}/dep.rs\\n"}
        """,
    "remapped": """\
        summary: No path of the working folder is left, which holds for one level only
        matrix: {level: [0, 1, 2]}
        sources:
          dep.rs: |
            #[inline] pub fn twice(x: u32) -> u32 { x * 2 }
          main.rs: |
            fn main() { println!("{}", dep::twice(21)); }
        steps:
          - {rustc: dep.rs, crate-type: rlib, debuginfo: 2}
          - rustc: main.rs
            extern: {dep: dep.rlib}
            opt-level: "${level}"
            debuginfo: 2
            flags: "--remap-path-prefix=${work}=/src"
            claims: {main.bin: {content: {not-contains: "${work}"}}}
        """,
    "debug-info": """\
        summary: Debug info names the folder, plain and compressed
        matrix: {n: [1, 2]}
        sources: {place.c: "int place(void) { return 1; }"}
        steps:
          - {cc: place.c, kind: obj, flags: [-g, -gz=zlib]}
          - {tool: objcopy, args: [--decompress-debug-sections, place.obj, "plain-${n}.o"]}
        claims:
          "plain-${n}.o": {content: {contains: "${work}"}}
        """,
    "compressed": """\
        summary: A compressed path is that of the folder in which it is read
        matrix: {n: [1, 2]}
        steps:
          - {tool: sh, args: [-c, 'pwd | gzip -n > place.gz; echo $TMPDIR | gzip -n > temporary.gz']}
          - tool: sh
            args: [-c, 'zcat place.gz; test "$(zcat temporary.gz)" = $TMPDIR && echo ${n}']
            stdout: "${work}\\n${n}\\n"
        """,
    "hashed": """\
        summary: A hash of a path is that of the folder in which it is checked
        matrix: {n: [1, 2]}
        steps:
          - {tool: sh, args: [-c, 'pwd | sha256sum > sum']}
          - {tool: sh, args: [-c, 'echo ${n}; pwd | sha256sum -c sum'], stdout: "${n}\\n-: OK\\n"}
        """,
    "length": """\
        summary: The length of a path is that of the folder in which it is checked
        matrix: {n: [1, 2]}
        steps:
          - {tool: sh, args: [-c, 'pwd | wc -c > length']}
          - {tool: sh, args: [-c, 'test $(pwd | wc -c) = $(cat length) && echo ${n}'], stdout: "${n}\\n"}
        """,
    "embedded-hash": """\
        summary: A program that only holds a hash of its library's path was built in its own folder
        matrix: {n: [1, 2]}
        sources:
          dep.rs: |
            pub const fn hash(text: &[u8]) -> u64 {
                let (mut found, mut at) = (0xcbf29ce484222325, 0);
                while at < text.len() {
                    found = (found ^ text[at] as u64).wrapping_mul(0x100000001b3);
                    at += 1;
                }
                found
            }
            pub const HERE: u64 = hash(file!().as_bytes());
          main.rs: |
            fn main() {
                let given: Vec<String> = std::env::args().collect();
                println!("{} {}", dep::HERE == dep::hash(given[1].as_bytes()), given[2]);
            }
        steps:
          - {rustc: "${work}/dep.rs", crate-type: rlib}
          - {rustc: main.rs, extern: {dep: dep.rlib}}
          - {run: main, args: ["${work}/dep.rs", "${n}"], stdout: "true ${n}\\n"}
        """,
    "panic": """\
        summary: A panic names the folders in which the program was compiled and runs
        matrix: {n: [1, 2]}
        sources:
          dep.rs: |
            pub fn fail(n: &str) { panic!("{n} in {:?}", std::env::current_dir().unwrap()) }
          main.rs: |
            fn main() { dep::fail(&std::env::args().nth(1).unwrap()) }
        steps:
          - {rustc: "${work}/dep.rs", crate-type: rlib}
          - {rustc: main.rs, extern: {dep: dep.rlib}}
          - run: main
            args: "${n}"
            exit: 101
            stderr: {contains: ["${work}/dep.rs:1:24", '${n} in "${work}"']}
        """,
    "metadata": """\
        summary: An error shows the place of a dependency, which its metadata names
        matrix: {n: [1, 2]}
        sources:
          dep.rs: |
            pub struct Hidden(u8);
          main.rs: |
            fn main() { dep::Hidden(1); }
        steps:
          - {rustc: "${work}/dep.rs", crate-type: rlib}
          - rustc: main.rs
            cfg: "n${n}"
            extern: {dep: dep.rlib}
            exit: 1
            stderr: {contains: "${work}/dep.rs:1"}
        """,
    "compressed-section": """\
        summary: A compressed section names the folder in which it was made
        matrix: {n: [1, 2]}
        sources: {place.c: "char n = N;"}
        steps:
          - {tool: sh, args: [-c, "pwd | gzip -n >place.gz"]}
          - {cc: place.c, kind: obj, output: place.o, flags: "-DN=${n}"}
          - {tool: objcopy, args: [--add-section, place=place.gz, place.o]}
          - {tool: objcopy, id: took, args: [--dump-section, place=took.gz, place.o]}
          - {tool: zcat, args: [took.gz], stdout: "${work}\\n"}
        """,
    "no-such-folder": """\
        summary: An operation that fails says of which file, in any folder
        matrix: {n: [1, 2]}
        sources: {a: ""}
        steps: [{rename: a, to: "gone/${n}"}]
        """,
    "captured": """\
        summary: What a step prints of its folder names the folder of a later one
        matrix: {n: [1, 2]}
        steps:
          - {tool: sh, args: [-c, pwd], id: place, capture: stdout}
          - {tool: sh, args: [-c, "test $(pwd) = ${captured.place} && exit ${n}"], exit: 1}
        """,
    "siblings": """\
        summary: Debug info of two variants is the same, whatever their folder
        matrix: {n: [1, 2, 3]}
        sources: {place.c: "int place(void) { return 1; }"}
        steps:
          - {tool: sh, args: [-c, "echo ${n}"], stdout: "${n}\\n"}
          - cc: place.c
            kind: obj
            flags: [-g]
            claims: {place.obj: {same-as: {variant: {n: 1}, compare: bytes}}}
        """,
    "half-linked": """\
        summary: The second half of a link finds the objects of the first
        matrix: {n: [1, 2]}
        requires: ["-Zno-link", "-Zlink-only"]
        sources:
          lib.rs: |
            #![no_std]
            #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
            #[no_mangle] pub extern "C" fn answer() -> i32 { 42 }
        steps:
          - {rustc: lib.rs, crate-type: cdylib, panic: abort, no-link: true, debuginfo: 2}
          - {tool: sh, args: [-c, "echo ${n}"], stdout: "${n}\\n"}
          - {link-only: lib, claims: {lib.cdylib: {exports: [answer]}}}
        """,
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What came out of a variant, and what its steps printed and made, whenever that was."""

    outcome: VerdictKind
    reason: str
    failures: tuple[Failure, ...]
    steps: tuple[object, ...]


@dataclass
class Watching(Session):
    """A session that remembers what it observes."""

    observed: list[Observation] = field(default_factory=list)

    def _observe(self, planned: Plan, given: Mapping[str, bytes], folder: Path | None = None) -> Observation:
        self.observed.append(super()._observe(planned, given, folder))
        return self.observed[-1]


def seen(variant: Variant, store: Path, cache: Path) -> Seen:
    """A variant's verdict, as a worker of its own finds it."""
    session = Watching(Store(store), cache)
    verdict = session.verdict(variant)
    steps = [
        (
            one.id,
            one.outcome.status,
            one.outcome.stdout,
            neutral(one.outcome.stderr),
            one.outcome.produced,
            one.outcome.modes,
        )
        for observed in session.observed
        for one in observed.steps
    ]
    return Seen(verdict.outcome, verdict.reason, verdict.failures, tuple(steps))


@pytest.fixture(scope="module")
def variants(real_toolchain: Toolchain) -> dict[str, Variant]:
    found = {}
    for name, text in CASES.items():
        case = parse_case(dedent(text), Path(f"/nowhere/{name}.yaml"), f"{name}.yaml")
        found.update({one.id: one for one in (Variant(case, row, real_toolchain) for row in case.rows)})
    return found


@pytest.fixture(scope="module")
def alone(
    variants: dict[str, Variant], cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Seen]:
    """Each variant by itself, without a store, in a folder of a name of its own."""
    base = tmp_path_factory.mktemp("alone")
    return {
        name: seen(variant, base / ("x" * number) / "none", cache)
        for number, (name, variant) in enumerate(variants.items(), 1)
    }


def test_each_case_is_judged(alone: dict[str, Seen], real_toolchain: Toolchain) -> None:
    """By its verdict, red or green; what is not is a mistake in this file."""
    found = {name: one.outcome for name, one in alone.items()}
    failed = {
        name.replace(f"::{real_toolchain.name}", "") for name in found if found[name] is VerdictKind.FAIL
    }
    assert failed == {"remapped.yaml[level=0]", "remapped.yaml[level=2]", "captured.yaml[n=2]"}, alone
    errors = {name.partition(".")[0] for name in found if found[name] is VerdictKind.ERROR}
    assert errors == {"no-such-folder"}, alone


@settings(max_examples=5, deadline=None, phases=[Phase.generate])
@given(data=st.data())
def test_verdict_is_the_same_if_the_variant_runs_alone(
    data: st.DataObject,
    variants: dict[str, Variant],
    alone: dict[str, Seen],
    cache: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    base = tmp_path_factory.mktemp("together")
    place = base / "store"
    for turn in range(2):
        order = data.draw(st.permutations(list(variants)), label="order")
        workers = data.draw(st.sampled_from([1, 2, 4]), label="workers")
        before = data.draw(st.sampled_from(["as it is", "moved", "without files"]), label="the store")
        if turn and before == "moved":
            place = place.rename(base / "a-store-of-another-name")
        elif turn and before == "without files":
            shutil.rmtree(Store(place).folder / "blobs")
        work = partial(seen, store=place, cache=cache)
        with ThreadPoolExecutor(workers) as pool:
            found = dict(zip(order, pool.map(work, map(variants.get, order)), strict=True))
        assert {name: found[name] for name in alone if found[name] != alone[name]} == {}
    shutil.rmtree(base)


@pytest.mark.parametrize("bound", [True, False])
def test_outcomes_of_two_folders_are_not_mixed(
    bound: bool,  # noqa: FBT001 - pytest gives it by name
    variants: dict[str, Variant],
    alone: dict[str, Seen],
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If the key did not have the folder's name in it, this test would see it."""
    if not bound:
        unbound: Callable[..., str] = step_key
        monkeypatch.setattr(chain, "step_key", lambda *parts: unbound(*parts[:-1], ()))
    order = sorted(variants, key=lambda name: name.rpartition("[")[2])
    found = {}
    for name in order:  # the first cell of each case in one folder, the others in another
        with Store(tmp_path).variant_folder():
            pass
        first = name.endswith(("n=1]", "level=0]"))
        with Store(tmp_path).variant_folder() if not first else Store(tmp_path).work_folder():
            found[name] = seen(variants[name], tmp_path, cache)
    different = {name.partition(".")[0] for name in found if found[name] != alone[name]}
    named = {"macro", "remapped", "debug-info", "compressed", "hashed", "embedded-hash", "panic"}
    named |= {"metadata", "compressed-section"}
    assert different == (set() if bound else named)


def test_a_recheck_finds_no_difference(
    variants: dict[str, Variant], alone: dict[str, Seen], cache: Path, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda variant: seen(variant, tmp_path, cache), variants.values()))
    again: dict[str, Verdict] = {}
    for name, variant in variants.items():
        session = Session(Store(tmp_path), cache, recheck=Recheck(1.0, 0))
        again[name] = session.verdict(variant)
    assert {name: one.outcome for name, one in again.items()} == {
        name: one.outcome for name, one in alone.items()
    }
    judged = [one for one in again.values() if one.outcome not in (VerdictKind.SKIP, VerdictKind.ERROR)]
    assert all(one.rechecked for one in judged)


def test_a_toolchain_of_another_place_is_another(
    real_toolchain: Toolchain, cache: Path, tmp_path: Path
) -> None:
    """Where it is stands in what it prints, and in a program's search path for its libraries."""
    text = """\
    summary: The compiler says where it is
    steps:
      - {rustc: null, flags: [--print=sysroot], stdout: "${sysroot}\\n"}
    """
    case = parse_case(dedent(text), tmp_path / "case.yaml", "case.yaml")
    moved = tmp_path / "moved"
    moved.symlink_to(real_toolchain.sysroot)
    script = tmp_path / "rustc"
    script.write_text(f'#!/bin/sh\nexec {real_toolchain.rustc} --sysroot {moved} "$@"\n')
    script.chmod(0o755)
    known = replace(real_toolchain.capabilities, sysroot=moved)
    for toolchain in (real_toolchain, replace(real_toolchain, rustc=script, capabilities=known)):
        verdict = Session(Store(tmp_path / "store"), cache).verdict(Variant(case, case.rows[0], toolchain))
        assert verdict.outcome is VerdictKind.PASS, verdict
