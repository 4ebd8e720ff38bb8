"""The relations between outputs that a generated graph is checked for: a table, each with its steps. Pure.

A relation builds the crate that it is about, with all that the crate needs, and states as claims of a case
what must hold: what programs print, by the model; or that a second build of the crate, changed in one
respect, agrees with the first. Every case has the harness's invariants beside: no undefined Rust symbol, no
duplicate.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from linkage.fuzz.build_steps import (
    BuildPlace,
    CaseStep,
    all_steps,
    crate_steps,
    library_file,
    loading_use,
    static_use,
    used,
)
from linkage.fuzz.graph import SHARED, Graph, GraphCrate
from linkage.fuzz.prediction import answer, is_static, own_names, possible_names
from linkage.fuzz.rules import LTO, accepted
from linkage.fuzz.source_text import printed

AGAIN = BuildPlace("again", "again")


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation."""

    about: str
    applies: Callable[[Graph, int], bool]
    steps: Callable[[Graph, int], list[CaseStep]]
    strict: bool = False
    """Whether rustc must accept the second build if it accepted the first."""
    whole: bool = True
    """Whether it is about a crate that rustc is expected to accept."""


def _types(*kinds: str) -> Callable[[Graph, int], bool]:
    return lambda graph, crate: any(kind in graph.crates[crate].types for kind in kinds)


def _claimed(steps: list[CaseStep], claims: dict[str, object]) -> list[CaseStep]:
    """The steps, with claims at the last of them."""
    return [*steps[:-1], steps[-1] | {"claims": claims}] if claims else steps


def _c_static(graph: Graph, crate: int) -> list[CaseStep]:
    return [*all_steps(graph, crate), *static_use(graph, crate, graph.name(crate))]


def _c_dynamic(graph: Graph, crate: int) -> list[CaseStep]:
    role = f"{graph.name(crate)}.{graph.crates[crate].shared}"
    return [
        *all_steps(graph, crate),
        {"cc": "main.c", "id": "c-shared", "link-with": [role]},
        {"run": "c-shared", "id": "run-c-shared", "stdout": printed(*answer(graph, crate))},
    ]


def _loads(graph: Graph, crate: int) -> list[CaseStep]:
    return [*all_steps(graph, crate), *loading_use(graph, crate, library_file(graph, crate))]


def _program(graph: Graph, crate: int) -> list[CaseStep]:
    return [
        *all_steps(graph, crate),
        {"run": graph.name(crate), "id": "run-program", "stdout": printed(*answer(graph, crate))},
    ]


def _rust_user(kind: str) -> Callable[[Graph, int], list[CaseStep]]:
    def steps(graph: Graph, crate: int) -> list[CaseStep]:
        name = graph.name(crate)
        step: CaseStep = {"rustc": "user.rs", "extern": {name: f"{name}.{kind}"}}
        if graph.panic == "abort" or not graph.std:
            step["panic"] = "abort"
        if kind == "dylib" and graph.std:
            step["prefer-dynamic"] = True
        return [
            *all_steps(graph, crate),
            step,
            {"run": "user", "id": "run-user", "stdout": printed(*answer(graph, crate))},
        ]

    return steps


def partner(graph: Graph, crate: int) -> int | None:
    """Another staticlib that has no crate in common with this one, if the graph has one."""
    mine = set(graph.below(crate))
    return next(
        (
            other
            for other, one in enumerate(graph.crates)
            if "staticlib" in one.types
            and not mine & set(graph.below(other))
            and accepted(graph, graph.below(other))
        ),
        None,
    )


def _two_staticlibs(graph: Graph, crate: int) -> list[CaseStep]:
    other = partner(graph, crate)
    assert other is not None  # noqa: S101 - as the relation applies
    both = [f"{graph.name(crate)}.staticlib", f"{graph.name(other)}.staticlib"]
    return [
        *all_steps(graph, other),
        *all_steps(graph, crate),
        {"cc": "both.c", "id": "c-both", "link-with": both},
        {"run": "c-both", "id": "run-c-both", "stdout": printed(*answer(graph, crate, other))},
    ]


def _exports(graph: Graph, crate: int) -> list[CaseStep]:
    one, name = graph.crates[crate], graph.name(crate)
    own, possible = list(own_names(graph, crate)), list(possible_names(graph, crate))
    claims: dict[str, object] = {}
    if one.shared == "cdylib":
        certain = possible if is_static(graph, crate) else own
        claims[f"{name}.cdylib"] = [
            {"exports": {"all": certain}},
            {"exports": {"count": 0, "except": possible}},
        ]
    if one.shared == "dylib":
        claims[f"{name}.dylib"] = {"exports": [*own, "${metadata}"], "metadata": True}
    if "staticlib" in one.types:
        claims[f"{name}.staticlib"] = {"defines": possible, "unresolved": {"none": ["${rust-symbols}"]}}
    if "rlib" in one.types:
        claims[f"{name}.rlib"] = {"metadata": True, **({"defines": own} if own else {})}
    if "bin" in one.types and own:
        wanted = "all" if one.flag("export-executable") else "none"
        claims[f"{name}.bin"] = {"exports": {wanted: own}}
    if one.flag("emit") == "obj" and own:
        claims[f"{name}.obj"] = {"defines": own}
    return _claimed(all_steps(graph, crate), claims)


