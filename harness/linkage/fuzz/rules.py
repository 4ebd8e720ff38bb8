"""What the model knows of rustc beforehand: which combinations it refuses with a message. Pure.

Each rule names its source. A refusal that no rule predicts is counted, with its message, and is no finding,
unless another build of the same crate was accepted where both must be.
"""

from collections.abc import Callable
from dataclasses import dataclass

from linkage.fuzz.graph import Graph

LTO = ("thin", "fat")
NO_LTO_TYPES = ("rlib", "proc-macro")


@dataclass(frozen=True, slots=True)
class RefusalRule:
    """One combination that is refused."""

    source: str
    text: str
    """A regex that a message of level error matches."""
    applies: Callable[[Graph, int], bool]


def _has_lto(graph: Graph, crate: int) -> bool:
    return graph.crates[crate].flag("lto") in LTO


def _one_takes_no_part(graph: Graph, crate: int) -> bool:
    types = graph.crates[crate].types
    return _has_lto(graph, crate) and len(types) > 1 and any(kind in NO_LTO_TYPES for kind in types)


def _dylib(graph: Graph, crate: int) -> bool:
    one = graph.crates[crate]
    return _has_lto(graph, crate) and one.flag("dylib-lto") is None and "dylib" in one.types


def _dynamic(graph: Graph, crate: int) -> bool:
    one = graph.crates[crate]
    alone = one.types == ("rlib",)
    return (
        _has_lto(graph, crate)
        and not alone
        and one.flag("dylib-lto") is None
        and one.flag("prefer-dynamic") is not None
    )


def _no_bitcode(graph: Graph, crate: int) -> bool:
    return _has_lto(graph, crate) and graph.crates[crate].flag("embed-bitcode") == "no"


RULES = (
    RefusalRule(
        "rust-lang/rust#51009; `crate_type_allows_lto` in rustc_codegen_ssa",
        "lto can only be run for",
        _one_takes_no_part,
    ),
    RefusalRule(
        "rust-lang/rust#101403, which added -Zdylib-lto",
        "lto cannot be used for `dylib` crate type",
        _dylib,
    ),
    RefusalRule(
        "rust-lang/rust#101403: std as a dylib cannot take part in LTO",
        "cannot prefer dynamic linking when performing LTO",
        _dynamic,
    ),
    RefusalRule(
        "the rustc book, `-C embed-bitcode`",
        "options `-C embed-bitcode=no` and `-C lto` are incompatible",
        _no_bitcode,
    ),
)
"""Every rule; of several that apply, rustc reports one or more."""


def refusals(graph: Graph, crate: int) -> tuple[RefusalRule, ...]:
    """The rules by which rustc refuses a crate of a graph; none if it should accept it."""
    return tuple(rule for rule in RULES if rule.applies(graph, crate))


def accepted(graph: Graph, crates: tuple[int, ...]) -> bool:
    """Whether no rule refuses any of these crates."""
    return not any(refusals(graph, crate) for crate in crates)
