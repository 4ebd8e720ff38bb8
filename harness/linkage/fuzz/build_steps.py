"""The steps of a case that build a graph's crates and use what was built. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from linkage.fuzz.contents import CONTENTS
from linkage.fuzz.flags import FLAGS
from linkage.fuzz.graph import Graph, GraphCrate
from linkage.fuzz.prediction import answer, entry
from linkage.fuzz.rules import refusals
from linkage.fuzz.source_text import native_library, printed

CaseStep = dict[str, object]
LINKED = "linked"
"""The folder of an output whose second half is told to put it elsewhere."""


@dataclass(frozen=True, slots=True)
class BuildPlace:
    """Where one build of a crate goes, and how its steps are named."""

    id: str
    folder: str = ""

    @property
    def is_first(self) -> bool:
        """Whether it is the build that other crates use."""
        return not self.folder


def crate_steps(graph: Graph, crate: int, place: BuildPlace | None = None) -> list[CaseStep]:
    """The steps that build one crate."""
    place = place or BuildPlace(graph.name(crate))
    one = graph.crates[crate]
    step: CaseStep = {"rustc": f"{graph.name(crate)}.rs"}
    if not place.is_first:
        step |= {"id": place.id, "crate-name": graph.name(crate), "out-dir": place.folder}
    step["crate-type"] = list(one.types)
    given = {graph.name(e.crate): f"{graph.name(e.crate)}.{e.how}" for e in one.edges if e.how != "search"}
    if given:
        step["extern"] = given
    step |= _keys(one)
    if graph.panic == "abort" or not graph.std:
        step["panic"] = "abort"
    emitted = _emitted(graph, crate)
    if emitted:
        step["emit"] = emitted
    words = _words(one, place, [name for name, row in FLAGS.items() if not row.key])
    if words:
        step["flags"] = words
    refused = refusals(graph, crate)
    if refused:
        text = "|".join(rule.text for rule in refused)
        return [step | {"exit": 1, "diagnostics": {"all": [{"level": "error", "matches": text}]}}]
    natives = _native_steps(graph, crate) if place.is_first else []
    if not one.halves:
        return [*natives, step]
    return [*natives, step | {"no-link": True}, _second_half(one, place)]


def all_steps(graph: Graph, crate: int) -> list[CaseStep]:
    """The steps that build everything that a crate needs, and the crate."""
    return [step for below in graph.below(crate) for step in crate_steps(graph, below)]


def _keys(one: GraphCrate) -> CaseStep:
    found: CaseStep = {}
    for name, value in one.flags:
        key = FLAGS[name].key
        if key:
            found[key] = True if value == "true" else int(value) if value.isdecimal() else value
    return found


def _words(one: GraphCrate, place: BuildPlace, names: Iterable[str]) -> list[str]:
    values = dict(one.flags)
    values |= {"incremental": f"inc-{place.id}"} if "incremental" in values else {}
    return [
        FLAGS[name].word.replace("VALUE", values[name])
        for name in names
        if values.get(name) and FLAGS[name].word
    ]


def _emitted(graph: Graph, crate: int) -> list[str]:
    extra = graph.crates[crate].flag("emit")
    as_metadata = any(
        edge.crate == crate and edge.how == "rmeta" for one in graph.crates for edge in one.edges
    )
    found = [*(["metadata"] if as_metadata else []), *([extra] if extra else [])]
    return [*found, "link"] if found else []


def _second_half(one: GraphCrate, place: BuildPlace) -> CaseStep:
    step: CaseStep = {"link-only": place.id, "flags": ["-L."]}  # the .rlink has no search paths
    if one.halves == "elsewhere":
        step["out-dir"] = f"{place.folder}/{LINKED}" if place.folder else LINKED
    if one.halves != "bare":
        words = _words(one, place, [name for name, row in FLAGS.items() if row.links and name != "linker"])
        step["flags"] = ["-L.", *words]
        step |= {"linker": one.flag("linker")} if one.flag("linker") else {}
    return step


def _native_steps(graph: Graph, crate: int) -> list[CaseStep]:
    steps: list[CaseStep] = []
    for kind in graph.crates[crate].contents:
        if CONTENTS[kind].native:
            name = native_library(graph, crate, kind)
            steps.append({"cc": f"{name}.c", "kind": "obj", "output": f"{name}.o"})
            steps.append({"ar": f"lib{name}.a", "members": [f"{name}.o"]})
    return steps


def library_file(graph: Graph, crate: int, place: BuildPlace | None = None) -> str:
    """The path of a crate's shared library, as a program is told it."""
    folder = place.folder if place else ""
    if graph.crates[crate].halves == "elsewhere":
        folder = f"{folder}/{LINKED}" if folder else LINKED
    return f"./{folder}/lib{graph.name(crate)}.so" if folder else f"./lib{graph.name(crate)}.so"


def static_use(graph: Graph, crate: int, role: str, name: str = "c-static") -> list[CaseStep]:
    """A C program links the staticlib."""
    return [
        {"cc": "main.c", "id": name, "link-with": [f"{role}.staticlib"]},
        {"run": name, "id": f"run-{name}", "stdout": printed(*answer(graph, crate))},
    ]


def loading_use(graph: Graph, crate: int, file: str, name: str = "c-loads") -> list[CaseStep]:
    """A C program loads the shared library."""
    return [
        {"cc": "load.c", "id": name, "flags": ["-ldl"]},
        {
            "run": name,
            "id": f"run-{name}",
            "args": [file, entry(graph, crate)],
            "stdout": printed(*answer(graph, crate)),
        },
    ]


def used(graph: Graph, crate: int, place: BuildPlace) -> list[CaseStep]:
    """Every use of a second build of a crate that does not need Rust."""
    one = graph.crates[crate]
    steps: list[CaseStep] = []
    if "staticlib" in one.types:
        steps += static_use(graph, crate, place.id, f"c-static-{place.id}")
    if one.shared:
        steps += loading_use(graph, crate, library_file(graph, crate, place), f"c-loads-{place.id}")
    if "bin" in one.types:
        steps.append({"run": place.id, "id": f"run-{place.id}", "stdout": printed(*answer(graph, crate))})
    return steps
