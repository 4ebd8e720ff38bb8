"""A graph and one of its checks as a case: what `linkage run` takes. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from linkage.case.case import Case
from linkage.case.invariants import INVARIANTS
from linkage.case.reader import parse_case
from linkage.fuzz.case_text import case_text
from linkage.fuzz.contents import CONTENTS
from linkage.fuzz.graph import Graph
from linkage.fuzz.prediction import has_entry
from linkage.fuzz.relations import RELATIONS, partner
from linkage.fuzz.rules import LTO
from linkage.fuzz.source_text import c_program, loading_program, native, native_library, rust

TIMEOUT = 300
"""Seconds for each step: more is a hang, also on a busy machine."""


@dataclass(frozen=True, slots=True, order=True)
class GraphCheck:
    """One relation, checked of one crate."""

    relation: str
    crate: int


def graph_sources(graph: Graph, crate: int) -> dict[str, str]:
    """Every source of a graph, for checks of one of its crates."""
    found = {f"{graph.name(index)}.rs": rust(graph, index) for index in range(len(graph.crates))}
    for index, one in enumerate(graph.crates):
        for kind in one.contents:
            if CONTENTS[kind].native:
                found[f"{native_library(graph, index, kind)}.c"] = native(graph, index, kind)
    if has_entry(graph, crate):
        found |= {"main.c": c_program(graph, crate), "load.c": loading_program()}
        other = partner(graph, crate)
        if other is not None:
            found["both.c"] = c_program(graph, crate, other)
    if "bin" not in graph.crates[crate].types:
        found["user.rs"] = _user(graph, crate)
    return found


def _user(graph: Graph, crate: int) -> str:
    name = graph.name(crate)
    if graph.std:
        return f'extern crate {name};\nfn main() {{ println!("answer={{}}", {name}::value()); }}\n'
    return (
        f"#![no_std]\n#![no_main]\nextern crate {name};\n"
        '#[link(name = "c")] extern "C" { fn printf(format: *const u8, ...) -> i32; }\n'
        '#[no_mangle] pub extern "C" fn main() -> i32 {\n'
        f'    unsafe {{ printf("answer=%llu\\n\\0".as_ptr(), {name}::value()) }};\n    0\n}}\n'
    )


def case_data(
    graph: Graph, check: GraphCheck, without: Collection[str] = (), *, lean: bool = False
) -> dict[str, object]:
    """The data of a case; `without` names invariants that are not judged; `lean` leaves out the sources that
    no step names, with which all checks of a graph share their first steps in the cache.
    """
    relation = RELATIONS[check.relation]
    steps = relation.steps(graph, check.crate)
    files = graph_sources(graph, check.crate)
    if lean:
        named = {str(step.get(key)) for step in steps for key in ("rustc", "cc")}
        files = {name: text for name, text in files.items() if name in named}
    data: dict[str, object] = {"summary": relation.about[0].upper() + relation.about[1:]}
    requires = _requires(graph, check)
    if requires:
        data["requires"] = requires
    data["timeout"] = TIMEOUT
    lifted = {name: "turned off" for name in INVARIANTS if name in without}
    if lifted:
        data["invariants"] = lifted
    return data | {"sources": files, "steps": steps}


def _requires(graph: Graph, check: GraphCheck) -> list[object]:
    """The capabilities that the graph needs, without those that follow from a flag of rustc."""
    found: list[object] = []
    if any(one.flag("lto") in LTO for one in graph.crates) or check.relation == "lto":
        found.append("std-bitcode")
    archs = {CONTENTS[kind].arch for one in graph.crates for kind in one.contents} - {""}
    linkers = {one.flag("linker") for one in graph.crates} - {None}
    found += [{"arch": arch} for arch in sorted(archs)]
    return [*found, *({"linker": linker} for linker in sorted(map(str, linkers)))]


def graph_case(
    graph: Graph,
    check: GraphCheck,
    without: Collection[str] = (),
    *,
    lean: bool = False,
    heading: str = "",
    name: str = "graph.yaml",
) -> tuple[Case, str]:
    """The case and its text. Raises CaseErrors if it is not valid: a mistake of the generator."""
    text = case_text(case_data(graph, check, without, lean=lean), heading)
    return parse_case(text, Path("/nonexistent") / name, name), text