def _compared(graph: Graph, crate: int, first: str, second: str, what: dict[str, str]) -> dict[str, object]:
    """The claims that outputs of the second build are the same as the first's; `what` is compared by kind."""
    one = graph.crates[crate]
    kinds = [kind for kind in one.types if kind in what and (kind not in SHARED or kind == one.shared)]
    return {
        f"{second}.{kind}": {"same-as": {"artifact": f"{first}.{kind}", "compare": what[kind]}}
        for kind in kinds
    }


_EXPORTS = {"cdylib": "exports"}
_EVERY_EXPORT = {"cdylib": "exports", "dylib": "exports"}
_SYMBOLS = {**_EVERY_EXPORT, "staticlib": "symbols"}
_BYTES = {"cdylib": "bytes", "staticlib": "bytes", "bin": "bytes"}


def changed(graph: Graph, crate: int, one: GraphCrate) -> Graph:
    """The graph with another build of this crate; what depends on it is not part of it."""
    crates = list(graph.crates[: crate + 1])
    crates[crate] = one
    return replace(graph, crates=tuple(crates))


def _second(
    change: Callable[[GraphCrate], GraphCrate], what: dict[str, str]
) -> Callable[[Graph, int], list[CaseStep]]:
    def steps(graph: Graph, crate: int) -> list[CaseStep]:
        other = changed(graph, crate, change(graph.crates[crate]))
        claims = _compared(other, crate, graph.name(crate), AGAIN.id, what)
        second = _claimed(crate_steps(other, crate, AGAIN), claims)
        return [*all_steps(graph, crate), *second, *used(other, crate, AGAIN)]

    return steps


def _changes(
    change: Callable[[GraphCrate], GraphCrate], when: Callable[[GraphCrate], bool] = lambda _: True
) -> Callable[[Graph, int], bool]:
    """Whether a change makes another build, which no rule refuses."""

    def applies(graph: Graph, crate: int) -> bool:
        one = graph.crates[crate]
        if not when(one) or one.types == ("rlib",):
            return False
        return accepted(changed(graph, crate, change(one)), (crate,))

    return applies


def _alone(graph: Graph, crate: int) -> list[CaseStep]:
    steps = all_steps(graph, crate)
    for kind in graph.crates[crate].types:
        other = changed(graph, crate, replace(graph.crates[crate], types=(kind,)))
        place = BuildPlace(f"alone-{kind}", f"alone-{kind}")
        what = _EVERY_EXPORT if kind == graph.crates[crate].shared else {}
        claims = _compared(other, crate, graph.name(crate), place.id, what)
        steps += [*_claimed(crate_steps(other, crate, place), claims), *used(other, crate, place)]
    return steps


def _alone_applies(graph: Graph, crate: int) -> bool:
    one = graph.crates[crate]
    kinds = (replace(one, types=(kind,)) for kind in one.types)
    return len(one.types) > 1 and all(accepted(changed(graph, crate, each), (crate,)) for each in kinds)


def _incremental(graph: Graph, crate: int) -> list[CaseStep]:
    one = graph.crates[crate].with_flag("incremental", "inc")
    other = changed(graph, crate, one)
    third = BuildPlace("third", "third")
    first = _claimed(
        crate_steps(other, crate, AGAIN), _compared(other, crate, graph.name(crate), AGAIN.id, _EXPORTS)
    )
    repeated = [
        step
        | ({"flags": [w.replace("inc-third", "inc-again") for w in _flags(step)]} if "flags" in step else {})
        for step in crate_steps(other, crate, third)
    ]
    claims = _compared(other, crate, AGAIN.id, third.id, _EVERY_EXPORT)
    return [*all_steps(graph, crate), *first, *_claimed(repeated, claims), *used(other, crate, third)]


def _flags(step: CaseStep) -> list[str]:
    flags = step.get("flags", [])
    return [str(one) for one in flags] if isinstance(flags, list) else []


def _reversed(one: GraphCrate) -> GraphCrate:
    return replace(one, types=one.types[::-1])


def _other_halves(one: GraphCrate) -> GraphCrate:
    return replace(one, halves="" if one.halves else "again")


def _other_lto(one: GraphCrate) -> GraphCrate:
    if one.flag("lto") in LTO:
        return one.with_flag("lto", "off").with_flag("dylib-lto", None)
    dylib = "dylib" in one.types or one.flag("prefer-dynamic")
    return one.with_flag("lto", "fat").with_flag("dylib-lto", "true" if dylib else None)


def _other_units(one: GraphCrate) -> GraphCrate:
    return one.with_flag("codegen-units", "4" if one.flag("codegen-units") == "1" else "1")


def _other_level(one: GraphCrate) -> GraphCrate:
    return one.with_flag("opt-level", "0" if one.flag("opt-level") in ("2", "3", "s") else "3")


def _one_shared(one: GraphCrate) -> bool:
    return sum(kind in SHARED for kind in one.types) < len(SHARED)


def _same(one: GraphCrate) -> GraphCrate:
    return one


def _exact(one: GraphCrate) -> bool:
    """Whether a build's place leaves no trace: debug information and incremental sessions name folders."""
    return one.flag("debuginfo") is None and one.flag("incremental") is None


def _dylib_usable(graph: Graph, crate: int) -> bool:
    """Not if it contains std: a program has std of its own, and rustc refuses two (rust-lang/rust#90539)."""
    one = graph.crates[crate]
    return one.shared == "dylib" and (not graph.std or one.flag("prefer-dynamic") is not None)


def _no_object(one: GraphCrate) -> bool:
    """Of several units `--emit=obj` makes several objects, as a warning says."""
    return one.flag("emit") is None


RELATIONS: dict[str, Relation] = {
    "refused": Relation(
        "rustc refuses with a message what a documented rule excludes",
        lambda graph, crate: accepted(graph, graph.below(crate)[:-1]) and not accepted(graph, (crate,)),
        all_steps, whole=False,
    ),
    "c-static": Relation(
        "a C program links the staticlib, and prints the answer", _types("staticlib"), _c_static
    ),
    "c-dynamic": Relation(
        "a C program links the dylib or cdylib, and prints the answer", _types(*SHARED), _c_dynamic
    ),
    "dlopen": Relation(
        "a C program loads the dylib or cdylib, and prints the answer", _types(*SHARED), _loads
    ),
    "program": Relation("the program prints the answer", _types("bin"), _program),
    "rust-rlib": Relation(
        "a Rust program links the rlib, and prints the answer", _types("rlib"), _rust_user("rlib")
    ),
    "rust-dylib": Relation(
        "a Rust program links the dylib, and prints the answer",
        _dylib_usable,
        _rust_user("dylib"),
    ),
    "two-staticlibs": Relation(
        "a C program links two staticlibs that have only std in common",
        lambda graph, crate: graph.std
        and "staticlib" in graph.crates[crate].types
        and partner(graph, crate) is not None,
        _two_staticlibs,
    ),
    "exports": Relation(
        "the outputs export or define the C names that the model predicts", lambda *_: True, _exports
    ),
    "alone": Relation(
        "crate types built together are like each built alone", _alone_applies, _alone, strict=True
    ),
    "order": Relation(
        "the order of the crate types does not matter",
        _changes(_reversed, lambda one: len(one.types) > 1 and _one_shared(one)),
        _second(_reversed, _SYMBOLS), strict=True,
    ),
    "halves": Relation(
        "two halves build what one step builds", _changes(_other_halves), _second(_other_halves, _SYMBOLS),
        strict=True,
    ),
    "lto": Relation(
        "LTO changes neither answers nor the exports of a cdylib",
        _changes(_other_lto),
        _second(_other_lto, _EXPORTS),
    ),
    "units": Relation(
        "the number of codegen units changes neither answers nor the exports of a cdylib",
        _changes(_other_units, _no_object), _second(_other_units, _EXPORTS), strict=True,
    ),
    "opt-level": Relation(
        "the optimization level changes neither answers nor the exports of a cdylib",
        _changes(_other_level), _second(_other_level, _EXPORTS), strict=True,
    ),
    "folder": Relation(
        "the output folder changes no byte", _changes(_same, _exact), _second(_same, _BYTES), strict=True
    ),
    "incremental": Relation(
        "a first and a second incremental build are like one without",
        _changes(lambda one: one.with_flag("incremental", "inc"), lambda one: not one.halves),
        _incremental, strict=True,
    ),
}  # fmt: skip
"""Every relation by its name, which `--without` turns off."""

USES = ("c-static", "c-dynamic", "dlopen", "program", "rust-rlib", "rust-dylib", "two-staticlibs")
"""The relations that use an output."""


def applicable(graph: Graph, crate: int) -> list[str]:
    """The relations that can be checked of one crate."""
    fine = accepted(graph, graph.below(crate))
    return [
        name
        for name, relation in RELATIONS.items()
        if relation.whole == fine and (fine or name == "refused") and relation.applies(graph, crate)
    ]
